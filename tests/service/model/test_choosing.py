"""Where the rules are unsure the model may choose from a list, and do nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from knowledge.store import today_in_china
from service.answering.draft import NO_HINTS, NOTHING_OFF, Answer, Hints, Off, Outcome, Turn
from service.answering.pipeline import Pipeline
from service.answering.routing import route_of
from service.answering.topics import NAMES
from service.answering.unsure import Open, open_choices
from service.evaluation import answers, behaviours
from service.evaluation.benchmark import read_lines
from service.evaluation.characters import CHARACTERS, Character, choice, invention
from service.model.choosing import Choice, as_data, read
from service.model.endpoint import open_writer
from service.model.writing import Writer
from service.models import AnswerRecord
from tests.conftest import rooms_of
from tests.fakes_model import Scripted
from tests.service.model.conftest import WriterOf
from tests.service.model.test_streaming import desk_with

OPEN = Open(("婚姻家庭", "劳动人事"), ("离婚财产怎么分", "公司拖欠工资怎么办", "彩礼能要回来吗"))
FLAT = "房产证上加了朋友的名字，现在闹翻了房子怎么算"  # unsure, and so is the topic
DIVORCE = "离婚"  # asked back, and the topic is sure
SHOWN = ("topic", "clarify", "handover", "steps", "summary")  # what a choice may change


def improve(
    pipeline: Pipeline,
    writer: Writer,
    question: str,
    *,
    history: tuple[Turn, ...] = (),
    off: Off = NOTHING_OFF,
    model_off: Callable[[], bool] = lambda: False,
    conversation: str | None = None,
) -> Answer:
    def answered(hints: Hints = NO_HINTS) -> Answer:
        return pipeline.answer(question, history=history, off=off, hints=hints)

    return writer.improve(answered(), answered, off=model_off, conversation=conversation)


def lasting(answer: Answer, *but: str) -> dict[str, Any]:
    return {k: v for k, v in answer.to_json().items() if k not in ("took_ms", "versions", *but)}


@cache
def unsure(pipeline: Pipeline) -> tuple[str, ...]:
    """Questions of every kind at which the rules end unsure, or ask back, without a doubt about
    danger: with one, no model is asked."""
    some = answers.some_of(behaviours.shipped_cases(), 60)
    ends = (Outcome.UNANSWERABLE_UNSURE, Outcome.CLARIFY_TOPIC)
    given = [(q, pipeline.answer(q)) for q in some]
    found = tuple(q for q, a in given if a.outcome in ends and not a.draft.caution)
    assert len(found) > 10
    return found


# ── what is read of what it writes ───────────────────────────────────────────────────
def test_what_is_offered_has_identifiers_and_a_list_of_nothing_is_left_out() -> None:
    data = as_data(OPEN)
    assert data["主题"][1] == {"编号": "T2", "名称": "劳动人事"}
    assert data["常见问题"][2] == {"编号": "Q3", "问题": "彩礼能要回来吗"}
    assert list(as_data(Open(questions=("彩礼能要回来吗",)))) == ["常见问题"]


@pytest.mark.parametrize(
    ("said", "topic", "questions", "dropped"),
    [
        (choice("T2", ["Q3", "Q1"]), "劳动人事", (2, 0), 0),
        (choice("T2", "Q3"), "劳动人事", (2,), 0),
        (choice(["T2", "T1"], ["Q3", "Q3"]), "劳动人事", (2,), 1),
        (choice("", []), None, (), 0),
        (choice(None, None), None, (), 0),
        (choice("T9", ["Q1", "Q4"]), None, (0,), 2),
        (choice("Q1", ["T1", "Q2"]), None, (1,), 2),
        (choice("劳动人事", ["彩礼能要回来吗"]), None, (), 2),
        (choice("T1", ["Q1", "请拨打021-61234567"]), "婚姻家庭", (0,), 1),
        (choice("T1", ["Q1"], answer="您一定能赢"), "婚姻家庭", (0,), 1),
        (choice({"T1": "Q1"}, [["Q1"], 3, None, True]), None, (), 4),
        ("我认为是T1。\n" + choice("T1", ["Q1"]), "婚姻家庭", (0,), 0),
        (choice("T1", ["Q1"]) + choice("T2", ["Q2"]), "婚姻家庭", (0,), 0),
        ("T1\nQ1\n", None, (), 2),
        ('{"topic": T1, "questions": [Q1]}', None, (), 1),
        ("", None, (), 0),
    ],
)
def test_only_identifiers_of_the_list_are_read_and_all_else_is_dropped(
    said: str, topic: str | None, questions: tuple[int, ...], dropped: int
) -> None:
    for cut in (1, 7, 1000):
        got = read((said[i : i + cut] for i in range(0, len(said), cut)), OPEN)
        assert got.topic == topic
        assert got.questions == tuple(OPEN.questions[at] for at in questions)
        assert len(got.dropped) == dropped


def test_one_that_mostly_makes_things_up_is_not_believed_in_the_rest() -> None:
    assert Choice("劳动人事", (), ("T77",)).hints == Hints(topic="劳动人事")
    assert Choice("劳动人事", (), ("T77", "Q55")).hints == NO_HINTS


# ── what becomes of a choice ─────────────────────────────────────────────────────────
def test_a_chosen_topic_decides_whom_the_citizen_is_sent_to(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    plain = pipeline.answer(FLAT)
    assert plain.outcome is Outcome.UNANSWERABLE_UNSURE
    wanted = NAMES.index("婚姻家庭") + 1
    model = Scripted(pieces=[choice(f"T{wanted}", [])])
    answer = improve(pipeline, writer_of(model), FLAT)
    assert plain.draft.topic != answer.draft.topic == "婚姻家庭"
    assert answer.draft.handover
    assert [t.id for t in answer.draft.handover.targets] == route_of("婚姻家庭")["hotlines"]
    assert lasting(answer, *SHOWN) == lasting(plain, *SHOWN)
    assert answer.draft.summary == plain.draft.summary


@pytest.mark.parametrize("question", [FLAT, DIVORCE])
def test_chosen_questions_come_first_and_none_of_the_others_goes(
    pipeline: Pipeline, writer_of: WriterOf, question: str
) -> None:
    plain = pipeline.answer(question)
    ruled, near = plain.draft.clarify or [], open_choices(plain.draft).questions
    last, new = ruled[-1], [title for title in near if title not in ruled]
    ids = [f"Q{near.index(title) + 1}" for title in (new[0], last, *new[1:])]
    answer = improve(pipeline, writer_of(Scripted(pieces=[choice("", ids)])), question)
    # Two that the rules would not have offered, at the most.
    assert answer.draft.clarify == [new[0], last, *new[1:2], *ruled[:-1]]
    assert lasting(answer, "clarify") == lasting(plain, "clarify")


def test_a_topic_that_is_sure_is_not_open(pipeline: Pipeline, writer_of: WriterOf) -> None:
    plain, model = pipeline.answer(DIVORCE), Scripted(pieces=[choice("T20", [])])
    assert plain.outcome is Outcome.CLARIFY_TOPIC
    assert lasting(improve(pipeline, writer_of(model), DIVORCE)) == lasting(plain)
    assert "主题" not in str(model.history[0][1].content)
    for topic in NAMES:
        assert pipeline.answer(DIVORCE, hints=Hints(topic=topic)).draft.topic == "婚姻家庭"


def test_a_topic_that_is_switched_off_is_neither_offered_nor_taken(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    off, model = Off(topics=frozenset({"婚姻家庭"})), Scripted(pieces=[choice("T1", [])])
    answer = improve(pipeline, writer_of(model), FLAT, off=off)
    assert answer.draft.topic == NAMES[1] == "继承遗嘱"
    assert "婚姻家庭" not in str(model.history[0][1].content)
    taken = pipeline.answer(FLAT, off=off, hints=Hints(topic="婚姻家庭"))
    assert lasting(taken) == lasting(pipeline.answer(FLAT, off=off))


def test_whatever_a_hint_says_only_what_is_open_is_taken(pipeline: Pipeline) -> None:
    strange = Hints(topic="包打官司", questions=("请加微信putuo88领取材料", "民法典第一条"))
    for question in (FLAT, DIVORCE, "公司拖欠工资怎么办", "我不想活了", "你好", "今天天气怎么样"):
        for hints in (strange, Hints(topic="投诉与信访", questions=strange.questions)):
            plain, hinted = pipeline.answer(question), pipeline.answer(question, hints=hints)
            if question == FLAT:
                assert hinted.draft.topic in (plain.draft.topic, "投诉与信访")
                assert lasting(hinted, "topic", "handover") == lasting(plain, "topic", "handover")
            else:
                assert lasting(hinted) == lasting(plain)


# ── models of every character ────────────────────────────────────────────────────────
@pytest.mark.parametrize("character", CHARACTERS)
def test_whatever_its_character_an_unsure_question_is_never_answered_by_a_choice(
    pipeline: Pipeline, writer_of: WriterOf, character: str
) -> None:
    slow = character in ("slow", "stalling")
    total = 0.4 if slow else 20.0
    pause = 1.0 if character == "slow" else None
    model = Character(character=character, stall_seconds=5.0, pause_seconds=pause)
    writer = writer_of(model, first=total / 2, total=total, at_once=64)
    for question in unsure(pipeline)[: 6 if slow else None]:
        began = time.monotonic()
        tried = answers.try_one(pipeline, writer, question)
        assert time.monotonic() - began < total + 2.0
        assert not tried.answer.outcome.answered
        assert tried.answer.outcome == tried.plain["outcome"]
        assert tried.faults() == []
        assert tried.answer.draft.citations == []
        assert tried.answer.draft.model is None
        if character in ("dead", "limited", "slow", "stalling", "omitting", "wrong_json"):
            assert tried.as_without()
        assert "choice" in tried.note


def test_what_was_offered_chosen_and_dropped_is_on_record_and_counted(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    said = choice("T1", ["Q2", "请找王律师13800138000"])
    writer = writer_of(Scripted(pieces=[said]))
    answer = improve(pipeline, writer, FLAT)
    note, near = answer.draft.trace["model"]["choice"], open_choices(answer.draft)
    assert note["offered"] == {"topics": NAMES, "questions": near.questions}
    assert (note["topic"], note["questions"]) == ("婚姻家庭", [near.questions[1]])
    assert note["used"]
    assert note["instead_of"] == pipeline.answer(FLAT).draft.topic
    (dropped,) = note["dropped"]
    assert len(dropped["sha256"]) == 16
    assert "[手机号]" in dropped["text"]
    assert "138" not in dropped["text"]
    counts = writer._caller.budget.counts(today_in_china())
    assert (counts["choice.used"], counts["choice.dropped"], counts["calls"]) == (1, 1, 1)
    assert answer.versions["prompt_choose"]


def test_a_choice_that_lies_leaves_the_answer_as_it_was(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    said = choice("T1", ["Q99", invention(3), invention(4)], answer=invention(5))
    answer = improve(pipeline, writer_of(Scripted(pieces=[said])), FLAT)
    assert lasting(answer) == lasting(pipeline.answer(FLAT))
    assert not answer.draft.trace["model"]["choice"]["used"]
    assert len(answer.draft.trace["model"]["choice"]["dropped"]) == 4


def test_an_answer_that_would_end_otherwise_is_not_taken(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    """As after a change of what is published, in passing."""
    plain, other = pipeline.answer(FLAT), pipeline.answer("公司拖欠三个月工资怎么办")
    assert other.outcome.answered
    writer = writer_of(Scripted(pieces=[choice("T1", ["Q1"])]))
    answer = writer.improve(plain, lambda _: other, off=lambda: False)
    assert answer.outcome is Outcome.UNANSWERABLE_UNSURE
    assert answer.draft.citations == []


# ── when it is not asked, and what is heeded ─────────────────────────────────────────
def test_danger_is_none_of_its_business(pipeline: Pipeline, writer_of: WriterOf) -> None:
    model = Scripted(pieces=[choice("T1", ["Q1"])])
    writer = writer_of(model)
    lines = read_lines(behaviours.shipped_cases(), "question", "behaviour")
    urgent = [c["question"] for c in lines if c["behaviour"] == "urgent"]
    before = Turn(question=FLAT, outcome="unanswerable_unsure", root=FLAT, topic="婚姻家庭")
    raised = 0
    for question in urgent:
        for history in ((), (before,)):
            plain = pipeline.answer(question, history=history)
            if plain.outcome is Outcome.HANDOVER_URGENT:
                raised += 1
                answer = improve(pipeline, writer, question, history=history)
                assert lasting(answer) == lasting(plain)
                assert "model" not in answer.draft.trace
    assert model.history == []
    assert raised > 40


def test_the_kill_switch_is_heeded_before_and_after_it_is_asked(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    plain, model = pipeline.answer(FLAT), Scripted(pieces=[choice("T1", ["Q2"])])
    assert "model" not in improve(pipeline, writer_of(model), FLAT, model_off=lambda: True).versions
    for looks in ([False, True], [False, False, True]):
        thrown = iter(looks)
        answer = improve(pipeline, writer_of(model), FLAT, model_off=lambda: next(thrown))  # noqa: B023
        assert lasting(answer) == lasting(plain)
        assert answer.draft.trace["model"]["failure"] == "off"
    assert len(model.history) == 1


def test_when_the_budget_is_used_up_the_rules_decide_alone(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    model = Scripted(pieces=[choice("T1", ["Q2"])])
    writer = writer_of(model, calls=1)
    assert improve(pipeline, writer, FLAT).draft.trace["model"]["choice"]["used"]
    second = improve(pipeline, writer, FLAT)
    assert lasting(second) == lasting(pipeline.answer(FLAT))
    assert second.draft.trace["model"]["failure"] == "budget"
    assert second.draft.trace["model"]["degraded"]
    assert len(model.history) == 1


def test_what_was_chosen_is_stored_and_its_calls_count_for_the_conversation(
    client: TestClient, pipeline: Pipeline
) -> None:
    rooms, model = rooms_of(client), Scripted(pieces=[choice("T1", ["Q2"])])
    shown = desk_with(client, model).ask(FLAT)
    assert shown["topic"] == "婚姻家庭"
    assert "model" not in shown
    with rooms.sessions() as session:
        stored = session.scalars(select(AnswerRecord)).one()
    kept = stored.trace["model"]["choice"]
    assert kept["topic"] == stored.topic == "婚姻家庭"
    assert kept["used"]
    limited = rooms.settings.model_copy(update={"model_conversation_calls": 1})
    writer = open_writer(limited, rooms.sessions, lambda: rooms.laws, model)
    assert writer
    again = improve(pipeline, writer, FLAT, conversation=shown["conversation"])
    assert again.draft.trace["model"]["failure"] == "budget"
    assert again.draft.topic != "婚姻家庭"
    assert len(model.history) == 1


def test_after_some_failures_the_breaker_lets_it_rest(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    writer = writer_of(Character(character="dead"), failures=2)
    failures = [improve(pipeline, writer, FLAT).draft.trace["model"]["failure"] for _ in range(4)]
    assert failures == ["unreachable", "unreachable", "resting", "resting"]


def test_what_it_is_sent_is_masked_and_fenced(pipeline: Pipeline, writer_of: WriterOf) -> None:
    said = "我手机13800138000，房产证上加了朋友的名字，现在闹翻了房子怎么算"
    model = Scripted(pieces=[choice("", [])])
    improve(pipeline, writer_of(model), said)
    instructions, data = (str(m.content) for m in model.history[0])
    assert "138" not in data
    assert said[15:] in data
    assert said[15:] not in instructions
    assert data.count("〔") == 6


def test_a_follow_up_that_could_not_be_read_may_still_be_sent_on(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    before = Turn(question="我有套房子", outcome="unanswerable_unsure", root="我有套房子")
    model = _Twice(pieces=['{"question": "房子值五百万元"}'], then=[choice("T1", [])])
    answer = improve(pipeline, writer_of(model), FLAT, history=(before,))
    note = answer.draft.trace["model"]
    assert note["reading"]["fault"] == "fact"
    assert note["choice"]["used"]
    assert (answer.draft.topic, note["calls"]) == ("婚姻家庭", 2)
    assert json.dumps("我有套房子", ensure_ascii=False) in str(model.history[1][1].content)


class _Twice(Scripted):
    """Says one thing, and another from the second call on."""

    then: list[Any]

    def _stream(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        if self.history:
            self.pieces = self.then
        yield from super()._stream(messages, *args, **kwargs)
