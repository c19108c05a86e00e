"""Deadlines are said in time, from the table alone: nothing is computed and nothing promised."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.content import Rules, content_folder, read_items
from knowledge import text
from knowledge.citations import LawBook
from knowledge.library import Library
from knowledge.models import Document, Kind, Passage, Revision, Status
from service.answering.deadline_table import Row, Table
from service.answering.deadlines import (
    FIRST_STEP,
    KIND,
    LITTLE_TIME,
    PASSED,
    REASON,
    URGENT_HELP,
    Deadlines,
)
from service.answering.draft import Citation, Draft, Handover, Outcome, Target
from tests.conftest import TODAY
from tests.knowledge.test_content import figures

RULES = next(
    item
    for item in read_items(content_folder() / "rules" / "deadlines.yaml")
    if isinstance(item, Rules)
)
ROWS = Table.read(RULES.table).rows
LINES = [
    json.loads(line)
    for line in (Path(__file__).parent / "deadline_lines.jsonl").read_text("utf-8").splitlines()
]
PEOPLE = (Target(title="12348", phone="12348"),)


def people(ids: tuple[str, ...]) -> tuple[Target, ...]:
    return PEOPLE


VERSIONS = (
    ("2026", date(2026, 3, 1), date(2026, 12, 31)),
    ("2027", date(2027, 1, 1), date.max),
)


def small_law_book(*, without: str = "", changed: str = "") -> LawBook:
    """A real law book over the cited articles only, so that these tests need no store. `changed`
    reads differently from 2027 on."""
    documents, revisions, passages = {}, [], []
    for law in dict.fromkeys(split(c)[0] for c in RULES.cites):
        documents[law] = Document(id=law, kind=Kind.STATUTE, title=law, origin="test")
        for year, start, end in VERSIONS:
            revision = Revision(
                id=f"{law}@{year}",
                document_id=law,
                status=Status.PUBLISHED,
                source="test",
                checked_on=TODAY,
                effective_from=start,
                effective_until=end,
            )
            revisions.append(revision)
            for number, citation in enumerate(c for c in RULES.cites if split(c)[0] == law):
                words = "改过的条文" if (citation, year) == (changed, "2027") else "条文"
                if citation != without:
                    passages.append(
                        Passage(
                            id=f"{revision.id}/{number}",
                            revision_id=revision.id,
                            ordinal=number,
                            label=split(citation)[1],
                            text=words,
                        )
                    )
    return LawBook(Library(documents.values(), revisions, passages), {})


def split(citation: str) -> tuple[str, str]:
    law, article = citation.split("第", 1)
    return law, f"第{article}"


LAWS = small_law_book()
STEP = Deadlines(RULES.table, LAWS, people, TODAY)


def asked(
    question: str,
    outcome: Outcome = Outcome.ANSWERED_LAW,
    *cited: str,
    on: date = TODAY,
    step: Deadlines = STEP,
    laws: LawBook = LAWS,
    **more: Any,
) -> Draft:
    """A settled draft of a question, after the step."""
    draft = Draft(raw=question, on=on, region="310107", **more)
    draft.query = draft.question = text.normalise(question)
    draft.citations = [Citation(laws.cite(citation, on)) for citation in cited]
    draft.settle(outcome, "答复")
    step(draft)
    return draft


def touched(draft: Draft) -> list[str]:
    rows: list[str] = draft.trace.get("deadlines", {}).get("rows", [])
    return rows


def time_of(draft: Draft) -> str | None:
    found = draft.trace.get("deadlines", {})
    return next((name for name in ("little", "passed") if found.get(KEYS[name])), None)


KEYS = {"little": "little_time", "passed": "passed"}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["question"])
def test_a_question_touches_the_deadlines_it_should_and_no_other(line: dict[str, Any]) -> None:
    draft = asked(line["question"])
    assert touched(draft) == line["rows"]
    assert time_of(draft) == line["time"]


def test_there_are_enough_lines_of_either_kind() -> None:
    assert len(LINES) >= 120
    assert sum(not line["rows"] and not line["time"] for line in LINES) >= 30
    named = {row for line in LINES for row in line["rows"]}
    assert len(named) >= 45


def test_the_notice_says_what_from_when_what_interrupts_and_whom_to_ask() -> None:
    [notice] = asked("公司拖欠三个月工资怎么办").notices
    assert "时效期间为一年" in notice
    assert "从知道或者应当知道权利被侵害之日起算" in notice
    assert "中断，重新计算" in notice
    assert "具体从哪天起算要看证据，请尽快问人" in notice
    assert "劳动争议调解仲裁法第二十七条" in notice


def test_at_most_two_deadlines_are_said() -> None:
    many = "欠款 判决书 不服 上诉 复议 工资 仲裁 退货 保险拒赔 离婚冷静期 担保人"
    assert len(touched(asked(many))) <= 2


def test_an_article_shown_speaks_for_itself() -> None:
    assert touched(asked("工地上的事", Outcome.ANSWERED_LAW, "劳动争议调解仲裁法第二十七条")) == [
        "labor-arbitration"
    ]


def test_an_article_in_passing_is_a_deadline_only_where_time_is_asked_for() -> None:
    article = "民法典第一千一百二十四条"
    assert touched(asked("姑姑的事", Outcome.ANSWERED_LAW, article)) == []
    assert touched(asked("姑姑的事最晚什么时候办", Outcome.ANSWERED_LAW, article)) == ["bequest"]


def test_the_general_period_gives_way_to_a_special_one() -> None:
    both = ("民法典第一百八十八条", "保险法第二十六条")
    assert touched(asked("多久过期", Outcome.ANSWERED_LAW, *both)) == ["insurance"]
    assert touched(asked("多久过期", Outcome.ANSWERED_LAW, both[0])) == ["limitation"]


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.ANSWERED_FAQ,
        Outcome.ANSWERED_SERVICE,
        Outcome.ANSWERED_LAW,
        Outcome.CLARIFY_TOPIC,
        Outcome.UNANSWERABLE_UNSURE,
    ],
)
def test_it_is_said_with_an_answer_a_question_back_and_a_doubt(outcome: Outcome) -> None:
    assert touched(asked("公司拖欠工资", outcome)) == ["labor-arbitration"]


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.ANSWERED_SMALLTALK,
        Outcome.HANDOVER_URGENT,
        Outcome.REFUSED_HARM,
        Outcome.UNANSWERABLE_OFF_TOPIC,
        Outcome.FAILED_SEARCH,
    ],
)
def test_elsewhere_it_is_not_said(outcome: Outcome) -> None:
    draft = asked("诉讼时效明天到期，公司拖欠工资", outcome)
    assert draft.notices == []
    assert draft.handover is None
    assert draft.step_ids == []


@pytest.mark.parametrize(
    "question",
    [
        "还有三天到期",
        "明天就是最后一天",
        "快过诉讼时效了",
        "判决书收到14天了",
        "上诉期快到了",
        "上訴期只剩兩天",
        "仲裁時效還剩5天",
    ],
)
def test_when_days_are_left_legal_aid_and_a_person_come_first(question: str) -> None:
    draft = asked(question, step_ids=["service-court-filing", FIRST_STEP])
    assert draft.notices[0] == LITTLE_TIME
    assert draft.handover == Handover(KIND, REASON, PEOPLE)
    assert draft.step_ids == [FIRST_STEP, "service-court-filing"]


def test_when_days_are_left_the_row_says_what_to_do_first() -> None:
    notices = asked("劳动仲裁时效还有3天就过了").notices
    assert "只剩几天的话：先把仲裁申请书递到" in notices[1]


def test_unpaid_wages_of_three_days_are_no_deadline() -> None:
    draft = asked("还有三天工资没发")
    assert draft.handover is None
    assert time_of(draft) is None


def test_a_person_who_is_there_already_stays() -> None:
    there = Handover("hotline", "没有足够把握，请问人。", PEOPLE)
    draft = asked("上诉期快到了", Outcome.UNANSWERABLE_UNSURE, handover=there)
    assert draft.handover is there


def test_who_may_be_too_late_is_told_not_to_give_up() -> None:
    draft = asked("离职已经超过一年了还能仲裁吗")
    assert draft.notices[0] == PASSED
    assert "如果已经过了：" in draft.notices[1]
    assert "别放弃" in PASSED
    assert "问人" in PASSED
    assert draft.handover is None


def test_what_was_said_before_is_kept() -> None:
    assert asked("上诉期快到了", notices=["早先的提醒"]).notices[-1] == "早先的提醒"
    assert asked("公司拖欠工资", notices=["早先的提醒"]).notices[0] == "早先的提醒"


def test_a_row_whose_article_is_not_held_is_not_said() -> None:
    laws = small_law_book(without="劳动争议调解仲裁法第二十七条")
    step = Deadlines(RULES.table, laws, people, TODAY)
    assert touched(asked("公司拖欠工资", step=step)) == []
    assert step.withheld(TODAY) == ["labor-arbitration"]


def test_a_row_written_for_another_text_of_the_law_is_not_said() -> None:
    laws = small_law_book(changed="仲裁法第七十二条")
    step = Deadlines(RULES.table, laws, people, TODAY)
    question = "想申请撤销仲裁裁决"
    assert touched(asked(question, step=step)) == ["arbitration-award"]
    assert touched(asked(question, step=step, on=date(2027, 1, 1))) == []
    assert touched(asked(question, step=step, on=date(2020, 1, 1))) == []


def test_legal_aid_in_urgent_cases_is_named_only_while_it_is_law() -> None:
    laws = small_law_book(without=URGENT_HELP)
    step = Deadlines(RULES.table, laws, people, TODAY)
    draft = asked("上诉期快到了", step=step)
    assert LITTLE_TIME not in draft.notices
    assert draft.handover


def words_of(row: Row) -> str:
    return "\n".join([row.title, row.period, row.starts, row.stops, row.missed, row.hurry])


FRAGMENTS = st.sampled_from(
    [line["question"] for line in LINES]
    + [
        "2025年3月1日",
        "还有{n}天",
        "收到{n}天了",
        "{n}年前",
        "判决书",
        "时效",
        "上诉",
        "工资",
        "到期",
    ]
)
ALLOWED = set(re.findall(r"\d+|[一二两三四五六七八九十百千]+", "\n".join([
    *(row.notice(little_time=True, passed=True) for row in ROWS), LITTLE_TIME, PASSED,
])))  # fmt: skip


@given(
    parts=st.lists(FRAGMENTS, min_size=1, max_size=4),
    n=st.integers(1, 99),
    outcome=st.sampled_from(list(Outcome)),
    article=st.sampled_from(RULES.cites),
)
def test_no_notice_has_a_date_or_a_figure_that_is_not_in_the_table(
    parts: list[str], n: int, outcome: Outcome, article: str
) -> None:
    question = "，".join(part.replace("{n}", str(n)) for part in parts)
    draft = asked(question, outcome, article)
    shown = [row for row in ROWS if row.id in touched(draft)]
    rest = [notice for notice in draft.notices if notice not in (LITTLE_TIME, PASSED)]
    assert len(rest) == len(shown) <= 2
    for row in shown:
        [notice] = [notice for notice in rest if notice.startswith(f"{row.title}：")]
        plain = words_of(row) + "、".join(row.citations)
        numbers = set(re.findall(r"\d+", notice))
        assert numbers <= set(re.findall(r"\d+", plain))
        assert figures(notice) <= figures(plain)
        assert not re.search(r"\d+月\d+日|\d{4}年", notice)
