"""The list of conversations: each filter finds what it should and leaves out the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service.models import AnswerRecord
from service.models.people import AuditEvent
from service.review import listing
from tests.service.review.room import API, CONSOLE, Room

LIST = f"{API}/conversations"
DAY = timedelta(days=1)


def answers_of(page: dict[str, Any]) -> list[str]:
    return [line["answer"] for line in page["conversations"]]


@pytest.fixture
def varied(room: Room) -> Room:
    """One conversation for each thing that can be filtered by; a_1 is the plain one."""
    room.asked("c_plain")
    room.asked("c_old", ago=40 * DAY)
    room.asked("c_wechat", channel="wechat")
    room.asked("c_urgent", outcome="handover_urgent")
    room.asked("c_unsure", outcome="unanswerable_unsure", confidence=0.3)
    room.asked("c_topic", topic="婚姻家庭", question="离婚100%要多久")
    bad, good = room.asked("c_bad"), room.asked("c_good")
    room.rated(bad, 1)
    room.rated(good, 5)
    excluded = room.asked("c_excluded")
    room.rated(excluded, 1, excluded=True)
    room.handed_over("c_served", room.asked("c_served"))
    room.rated("h_c_served", 2, "handover")
    room.handed_over("c_waiting", room.asked("c_waiting"), "waiting")
    judged = room.asked("c_judged")
    room.hire("评的人").judges(judged, "wrong", comment="错在期限")
    return room


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"days": 1}, {1, *range(3, 13)}),
        ({"days": 30}, {1, *range(3, 13)}),
        ({"since": "2026-10-01", "until": "2026-10-31"}, {2}),
        ({"until": "2026-10-20"}, set()),
        ({"channel": "wechat"}, {3}),
        ({"channel": "sms"}, set()),
        ({"outcome": "handover_urgent"}, {4}),
        ({"outcome": "unanswerable_"}, {5}),
        ({"urgent": "true"}, {4}),
        ({"unanswered": "true"}, {5}),
        ({"topic": "婚姻家庭"}, {6}),
        ({"confidence_from": "0.2", "confidence_to": "0.4"}, {5}),
        ({"confidence_to": "0.1"}, set()),
        ({"rating": "1"}, {7}),
        ({"rating": "5"}, {8}),
        ({"rating": "low"}, {7, 10}),
        ({"rating": "3"}, set()),
        ({"rating": "none"}, {1, 2, 3, 4, 5, 6, 9, 11, 12}),
        ({"handover": "any"}, {10, 11}),
        ({"handover": "waiting"}, {11}),
        ({"handover": "closed"}, {10}),
        ({"handover": "none"}, {*range(1, 10), 12}),
        ({"reviewed": "yes"}, {12}),
        ({"reviewed": "no"}, set(range(1, 12))),
        ({"verdict": "wrong"}, {12}),
        ({"verdict": "correct"}, set()),
        ({"reviewer": "s_nobody"}, set()),
        ({"text": "离婚"}, {6}),
        ({"text": "多久 离婚"}, {6}),
        ({"text": "100%"}, {6}),
        ({"text": "离婚%多久"}, set()),
        ({"since": "", "topic": "", "rating": ""}, set(range(1, 13))),
    ],
)
def test_a_filter_finds_what_fits(varied: Room, query: dict[str, Any], found: set[int]) -> None:
    page = varied.hire("督导", "supervisor").get(LIST, **query).json()
    assert {int(answer[2:]) for answer in answers_of(page)} == found
    assert page["count"] == len(found)


def test_few_and_many_are_looked_up_differently_and_found_alike(
    varied: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = varied.hire("督导", "supervisor")
    queries: list[dict[str, str]] = [
        {"channel": "wechat"},
        {"channel": "web"},
        {"rating": "low"},
        {"rating": "1"},
        {"handover": "any"},
        {"handover": "closed"},
        {"reviewed": "yes"},
        {"verdict": "wrong"},
    ]
    few = [answers_of(person.get(LIST, **query).json()) for query in queries]
    for name in ("_LEADS", "_GATHERED"):
        monkeypatch.setattr(f"service.review.filters.{name}", 0)
        assert few == [answers_of(person.get(LIST, **query).json()) for query in queries]
    assert all(few)


def test_a_line_tells_what_happened_in_the_conversation(room: Room) -> None:
    first = room.asked("c_1", "离婚怎么办", "clarify_topic", ago=3 * DAY)
    room.asked("c_1", "他打我", "handover_urgent", ago=2 * DAY)
    last = room.asked("c_1", "那要多久", ago=DAY)
    room.rated(first, 2)
    room.rated(last, 4)
    room.handed_over("c_1", last, "waiting")
    person = room.hire("督导", "supervisor")
    person.judges(last, "partial", comment="不全", follow_up="routing")
    [line] = person.get(LIST).json()["conversations"]
    assert (line["answer"], line["question"], line["questions"]) == (last, "那要多久", 3)
    assert line["outcomes"] == {"answered_faq": 1, "handover_urgent": 1, "clarify_topic": 1}
    assert (line["urgent"], line["rating"], line["handover"]) == (True, 2, "waiting")
    assert line["reviews"] == [{"verdict": "partial", "status": "open", "by": "督导"}]
    assert "c_1" not in person.get(LIST).text  # the citizen's key
    [line] = person.get(LIST, outcome="clarify_topic").json()["conversations"]
    assert (line["answer"], line["question"]) == (first, "离婚怎么办")


def test_pages_are_complete_and_without_repetition_while_citizens_go_on_asking(room: Room) -> None:
    for number in range(25):
        room.asked(f"c_{number}", ago=timedelta(hours=number // 2))  # many at the same moment
        room.asked(f"c_{number}", ago=timedelta(hours=number // 2 + 1))
    person = room.hire("督导", "supervisor")
    page = person.get(LIST, limit=4).json()
    assert page["count"] == 25
    seen: list[str] = []
    while True:
        seen += answers_of(page)
        if page["next"] is None:
            break
        room.asked(f"c_{24 - len(seen) // 4}", ago=-timedelta(minutes=5))  # moves to the top
        room.asked(ago=-timedelta(minutes=5))  # a new one
        page = person.get(LIST, limit=4, before=page["next"], as_at=page["as_at"]).json()
    with room.sessions() as session:
        shown = session.scalars(
            select(AnswerRecord.conversation_id).where(AnswerRecord.id.in_(seen))
        ).all()
    assert sorted(shown) == sorted(f"c_{n}" for n in range(25))
    assert len(seen) == 25


def test_more_than_can_be_counted_quickly_is_said_so(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "COUNTED", 5)
    for _ in range(7):
        room.asked()
    person = room.hire("督导", "supervisor")
    page = person.get(LIST, limit=3).json()
    assert (page["count"], page["counted_all"]) == (5, False)
    assert "5+ 个会话" in person.get(f"{CONSOLE}/conversations").text


def test_a_search_for_words_says_how_far_it_read_and_can_go_on(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SEARCHED", 3)
    wanted = [room.asked("c_wanted", "押金不退", ago=timedelta(hours=1))]
    for hours in range(2, 8):
        room.asked(ago=timedelta(hours=hours))
    room.asked("c_wanted", "押金不退", ago=timedelta(hours=8))  # shown already
    wanted.append(room.asked("c_other", "押金要回来", ago=timedelta(hours=9)))
    person = room.hire("督导", "supervisor")
    page = person.get(LIST, text="押金").json()
    assert page["searched"] == {
        "questions": 3,
        "since": "2026-11-30T01:00:00+00:00",
        "all": False,
    }
    assert "更早的还没有找" in person.get(f"{CONSOLE}/conversations", text="押金").text
    found = answers_of(page)
    while page["next"]:
        page = person.get(LIST, text="押金", before=page["next"], as_at=page["as_at"]).json()
        found += answers_of(page)
    assert found == wanted
    assert page["searched"]["all"]


def test_somebody_with_a_region_sees_only_its_questions(room: Room) -> None:
    room.asked("c_here")
    there = room.asked("c_there", region="310105")
    mixed = room.asked("c_mixed", region="310105", ago=DAY)
    room.asked("c_mixed")
    person = room.hire("长宁", "supervisor", "310105")
    page = person.get(LIST).json()
    assert answers_of(page) == [there, mixed]
    assert page["conversations"][1]["questions"] == 1
    assert person.get(LIST, topic="劳动人事", rating="none").json()["count"] == 2


@pytest.mark.parametrize("role", ["agent", "curator", "auditor", "administrator"])
def test_others_do_not_get_in(room: Room, role: str) -> None:
    answer = room.asked()
    person = room.hire("别人", role)
    detail = f"{CONSOLE}/conversations/{answer}?purpose=review"
    pages = (f"{CONSOLE}/conversations", detail, f"{CONSOLE}/reviews")
    for url in (LIST, f"{LIST}/{answer}?purpose=review", *pages):
        assert person.get(url).status_code == 403, url


def test_looking_through_the_list_is_on_record_without_the_words(room: Room) -> None:
    room.asked()
    person = room.hire("督导", "supervisor")
    person.get(LIST, text="张三的名字", topic="劳动人事")
    with room.sessions() as session:
        [event] = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "conversation.list")
        ).all()
    assert event.actor == person.member.id
    assert event.detail == {"filters": {"topic": "劳动人事", "text": "5字"}, "shown": 0}


@pytest.mark.parametrize(
    "query",
    [
        {"before": "x"},
        {"before": "999999999999999999.a_1"},
        {"text": "字" * 5000},
        {"days": 0},
        {"rating": "6"},
        {"since": "昨天"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"as_at": 10**18},
        {"confidence_from": "nan"},
    ],
)
def test_what_makes_no_sense_is_refused(room: Room, query: dict[str, Any]) -> None:
    answer = room.hire("督导", "supervisor").get(LIST, **query)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["message"]
