"""The evaluation of answers: what it counts, its floors, its judge, and the judge beside people."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.answering.draft import NO_HINTS, Answer, Handover, Outcome, Target
from service.answering.pipeline import Pipeline
from service.evaluation import answers, behaviours, floors, judging
from service.evaluation.characters import CHARACTERS, Character, choice, invention
from service.model.verification import Dropped, Reason, Sentence, Verifier
from service.model.writing import Writer
from service.models import AnswerRecord, Conversation
from service.models.review import Review
from tests.fakes_model import Scripted
from tests.service.model.conftest import WriterOf
from tests.service.office import Office
from tests.service.test_cli import consult

GOOD = {"correct": True, "supported": True, "complete": True, "clear": False, "why": "好"}


def judge_of(*said: object) -> judging.Judge:
    pieces = [s if isinstance(s, str) else json.dumps(s) for s in said]
    return judging.Judge(Scripted(pieces=pieces), "上海市普陀区")


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

    measured = judging.agreement(office.sessions, good, most=10)
    assert measured == {"n": 4, "agree": 0.75, "kappa": 0.5}
    assert seen[0] == ["原文"]


def test_without_reviews_there_is_no_agreement(office: Office) -> None:
    nothing = judging.agreement(office.sessions, lambda _a, _p: True, most=10)
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


# ── the floors ───────────────────────────────────────────────────────────────────────
HELD = [c for c in CHARACTERS if answers.name_of(c) in floors.floors()]
WAGES, FLAT = "公司拖欠三个月工资怎么办", "房产证上加了朋友的名字，现在闹翻了房子怎么算"


def quiet(_stage: str, _done: int, _total: int) -> None: ...


def missed(
    pipeline: Pipeline, writer: Writer, character: str, asked: Sequence[str] = (WAGES, FLAT)
) -> set[str]:
    """The figures that miss the floors of a scripted model."""
    figures = answers.evaluate(pipeline, writer, asked, quiet)
    said = floors.missed(answers.name_of(character), figures)
    return {s.split("要求 ")[1].split(" ")[0] for s in said}


def test_models_that_tell_the_truth_lie_obey_and_fail_have_floors() -> None:
    assert HELD == ["truthful", "inventing", "wrong_json", "injected", "dead"]


@pytest.mark.parametrize("character", HELD)
def test_each_scripted_model_reaches_its_floors(
    pipeline: Pipeline, writer_of: WriterOf, character: str
) -> None:
    asked = answers.some_of(behaviours.shipped_cases(), 60)
    assert len(set(asked)) == 60
    assert missed(pipeline, writer_of(Character(character=character)), character, asked) == set()


def test_without_the_verification_the_lies_miss_their_floors(
    pipeline: Pipeline, writer_of: WriterOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def believe(self: Verifier, said: object, tokens: object) -> Sentence:
        known = [self._by_token[t] for t in tokens if t in self._by_token]  # type: ignore[attr-defined]
        return Sentence(str(said), tuple(known or self._by_token.values()))

    monkeypatch.setattr(Verifier, "check", believe)
    for character in ("inventing", "injected"):
        writer = writer_of(Character(character=character))
        assert missed(pipeline, writer, character) == {"faults", "kept_share"}


def test_a_verification_that_drops_the_truth_misses_the_floors_of_the_truthful(
    pipeline: Pipeline, writer_of: WriterOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doubt(_self: Verifier, said: object, _tokens: object) -> Dropped:
        return Dropped(Reason.UNSUPPORTED, str(said))

    monkeypatch.setattr(Verifier, "check", doubt)
    writer = writer_of(Character(character="truthful"))
    assert missed(pipeline, writer, "truthful") == {"written_share", "kept_share"}
    writer = writer_of(Character(character="inventing"))
    assert missed(pipeline, writer, "inventing") == {"written_share"}


@pytest.mark.parametrize(
    ("loses", "figures"),
    [
        ({"summary": ""}, {"lost", "changed_by_failed"}),
        ({"outcome": Outcome.FAILED_SEARCH}, {"lost", "changed_by_failed"}),
        ({"notices": ["模型出了问题"]}, {"changed_by_failed"}),
    ],
)
def test_an_answer_that_is_lost_with_the_model_misses_the_floors_of_the_dead(
    pipeline: Pipeline, writer_of: WriterOf, loses: dict[str, Any], figures: set[str]
) -> None:
    class Losing(Writer):
        def _finished(self, answer: Answer, work: Any) -> Answer:
            finished = super()._finished(answer, work)
            return replace(finished, draft=replace(finished.draft, **loses))

    sound = writer_of(Character(character="dead"))
    losing = Losing(sound._caller, sound._laws, sound._about)
    assert missed(pipeline, losing, "dead") == figures
    assert "failed_share" in missed(pipeline, writer_of(Character(character="truthful")), "dead")


@pytest.mark.parametrize(
    "takes",
    [
        {"summary": invention(3)},
        {"topic": "包打官司"},
        {"clarify": [invention(4)]},
        {"clarify": None},
        {"notices": [invention(5)]},
        {"handover": Handover("hotline", "", (Target(title="某某律师", id="hotline-x"),))},
    ],
)
def test_a_choice_that_reaches_beyond_its_list_is_a_fault(
    pipeline: Pipeline, writer_of: WriterOf, takes: dict[str, Any]
) -> None:
    class Believing(Pipeline):
        """Takes more from a hint than is open."""

        def __init__(self) -> None: ...

        def answer(self, question: str, **more: Any) -> Answer:
            answer = pipeline.answer(question, **more)
            if more["hints"] == NO_HINTS:
                return answer
            return replace(answer, draft=replace(answer.draft, **takes))

    truthful = Character(character="truthful")
    assert missed(Believing(), writer_of(truthful), "truthful") == {"faults"}


def test_choices_that_are_never_used_or_should_not_be_miss_their_floors(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    class Deaf(Pipeline):
        def __init__(self) -> None: ...

        def answer(self, question: str, **more: Any) -> Answer:
            return pipeline.answer(question, **more | {"hints": NO_HINTS})

    truthful = Character(character="truthful")
    assert missed(Deaf(), writer_of(truthful), "truthful") == {"choices.used_share"}
    in_form = Scripted(pieces=[choice("T1", ["Q1"])])
    assert missed(pipeline, writer_of(in_form), "wrong_json") == {"choices.used"}


def test_a_scripted_model_uses_up_nothing_of_what_the_site_may_spend(home: Path) -> None:
    done = consult(home, "eval", "answers", "--character", "truthful", "--limit", "6", "--check")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["asked_model"] > 0
    with closing(sqlite3.connect(home / "consult.db")) as database:
        assert database.execute("SELECT count(*) FROM model_counts").fetchone() == (0,)
    assert (home / "evaluations" / "answers_truthful.jsonl").exists()
