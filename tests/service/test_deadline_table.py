"""The table of deadlines against the law, and tables that are not in order."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from knowledge.citations import LawBook
from knowledge.models import Kind
from service.answering.deadline_table import TABLE, Row
from service.answering.deadlines import LITTLE_TIME, PASSED, URGENT_HELP, Deadlines
from tests.conftest import TODAY
from tests.knowledge.test_content import figures
from tests.service.test_deadlines import LAWS, ROWS, RULES, asked, people, touched, words_of


def by_id(row: Row) -> str:
    return row.id


@pytest.mark.parametrize("row", ROWS, ids=by_id)
def test_every_figure_of_a_row_stands_in_an_article_it_cites_word_for_word(
    row: Row, laws: LawBook
) -> None:
    law = "\n".join(laws.cite(c, TODAY).passage.text for c in row.citations)
    assert figures(words_of(row)) - figures(law) == set()
    numeral = r"[一二两三四五六七八九十百]+(?:个工作日|个月|年|日|小时|周岁)"
    for figure in re.findall(numeral, words_of(row)):
        assert figure in law, figure


@pytest.mark.parametrize("row", ROWS, ids=by_id)
def test_every_article_that_triggers_a_row_is_one_it_cites(row: Row) -> None:
    assert set(row.articles) <= set(row.citations)


def test_no_row_is_withheld_today(laws: LawBook) -> None:
    assert Deadlines(RULES.table, laws, people, RULES.checked_on).withheld(TODAY) == []


def test_the_older_arbitration_law_had_another_period(laws: LawBook) -> None:
    step = Deadlines(RULES.table, laws, people, RULES.checked_on)
    assert step.withheld(date(2026, 2, 28)) == ["arbitration-award"]


def test_the_store_holds_the_table(laws: LawBook) -> None:
    step = Deadlines.of(laws, people, TODAY)
    assert step
    draft = asked("公司拖欠工资", step=step, laws=laws)
    assert touched(draft) == ["labor-arbitration"]
    assert laws.library.documents[TABLE].kind is Kind.RULES


def test_where_the_table_was_withdrawn_there_is_no_step() -> None:
    assert Deadlines.of(LAWS, people, TODAY) is None


def test_the_table_names_all_the_articles_that_it_rests_on() -> None:
    cited = {citation for row in ROWS for citation in row.citations}
    assert set(RULES.cites) == cited | {URGENT_HELP}
    assert len(RULES.cites) == len(set(RULES.cites))


@pytest.mark.parametrize("row", ROWS, ids=by_id)
def test_what_is_not_held_gives_no_figure_and_says_so(row: Row) -> None:
    if row.certainty == "D":
        assert figures(words_of(row)) == set()
        assert "本库没有收录" in row.period
        assert "为准" in row.period


@pytest.mark.parametrize("row", ROWS, ids=by_id)
def test_a_row_promises_nothing_and_gives_no_number_but_a_telephone(row: Row) -> None:
    said = words_of(row)
    assert set(re.findall(r"\d+", said)) <= {"110", "122", "12333"}
    assert not re.search(r"来得及|肯定|一定能|已经过期|还没过|不会过", said)


def test_the_words_about_legal_aid_are_those_of_its_article(laws: LawBook) -> None:
    article = laws.cite(URGENT_HELP, TODAY).passage.text
    assert figures(LITTLE_TIME) == {(7.0, "日")}
    assert figures(LITTLE_TIME) <= figures(article)
    assert "可以决定先行提供法律援助" in LITTLE_TIME
    assert "可以决定先行提供法律援助" in article
    assert figures(PASSED) == set()


def broken(**changes: Any) -> dict[str, Any]:
    table = deepcopy(RULES.table)
    table["rows"][0] |= changes
    return table


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        (broken(period=""), "labor-award.period"),
        (broken(words=["（[未完"]), "labor-award.words.0：正则表达式写错了"),
        (broken(citations=[]), "labor-award.citations"),
        (broken(asks_about_time="yes"), "labor-award.asks_about_time"),
        (broken(until="2027-01-01"), "labor-award.until"),
        (broken(id="limitation"), "limitation 写了两行"),
        ({}, "期限规则表 rules-deadlines"),
    ],
)
def test_a_table_that_is_not_in_order_is_refused_by_row_and_field(
    table: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ValueError, match=wrong):
        Deadlines(table, LAWS, people, TODAY)
