"""The legal-aid pre-check: a decision table of real people, and what no path may ever say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.citations import LawBook, Verdict
from service.answering.precheck_table import SECTIONS
from service.answering.precheck_text import summary_text
from service.errors import BadRequest
from tests.conftest import TODAY
from tests.knowledge.test_content import IDS, KNOWN_NUMBERS, figures
from tests.service.precheck_paths import (
    CASES,
    CHECK,
    CITES,
    LONGEST,
    Case,
    after,
    article,
    reasons_cite,
    said,
    walk,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.facts)
def test_the_decision_table(case: Case) -> None:
    result = after(case.path)
    cites, words = reasons_cite(result), said(result)
    assert result.verdict.value == case.verdict, [r.rule for r in result.reasons]
    for expected in case.expected:
        match expected[0], expected[1:]:
            case "+", phrase:
                assert phrase in words, phrase
            case "-", phrase:
                assert phrase not in words, phrase
            case "!", number:
                assert article(number) not in cites, number
            case _:
                assert article(expected) in cites, expected


def test_the_decision_table_is_as_large_as_promised() -> None:
    assert len(CASES) >= 80
    assert len({case.path for case in CASES}) == len(CASES)


def test_no_rule_is_dead() -> None:
    heard = {r.rule for case in CASES for r in after(case.path).reasons}
    assert {rule.id for rule in CHECK.table.rules} - heard == set()


def test_no_sentence_of_a_section_is_dead() -> None:
    results = [after(case.path) for case in CASES]
    for name in SECTIONS:
        shown = {(r.text, r.card) for result in results for r in getattr(result, name)}
        written = {(line.text, line.card) for line in getattr(CHECK.table.sections, name)}
        assert written - shown == set(), name


def test_every_question_and_option_is_reached() -> None:
    chosen = {
        (question, option)
        for case in CASES
        for question, value in walk(case.path).items()
        for option in (value if isinstance(value, list) else [value])
    }
    assert {(q.id, o.id) for q in CHECK.table.questions for o in q.options} - chosen == set()


def test_being_exempt_from_checking_is_never_called_free_of_the_means_test() -> None:
    """Article 42 spares the checking, and the matter must be in the list; article 32 takes the
    condition away. No path may rest on both."""
    for case in CASES:
        cites = reasons_cite(after(case.path))
        assert not {article("32"), article("42")} <= cites, case.facts


def test_article_42_never_opens_a_matter_that_is_not_in_the_list() -> None:
    migrant = after("apply self work wages none other migrant putuo none")
    assert migrant.verdict.value == "may_qualify"
    assert "免的只是“核查经济状况”这一步" in said(migrant)
    assert "不看经济条件" not in said(migrant)
    loan = after("apply self money loan none putuo none")
    assert article("42") not in reasons_cite(loan)
    assert "proof" not in walk("apply self money loan none putuo none")


def test_article_32_asks_for_no_proof_of_hardship() -> None:
    for matter in ("family violence", "harm brave", "state martyr", "state acquitted"):
        path = f"apply self {matter} none shanghai putuo none"
        assert not {"proof", "hardship"} & walk(path).keys()
        words = said(after(path))
        assert "免予核查" not in words
        assert "不受经济困难条件的限制" in words


def test_a_review_of_a_death_sentence_is_never_said_to_come_without_application() -> None:
    """Article 25 (5) speaks of the accused who applied."""
    result = after("apply detained accused review none other putuo")
    assert "先提出法律援助申请" in said(result)
    assert "不用自己申请" not in result.lead


@st.composite
def _paths(draw: st.DrawFn) -> dict[str, Any]:
    """Answers as anybody might give them, to the end."""
    answers: dict[str, Any] = {}
    while question := CHECK.next_question(answers):
        ids = [o.id for o in question.options]
        if question.many:
            some = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True))
            try:
                CHECK.next_question({**answers, question.id: some})
            except BadRequest:
                some = some[:1]
            answers[question.id] = some
        else:
            answers[question.id] = draw(st.sampled_from(ids))
    return answers


_MONEY = re.compile(r"[\d一二三四五六七八九十百千万两几]+多?(?:元|块钱?|万|角)|[￥¥$]|人民币")
_PROMISE = re.compile(
    r"一定|保证|肯定|必然|绝对|百分之百|放心|包(?:赢|过|批|准|您)|(?<!可能)(?<!是不是)符合(?:条件)?，(?!由|而且)"
    r"|您符合|(?:可以|就能|能够)批|会批准|能办成|能赢"
)
_NUMBER = re.compile(r"(?<!\d)(?:\d{6,}|\d{3,4}-\d+|1[12]\d|12\d{3})(?![\d年月日号])")
_ADDRESS = re.compile(r"[\u4e00-\u9fff]{2,}(?:路|街|大道)\d+|\d+(?:号楼|弄|室|楼)")


@settings(max_examples=400, deadline=None)
@given(answers=_paths())
def test_no_path_states_a_sum_a_promise_or_a_number_without_its_card(
    answers: dict[str, Any],
) -> None:
    assert len(answers) <= LONGEST
    result = CHECK.evaluate(answers)
    for words in (said(result), summary_text(result)):
        assert _MONEY.search(words) is None
        assert _PROMISE.search(words) is None, _PROMISE.search(words)
        assert _ADDRESS.search(words) is None
        assert set(_NUMBER.findall(words)) <= KNOWN_NUMBERS
    assert result.reasons
    assert all(r.cites or r.source for r in result.reasons)
    assert len({r.text for r in result.reasons}) == len(result.reasons)
    assert set(result.cites()) <= set(CITES)
    assert "由法律援助机构" in result.disclaimer
    rests_on = reasons_cite(result)
    assert not {article("32"), article("42")} <= rests_on


def test_the_property_test_can_fail() -> None:
    for words in ("低于3190元", "三千元以下", "您符合条件", "一定能批", "保证", "包赢"):
        assert _MONEY.search(words) or _PROMISE.search(words), words
    assert _ADDRESS.search("铜川路1809号")
    assert not set(_NUMBER.findall("电话52656672")) <= KNOWN_NUMBERS


def test_the_longest_path_is_as_long_as_we_say() -> None:
    assert max(len(walk(case.path)) for case in CASES) == LONGEST


def test_every_article_in_the_sentences_is_in_force_and_cited(laws: LawBook) -> None:
    """A bare 第三十一条第（五）项 speaks of the first law that its sentence cites."""
    for place, line in CHECK.table.lines():
        for cite in line.cites:
            laws.cite(cite, TODAY)
        labels = {laws.cite(c, TODAY).passage.label for c in line.cites}
        for checked in laws.check_text(f"按法律援助法第一条。{line.text}", TODAY)[1:]:
            assert checked.verdict is Verdict.VERIFIED, (place, checked.note)
            assert checked.mention.label in labels, (place, checked.mention.text)


def test_every_figure_in_the_sentences_is_in_an_article_that_they_cite(laws: LawBook) -> None:
    for place, line in CHECK.table.lines():
        law = "\n".join(laws.cite(c, TODAY).passage.text for c in line.cites)
        claimed = figures(line.text) - figures(law)
        assert not claimed or line.source, (place, claimed)


def test_the_item_lists_exactly_the_articles_that_its_sentences_cite() -> None:
    assert set(CHECK.cites()) == set(CITES)
    assert len(CITES) == len(set(CITES))


def test_every_card_that_is_pointed_to_exists() -> None:
    assert {line.card for _, line in CHECK.table.lines() if line.card} <= IDS
