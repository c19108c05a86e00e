"""How far reviewers agree, against values reckoned by hand; and what is counted for others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.review.agreement import agreement, figures, kappa
from service.review.verdicts import verdict_counts
from tests.service.review.room import API, CONSOLE, NOW, Room

DAY = timedelta(days=1)


def test_kappa_is_what_the_formula_gives_by_hand() -> None:
    # The textbook table: both yes 20, both no 15, and 5 and 10 that differ: (0.7-0.5)/(1-0.5).
    table = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert kappa(table) == pytest.approx(0.4)
    # Three verdicts, by hand: equal 6/10; chance (4·5 + 4·3 + 2·2)/100 = 0.36; (0.6-0.36)/0.64.
    three = (
        [("a", "a")] * 3 + [("a", "b")] + [("b", "b")] * 2 + [("b", "a")] * 1 + [("b", "c")]
        + [("c", "c")] + [("c", "a")]
    )  # fmt: skip
    assert kappa(three) == pytest.approx(0.375)
    assert kappa([("a", "b"), ("b", "a")]) == pytest.approx(-1.0)
    assert kappa([("a", "a"), ("b", "b")]) == pytest.approx(1.0)


def test_where_there_is_nothing_to_agree_on_there_is_no_kappa() -> None:
    assert kappa([]) is None
    assert kappa([("a", "a")] * 30) is None
    assert figures([("a", "a")] * 19)["enough"] is False
    assert figures([("a", "a")] * 20)["enough"] is True


def test_people_are_compared_on_what_both_judged(room: Room) -> None:
    one, two, three = room.hire("甲"), room.hire("乙"), room.hire("丙")
    pairs = [("correct", "correct"), ("correct", "wrong"), ("wrong", "wrong")]
    for first, second in pairs:
        answer = room.asked()
        one.judges(answer, first, comment="如题")
        two.judges(answer, second, comment="如题")
    three.judges(room.asked(), "correct")  # alone
    found = one.get(f"{API}/reviews/agreement").json()
    assert found["overall"]["n"] == 3
    assert found["overall"]["equal"] == pytest.approx(2 / 3)
    # Equal 2/3; chance 2/3·1/3 + 1/3·2/3 = 4/9; (6/9-4/9)/(5/9) = 0.4.
    assert found["overall"]["kappa"] == pytest.approx(0.4)
    [pair] = found["pairs"]
    assert {person["name"] for person in pair["reviewers"]} == {"甲", "乙"}
    assert pair["n"] == 3
    assert found["differing"] == [{"verdicts": ["correct", "wrong"], "n": 1}]
    assert "样本太少" in one.get(f"{CONSOLE}/reviews/agreement").text
    with room.sessions() as session:
        assert agreement(session, region="310105")["overall"]["n"] == 0


def test_verdicts_are_counted_by_week_topic_and_outcome(room: Room) -> None:
    person = room.hire("甲")
    person.judges(room.asked(topic="劳动人事"), "correct")
    person.judges(room.asked(topic=None, outcome="unanswerable_unsure"), "wrong", comment="错")
    room.clock.at = datetime(2026, 12, 6, 16, 30, tzinfo=UTC)  # Monday in Shanghai already
    person.judges(room.asked(topic="劳动人事"), "unsafe", comment="险")
    with room.sessions() as session:
        counts = verdict_counts(session, NOW - DAY, NOW + 30 * DAY)
        assert verdict_counts(session, NOW - 9 * DAY, NOW)["weeks"] == {}
    nothing = {"correct": 0, "partial": 0, "wrong": 0, "unsafe": 0, "cannot_judge": 0}
    assert counts["total"] == nothing | {"correct": 1, "wrong": 1, "unsafe": 1}
    assert counts["weeks"] == {
        "2026-11-30": nothing | {"correct": 1, "wrong": 1},
        "2026-12-07": nothing | {"unsafe": 1},
    }
    assert counts["topics"]["劳动人事"] == nothing | {"correct": 1, "unsafe": 1}
    assert counts["topics"][""] == nothing | {"wrong": 1}
    assert counts["outcomes"]["unanswerable_unsure"] == nothing | {"wrong": 1}
