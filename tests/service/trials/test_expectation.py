"""What is expected of an answer, and what a clerk is told when it is not so."""

from __future__ import annotations

import pytest

from knowledge.citations import LawBook
from service.errors import BadRequest
from service.trials.expectation import checked, in_words, judge, of_case
from service.trials.shipped import questions
from tests.service.trials.laboratory import DIVORCE, ON, WAGES, small_library

LIBRARY = small_library()
ARTICLE = "民法典第一千零七十七条"


def judged(expect: dict[str, list[str]], outcome: str = "answered_faq") -> tuple[bool | None, str]:
    shown = {DIVORCE: "离婚冷静期多久"}
    ok, why = judge(expect, outcome=outcome, cited=[ARTICLE], shown=shown, library=LIBRARY)
    return ok, "；".join(why)


def test_of_what_nothing_is_expected_nothing_is_judged() -> None:
    assert judged({}) == (None, "")
    assert judged({"cites": []}) == (None, "")


@pytest.mark.parametrize(
    ("expect", "ok", "said"),
    [
        ({"outcome": ["answered"]}, True, ""),
        ({"outcome": ["answered_faq", "clarify"]}, True, ""),
        ({"outcome": ["answer"]}, False, "应当"),  # a beginning ends at a word
        ({"outcome": ["unanswerable"]}, False, "应当说明答不了，实际是“用常见问题回答”"),
        ({"cites": [ARTICLE]}, True, ""),
        ({"cites": ["民法典第五条"]}, False, "没有引用民法典第五条"),
        ({"cites_any": ["民法典第五条", ARTICLE]}, True, ""),
        ({"cites_any": ["民法典第五条"]}, False, "中的任何一条"),
        ({"shows": [DIVORCE]}, True, ""),
        ({"shows": [WAGES]}, False, "没有给出“公司拖欠工资怎么办”"),
        ({"hides": [DIVORCE]}, False, "不该给出“离婚冷静期多久”"),
        ({"hides": [WAGES]}, True, ""),
        ({"outcome": ["answered"], "hides": [DIVORCE]}, False, "不该给出"),
    ],
)
def test_an_answer_is_judged(expect: dict[str, list[str]], ok: bool, said: str) -> None:
    result, why = judged(expect)
    assert result is ok
    assert said in why
    assert bool(why) is not ok


def test_an_answer_that_was_withheld_cannot_cite_and_is_not_blamed_for_it() -> None:
    assert judged({"cites_any": ["民法典第五条"]}, "unanswerable_unsure") == (True, "")


def test_what_is_typed_becomes_what_can_be_checked() -> None:
    raw = {
        "outcome": ["直接回答", "clarify_"],
        "cites": ["《中华人民共和国民法典》第1077条", " "],
        "shows": ["离婚冷静期多久", "faq-not-written-yet"],
    }
    kept = checked(raw, LawBook(LIBRARY, {}), LIBRARY, ON)
    assert kept == {
        "outcome": ["answered", "clarify"],
        "cites": [ARTICLE],
        "shows": [DIVORCE, "faq-not-written-yet"],
    }
    assert in_words(kept, LIBRARY) == [
        "直接回答或反问一句",
        f"引用{ARTICLE}",
        "给出“离婚冷静期多久”、“faq-not-written-yet”",
    ]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"outcome": ["对的"]}, "没有“对的”这种结果"),
        ({"outcome": ["ans"]}, "没有“ans”这种结果"),
        ({"cites": ["民法典第九千条"]}, "核对不上"),
        ({"cites": ["随便写的"]}, "核对不上"),
        ({"shows": ["没有这一条"]}, "没有名为“没有这一条”"),
        ({"hides": [str(i) for i in range(21)]}, "最多写20个"),
    ],
)
def test_an_expectation_that_nothing_could_meet_is_refused(
    raw: dict[str, list[str]], said: str
) -> None:
    with pytest.raises(BadRequest, match=said):
        checked(raw, LawBook(LIBRARY, {}), LIBRARY, ON)


def test_the_set_that_ships_is_spread_over_endings_and_topics() -> None:
    shipped = questions()
    assert 100 <= len(shipped) <= 150
    assert len({q["question"] for q in shipped}) == len(shipped)
    endings = {p for q in shipped for p in q["expect"]["outcome"]}
    assert {"answered", "clarify", "handover_urgent", "refused_harm"} <= endings
    assert len({q["note"] for q in shipped}) >= 18  # topics


def test_a_case_of_an_evaluation_is_read_as_it_is_measured() -> None:
    case = {"expect": ["answered", "clarify"], "cites": [ARTICLE]}
    assert of_case(case) == {"outcome": ["answered", "clarify"], "cites_any": [ARTICLE]}
