"""Danger in the words people really use: floors on reviewed lines, speed, texts for each kind."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import pytest
import yaml

from knowledge.text import normalise
from service.answering import urgent, wording
from service.answering.urgent import urgent_kind

LINES = [
    json.loads(line)
    for line in (Path(__file__).parent / "urgent_lines.jsonl").read_text("utf-8").splitlines()
]
URGENT = [line for line in LINES if line["urgent"]]
OTHERS = [line for line in LINES if not line["urgent"]]
KINDS = ("self_harm", "violence", "minor", "held", "medical_fire", "fraud_now", "threat")


def found(lines: list[dict[str, str]]) -> float:
    return sum(urgent_kind(normalise(line["question"])) is not None for line in lines) / len(lines)


def test_almost_every_danger_is_found() -> None:
    assert found(URGENT) >= 0.96


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_is_neglected(kind: str) -> None:
    assert found([line for line in URGENT if line["urgent"] == kind]) >= 0.9


def test_other_questions_hardly_ever_sound_the_alarm() -> None:
    assert found(OTHERS) <= 0.01


def test_the_kind_decides_the_text_so_it_is_mostly_right() -> None:
    kinds = [(line["urgent"], urgent_kind(line["question"])) for line in URGENT]
    assert sum(kind == said for kind, said in kinds if said) / len(kinds) >= 0.88


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
    assert urgent_kind(text) == "self_harm"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("去年他把我打出血，现在想起诉离婚", None),
        ("去年起诉没判离，今天他又把我打出血了", "violence"),
        ("我是律师，当事人的老公昨晚被警察带走了", None),
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
    for line in LINES[::5]:
        begin = time.perf_counter()
        urgent_kind(line["question"])
        took.append(time.perf_counter() - begin)
    assert statistics.median(took) <= 0.002


def test_every_kind_of_the_vocabulary_has_its_text() -> None:
    content = yaml.safe_load(Path(urgent.__file__).with_suffix(".yaml").read_text("utf-8"))
    assert set(content["kinds"]) == set(KINDS) == set(wording.URGENT)
