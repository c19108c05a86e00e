"""What is to be judged: by rule and by lot, by whom, and by one person at a time."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from service.errors import Conflict
from service.models import HandoverMessage
from service.review import sampling, seats
from service.review.sampling import lot
from tests.service.office import at_once
from tests.service.review.room import API, CONSOLE, Room

QUEUE = f"{API}/reviews/queue"


@pytest.fixture
def settled(room: Room, monkeypatch: pytest.MonkeyPatch) -> Room:
    """Nothing by lot, so that only the rules speak."""
    monkeypatch.setattr(sampling, "RANDOM_SHARE", 0.0)
    monkeypatch.setattr(sampling, "DOUBLE_SHARE", 0.0)
    return room


def test_whatever_may_have_gone_wrong_is_judged_with_the_reason(settled: Room) -> None:
    room = settled
    room.asked("c_fine")
    urgent = room.asked("c_1", "他打我", "handover_urgent")
    low = room.asked("c_2", confidence=0.7)
    bad = room.asked("c_3")
    room.rated(bad, 2)
    room.rated(room.asked("c_4"), 3)
    room.asked("c_5", ago=timedelta(hours=1))
    served = room.asked("c_5")
    room.handed_over("c_5")  # without saying which answer it is about: the last
    room.rated("h_c_5", 1, "handover")
    room.asked("c_6", "转人工", "handover_with_person", confidence=0.1)
    page = room.hire("甲").get(QUEUE).json()
    why = {task["answer"]: task["reasons"] for task in page["tasks"]}
    assert why == {
        urgent: ["urgent"],
        low: ["low_confidence"],
        bad: ["low_rating"],
        served: ["low_rating", "handover"],
    }
    assert page["waiting"] == 4
    due = [task["due_at"] for task in page["tasks"]]
    assert due == sorted(due)
    assert page["tasks"][-1]["answer"] == low  # five working days, the others one


def test_a_bad_rating_later_adds_its_reason_and_hurries(settled: Room) -> None:
    room = settled
    answer = room.asked(confidence=0.7)
    person = room.hire("甲")
    [before] = person.get(QUEUE).json()["tasks"]
    room.rated(answer, 1)
    room.clock.at += timedelta(minutes=1)
    [after] = person.get(QUEUE).json()["tasks"]
    assert after["reasons"] == ["low_rating", "low_confidence"]
    assert after["due_at"] < before["due_at"]


def test_the_lot_is_the_same_everywhere_and_falls_as_often_as_it_should() -> None:
    assert lot("sample", "a_1") == pytest.approx(0.7183019)
    ids = [f"a_{n}" for n in range(20_000)]
    drawn = [a for a in ids if lot("sample", a) < 0.05]
    assert 0.045 < len(drawn) / len(ids) < 0.055
    twice = [a for a in drawn if lot("double", a) < 0.10]
    assert 0.07 < len(twice) / len(drawn) < 0.13  # one lot says nothing about the other


def test_a_share_is_drawn_by_lot_and_drawing_again_changes_nothing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "RANDOM_SHARE", 0.3)
    answers = [room.asked() for _ in range(60)]
    drawn = {answer for answer in answers if lot("sample", answer) < 0.3}
    person = room.hire("甲")
    for _ in range(2):
        page = person.get(QUEUE, limit=100).json()
        assert {task["answer"] for task in page["tasks"]} == drawn
        assert {task["answer"]: task["needed"] for task in page["tasks"]} == {
            answer: 2 if lot("double", answer) < 0.10 else 1 for answer in drawn
        }
        room.clock.at += timedelta(minutes=1)


def test_sampling_by_two_processes_at_once_finds_the_same_once(room: Room) -> None:
    for _ in range(30):
        room.asked(outcome="handover_urgent")
    results = at_once([room.queue.sample, room.queue.sample])
    assert not [r for r in results if isinstance(r, Exception)]
    assert room.hire("甲").get(QUEUE).json()["waiting"] == 30


def test_nobody_else_can_take_what_somebody_holds_until_half_an_hour_is_over(
    settled: Room,
) -> None:
    room = settled
    answer = room.asked(outcome="handover_urgent")
    one, other = room.hire("甲"), room.hire("乙")
    assert one.post(f"{QUEUE}/next").json()["answer"] == answer
    refused = other.post(f"{QUEUE}/{answer}/take")
    assert refused.status_code == 409
    assert "甲" in refused.json()["error"]["message"]
    judged = other.post(f"{API}/answers/{answer}/reviews", verdict="correct")
    assert judged.json()["error"]["code"] == "review_taken"
    assert other.post(f"{QUEUE}/next").status_code == 404
    [task] = other.get(QUEUE).json()["tasks"]
    assert [holder["name"] for holder in task["taken_by"]] == ["甲"]
    assert one.post(f"{QUEUE}/{answer}/take").status_code == 200  # one's own, for longer
    room.clock.at += seats.HELD + timedelta(seconds=1)
    assert other.post(f"{QUEUE}/{answer}/take").status_code == 200
    assert one.post(f"{QUEUE}/{answer}/take").status_code == 409
    other.judges(answer, "correct")
    assert one.get(QUEUE).json()["waiting"] == 0


def test_what_is_given_back_can_be_taken_at_once(settled: Room) -> None:
    answer = settled.asked(outcome="handover_urgent")
    one, other = settled.hire("甲"), settled.hire("乙")
    one.post(f"{QUEUE}/{answer}/take")
    one.post(f"{QUEUE}/{answer}/release")
    assert other.post(f"{QUEUE}/{answer}/take").status_code == 200


def test_of_two_who_take_the_last_seat_at_once_one_gets_it(settled: Room) -> None:
    room = settled
    answer = room.asked(outcome="handover_urgent")
    room.queue.sample()
    people = [room.hire(name).member for name in ("甲", "乙")]
    results = at_once([partial(room.queue.take, person, answer) for person in people])
    assert sorted(isinstance(r, Conflict) for r in results) == [False, True], results


def test_what_two_shall_judge_is_open_to_two_and_to_no_third(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "DOUBLE_SHARE", 1.0)
    answer = room.asked(outcome="handover_urgent")
    one, two, three = room.hire("甲"), room.hire("乙"), room.hire("丙")
    assert one.get(QUEUE).json()["tasks"][0]["needed"] == 2
    assert one.post(f"{QUEUE}/{answer}/take").status_code == 200
    assert two.post(f"{QUEUE}/{answer}/take").status_code == 200
    assert three.post(f"{QUEUE}/{answer}/take").status_code == 409
    one.judges(answer, "correct")
    assert one.get(QUEUE).json()["waiting"] == 0  # nothing more to do for the first
    assert three.get(QUEUE).json()["waiting"] == 1
    two.judges(answer, "wrong", comment="错")
    assert three.get(QUEUE).json()["waiting"] == 0


def test_what_one_skips_waits_for_others(settled: Room) -> None:
    answer = settled.asked(outcome="handover_urgent")
    one, other = settled.hire("甲"), settled.hire("乙")
    one.get(QUEUE)
    assert one.post(f"{QUEUE}/{answer}/skip", reason="看不懂").status_code == 200
    assert one.get(QUEUE).json()["waiting"] == 0
    assert other.get(QUEUE).json()["waiting"] == 1
    assert one.post(f"{QUEUE}/a_none/skip").status_code == 404


def test_nobody_judges_a_conversation_in_which_he_served(settled: Room) -> None:
    room = settled
    owner, speaker, other = (room.hire(name, "supervisor") for name in ("甲", "乙", "丙"))
    answer = room.asked("c_1")
    handover = room.handed_over("c_1", answer, by=owner.member)
    with room.sessions.begin() as session:
        session.add(
            HandoverMessage(
                handover_id=handover, sender="staff", staff_id=speaker.member.id, text="您好"
            )
        )
    for person in (owner, speaker):
        assert person.get(QUEUE).json()["tasks"] == []
        refused = person.post(f"{API}/answers/{answer}/reviews", verdict="correct")
        assert refused.json()["error"]["code"] == "review_own_work"
        assert person.post(f"{QUEUE}/{answer}/take").status_code == 403
    assert len(other.get(QUEUE).json()["tasks"]) == 1


def test_a_region_has_its_own_queue(settled: Room) -> None:
    here, there = (settled.asked(outcome="handover_urgent", region=r) for r in ("310107", "310105"))
    person = settled.hire("普陀", "supervisor", "310107")
    assert [task["answer"] for task in person.get(QUEUE).json()["tasks"]] == [here]
    for verb in ("take", "release", "skip"):
        assert person.post(f"{QUEUE}/{there}/{verb}").status_code == 404, verb


def test_pages_of_the_queue_are_complete(settled: Room) -> None:
    answers = {settled.asked(outcome="handover_urgent") for _ in range(7)}
    person, seen, after = settled.hire("甲"), list[str](), ""
    while True:
        page = person.get(QUEUE, limit=3, after=after).json()
        seen += [task["answer"] for task in page["tasks"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == 7
    assert set(seen) == answers


def test_only_a_supervisor_sets_what_is_sampled_and_not_over_another(room: Room) -> None:
    values = {"version": 0, "random_share": 0.2, "double_share": 0.5, "low_confidence": 0.8}
    boss = room.hire("督导", "supervisor")
    url = f"{API}/reviews/settings"
    assert room.hire("甲").put(url, **values).status_code == 403
    assert boss.put(url, **values).json() == values | {"version": 1}
    assert boss.put(url, **values).status_code == 409
    assert boss.put(url, **(values | {"random_share": 1.5})).status_code == 422
    assert boss.put(url, **(values | {"random_share": "一半"})).status_code == 422
    assert "20.0%" in boss.get(f"{CONSOLE}/reviews").text
