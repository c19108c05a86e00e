"""How long citizens waited, whatever happened to their ticket since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from service.handover import WaitingTimes, waiting_times
from service.handover.waiting import Waits
from tests.service.desk.conftest import FrontDesk
from tests.service.office import START, Clock, Desk


def times(front: FrontDesk, **more: str) -> WaitingTimes:
    with front.sessions() as session:
        return waiting_times(session, START, START + timedelta(days=1), **more)


def test_waits_end_with_the_first_claim_and_the_first_words(front: FrontDesk) -> None:
    front.clock.at = START
    _, desk = front.hire("小王")
    _, other = front.hire("小李")
    for number, minutes in enumerate((1, 2, 3, 70)):
        front.asked(f"c_{number}")
        handover = front.ticket(f"c_{number}")
        asked = front.clock.at
        wait(front.clock, asked, minutes)
        desk.do(handover, "claim")
        desk.do(handover, "note", text="先看看")
        wait(front.clock, front.clock.at, 5)
        answer(desk, handover)
        answer(desk, handover)
        desk.do(handover, "release")
        wait(front.clock, front.clock.at, 600 if number == 3 else 1)
        other.do(handover, "claim")
        answer(other, handover)
        front.clock.at = asked + timedelta(minutes=80)
    front.asked("c_9")
    front.ticket("c_9")
    found = times(front)
    assert found.requests == 5
    assert found.unclaimed == 1
    assert found.claimed_late == 1
    assert [round(s or 0) // 60 for s in in_seconds(found.to_claim)] == [2, 70, 70]
    assert [round(s or 0) // 60 for s in in_seconds(found.to_first_reply)] == [7, 75, 75]
    assert found.to_claim.n == found.to_first_reply.n == 4


def test_only_what_was_asked_for_in_that_time_and_region_counts(front: FrontDesk) -> None:
    front.clock.at = START - timedelta(days=1)
    front.asked("c_0")
    front.ticket("c_0")
    front.clock.at = START
    front.asked("c_1", region="310101")
    front.ticket("c_1")
    front.asked("c_2")
    front.ticket("c_2")
    assert times(front).requests == 2
    assert times(front, region="310107").requests == 1
    front.clock.at = START + timedelta(days=1)
    front.asked("c_3")
    front.ticket("c_3")
    assert times(front).requests == 2


def test_what_is_urgent_is_due_at_once_and_never_called_late(front: FrontDesk) -> None:
    front.clock.at = START
    _, desk = front.hire("小王")
    front.asked("c_1", "他又打我了", "handover_urgent", trace={"urgent": "violence"})
    desk.do(front.ticket("c_1"), "claim")
    assert times(front).claimed_late == 0


def test_of_nothing_there_are_no_figures(front: FrontDesk) -> None:
    none = Waits(0, None, None, None)
    assert times(front) == WaitingTimes(0, 0, 0, none, none)


def in_seconds(waits: Waits) -> tuple[float | None, ...]:
    return waits.median_s, waits.p90_s, waits.longest_s


def wait(clock: Clock, since: datetime, minutes: int) -> None:
    clock.at = since.astimezone(UTC) + timedelta(minutes=minutes)


def answer(desk: Desk, handover: str) -> None:
    assert desk.do(handover, "reply", text="您好").status_code == 201
