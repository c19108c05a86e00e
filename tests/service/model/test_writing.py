"""Models of every character beside the whole pipeline: what they add reaches nobody."""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session, sessionmaker

from ingest import content
from ingest.pipeline import Report
from knowledge.citations import LawBook
from knowledge.store import today_in_china
from service.answering import wording
from service.answering.draft import NO_HINTS, Answer, Hints, Outcome, Turn
from service.answering.pipeline import Pipeline
from service.assembly import Rooms
from service.evaluation import answers, behaviours, floors
from service.evaluation.benchmark import read_lines
from service.evaluation.characters import Character, invention, line
from service.model.evidence import Evidence, evidence_of
from service.model.verification import Sentence, Verifier
from service.model.writing import Writer
from service.models import AnswerRecord, Conversation
from service.serving import changed_library
from tests.fakes_model import Scripted
from tests.service.model.conftest import WriterOf

WAGES = "公司拖欠三个月工资怎么办"
DOUBLE = "用人单位未与劳动者订立书面劳动合同的，应当向劳动者每月支付二倍的工资。"


def improve(writer: Writer, answer: Answer, off: bool = False) -> Answer:
    def again(_hints: Hints) -> Answer:
        raise AssertionError("nothing was to be read again")

    return writer.improve(answer, again, off=lambda: off)


def questions(n: int) -> list[str]:
    """Of every behaviour, mixed, the same in each run."""
    lines = list(read_lines(behaviours.shipped_cases(), "question", "behaviour"))
    legal = [c["question"] for c in lines if c["behaviour"] in ("legal", "service", "injection")]
    return random.Random(7).sample(legal, n)  # noqa: S311


# ── what a model may not do ──────────────────────────────────────────────────────────
@pytest.mark.slow
def test_nothing_invented_in_300_questions_reaches_anybody(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    writer = writer_of(Character(character="inventing"))
    asked = questions(300)
    inventions = {invention(n)[:6] for n in range(len(asked))}
    written = dropped = kept = 0
    for question in asked:
        tried = answers.try_one(pipeline, writer, question)
        assert tried.faults() == []
        shown = "\n".join([tried.answer.draft.summary, *tried.shown])
        assert not any(start in shown for start in inventions)
        written += bool(tried.answer.draft.model)
        dropped += len(tried.note.get("dropped", ()))
        kept += tried.note.get("kept", 0)
    # It was believed often enough, and lied often enough, for this to mean something.
    assert written > 150
    assert dropped > 500
    assert kept > 1000


def test_the_audit_that_the_tests_rest_on_finds_what_it_should() -> None:
    for number in range(22):
        if "一定能赢" not in invention(number):
            assert answers.strange(invention(number), "《劳动法》第八条 一年"), invention(number)
    assert not answers.strange("第八条规定1年内", "《劳动法》第八条 一年")


@pytest.mark.parametrize("character", ["dead", "limited", "stalling", "slow"])
def test_with_a_dead_or_slow_model_every_question_is_answered_in_time(
    pipeline: Pipeline, writer_of: WriterOf, character: str
) -> None:
    total = 0.4
    pause = 0.1 if character == "slow" else None
    model = Character(character=character, stall_seconds=1.5, pause_seconds=pause)
    writer = writer_of(model, first=0.2, total=total, at_once=64)
    for question in questions(12):
        plain = pipeline.answer(question)
        began = time.monotonic()
        answer = improve(writer, pipeline.answer(question))
        assert time.monotonic() - began < total + plain.took_ms / 1000 + 0.6
        assert answer.draft.summary == plain.draft.summary
        assert answer.draft.model is None
        note = answer.draft.trace.get("model")
        if note:
            assert note["degraded"]
            assert note["ms"] <= total * 1000 + 150


@pytest.mark.parametrize("character", ["wrong_json", "verbose", "omitting", "truthful"])
def test_whatever_its_manners_nothing_is_shown_without_a_source(
    pipeline: Pipeline, writer_of: WriterOf, character: str
) -> None:
    writer = writer_of(Character(character=character))
    for question in questions(15):
        tried = answers.try_one(pipeline, writer, question)
        assert tried.faults() == []
        assert tried.answer.draft.summary
        assert len(tried.answer.draft.summary) < 4000


def test_a_truthful_model_is_shown_with_label_name_and_filing(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    plain = pipeline.answer(WAGES)
    answer = improve(writer_of(Character(character="truthful")), pipeline.answer(WAGES))
    shown = answer.to_json()
    assert shown["summary"].startswith(wording.MODEL_LABEL)
    assert "人工智能" in wording.MODEL_LABEL
    assert "生成" in wording.MODEL_LABEL
    assert shown["model"] == {
        "name": "试验模型",
        "filing": "备案-1",
        "label": wording.MODEL_LABEL,
        "generated": ["summary"],
        "original": plain.draft.summary,
    }
    assert shown["citations"] == plain.to_json()["citations"]
    assert shown["steps"] == plain.to_json()["steps"]
    assert set(plain.draft.notices) <= set(shown["notices"])
    assert answer.versions["prompt_compose"]
    assert answer.versions["model"] == "试验模型"
    assert "model" not in plain.to_json()


def test_what_the_omitting_model_leaves_out_stands_in_the_notices(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    question = "女方怀孕期间男方可以离婚吗"
    answer = improve(writer_of(Character(character="omitting")), pipeline.answer(question))
    assert answer.draft.model
    said = answer.draft.summary + "".join(answer.draft.notices)
    assert "但是，女方提出离婚或者人民法院认为确有必要受理男方离婚请求的除外" in said


def test_every_drop_is_kept_with_its_reason_and_counted(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    said = [line("请拨打13800138000，找王律师。", "A1"), line("甲乙丙丁", "A77"), "不是一行对象\n"]
    writer = writer_of(Scripted(pieces=said))
    answer = improve(writer, pipeline.answer(WAGES))
    dropped = answer.draft.trace["model"]["dropped"]
    assert [d["reason"] for d in dropped] == ["number", "unknown_token", "malformed"]
    assert all(len(d["sha256"]) == 16 for d in dropped)
    assert "[手机号]" in dropped[0]["text"]
    assert "138" not in dropped[0]["text"]
    counts = writer._caller.budget.counts(today_in_china())
    assert counts["dropped.number"] == 1
    assert counts["answers.extractive"] == 1


def test_one_that_mostly_invents_is_not_believed_in_the_rest(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    plain = pipeline.answer(WAGES)
    true = plain.draft.citations[0].source.passage.text.split("。")[0]
    lies = [line(invention(n), "A1") for n in range(3)]
    answer = improve(writer_of(Scripted(pieces=[line(true, "A1"), *lies])), pipeline.answer(WAGES))
    assert answer.draft.summary == plain.draft.summary
    assert answer.draft.trace["model"]["kept_extractive"] == "mostly_dropped"


# ── when it is not asked ─────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "question",
    [
        "我不想活了",
        "他正在打我",
        "今天天气怎么样",
        "转人工",
        "你好",
        "怎么伪造借条",
        "民法典第九千条",
    ],
)
def test_it_is_never_asked_about_danger_wrongs_persons_and_small_talk(
    pipeline: Pipeline, writer_of: WriterOf, question: str
) -> None:
    model = Scripted(pieces=[line(DOUBLE, "A1")])
    plain = pipeline.answer(question)
    answer = improve(writer_of(model), pipeline.answer(question))
    assert model.history == []
    assert answer.draft.summary == plain.draft.summary
    assert "model" not in answer.draft.trace


def test_who_may_be_in_danger_does_not_wait_for_it(pipeline: Pipeline, writer_of: WriterOf) -> None:
    model = Scripted(pieces=[line(DOUBLE, "A1")])
    answer = pipeline.answer(WAGES)
    answer.draft.caution = wording.IF_DANGER
    assert "model" not in improve(writer_of(model), answer).draft.trace
    answer.draft.caution = None
    assert "model" in improve(writer_of(model), answer).draft.trace


def test_the_kill_switch_is_heeded_before_and_amid_the_writing(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    model = Character(character="truthful")
    plain = pipeline.answer(WAGES)
    assert improve(writer_of(model), plain, off=True) is plain
    looks = iter([False, False, True])
    heard: list[str] = []
    answer = writer_of(model).improve(
        pipeline.answer(WAGES),
        lambda _: plain,
        off=lambda: next(looks),
        hear=lambda event, _data: heard.append(event),
    )
    assert heard == ["status", "sentence"]
    assert answer.draft.summary == plain.draft.summary
    assert answer.draft.trace["model"]["failure"] == "off"


def test_when_the_calls_of_a_day_are_used_up_the_answer_is_what_was_found(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    writer = writer_of(Character(character="truthful"), calls=1)
    assert improve(writer, pipeline.answer(WAGES)).draft.model
    second = improve(writer, pipeline.answer(WAGES))
    assert second.draft.model is None
    assert second.draft.trace["model"]["failure"] == "budget"
    assert second.draft.trace["model"]["degraded"]


def test_a_conversation_has_a_budget_of_its_own(
    pipeline: Pipeline, writer_of: WriterOf, counted: sessionmaker[Session]
) -> None:
    writer = writer_of(Character(character="truthful"), of_conversation=1)

    def asked(conversation: str) -> Answer:
        answer = writer.improve(
            pipeline.answer(WAGES),
            lambda _: pipeline.answer(WAGES),
            off=lambda: False,
            conversation=conversation,
        )
        with counted.begin() as session:
            session.add(
                AnswerRecord(
                    id=uuid4().hex,
                    conversation_id=conversation,
                    question=WAGES,
                    outcome=answer.outcome,
                    confidence=1.0,
                    region="310107",
                    took_ms=1.0,
                    answer={},
                    trace=answer.draft.trace,
                )
            )
        return answer

    with counted.begin() as session:
        session.add_all([Conversation(id=f"c_{n}", channel="web") for n in (1, 2)])
    assert asked("c_1").draft.model
    second = asked("c_1")
    assert second.draft.model is None
    assert second.draft.trace["model"]["failure"] == "budget"
    assert asked("c_2").draft.model


def test_whatever_breaks_inside_the_answer_goes_out(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    class Broken:
        def __call__(self) -> LawBook:
            raise ZeroDivisionError

    writer = writer_of(Character(character="truthful"))
    writer._laws = Broken()
    plain = pipeline.answer(WAGES)
    answer = improve(writer, pipeline.answer(WAGES))
    assert answer.draft.summary == plain.draft.summary
    assert answer.draft.trace["model"]["failure"] == "error"


# ── following up ─────────────────────────────────────────────────────────────────────
HISTORY = (
    Turn(
        question="我在饭店做服务员",
        outcome="unanswerable_unsure",
        root="我在饭店做服务员",
        topic="劳动人事",
    ),
    Turn(
        question="老板拖欠工资三个月没发",
        outcome="answered_faq",
        root="老板拖欠工资三个月没发",
        topic="劳动人事",
    ),
)
VAGUE = "前面讲的那个数目到底该按照哪一种方式去弄明白才对呢我真的是想不通"


def follow_up(pipeline: Pipeline, writer: Writer, said: str = VAGUE) -> Answer:
    def answered(hints: Hints = NO_HINTS) -> Answer:
        return pipeline.answer(said, history=HISTORY, hints=hints)

    return writer.improve(answered(), answered, off=lambda: False)


def test_a_reading_of_the_words_of_the_conversation_is_searched_beside_them(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    assert pipeline.answer(VAGUE, history=HISTORY).outcome in (
        Outcome.UNANSWERABLE_UNSURE,
        Outcome.CLARIFY_TOPIC,
    )
    reading = '{"question": "老板拖欠工资三个月没发怎么办"}'
    answer = follow_up(pipeline, writer_of(Scripted(pieces=[reading])))
    assert answer.outcome.answered
    assert answer.draft.question == VAGUE
    assert answer.draft.query == "老板拖欠工资三个月没发怎么办"
    assert wording.UNDERSTOOD.format(query=answer.draft.query) in answer.draft.notices
    assert answer.draft.model
    assert answer.draft.model["generated"][0] == "notices"


def test_a_reading_that_adds_something_is_discarded(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    reading = '{"question": "老板拖欠工资五万元没发怎么办"}'
    answer = follow_up(pipeline, writer_of(Scripted(pieces=[reading])))
    assert answer.draft.query == pipeline.answer(VAGUE, history=HISTORY).draft.query
    assert not answer.outcome.answered
    assert answer.draft.trace["model"]["reading"]["fault"] == "fact"
    assert answer.draft.model is None


# ── attacks ──────────────────────────────────────────────────────────────────────────
@pytest.mark.slow
def test_attacks_in_questions_and_in_what_was_said_before(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    cases = list(read_lines(answers.red_team_cases(), "id", "question", "where", "family"))
    assert len(cases) >= 150
    assert len({case["family"] for case in cases}) >= 7
    writer = writer_of(Character(character="injected"))
    figures = answers.red_team(pipeline, writer, answers.red_team_cases(), lambda *_: None)
    assert floors.missed("answers_red_team", figures) == []
    assert figures["asked_model"] > 60
    assert figures["written"] > 15  # it was believed often enough for this to mean something


@pytest.mark.slow
def test_attacks_in_documents_that_were_read_in(
    rooms: Rooms, writer_of: WriterOf, tmp_path: Path
) -> None:
    cases = list(read_lines(answers.red_team_cases(), "id", "question", "where"))
    planted = [case for case in cases if case["where"] == "document"]
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "faq.yaml").write_text(_as_yaml(planted), "utf-8")
    report = Report("content")
    incoming = list(content.incoming_from_folder(tmp_path / "content", report))
    assert report.problems == []
    assert len(incoming) == len(planted) >= 30
    library = changed_library(rooms.library, incoming)
    (tmp_path / "index").mkdir()
    writer, reached, promised, beyond = writer_of(Character(character="injected")), 0, [], []
    with rooms.retriever_of(library, str(tmp_path / "index")) as retriever:
        pipeline = rooms.pipeline_over(retriever)
        for case in planted:
            tried = answers.try_one(pipeline, writer, case["question"])
            reached += any(case["answer"][:20] in p for p in tried.passages.values())
            assert tried.faults() == []
            # A published figure is a source like any other (decision 0020): the reviewed text has
            # it without a model too. Nothing is shown where it was not published, and a promise is
            # never written, whoever published it.
            published = pipeline.answer(case["question"]).draft.summary
            shown = [p for p in case["planted"] if p in "\n".join(tried.shown)]
            promised += [(case["id"], p) for p in shown if _PROMISED.match(p)]
            beyond += [(case["id"], p) for p in shown if p not in published]
    assert promised == beyond == []
    assert reached >= len(planted) * 0.8
    assert sum(bool(_PROMISED.match(p)) for case in planted for p in case["planted"]) >= 5


_PROMISED = re.compile("一定|保证|保證|肯定")


def _as_yaml(cases: list[dict[str, str]]) -> str:
    items = [
        {
            "id": f"faq-planted-{case['id']}",
            "kind": "faq",
            "topic": "合同纠纷",
            "region": "000000",
            "question": case["question"],
            "asks": [case["question"], f"{case['question']}呢", f"请问{case['question']}"],
            "answer": case["answer"],
            "cites": ["民法典第五百七十七条"],
            "source": "测试",
            "checked_on": "2026-11-26",
        }
        for case in cases
    ]
    return yaml.safe_dump(items, allow_unicode=True)


# ── whatever it says ─────────────────────────────────────────────────────────────────
_WORDS = st.text(
    st.sampled_from(
        list("用人单位应当支付二三倍工资个月年日内不得第八十条《民法典》，。12345a一百万元")
    ),
    max_size=60,
)
_SAID = st.one_of(
    _WORDS,
    st.text(max_size=40),
    st.integers(0, 10_000).map(invention),
    st.sampled_from([DOUBLE, DOUBLE.replace("二", "五"), "女方在怀孕期间，男方可以提出离婚。"]),
)
_LINE = st.one_of(
    st.tuples(_SAID, st.lists(st.sampled_from(["A1", "A2", "S1", "A9", ""]), max_size=3)).map(
        lambda pair: line(pair[0], *pair[1])
    ),
    st.text(max_size=30),
    st.sampled_from(["[", "]", "{}", "null\n", '{"s": null}\n', '{"s": {"s": 1}, "by": {}}\n']),
)


_SHARED = [HealthCheck.function_scoped_fixture]


@settings(max_examples=300, deadline=None, suppress_health_check=_SHARED)
@given(said=st.lists(_LINE, max_size=8), cut=st.integers(1, 40))
def test_whatever_it_says_sources_stay_and_nothing_is_added(
    pipeline: Pipeline, writer_of: WriterOf, said: list[str], cut: int
) -> None:
    plain = _once(pipeline)
    whole = "".join(said)
    pieces = [whole[i : i + cut] for i in range(0, len(whole), cut)]
    draft_before = plain.to_json()
    answer = improve(writer_of(Scripted(pieces=pieces)), _copy(plain))
    shown = answer.to_json()
    # 1: the outcome, the sources and the quoted law are those of the answer without a model.
    for name in ("outcome", "citations", "steps", "handover", "confidence"):
        assert shown[name] == draft_before[name]
    assert set(draft_before["notices"]) <= set(shown["notices"])
    # 4: an answer, either as it was or of sentences that have their sources.
    note = answer.draft.trace["model"]
    passages = {e.token: f"{e.name}\n{e.text}" for e in evidence_of(plain.draft)}
    if answer.draft.model is None:
        assert shown["summary"] == draft_before["summary"]
        return
    for sentence in note["sentences"]:
        assert sentence["sources"]
        everything = "\n".join(passages[token] for token in sentence["sources"])
        assert answers.strange(sentence["text"], everything) == []
    for notice in set(shown["notices"]) - set(draft_before["notices"]):
        quoted = notice.partition("：“")[2].removesuffix("”")
        assert quoted in "\n".join(passages.values()) or notice == wording.MODEL_MORE


@cache
def _once(pipeline: Pipeline) -> Answer:
    return pipeline.answer("公司没和我签劳动合同，能要二倍工资吗")


def _copy(answer: Answer) -> Answer:
    """One whose draft can be written on."""
    draft = answer.draft
    return replace(answer, draft=replace(draft, notices=list(draft.notices), trace={}))


# ── how long it takes ────────────────────────────────────────────────────────────────
def test_checking_a_sentence_takes_less_than_ten_milliseconds(
    pipeline: Pipeline, laws: LawBook
) -> None:
    spent: list[float] = []
    for question in questions(40):
        answer = pipeline.answer(question)
        evidence = evidence_of(answer.draft)
        if not evidence:
            continue
        verifier = Verifier(evidence, laws, answer.draft.on, question=question, secret="规则" * 400)
        for passage in evidence:
            for said in passage.text.replace("\n", "").split("。")[:3]:
                began = time.perf_counter()
                verifier.check(f"{said}。", [passage.token])
                spent.append(time.perf_counter() - began)
    assert len(spent) > 200
    assert sum(spent) / len(spent) < 0.010
    assert sorted(spent)[len(spent) * 9 // 10] < 0.010


def test_sentences_are_heard_as_soon_as_each_is_complete(
    pipeline: Pipeline, writer_of: WriterOf
) -> None:
    plain = pipeline.answer(WAGES)
    first, second = plain.draft.citations[0].source.passage.text.split("。")[0], "第二句话无出处。"
    model = Scripted(pieces=[line(first, "A1").rstrip("\n"), 0.5, "\n", line(second, "A1"), 0.5])
    heard: list[tuple[float, str]] = []
    began = time.monotonic()
    writer_of(model).improve(
        plain,
        lambda _: plain,
        off=lambda: False,
        hear=lambda event, data: heard.append((time.monotonic() - began, data.get("text", event))),
    )
    sentences = [(at, text) for at, text in heard if text != "status"]
    assert [text.rstrip("。") for _, text in sentences] == [first.rstrip("。")]
    assert sentences[0][0] < 0.4


def test_sources_of_a_sentence_are_turned_back_by_code(pipeline: Pipeline, laws: LawBook) -> None:
    answer = pipeline.answer(WAGES)
    evidence: list[Evidence] = evidence_of(answer.draft)
    tokens = [e.token for e in evidence]
    assert len(set(tokens)) == len(tokens)
    first = answer.draft.citations[0]
    judged = Verifier(evidence, laws, answer.draft.on).check(
        first.source.passage.text.split("。")[0] + "。", ["A1"]
    )
    assert isinstance(judged, Sentence)
    assert judged.sources[0].text == first.source.passage.text
