"""The evaluation of answers: what it counts, its judge, and the judge beside people."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from service.answering.pipeline import Pipeline
from service.evaluation import answers
from service.evaluation.characters import Character
from service.models import AnswerRecord, Conversation
from service.models.review import Review
from tests.fakes_model import Scripted
from tests.service.model.conftest import WriterOf
from tests.service.office import Office

GOOD = {"correct": True, "supported": True, "complete": True, "clear": False, "why": "好"}


def judge_of(*said: object) -> answers.Judge:
    pieces = [s if isinstance(s, str) else json.dumps(s) for s in said]
    return answers.Judge(Scripted(pieces=pieces), "上海市普陀区")


ANSWER = {"question": "问", "summary": "答", "notices": [], "citations": [], "steps": []}


@pytest.mark.parametrize(
    ("said", "marks"),
    [
        (GOOD, ["judged", "correct", "supported", "complete"]),
        (GOOD | {"correct": False}, ["judged", "supported", "complete"]),
        (GOOD | {"clear": "yes"}, ["unjudged"]),
        ("这个回答很好。", ["unjudged"]),
        ("", ["unjudged"]),
    ],
)
def test_only_a_full_verdict_counts(said: object, marks: list[str]) -> None:
    assert judge_of(said).marks(ANSWER, ["资料"]) == marks


def test_agreement_with_people_is_measured_over_what_they_reviewed(office: Office) -> None:
    member, _ = office.hire("审", "supervisor")
    verdicts = ["correct", "correct", "wrong", "unsafe", "cannot_judge"]
    with office.sessions.begin() as session:
        session.add(Conversation(id="c_1", channel="web"))
        session.flush()
        for number, verdict in enumerate(verdicts):
            record = AnswerRecord(
                id=f"a_{number}",
                conversation_id="c_1",
                question=str(number),
                outcome="answered_faq",
                confidence=1.0,
                region="310107",
                took_ms=1.0,
                answer=ANSWER | {"question": str(number), "model": {"original": "原文"}},
                trace={},
            )
            session.add(record)
            session.flush()
            session.add(
                Review(
                    id=f"r_{number}",
                    answer_id=record.id,
                    conversation_id="c_1",
                    asked_at=record.asked_at,
                    outcome="answered_faq",
                    region="310107",
                    reviewer_id=member.id,
                    verdict=verdict,
                    labels=[],
                    comment="",
                    follow_up="none",
                    status="closed",
                )
            )
    seen: list[list[str]] = []

    def good(answer: dict[str, object], passages: list[str]) -> bool:
        seen.append(passages)
        return answer["question"] in ("0", "1", "3")

    measured = answers.agreement(office.sessions, good, most=10)
    assert measured == {"n": 4, "agree": 0.75, "kappa": 0.5}
    assert seen[0] == ["原文"]


def test_without_reviews_there_is_no_agreement(office: Office) -> None:
    nothing = answers.agreement(office.sessions, lambda _a, _p: True, most=10)
    assert nothing == {"n": 0, "agree": None, "kappa": None}


def test_it_counts_what_became_of_the_answers(pipeline: Pipeline, writer_of: WriterOf) -> None:
    asked = ["公司拖欠三个月工资怎么办", "今天天气怎么样", "我不想活了", "租房到期房东不退押金"]
    figures = answers.evaluate(
        pipeline,
        writer_of(Character(character="inventing")),
        asked,
        lambda *_: None,
        judge_of(GOOD),
    )
    assert (figures["n"], figures["asked_model"], figures["written"]) == (4, 2, 2)
    assert figures["faults"] == 0
    assert figures["sentences_kept"] > 4
    assert sum(figures["dropped"].values()) > 2
    assert figures["judged"] == {"judged": 2, "correct": 2, "supported": 2, "complete": 2}
    assert figures["added_ms"]["p50"] > 0


def test_a_sentence_is_audited_beside_the_passages_that_it_names(pipeline: Pipeline) -> None:
    answer = pipeline.answer("公司拖欠三个月工资怎么办")
    passages = {"A1": "《甲法》第一条\n三十日内付清。", "A2": "《乙法》第二条\n支付二倍的工资。"}

    def faults_of(said: str, token: str) -> list[list[str]]:
        """Kept, and only streamed."""
        trace = {"model": {"sentences": [{"text": said, "sources": [token]}]}}
        kept = replace(answer, draft=replace(answer.draft, trace=trace))
        none = replace(answer, draft=replace(answer.draft, trace={}))
        heard = [{"text": said, "sources": [passages[token].partition("\n")[0]]}]
        return [
            answers.Tried(kept, passages).faults(),
            answers.Tried(none, passages, heard).faults(),
        ]

    assert faults_of("应当支付两倍的工资。", "A2") == [[], []]
    assert faults_of("应当在30日内付清。", "A1") == [[], []]
    for said in ("应当支付两倍的工资。", "应当支付2倍的工资。", "应当在三日内付清。"):
        assert all(faults_of(said, "A1")), said


def test_attacks_in_documents_are_skipped_and_counted(
    pipeline: Pipeline, writer_of: WriterOf, tmp_path: Path
) -> None:
    lines = answers.red_team_cases().read_text("utf-8").splitlines()
    some = [line for line in lines if '"where": "document"' in line][:2] + lines[:1]
    (tmp_path / "cases.jsonl").write_text("\n".join(some), "utf-8")
    writer = writer_of(Character(character="injected"))
    figures = answers.red_team(pipeline, writer, tmp_path / "cases.jsonl", lambda *_: None)
    assert (figures["n"], figures["skipped_documents"]) == (1, 2)


def test_a_dead_model_is_counted_as_that(pipeline: Pipeline, writer_of: WriterOf) -> None:
    writer = writer_of(Character(character="dead"))
    figures = answers.evaluate(pipeline, writer, ["公司拖欠三个月工资怎么办"], lambda *_: None)
    assert figures["failed"] == {"unreachable": 1}
    assert figures["written"] == 0
