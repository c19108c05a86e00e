"""Tickets of bad ratings: every move from every status, the right person, the right day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from service.auth import Member
from service.errors import BadRequest, Conflict, NotAllowed, NotFound
from service.models import AccessRecord, RatingMove, RatingTicket
from service.ratings import Deadlines, Ratings, Recheck, TicketStatus
from tests.service.ratings.conftest import KEY, TICKETS, Bureau, at_once

S = TicketStatus
Act = Callable[[Bureau, str], Any]


def moves(agent: Member, supervisor: Member) -> dict[str, Act]:
    """Everything that can be done to a ticket, by people who may do it."""
    return {
        "contact": lambda o, t: o.tickets.reply(agent, t, "已在核查", final=False),
        "reply": lambda o, t: o.tickets.reply(agent, t, "已改正"),
        "satisfied": lambda o, t: o.tickets.recheck(supervisor, t, Recheck.SATISFIED),
        "unreachable": lambda o, t: o.tickets.recheck(supervisor, t, Recheck.UNREACHABLE),
        "still": lambda o, t: o.tickets.recheck(supervisor, t, Recheck.STILL_UNSATISFIED),
        "close": lambda o, t: o.tickets.close(supervisor, t, note="市民要的是胜诉"),
        "appeal": lambda o, t: o.tickets.appeal(agent, t, "评错了"),
        "accept": lambda o, t: o.tickets.decide(supervisor, t, accepted=True, reason="属实"),
        "reject": lambda o, t: o.tickets.decide(supervisor, t, accepted=False, reason="不属实"),
    }


# The way to each status, and all that may be done there, with what it leads to.
ALLOWED: dict[tuple[str, ...], tuple[TicketStatus, dict[str, TicketStatus]]] = {
    (): (S.OPEN, {"contact": S.OPEN, "reply": S.REPLIED, "appeal": S.APPEALED}),
    ("contact",): (S.OPEN, {"contact": S.OPEN, "reply": S.REPLIED, "appeal": S.APPEALED}),
    ("reply",): (
        S.REPLIED,
        {
            "satisfied": S.RECHECKED,
            "unreachable": S.RECHECKED,
            "still": S.RECHECKED,
            "appeal": S.APPEALED,
        },
    ),
    ("reply", "satisfied"): (S.RECHECKED, {"close": S.CLOSED}),
    ("reply", "still"): (S.RECHECKED, {"close": S.CLOSED, "reply": S.REPLIED}),
    ("reply", "unreachable"): (S.RECHECKED, {"close": S.CLOSED, "reply": S.REPLIED}),
    ("reply", "still", "reply"): (
        S.REPLIED,
        {
            "satisfied": S.RECHECKED,
            "unreachable": S.RECHECKED,
            "still": S.RECHECKED,
            "appeal": S.APPEALED,
        },
    ),
    ("reply", "satisfied", "close"): (S.CLOSED, {}),
    ("appeal",): (S.APPEALED, {"accept": S.ACCEPTED, "reject": S.REJECTED}),
    ("reply", "appeal"): (S.APPEALED, {"accept": S.ACCEPTED, "reject": S.REJECTED}),
    ("appeal", "accept"): (S.ACCEPTED, {}),
    ("appeal", "reject"): (S.REJECTED, {"contact": S.REJECTED, "reply": S.REPLIED}),
    # A second appeal is refused, so none follows this reply.
    ("appeal", "reject", "reply"): (
        S.REPLIED,
        {"satisfied": S.RECHECKED, "unreachable": S.RECHECKED, "still": S.RECHECKED},
    ),
}


@pytest.mark.parametrize("way", ALLOWED, ids=lambda way: "-".join(way) or "new")
def test_each_status_allows_its_moves_and_no_other(
    bureau: Bureau, agent: Member, supervisor: Member, way: tuple[str, ...]
) -> None:
    acts = moves(agent, supervisor)
    status, allowed = ALLOWED[way]
    for name, act in acts.items():
        ticket = bureau.bad_rating()
        for step in way:
            acts[step](bureau, ticket)
        before = bureau.tickets.read(agent, ticket)
        assert before["status"] == status
        if name in allowed:
            after = act(bureau, ticket)
            assert after["status"] == allowed[name]
            assert len(after["moves"]) == len(before["moves"]) + 1
        else:
            with pytest.raises(Conflict) as refused:
                act(bureau, ticket)
            assert refused.value.message
            assert bureau.tickets.read(agent, ticket) == before


def test_the_record_of_a_ticket_says_who_did_what_and_when(
    bureau: Bureau, agent: Member, supervisor: Member
) -> None:
    ticket = bureau.bad_rating(comment="电话没人接，打13800138000给我")
    bureau.tickets.reply(agent, ticket, "对不起，电话是021-12345678", final=False)
    bureau.clock.at += timedelta(days=1)
    bureau.tickets.reply(agent, ticket, "已改正")
    bureau.tickets.recheck(supervisor, ticket, Recheck.SATISFIED, note="电话回访")
    shown = bureau.tickets.close(supervisor, ticket)
    assert shown["comment"] == "电话没人接，打[手机号]给我"
    assert [(m["action"], m["by"]["name"], m["text"], m["result"]) for m in shown["moves"]] == [
        ("contact", agent.name, "对不起，电话是021-12345678", None),  # staff's words stay
        ("reply", agent.name, "已改正", None),
        ("recheck", supervisor.name, "电话回访", "satisfied"),
        ("close", supervisor.name, "", None),
    ]
    assert shown["contacted_at"] < shown["moves"][1]["at"]
    assert shown["due_at"] is None


def test_the_citizen_reads_the_replies_and_nothing_internal(
    bureau: Bureau, agent: Member, supervisor: Member
) -> None:
    event = bureau.answer()
    token, ticket = bureau.token(event), bureau.bad_rating(event)
    bureau.tickets.reply(agent, ticket, "正在核查", final=False)
    bureau.tickets.appeal(agent, ticket, "这人总是乱评")
    bureau.tickets.decide(supervisor, ticket, accepted=False, reason="评得有道理")
    bureau.tickets.reply(agent, ticket, "已改正")
    mine = bureau.post({"token": token}, "/api/v1/ratings/mine")
    assert [r["text"] for r in mine.json()["ticket"]["replies"]] == ["正在核查", "已改正"]
    assert mine.json()["ticket"]["status"] == "replied"
    for internal in ("乱评", "有道理", agent.name, agent.id, supervisor.name):
        assert internal not in mine.text


@pytest.mark.parametrize("text", ["", "  \n\x00 ", "长" * 2001])
def test_an_empty_or_endless_text_is_refused(
    bureau: Bureau, agent: Member, supervisor: Member, text: str
) -> None:
    ticket = bureau.bad_rating()
    with pytest.raises(BadRequest):
        bureau.tickets.reply(agent, ticket, text)
    with pytest.raises(BadRequest):
        bureau.tickets.appeal(agent, ticket, text)
    bureau.tickets.appeal(agent, ticket, "评错了")
    with pytest.raises(BadRequest):
        bureau.tickets.decide(supervisor, ticket, accepted=True, reason=text)
    assert bureau.count(RatingMove) == 1


def test_closing_without_a_satisfied_citizen_needs_a_reason(
    bureau: Bureau, agent: Member, supervisor: Member
) -> None:
    ticket = bureau.bad_rating()
    bureau.tickets.reply(agent, ticket, "已改正")
    bureau.tickets.recheck(supervisor, ticket, Recheck.UNREACHABLE)
    with pytest.raises(BadRequest, match="写明"):
        bureau.tickets.close(supervisor, ticket)
    assert bureau.tickets.close(supervisor, ticket, note="三次未接")["status"] == "closed"
    assert bureau.ratings.summary()["tickets"] == {"open": 0, "closed": 1}


def test_who_appealed_cannot_decide(bureau: Bureau, supervisor: Member) -> None:
    ticket = bureau.bad_rating()
    bureau.tickets.appeal(supervisor, ticket, "评错了")
    with pytest.raises(NotAllowed, match="以外的人"):
        bureau.tickets.decide(supervisor, ticket, accepted=True, reason="属实")
    other = bureau.hire("supervisor")
    assert (
        bureau.tickets.decide(other, ticket, accepted=True, reason="属实")["status"] == "accepted"
    )


def test_only_who_was_rated_appeals_and_never_decides(bureau: Bureau, supervisor: Member) -> None:
    ticket = bureau.bad_rating(bureau.handover(supervisor))
    other = bureau.hire("agent")
    with pytest.raises(NotAllowed, match="承办人本人"):
        bureau.tickets.appeal(other, ticket, "同事没错")
    bureau.tickets.appeal(supervisor, ticket, "不是我接待的")
    with pytest.raises(NotAllowed, match="承办人以外"):
        bureau.tickets.decide(supervisor, ticket, accepted=True, reason="属实")
    assert bureau.tickets.read(other, ticket)["status"] == "appealed"


def test_of_many_who_reply_at_once_one_is_heard(bureau: Bureau) -> None:
    ticket = bureau.bad_rating()
    agents = [bureau.hire("agent") for _ in range(12)]
    results = at_once(12, lambda n: bureau.tickets.reply(agents[n], ticket, f"答复{n}"))
    winners = [r for r in results if isinstance(r, dict)]
    assert len(winners) == 1
    assert all(isinstance(r, Conflict) for r in results if r not in winners)
    assert bureau.count(RatingMove) == 1


def test_of_opposite_decisions_at_once_one_holds(bureau: Bureau, agent: Member) -> None:
    event = bureau.answer()
    token, ticket = bureau.token(event), bureau.bad_rating(event)
    bureau.tickets.appeal(agent, ticket, "评错了")
    deciders = [bureau.hire("supervisor") for _ in range(8)]
    results = at_once(
        8, lambda n: bureau.tickets.decide(deciders[n], ticket, accepted=n % 2 == 0, reason="理由")
    )
    [winner] = [r for r in results if isinstance(r, dict)]
    assert bureau.ratings.read(token)["counted"] == (winner["status"] == "rejected")
    assert len(bureau.tickets.read(agent, ticket)["moves"]) == 2


def test_a_move_on_what_has_changed_since_is_refused(bureau: Bureau, agent: Member) -> None:
    """Somebody changes the ticket between the reading and the writing of another."""
    ticket = bureau.bad_rating()

    def meanwhile() -> datetime:
        with bureau.sessions.begin() as session:
            session.execute(update(RatingTicket).values(version=RatingTicket.version + 1))
        return bureau.clock.at

    slow = Ratings(bureau.sessions, KEY, clock=meanwhile)
    with pytest.raises(Conflict, match="刚被别人处理过"):
        slow.tickets.reply(agent, ticket, "已改正")
    assert bureau.count(RatingMove) == 0


SHANGHAI = timedelta(hours=8)


@pytest.mark.parametrize(
    ("rated", "contact", "mend", "recheck"),
    [
        # A Friday: the weekend does not count.
        ("2026-11-27 16:00", "2026-11-30", "2026-12-04", "2026-12-18"),
        # A Saturday and a Monday: the day itself does not count.
        ("2026-11-28 09:00", "2026-11-30", "2026-12-04", "2026-12-18"),
        ("2026-11-30 00:01", "2026-12-01", "2026-12-07", "2026-12-21"),
        # Before 国庆: 1 to 7 October off, Saturday the 10th worked.
        ("2026-09-30 17:00", "2026-10-08", "2026-10-13", "2026-10-27"),
    ],
)
def test_deadlines_are_working_days_to_their_end(
    bureau: Bureau, agent: Member, rated: str, contact: str, mend: str, recheck: str
) -> None:
    bureau.clock.at = datetime.fromisoformat(rated).replace(tzinfo=UTC) - SHANGHAI
    shown = bureau.tickets.read(agent, bureau.bad_rating())
    local = {
        name: (datetime.fromisoformat(at) + SHANGHAI).isoformat(" ")[:19]
        for name, at in shown["deadlines"].items()
    }
    assert local == {
        "contact_at": f"{contact} 23:59:59",
        "mend_at": f"{mend} 23:59:59",
        "recheck_at": f"{recheck} 23:59:59",
    }


def test_the_next_deadline_runs_and_passes(
    bureau: Bureau, agent: Member, supervisor: Member
) -> None:
    ticket = bureau.bad_rating()
    read = bureau.tickets.read(agent, ticket)
    due = read["deadlines"]
    assert (read["due_at"], read["overdue"]) == (due["contact_at"], False)
    bureau.clock.at = datetime.fromisoformat(due["contact_at"]) + timedelta(seconds=1)
    assert bureau.tickets.read(agent, ticket)["overdue"]
    assert [t["id"] for t in bureau.tickets.queue(agent, overdue=True)["tickets"]] == [ticket]
    contacted = bureau.tickets.reply(agent, ticket, "在核查", final=False)
    assert (contacted["due_at"], contacted["overdue"]) == (due["mend_at"], False)
    assert bureau.tickets.appeal(agent, ticket, "评错了")["due_at"] == due["mend_at"]
    rejected = bureau.tickets.decide(supervisor, ticket, accepted=False, reason="不属实")
    assert rejected["due_at"] == due["mend_at"]
    assert bureau.tickets.reply(agent, ticket, "已改正")["due_at"] == due["recheck_at"]
    rechecked = bureau.tickets.recheck(supervisor, ticket, Recheck.SATISFIED)
    assert rechecked["due_at"] == due["recheck_at"]
    assert bureau.tickets.close(supervisor, ticket)["due_at"] is None


def test_days_and_calendar_can_be_given(bureau: Bureau, agent: Member) -> None:
    def every_day(moment: datetime, n: int) -> datetime:
        return moment + timedelta(days=n)

    bureau.ratings = Ratings(
        bureau.sessions,
        KEY,
        deadlines=Deadlines(contact=1, mend=2, recheck=3),
        add_working_days=every_day,
        clock=bureau.clock,
    )
    due = bureau.tickets.read(agent, bureau.bad_rating())["deadlines"]
    assert [at[:10] for at in due.values()] == ["2026-11-28", "2026-11-29", "2026-11-30"]


def test_the_queue_shows_pages_counts_and_nothing_that_a_citizen_wrote(
    bureau: Bureau, agent: Member
) -> None:
    made = []
    for _ in range(5):
        bureau.clock.at += timedelta(minutes=1)
        made.append(bureau.bad_rating(comment="不该在列表里"))
    bureau.tickets.reply(agent, made[2], "已改正")
    seen: list[str] = []
    page = bureau.tickets.queue(agent, limit=2)
    while True:
        seen += [t["id"] for t in page["tickets"]]
        assert "不该在列表里" not in str(page)
        if page["next"] is None:
            break
        page = bureau.tickets.queue(agent, limit=2, before=page["next"])
    assert seen == made[::-1]
    assert (page["counts"]["open"], page["counts"]["replied"]) == (4, 1)
    assert [t["id"] for t in bureau.tickets.queue(agent, status=S.REPLIED)["tickets"]] == [made[2]]
    first = bureau.tickets.queue(agent, order="due", limit=4)
    rest = bureau.tickets.queue(agent, order="due", before=first["next"])
    assert [t["id"] for t in rest["tickets"]] == [made[2]]  # due for re-check, so last


def test_reading_and_working_is_on_record_once(bureau: Bureau, agent: Member) -> None:
    event = bureau.answer(conversation := bureau.conversation())
    ticket = bureau.bad_rating(event)
    bureau.tickets.queue(agent)
    assert bureau.count(AccessRecord) == 0
    bureau.tickets.read(agent, ticket)
    bureau.tickets.reply(agent, ticket, "已改正")
    with bureau.sessions() as session:
        record = session.scalars(select(AccessRecord)).one()
    assert (record.staff_id, record.subject, record.subject_id) == (agent.id, "rating", ticket)
    assert (record.conversation_id, record.purpose) == (conversation, "complaint")


def test_staff_of_another_region_see_nothing(bureau: Bureau) -> None:
    ticket = bureau.bad_rating()
    stranger = bureau.hire("supervisor", region="310101")
    local = bureau.hire("supervisor", region="310107")
    assert bureau.tickets.queue(stranger)["tickets"] == []
    assert sum(bureau.tickets.queue(stranger)["counts"].values()) == 0
    for act in moves(stranger, stranger).values():
        with pytest.raises(NotFound):
            act(bureau, ticket)
    assert bureau.tickets.read(local, ticket)["status"] == "open"


BODIES: dict[str, dict[str, object]] = {
    "reply": {"text": "已改正"},
    "recheck": {"result": "satisfied"},
    "close": {},
    "appeal": {"reason": "评错了"},
    "decide": {"accepted": False, "reason": "不属实"},
}


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("agent", {"read", "reply", "appeal"}),
        ("curator", {"read", "reply", "appeal"}),
        ("supervisor", {"read", "reply", "appeal", "recheck", "close", "decide"}),
        ("reviewer", set()),
        ("auditor", set()),
        ("administrator", set()),
    ],
)
def test_each_role_may_do_its_part_only(bureau: Bureau, role: str, may: set[str]) -> None:
    ticket = bureau.bad_rating()
    token = bureau.staff.add("某人", [role])[1]
    headers = {"Authorization": f"Bearer {token}"}
    done = {
        name
        for name, body in BODIES.items()
        if bureau.http.post(f"{TICKETS}/{ticket}/{name}", json=body, headers=headers).status_code
        != 403
    }
    for path in (TICKETS, f"{TICKETS}/{ticket}"):
        if bureau.http.get(path, headers=headers).status_code == 200:
            done.add("read")
    assert done == may


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic eA==", "Bearer "])
def test_nobody_without_a_token_gets_in(bureau: Bureau, header: str | None) -> None:
    ticket = bureau.bad_rating()
    headers = {"Authorization": header} if header else {}
    responses = [
        bureau.http.post(f"{TICKETS}/{ticket}/{name}", json=body, headers=headers)
        for name, body in BODIES.items()
    ]
    responses += [bureau.http.get(p, headers=headers) for p in (TICKETS, f"{TICKETS}/{ticket}")]
    assert {r.status_code for r in responses} == {401}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("t_unknown/reply", {"text": "好"}, 404),
        ("{t}/reply", {"text": 5}, 422),
        ("{t}/reply", {}, 422),
        ("{t}/reply", {"text": "好", "final": "no"}, 422),
        ("{t}/reply", {"text": "长" * 20_000}, 400),
        ("{t}/recheck", {"result": "happy"}, 422),
        ("{t}/decide", {"accepted": "yes", "reason": "好"}, 422),
        ("{t}/decide", {"accepted": True, "reason": "好"}, 409),
        ("{t}/close", {"note": ["x"]}, 422),
        (f"{'x' * 400}/reply", {"text": "好"}, 422),
        ("%00/reply", {"text": "好"}, 422),
    ],
)
def test_bad_input_of_staff_gets_a_clear_error(
    bureau: Bureau, path: str, body: dict[str, object], status: int
) -> None:
    ticket = bureau.bad_rating()
    headers = {"Authorization": f"Bearer {bureau.staff.add('某人', ['supervisor'])[1]}"}
    response = bureau.http.post(f"{TICKETS}/{path.format(t=ticket)}", json=body, headers=headers)
    assert response.status_code == status
    assert response.json()["error"]["message"]
    assert bureau.count(RatingMove) == 0


@pytest.mark.parametrize(
    "query", ["status=happy", "limit=0", "limit=1000", "order=x", "before=" + "x" * 50]
)
def test_a_bad_query_gets_a_clear_error(bureau: Bureau, query: str) -> None:
    headers = {"Authorization": f"Bearer {bureau.staff.add('某人', ['agent'])[1]}"}
    response = bureau.http.get(f"{TICKETS}?{query}", headers=headers)
    assert response.status_code == 422
    assert response.json()["error"]["message"].startswith("请求格式不对")
