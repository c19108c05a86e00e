"""Retention: what is due goes, in batches, by one process; what is worked on and counted stays."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from service.audit import Purpose
from service.auth import ROLES, Member
from service.console.control import COUNTED
from service.errors import BadRequest, Conflict, NotFound
from service.models import (
    AccessRecord,
    AnswerRecord,
    AuditEvent,
    Base,
    CitedPassage,
    Conversation,
    HandoverMessage,
    HandoverTicket,
    Job,
    KeptWait,
    Rating,
    RatingTicket,
    RetentionRule,
    RetentionRun,
    UrgentAcknowledgement,
)
from service.models.review import Review, ReviewTask
from service.ratings import Ratings, person_of
from service.retention import Housekeeping, Retention
from service.retention.deletion import OF_ANSWERS, OF_CONVERSATIONS, OF_TICKETS
from service.retention.kinds import KINDS
from service.statistics import jobs
from service.statistics.board import Board
from service.statistics.counts import Counts
from service.statistics.days import period_of
from tests.service.hall import START, Hall
from tests.service.office import at_once

URL = "/api/v1/staff/retention"
YEAR = timedelta(days=366)
KEY = "a key of the tests, long enough for everybody"


@pytest.fixture
def retention(hall: Hall) -> Retention:
    return Retention(hall.sessions, clock=hall.clock, batch=3, breath=0)


@pytest.fixture
def member(hall: Hall) -> Member:
    return hall.hire(role="administrator")[0]


def later(hall: Hall, span: timedelta) -> None:
    hall.clock.at += span


def test_what_is_old_enough_goes_with_all_that_hangs_on_it(
    hall: Hall, retention: Retention, member: Member
) -> None:
    urgent = hall.asked("c_old", "他又打我了", "handover_urgent")
    with hall.sessions.begin() as session:
        session.add(
            UrgentAcknowledgement(answer_id=urgent, staff_id=member.id, acknowledged_at=START)
        )
        session.add(task_of(urgent, "c_old"))
    hall.closed_ticket("c_old", member)
    said = hall.count(HandoverMessage)
    later(hall, YEAR)
    hall.asked("c_new")
    counted = retention.run()
    assert counted == {
        "conversations": 1, "answers": 1, "citations": 1, "messages": said,
        "contents": 1, "tickets": 1,
    }  # fmt: skip
    for table in (UrgentAcknowledgement, HandoverMessage, HandoverTicket, ReviewTask):
        assert hall.count(table) == 0
    with hall.sessions() as session:
        assert session.scalars(select(Conversation.id)).all() == ["c_new"]
        waits = session.execute(select(KeptWait.kind, KeptWait.seconds)).all()
    assert sorted(w.kind for w in waits) == ["handover", "urgent"]
    assert all(w.seconds is not None for w in waits)


def task_of(answer: str, conversation: str) -> ReviewTask:
    return ReviewTask(
        answer_id=answer,
        conversation_id=conversation,
        asked_at=START,
        region="310107",
        due_at=START,
    )


def test_one_that_went_on_lately_stays_whole(hall: Hall, retention: Retention) -> None:
    hall.asked("c_1")
    later(hall, YEAR)
    hall.asked("c_1")
    assert retention.run() == {}
    assert hall.count(AnswerRecord) == 2


def test_a_ticket_that_is_open_holds_its_conversation(
    hall: Hall, retention: Retention, member: Member
) -> None:
    hall.asked("c_1")
    ticket, _ = hall.handovers.open("c_1", consent=True)
    later(hall, YEAR)
    assert retention.run() == {}
    hall.handovers.claim(member, ticket["id"])
    hall.handovers.close(member, ticket["id"], outcome="solved", summary="讲清楚了")
    later(hall, timedelta(days=1))
    assert retention.run() == {}  # its words are kept from the day it was closed
    later(hall, YEAR)
    assert (retention.run() or {})["conversations"] == 1


@pytest.mark.parametrize("status", ["open", "closed"])
def test_a_review_that_is_open_holds_it_and_a_verdict_outlives_it(
    hall: Hall, retention: Retention, member: Member, status: str
) -> None:
    answer = hall.asked("c_1")
    with hall.sessions.begin() as session:
        session.add(
            Review(
                id="r_1",
                answer_id=answer,
                conversation_id="c_1",
                asked_at=START,
                topic="劳动人事",
                outcome="answered_faq",
                region="310107",
                reviewer_id=member.id,
                verdict="wrong",
                labels=["过时"],
                comment="市民说了他的工厂",
                follow_up="none",
                status=status,
            )
        )
    later(hall, YEAR)
    retention.run()
    assert hall.count(Conversation) == (1 if status == "open" else 0)
    with hall.sessions() as session:
        review = session.scalars(select(Review)).one()
    assert review.verdict == "wrong"
    if status == "closed":
        assert (review.comment, review.conversation_id, review.rerun) == ("", "", None)


def test_a_bad_rating_that_is_worked_on_holds_it(hall: Hall, retention: Retention) -> None:
    answer = hall.asked("c_1")
    ratings = Ratings(hall.sessions, KEY, clock=hall.clock)
    ratings.rate(ratings.token_for("answer", answer), 1, comment="没用")
    later(hall, 3 * YEAR)
    assert retention.run() == {}
    with hall.sessions.begin() as session:
        for ticket in session.scalars(select(RatingTicket)):
            ticket.status = "closed"
    counted = retention.run() or {}
    assert (counted["conversations"], counted["comments"]) == (1, 1)
    with hall.sessions() as session:
        rating = session.scalars(select(Rating)).one()
    assert (rating.level, rating.month, rating.comment) == (1, "2026-11", "")


def test_the_words_of_a_ticket_may_go_before_its_conversation(
    hall: Hall, retention: Retention, member: Member
) -> None:
    hall.asked("c_1")
    ticket = hall.closed_ticket("c_1", member)
    said = hall.count(HandoverMessage)
    retention.set(member, "messages", 60, comment="试点", deletes=0)
    later(hall, timedelta(days=61))
    assert retention.run() == {"contents": 1, "messages": said}
    assert retention.run() == {}
    seen = hall.handovers.of_conversation("c_1")
    assert seen["summary"] == "已按保存期限删除"
    assert seen["messages"] == []
    read = hall.handovers.read(member, ticket, purpose=Purpose.HANDLE)
    assert "拖欠" not in str(read["packet"])
    assert read["packet"]["summary"] == "已按保存期限删除"


def test_access_records_outlive_what_was_read(
    hall: Hall, retention: Retention, member: Member
) -> None:
    with hall.sessions.begin() as session:
        session.add(
            AccessRecord(
                staff_id=member.id,
                subject="conversation",
                subject_id="c",
                conversation_id="c",
                purpose="review",
                accessed_at=START,
            )
        )
    later(hall, 2 * YEAR)
    assert retention.run() == {}
    later(hall, 2 * YEAR)
    assert retention.run() == {"access": 1}


def test_figures_do_not_change_when_the_data_goes(hall: Hall, retention: Retention) -> None:
    for n in range(7):
        hall.asked(f"c_{n}", outcome="answered_faq" if n % 2 else "unanswerable_unsure")
    hall.asked("c_0", "他又打我了", "handover_urgent", topic=None)
    board = Board(hall.sessions, clock=hall.clock)
    month = period_of("month", START.date())
    before = board.of(month)["figures"]
    later(hall, YEAR)
    counted = retention.run() or {}
    assert (counted["conversations"], counted["answers"]) == (7, 8)
    after = board.of(month)["figures"]
    # The days up to today are more by now.
    assert after["days"][: len(before["days"])] == before["days"]
    assert after | {"days": 0} == before | {"days": 0}


def test_a_preview_says_what_would_go_and_saving_needs_it(
    hall: Hall, retention: Retention, member: Member
) -> None:
    for n in range(4):
        hall.asked(f"c_{n}", at=START - timedelta(days=100 + n))
    hall.asked("c_today")
    seen = retention.preview("conversations", 90)
    assert (seen["n"], seen["unit"]) == (4, "个会话")
    assert datetime.fromisoformat(seen["oldest"]) == START - timedelta(days=103)
    assert retention.preview("conversations", 365)["n"] == 0
    with pytest.raises(Conflict, match="将删除 4 个会话，最早的是 2026-08-16"):
        retention.set(member, "conversations", 90, comment="试点", deletes=3)
    assert hall.count(RetentionRule) == 0
    retention.set(member, "conversations", 90, comment="试点", deletes=4)
    rule = next(r for r in retention.rules() if r["kind"] == "conversations")
    assert (rule["days"], rule["by"], rule["comment"]) == (90, "周督导", "试点")
    assert rule["due"]["n"] == 4
    assert (retention.run() or {})["conversations"] == 4


@pytest.mark.parametrize("days", [-1, 0, 29, 3651, 10**9])
def test_days_have_bounds(retention: Retention, member: Member, days: int) -> None:
    with pytest.raises(BadRequest):
        retention.set(member, "conversations", days, comment="试", deletes=9)


def test_other_bad_input(retention: Retention, member: Member) -> None:
    with pytest.raises(NotFound):
        retention.preview("audit", 30)
    for comment in ("", " \x00", "长" * 301):
        with pytest.raises(BadRequest):
            retention.set(member, "conversations", 90, comment=comment, deletes=0)


def test_of_many_processes_one_deletes(hall: Hall) -> None:
    for n in range(12):
        hall.asked(f"c_{n}", at=START - YEAR)

    def run() -> dict[str, int] | None:
        return Retention(hall.sessions, clock=hall.clock, batch=2, breath=0.01).run(daily=True)

    results = at_once([run] * 4)
    assert [r for r in results if isinstance(r, Exception)] == []
    assert [r["conversations"] for r in results if r] == [12]
    assert hall.count(RetentionRun) == 1


def test_it_runs_once_a_day(hall: Hall, retention: Retention) -> None:
    assert retention.run(daily=True) == {}
    assert retention.run(daily=True) is None
    assert retention.run() == {}  # when somebody asks
    later(hall, timedelta(days=1))
    assert retention.run(daily=True) == {}


def test_a_run_that_was_cut_off_is_gone_on_with(
    hall: Hall, retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(7):
        hall.asked(f"c_{n}", at=START - YEAR)
    batches = iter(range(1))

    def die(*_: Any) -> Iterator[None]:
        if next(batches, None) is None:
            raise KeyboardInterrupt
        return iter(())

    with monkeypatch.context() as patched:
        patched.setattr("service.retention.rules.time.sleep", die)
        with pytest.raises(KeyboardInterrupt):
            retention.run(daily=True)
    left = hall.count(Conversation)
    assert 0 < left < 7
    assert (retention.run(daily=True) or {})["conversations"] == 7
    [run] = retention.runs()
    assert run["finished_at"]
    assert run["counts"]["conversations"] == 7


def test_a_process_that_died_is_taken_over_after_a_while(hall: Hall, retention: Retention) -> None:
    with hall.sessions.begin() as session:
        session.add(Job(name=jobs.RETENTION, holder="dead", held_until=hall.clock.at + jobs.HELD))
    assert retention.run() is None
    later(hall, jobs.HELD + timedelta(seconds=1))
    assert retention.run() == {}


def test_one_that_was_taken_over_stops(hall: Hall) -> None:
    for n in range(4):
        hall.asked(f"c_{n}", at=START - YEAR)
    slow = Retention(hall.sessions, clock=hall.clock, batch=1, breath=0)
    with hall.sessions.begin() as session:
        holder = jobs.take(session, jobs.RETENTION, hall.clock(), unless_done_on=None)
        assert holder
        run = slow._begin(session, None)
    with hall.sessions.begin() as session:
        session.get_one(Job, jobs.RETENTION).holder = "another"
    assert slow._delete(run, holder) is None
    assert hall.count(Conversation) == 4


def test_it_is_on_record_with_the_counts(hall: Hall, retention: Retention, member: Member) -> None:
    hall.asked("c_1", at=START - YEAR)
    retention.run(member)
    with hall.sessions() as session:
        event = session.scalars(select(AuditEvent)).one()
    assert (event.action, event.actor) == ("retention.purge", member.id)
    assert event.detail["conversations"] == 1
    assert "c_1" not in str(event.detail)


def test_housekeeping_folds_days_and_deletes_at_night(hall: Hall) -> None:
    hall.asked("c_1", at=START - YEAR)
    keeper = Housekeeping(hall.sessions, clock=hall.clock)
    hall.clock.at = datetime(2026, 11, 27, 17, 30, tzinfo=UTC)  # half past one at night
    keeper.once()
    assert hall.count(Conversation) == 1
    hall.clock.at = datetime(2026, 11, 27, 18, 30, tzinfo=UTC)
    keeper.once()
    assert hall.count(Conversation) == 0
    with hall.sessions() as session:
        assert jobs.done_until(session, jobs.COUNTS) == date(2026, 11, 27)


@pytest.mark.parametrize("broken", ["fold", "run"])
def test_what_goes_wrong_with_one_step_stops_no_other(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken: str
) -> None:
    hall.asked("c_1", at=START - YEAR)
    old = tmp_path / "orphan"
    old.write_bytes(b"x")
    os.utime(old, (1, 1))

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(broken)

    monkeypatch.setattr(Counts if broken == "fold" else Retention, broken, fail)
    hall.clock.at = datetime(2026, 11, 27, 18, 30, tzinfo=UTC)
    Housekeeping(hall.sessions, files=tmp_path, clock=hall.clock).once()
    assert hall.count(Conversation) == (0 if broken == "fold" else 1)
    assert not old.exists()


def test_what_cannot_go_keeps_no_other_of_its_batch(
    hall: Hall, retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        hall.asked(f"c_{n}", at=START - YEAR)
    kind = KINDS["conversations"]

    def remove(session: Session, counts: Counts, ids: Sequence[str], at: datetime) -> Any:
        removed = kind.remove(session, counts, ids, at)
        if "c_1" in ids:
            raise IntegrityError("somebody has written to it", {}, Exception())
        return removed

    monkeypatch.setitem(KINDS, "conversations", replace(kind, remove=remove))
    assert (retention.run() or {})["conversations"] == 4
    with hall.sessions() as session:
        assert session.scalars(select(Conversation.id)).all() == ["c_1"]


def test_a_run_that_somebody_asked_for_and_that_fails_is_in_the_log(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, headers = hall.hire(role="administrator")

    def fail(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Retention, "run", fail)
    with capture_logs() as logs:
        assert hall.client.post(f"{URL}/run", headers=headers).status_code == 202
        for thread in threading.enumerate():
            if thread.name == "retention":
                thread.join(5)
    assert [(e["event"], e["log_level"]) for e in logs] == [("retention.failed", "error")]


def test_every_key_that_is_counted_has_a_name_on_the_page(
    hall: Hall, retention: Retention, member: Member
) -> None:
    hall.asked("c_old")
    hall.closed_ticket("c_old", member)
    later(hall, YEAR)
    assert (retention.run() or {}).keys() <= COUNTED.keys()
    assert COUNTED["contents"] != COUNTED["tickets"]


@pytest.mark.parametrize("region", ["", "310107"])
def test_who_is_limited_to_a_region_sets_nothing_for_all(hall: Hall, region: str) -> None:
    _, headers = hall.hire(role="administrator", region=region)
    rule = {"days": 300, "comment": "试点", "deletes": 0}
    switch = {"kind": "channel", "key": "web", "off": True, "comment": "停"}
    notice = {
        "text": "周六停机",
        "starts_at": "2026-12-01T09:00",
        "ends_at": "2099-12-02T09:00",
    }
    sent = [
        hall.client.put(f"{URL}/conversations", json=rule, headers=headers),
        hall.client.post("/api/v1/staff/switches", json=switch, headers=headers),
        hall.client.post("/api/v1/staff/notices", json=notice, headers=headers),
    ]
    if not region:
        assert [response.status_code for response in sent] == [200, 200, 201]
        return
    for response in sent:
        assert response.status_code == 403
        assert "限定了地区的账号不能做" in response.json()["error"]["message"]
    for page in ("retention", "switches", "notices"):
        shown = hall.client.get(f"/console/{page}", headers=headers)
        assert shown.status_code == 200
        assert "data-api=" not in shown.text.partition("<main")[2], page


def test_every_table_that_leads_to_a_conversation_is_deleted_with_it() -> None:
    """A foreign key that is not in the lists would stop the deletion one day."""
    reached = {"answers", "conversations", "handovers"}
    columns = {c.class_.__tablename__: c.key for c in (*OF_ANSWERS, *OF_TICKETS, *OF_CONVERSATIONS)}
    pointing = {
        table.name
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name in reached
    }
    assert pointing <= columns.keys()
    named = {
        table.name
        for table in Base.metadata.tables.values()
        if "answer_id" in table.columns and not table.columns["answer_id"].foreign_keys
    }
    assert named - columns.keys() == {"reviews"}  # which keep their verdict


def test_each_kind_has_a_reason_and_a_default_within_its_bounds() -> None:
    for kind in KINDS.values():
        assert kind.least <= kind.days <= 3650
        assert len(kind.why) > 10


def test_over_http(hall: Hall) -> None:
    _, headers = hall.hire(role="administrator")
    hall.asked("c_1", at=datetime.now(UTC) - YEAR)
    url = f"{URL}/conversations"
    seen = hall.client.get(f"{url}/preview?days=300", headers=headers).json()
    assert seen["n"] == 1
    body = {"days": 300, "comment": "试点", "deletes": 0}
    refused = hall.client.put(url, json=body, headers=headers)
    assert refused.status_code == 409
    assert "将删除 1 个会话" in refused.json()["error"]["message"]
    assert hall.client.put(url, json=body | {"deletes": 1}, headers=headers).status_code == 200
    rules = hall.client.get(URL, headers=headers).json()["rules"]
    assert next(r for r in rules if r["kind"] == "conversations")["days"] == 300
    for wrong in ({"days": "300"}, {"days": 3.5}, {"deletes": -1}, {"comment": None}, {"x": 1}):
        assert hall.client.put(url, json=body | wrong, headers=headers).status_code == 422
    assert hall.client.put(f"{URL}/audit", json=body, headers=headers).status_code == 404
    page = hall.client.get("/console/retention", headers=headers).text
    assert "待区司法局确认" in page
    assert "保存 <strong>300</strong> 天" in page


@pytest.mark.parametrize("role", ROLES)
def test_who_may_read_and_set(hall: Hall, role: str) -> None:
    _, headers = hall.hire("某人", role)
    body = {"days": 300, "comment": "试点", "deletes": 0}
    reading = hall.client.get(URL, headers=headers).status_code
    page = hall.client.get("/console/retention", headers=headers).status_code
    setting = hall.client.put(f"{URL}/conversations", json=body, headers=headers).status_code
    assert reading == page == (200 if role in ("auditor", "administrator") else 403)
    assert setting == (200 if role == "administrator" else 403)
    if role != "administrator":
        assert hall.client.post(f"{URL}/run", headers=headers).status_code == 403


def test_nothing_of_what_is_kept_shows_who_it_was(
    hall: Hall, retention: Retention, member: Member
) -> None:
    hall.asked("c_secret", "我叫张三丰，在某厂上班", "handover_urgent")
    ticket = hall.closed_ticket("c_secret", member)
    ratings = Ratings(hall.sessions, KEY, clock=hall.clock)
    ratings.rate(ratings.token_for("handover", ticket), 1, ["便捷度"], "张三丰不满意")
    with hall.sessions() as session:
        rated = session.scalars(select(RatingTicket.id)).one()
    ratings.tickets.reply(member, rated, "张三丰的事我们看了")
    with hall.sessions.begin() as session:
        session.get_one(RatingTicket, rated).status = "closed"
    person = person_of("c_secret")
    later(hall, 2 * YEAR)
    assert (retention.run() or {})["comments"] == 1
    assert retention.run() == {}
    with hall.sessions() as session:
        rating = session.scalars(select(Rating)).one()
        assert (rating.level, rating.month) == (1, "2026-11")
        assert (rating.aspects, rating.matter, rating.handler, rating.topic) == ([], {}, {}, None)
        assert rating.rated_at.day in (31, 1)  # the first moment of the month, in Shanghai
        assert ticket not in rating.event_id
        for table in Base.metadata.sorted_tables:
            rows = str(session.execute(select(table)).all())
            for word in ("张三丰", person):
                assert word not in rows, (table.name, word)
            if table.name not in (
                "access_records",
                "audit_events",
            ):  # who read it, and nothing of it
                assert "c_secret" not in rows, table.name
    assert hall.count(CitedPassage) == 0
