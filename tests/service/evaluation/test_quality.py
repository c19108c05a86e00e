"""The product reaches its floors on our own cases, all of them, in under a minute."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from knowledge.citations import LawBook
from knowledge.encoder import OnnxEncoder
from knowledge.retrieval import Retriever
from service.answering.draft import Outcome
from service.answering.pipeline import Pipeline
from service.answering.topics import NAMES, NOT_LEGAL, shipped_topics
from service.evaluation import (
    abstention,
    behaviours,
    citations,
    doubt,
    floors,
    harm,
    retrieval,
    topics,
    urgent,
)
from service.evaluation.benchmark import read_lines
from tests.conftest import TODAY

CASES = list(read_lines(behaviours.shipped_cases()))
DOUBT = list(read_lines(doubt.shipped_cases()))


def quiet(_stage: str, _done: int, _total: int) -> None: ...


def test_behaviours_reach_their_floors(pipeline: Pipeline) -> None:
    figures = behaviours.evaluate(pipeline, behaviours.shipped_cases(), quiet)
    assert floors.missed("behaviours", figures) == []


def test_retrieval_reaches_its_floors(retriever: Retriever, laws: LawBook) -> None:
    own = doubt.of_kind(doubt.read_own(laws, TODAY, "report"), "legal")
    figures = retrieval.evaluate(
        retriever, [j.question for j in own], [j.articles for j in own], TODAY, quiet
    )
    assert floors.missed("retrieval", figures) == []


def test_doubt_reaches_its_floors(pipeline: Pipeline, laws: LawBook) -> None:
    own = [*doubt.read_own(laws, TODAY, "report"), *doubt.read_asked("report")]
    figures = abstention.evaluate(pipeline, own, TODAY, quiet)
    assert floors.missed("abstention", figures) == []


def test_citations_reach_their_floors(laws: LawBook) -> None:
    figures = citations.evaluate(laws, citations.shipped_cases(), TODAY)
    assert floors.missed("citations", figures) == []


def test_urgency_reaches_its_floors(encoder: OnnxEncoder) -> None:
    assert floors.missed("urgent", urgent.evaluate(urgent.shipped_cases(), "test")) == []


def test_harm_reaches_its_floors() -> None:
    assert floors.missed("harm", harm.evaluate(harm.shipped_cases())) == []


def test_topics_reach_their_floors(encoder: OnnxEncoder) -> None:
    lines = [case for case in CASES if case.get("topic")]
    figures = topics.evaluate(
        [c["question"] for c in lines], [c["topic"] for c in lines], shipped_topics(), encoder
    )
    assert floors.missed("topics", figures) == []


def test_a_wrong_answer_is_counted_as_wrong(pipeline: Pipeline, tmp_path: Path) -> None:
    case = {
        "id": "x", "question": "你好", "behaviour": "legal", "expect": ["answered_law"],
    }  # fmt: skip
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(case), "utf-8")
    figures = behaviours.evaluate(pipeline, file, quiet)
    assert figures["by_behaviour"]["legal"]["right"] == 0
    assert figures["wrong"] == ["x"]
    assert floors.missed("behaviours", figures) != []


@pytest.mark.parametrize(
    ("expected", "counted"),
    [
        ({"law": "民法典", "article": "第一条", "verdict": "no_such_article"}, "false_accepts"),
        ({"law": "民法典", "article": "第三条", "verdict": "verified"}, "silent_misses"),
    ],
)
def test_a_wrong_verdict_is_counted_by_its_kind(
    laws: LawBook, tmp_path: Path, expected: dict[str, str], counted: str
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps({"text": "民法典第一条", "expect": [expected]}), "utf-8")
    figures = citations.evaluate(laws, file, TODAY)
    assert figures[counted] == 1
    assert figures["right"] == 0
    assert floors.missed("citations", figures) != []


def test_an_answer_to_what_is_not_ours_is_counted(pipeline: Pipeline) -> None:
    lines = [
        doubt.Judged("公司拖欠工资怎么办", "outside"),  # as if it were none of our business
        doubt.Judged("明天会下雨吗", "outside"),
        doubt.Judged("公司拖欠工资怎么办", "legal", frozenset({"none"})),
    ]
    figures = abstention.evaluate(pipeline, lines, TODAY, quiet)
    assert figures["outside_answered"] == 0.5
    assert figures["precision"] == 0.0
    assert floors.missed("abstention", figures) != []


def test_a_reviewed_answer_that_does_not_fit_is_counted(pipeline: Pipeline) -> None:
    question = "公司拖欠工资怎么办"
    lines = [
        doubt.Judged(question, "legal", frozenset({"none"})),  # nobody has judged
        doubt.Judged(question, "asked", documents=frozenset({"faq-unpaid-wages"})),
        doubt.Judged(question, "service", documents=frozenset()),
    ]
    figures = abstention.evaluate(pipeline, lines, TODAY, quiet)
    assert figures["reviewed"] == {"shown": 2, "fit": 0.5}
    assert "abstention：要求 reviewed.fit ≥ 0.83，实际 0.5" in floors.missed("abstention", figures)
    assert figures["n"] == 1
    assert "reviewed" not in abstention.evaluate(pipeline, lines[:1], TODAY, quiet)


def test_cases_are_unique_and_name_real_outcomes() -> None:
    assert len(CASES) >= 400
    assert [i for i, n in Counter(c["question"] for c in CASES).items() if n > 1] == []
    known = [o.value for o in Outcome]
    for case in CASES:
        assert case["expect"]
        assert case.get("topic") in (None, *NAMES, NOT_LEGAL)
        for expected in case["expect"]:
            assert any(o.startswith(expected) for o in known), (case["id"], expected)


def test_every_article_that_a_case_asks_for_is_in_force(laws: LawBook) -> None:
    for case in [*CASES, *DOUBT]:
        for citation in case.get("cites", case.get("articles", [])):
            laws.cite(citation, TODAY)


def test_doubt_lines_are_unique_and_split_in_two_halves() -> None:
    assert [i for i, n in Counter(c["question"] for c in DOUBT).items() if n > 1] == []
    split = Counter((c["kind"], c["split"]) for c in DOUBT)
    for kind in ("legal", "service", "near", "outside"):
        assert 0.4 < split[kind, "calib"] / (split[kind, "calib"] + split[kind, "report"]) < 0.6


def test_citation_cases_cover_many_forms() -> None:
    cases = list(read_lines(citations.shipped_cases()))
    assert len(cases) >= 150
    assert len({c["form"] for c in cases}) >= 25
