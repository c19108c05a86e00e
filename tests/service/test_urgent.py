"""Danger in the words people really use. How much is found is held to its floors by
`tests/service/evaluation`; here are the parts, the speed, and the texts."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest
import yaml

from knowledge.text import normalise
from service.answering import urgent, wording
from service.answering.alarm import shipped_alarm
from service.answering.danger import urgent_kind
from service.answering.draft import Draft, Outcome
from service.answering.ear import shipped_ear
from service.answering.guard import Urgent
from service.evaluation.benchmark import read_lines
from service.evaluation.urgent import shipped_cases
from tests.conftest import TODAY

LINES = [line for line in read_lines(shipped_cases()) if line["split"] == "test"]
KINDS = ("self_harm", "violence", "minor", "held", "medical_fire", "fraud_now", "threat")


def after_the_ear(question: str) -> Draft:
    draft = Draft(raw=question, on=TODAY, region="310107", query=normalise(question))
    Urgent(lambda _ids: ())(draft)
    return draft


def test_the_network_hears_what_the_words_left_open() -> None:
    open_by_words = [
        line["question"]
        for line in LINES
        if line["behaviour"] == "urgent" and not urgent_kind(normalise(line["question"]))
    ]
    heard = [after_the_ear(q).outcome for q in open_by_words]
    assert heard.count(Outcome.HANDOVER_URGENT) >= len(open_by_words) // 4


def test_the_network_hears_today_s_blow_behind_last_year_s_suit() -> None:
    draft = after_the_ear("去年起诉没判离，今天他又把我打出血了")
    assert draft.outcome is Outcome.HANDOVER_URGENT


@pytest.mark.parametrize("question", ["今天天气怎么样", "公司拖欠工资怎么办", "遗嘱怎么写", "再见"])
def test_other_questions_are_left_alone(question: str) -> None:
    draft = after_the_ear(question)
    assert (draft.outcome, draft.caution) == (None, None)


def test_where_the_network_fails_the_words_speak(monkeypatch: pytest.MonkeyPatch, client) -> None:  # type: ignore[no-untyped-def]
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("service.answering.guard.listen", broken)
    desk = client.app.state.desk
    assert desk.ask("我不想活了")["outcome"] == "handover_urgent"
    assert desk.ask("遗嘱怎么写")["outcome"] == "failed_search"


def test_the_network_gives_each_question_its_own_answer_in_a_batch() -> None:
    questions = ["我不想活了", "公司拖欠工资怎么办", "他拿刀在砸门" * 20]
    together = shipped_ear().hear(questions)
    alone = [float(shipped_ear().hear([q])[0]) for q in questions]
    assert together == pytest.approx(alone, abs=1e-3)


def test_without_any_known_run_there_is_no_danger() -> None:
    assert shipped_alarm().hear("")[0] < 0.5
    assert urgent_kind("") is None


@pytest.mark.parametrize(
    "text",
    [
        "我不想活了",
        "我 不 想 活 了",
        "不.想.活.了",
        "不想活😭了",
        "wo bu xiang huo le",
        "想紫砂",
        "想zs了",
        "想4了算了",
        "我唔想活喇",
        "勿想活了",
        "俺不想活咧",
        "我不想活了，保险公司赔不赔自杀",
        "写论文写到不想活了",
    ],
)
def test_however_it_is_written(text: str) -> None:
    assert after_the_ear(text).trace["urgent"] == "self_harm"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("去年他把我打出血，现在想起诉离婚", None),
        ("他又把我打出血了，现在还堵着门", "violence"),
        ("我老公昨晚被警察带走了", "held"),
        ("我想4月份办离婚，要提前准备什么", None),
        ("想4", "self_harm"),
        ("紫砂壶是假的能退一赔三吗", None),
        ("想死我闺女了，探视权怎么执行", None),
    ],
)
def test_talk_about_it_is_told_from_danger(text: str, kind: str | None) -> None:
    assert urgent_kind(text) == kind


def test_it_is_fast() -> None:
    urgent_kind("先读一次词表")
    took = []
    for line in LINES[::2]:
        begin = time.thread_time()  # of this thread: a busy machine is not slow code
        urgent_kind(line["question"])
        took.append(time.thread_time() - begin)
    assert statistics.median(took) <= 0.005  # 1.5 ms here; 3.5 once on a machine at work


def test_every_pattern_of_the_vocabulary_can_be_read() -> None:
    content = (Path(urgent.__file__).parent / "urgent.yaml").read_text("utf-8")
    terms = urgent.Vocabulary(yaml.safe_load(content)).terms
    assert len(terms) > 1000
    for term in terms:
        assert term.pattern.pattern == term.words


def test_every_kind_of_the_vocabulary_has_its_text() -> None:
    content = yaml.safe_load(Path(urgent.__file__).with_suffix(".yaml").read_text("utf-8"))
    assert set(content["kinds"]) == set(KINDS) == set(wording.URGENT)
    assert set(shipped_alarm().kinds) == set(KINDS)
