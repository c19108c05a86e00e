"""What happens at the desk reaches those whom it concerns, as it happens, over a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from sqlalchemy import update

from service.accounts.sessions import COOKIE, StaffSessions, end
from service.handover import Live
from service.models import Staff
from tests.service.desk.conftest import DUTY, EVENTS, FrontDesk, Stream, listening, running
from tests.service.office import URGENT


@pytest.fixture
def url(front: FrontDesk) -> Iterator[str]:
    with running(front.app) as address:
        yield address


def test_a_new_ticket_appears_only_before_those_of_its_region(front: FrontDesk, url: str) -> None:
    _, putuo = front.hire("小王", region="310107")
    _, huangpu = front.hire("小李", region="310101")
    _, everywhere = front.hire("老陈", "supervisor")
    with (
        listening(url, putuo.headers) as near,
        listening(url, huangpu.headers) as far,
        listening(url, everywhere.headers) as all_of_it,
    ):
        assert near.next("queue")["counts"] == {"waiting": 0, "claimed": 0, "overdue": 0}
        far.next("queue")
        all_of_it.next("queue")
        front.asked("c_1", "我的秘密问题", region="310101")
        elsewhere = front.ticket("c_1", note="我的秘密说明")
        heard = far.next("queue")
        assert [t["id"] for t in heard["tickets"]] == [elsewhere]
        assert heard["counts"]["waiting"] == 1
        assert [t["id"] for t in all_of_it.next("queue")["tickets"]] == [elsewhere]
        front.asked("c_2")
        here = front.ticket("c_2")
        first = near.next("queue")  # the first of which this listener hears at all
        assert [t["id"] for t in first["tickets"]] == [here]
        assert first["counts"]["waiting"] == 1
    assert elsewhere not in near.text
    assert "秘密" not in near.text + far.text + all_of_it.text


def test_who_owns_a_ticket_hears_that_something_was_said_and_nobody_else(
    front: FrontDesk, url: str
) -> None:
    _, owner = front.hire("小王")
    _, other = front.hire("小李")
    front.asked("c_1")
    handover = front.ticket("c_1")
    with listening(url, owner.headers) as mine, listening(url, other.headers) as theirs:
        mine.next("queue")
        theirs.next("queue")
        owner.do(handover, "claim")
        assert theirs.next("queue")["tickets"][0]["claimed_by"]["name"] == "小王"
        assert mine.next("message")["from"] == "system"
        front.handovers.citizen_says("c_1", "老板还是不给钱")
        heard = mine.next("message")
        assert heard["from"] == "citizen"
        assert heard["handover"] == handover
        owner.do(handover, "reply", text="请保留转账记录")
        assert mine.next("message")["seq"] > heard["seq"]
        assert theirs.next("queue")["tickets"][0]["id"] == handover
        owner.do(handover, "close", outcome="solved", summary="已说明")
        while theirs.next("queue")["tickets"][0]["status"] != "closed":
            pass
    assert "event: message" not in theirs.text
    for words in ("老板还是不给钱", "转账记录", "已说明"):
        assert words not in mine.text + theirs.text


def test_urgent_answers_reach_supervisors_of_the_region_and_are_counted_down(
    front: FrontDesk, url: str
) -> None:
    _, agent = front.hire("小王")
    _, supervisor = front.hire("老陈", "supervisor", "310107")
    _, elsewhere = front.hire("老周", "supervisor", "310101")
    with (
        listening(url, agent.headers) as low,
        listening(url, supervisor.headers) as high,
        listening(url, elsewhere.headers) as away,
    ):
        assert high.next("urgent") == {"total": 0, "new": []}
        away.next("urgent")
        answer = front.asked("c_1", "他又打我了", "handover_urgent", trace={"urgent": "violence"})
        heard = high.next("urgent")
        assert heard["total"] == 1
        assert [(one["answer"], one["kind"]) for one in heard["new"]] == [(answer, "violence")]
        done = front.client.post(f"{URGENT}/{answer}/acknowledge", headers=supervisor.headers)
        assert done.status_code == 200
        assert high.next("urgent") == {"total": 0, "new": []}
        front.ticket("c_1")
        low.next("queue")
        assert low.next("queue")["tickets"][0]["kind"] == "urgent"
    assert "event: urgent" not in low.text
    assert answer not in away.text
    assert "打我" not in high.text


def test_who_comes_back_gets_what_was_missed_and_nothing_twice(front: FrontDesk, url: str) -> None:
    _, owner = front.hire("小王")
    front.asked("c_1")
    handover = front.ticket("c_1")
    owner.do(handover, "claim")
    with listening(url, owner.headers) as before:
        before.next("queue")
        front.handovers.citizen_says("c_1", "第一句")
        heard = before.next("message")["seq"]
        last = before.last_id
    assert int(last) >= heard
    front.handovers.citizen_says("c_1", "第二句")
    front.asked("c_2")
    other = front.ticket("c_2")
    with listening(url, owner.headers, **{"Last-Event-ID": last}) as again:
        assert {t["id"] for t in again.next("queue")["tickets"]} == {handover, other}
        missed = again.next("message")
        assert missed["seq"] > heard
        front.handovers.citizen_says("c_1", "第三句")
        assert again.next("message")["seq"] > missed["seq"]
    assert again.text.count(f'"seq":{missed["seq"]},') == 1
    with listening(url, owner.headers) as anew:  # a page that has just been loaded knows it all
        assert anew.next("queue")["tickets"] == []
        assert int(anew.last_id) > missed["seq"]


@pytest.mark.parametrize("sent", ["abc", "-1", "9" * 30, "１２", ""])
def test_a_number_that_is_none_brings_nothing_back(front: FrontDesk, url: str, sent: str) -> None:
    _, owner = front.hire("小王")
    front.asked("c_1")
    front.ticket("c_1")
    with httpx.Client() as client:
        headers = {**owner.headers, "Last-Event-ID": sent.encode()}
        with client.stream("GET", url + EVENTS, headers=headers) as response:  # type: ignore[arg-type]
            assert Stream(response).next("queue")["tickets"] == []


def test_who_missed_very_much_is_told_to_read_the_list_again(front: FrontDesk, url: str) -> None:
    _, owner = front.hire("小王")
    for number in range(60):
        front.asked(f"c_{number}")
        front.ticket(f"c_{number}")
    with listening(url, owner.headers, **{"Last-Event-ID": "0"}) as stream:
        heard = stream.next("queue")
    assert heard["reset"] is True
    assert heard["tickets"] == []
    assert heard["counts"]["waiting"] == 60


def test_a_disabled_account_is_cut_off(front: FrontDesk, url: str) -> None:
    member, desk = front.hire("小王")
    _, other = front.hire("小李")
    with listening(url, desk.headers) as stream, listening(url, other.headers) as goes_on:
        stream.next("queue")
        front.staff.disable(member.id)
        assert stream.ends()[-1:] == ["end"]
        front.asked("c_1")
        front.ticket("c_1")
        goes_on.next("queue")
        goes_on.next("queue")
    assert httpx.get(url + EVENTS, headers=desk.headers).status_code == 401


def test_a_role_that_is_taken_away_ends_the_stream(front: FrontDesk, url: str) -> None:
    member, desk = front.hire("小王")
    with listening(url, desk.headers) as stream:
        stream.next("queue")
        with front.sessions.begin() as session:
            session.execute(update(Staff).where(Staff.id == member.id).values(roles=["auditor"]))
        assert "end" in stream.ends()


def test_the_stream_ends_with_the_session_and_does_not_keep_it_alive(
    front: FrontDesk, url: str
) -> None:
    member, _ = front.hire("小王")
    with front.sessions.begin() as session:
        token = StaffSessions(front.sessions).begin(session, member.id, "Firefox")
    seen = StaffSessions(front.sessions).of(member.id)[0].seen_at
    with listening(url, {"Cookie": f"{COOKIE}={token}"}) as stream:
        stream.next("queue")
        time.sleep(0.8)  # some looks whether the session goes on
        assert StaffSessions(front.sessions).of(member.id)[0].seen_at == seen
        with front.sessions.begin() as session:
            end(session, member.id)
        assert stream.ends()[-1:] == ["end"]


def test_one_person_has_five_streams_and_gets_a_place_back(front: FrontDesk, url: str) -> None:
    _, desk = front.hire("小王")
    _, other = front.hire("小李")
    with ExitStack() as stack:
        kept = [stack.enter_context(listening(url, desk.headers)) for _ in range(4)]
        with listening(url, desk.headers) as fifth:
            fifth.next("queue")
            refused = httpx.get(url + EVENTS, headers=desk.headers)
            assert refused.status_code == 429
            assert "最多同时打开5个" in refused.json()["error"]["message"]
            kept.append(stack.enter_context(listening(url, other.headers)))
            assert front.live.listening == 6
        until(lambda: front.live.listening == 5)
        stack.enter_context(listening(url, desk.headers)).next("queue")
        for stream in kept:
            stream.next("queue")


def test_no_door_opens_without_account_or_permission(front: FrontDesk, url: str) -> None:
    _, curator = front.hire("小编", "curator")
    assert httpx.get(url + EVENTS).status_code == 401
    assert httpx.get(url + EVENTS, headers=curator.headers).status_code == 403
    assert front.live.listening == 0


def test_a_quiet_stream_is_kept_alive(front: FrontDesk, url: str) -> None:
    _, desk = front.hire("小王")
    with listening(url, desk.headers) as stream:
        stream.next("queue")
        for line in stream.chunks:
            if line == ": alive":
                break


def test_one_poller_looks_only_while_somebody_listens_and_no_thread_waits_for_anybody(
    front: FrontDesk, url: str
) -> None:
    desks = [front.hire(f"坐席{n}")[1] for n in range(8)]
    assert not front.live.polling
    with ExitStack() as stack:
        kept = [stack.enter_context(listening(url, desks[0].headers))]
        kept[0].next("queue")
        before = threading.active_count()
        for desk in desks[1:]:
            kept += [stack.enter_context(listening(url, desk.headers)) for _ in range(4)]
        for stream in kept[1:]:
            stream.next("queue")
        assert front.live.listening == 29
        assert front.live.polling
        # A few that the looks themselves share, not one for each of 28 streams.
        assert threading.active_count() - before < 20
    until(lambda: front.live.listening == 0)
    assert not front.live.polling


def test_what_another_process_does_is_heard_too(front: FrontDesk, url: str) -> None:
    _, desk = front.hire("小王")
    front.asked("c_1")
    handover = front.ticket("c_1")
    second = front.application(Live(front.sessions, every_s=0.05))
    with running(second) as elsewhere, listening(url, desk.headers) as stream:
        stream.next("queue")
        claim = f"{elsewhere}/api/v1/staff/handovers/{handover}/claim"
        assert httpx.post(claim, headers=desk.headers).status_code == 200
        assert stream.next("queue")["tickets"][0]["status"] == "claimed"
        httpx.put(elsewhere + DUTY, headers=desk.headers)
        assert [one["name"] for one in stream.next("queue")["on_duty"]] == ["小王"]


def test_a_database_that_is_away_for_a_moment_ends_no_stream(
    front: FrontDesk, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.handover import changes

    _, desk = front.hire("小王")
    with listening(url, desk.headers) as stream:
        stream.next("queue")
        real, failed = changes._counts, threading.Event()

        def away(*_: object) -> dict[str, dict[str, int]]:
            failed.set()
            raise OSError("the database is away")

        monkeypatch.setattr(changes, "_counts", away)
        assert failed.wait(2)
        front.asked("c_1")
        handover = front.ticket("c_1")
        monkeypatch.setattr(changes, "_counts", real)
        assert [t["id"] for t in stream.next("queue")["tickets"]] == [handover]


def until(true: object, seconds: float = 3.0) -> None:
    """Wait until something is so; fail if it does not come to be."""
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
