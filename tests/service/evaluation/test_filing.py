"""Topics are learned from the reviewed content and from real questions that are not here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from knowledge.encoder import OnnxEncoder
from service.answering.run_table import RunTable
from service.answering.topics import NAMES, NOT_LEGAL, TopicModel, shipped_topics
from service.errors import BadCases
from service.evaluation import filing, floors, topics
from service.evaluation.benchmark import read_lines
from service.evaluation.filing import Filed, fit_topics, real_lines
from tests.conftest import SHARED

QA_PAIRS = SHARED / "bench" / "qa_pairs.jsonl"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four real questions, and what a reader filed them under."""
    labels = tmp_path / "labels.jsonl"
    found = [["刑事"], [NOT_LEGAL], ["借贷债务", "诈骗与网络"], ["行政"]]
    labels.write_text(
        "".join(json.dumps({"line": i, "topics": t}) + "\n" for i, t in enumerate(found))
    )
    path = tmp_path / "qa_pairs.jsonl"
    path.write_text("".join(json.dumps({"question": q}) + "\n" for q in "甲乙丙丁"))
    monkeypatch.setattr(filing, "_labels", lambda: labels)
    monkeypatch.setattr(filing, "KEPT_BACK", 3)
    return path


def test_real_questions_are_filed_by_line_number_and_some_kept_back(asked: Path) -> None:
    assert real_lines(asked) == [
        Filed("甲", ("刑事",)),
        Filed("丙", ("借贷债务", "诈骗与网络")),
    ]
    assert real_lines(asked, kept_back=True) == [Filed("丁", ("行政",))]


def test_a_file_of_another_length_is_not_read_by_line_number(asked: Path) -> None:
    with asked.open("a") as file:
        file.write('{"question": "戊"}\n')
    with pytest.raises(BadCases, match=r"5 行.*4 行"):
        real_lines(asked)


def test_every_label_is_a_topic_of_ours_and_no_line_is_labelled_twice() -> None:
    lines = list(read_lines(filing._labels(), "topics"))
    assert [x["line"] for x in lines] == list(range(len(lines)))
    for x in lines:
        assert 1 <= len(x["topics"]) <= 2
        assert len(set(x["topics"])) == len(x["topics"])
        assert set(x["topics"]) <= {*NAMES, NOT_LEGAL}


def test_what_real_people_ask_is_learned_beside_the_content(encoder: OnnxEncoder) -> None:
    content = [Filed("怎么离婚", ("婚姻家庭",)), Filed("离婚要什么材料", ("婚姻家庭",))]
    real = [Filed(f"村里的菌菇{x}被谁拿走了", ("刑事", "行政")) for x in "一二三四五六"]
    question = "村里的菌菇七被谁拿走了"
    vector = encoder.encode([f"query: {question}"])[0]
    before, after = fit_topics(content, [], encoder), fit_topics(content, real, encoder)

    def said(model: TopicModel, topic: str) -> float:
        logits = model.weights @ vector + model.bias
        return float(logits[model.labels.index(topic)] - logits.max())

    assert said(before, "刑事") < said(before, "婚姻家庭")
    assert said(after, "刑事") == 0
    assert said(after, "行政") > said(after, "继承遗嘱")


@pytest.mark.skipif(not QA_PAIRS.exists(), reason="the benchmark data is not here")
def test_real_questions_that_were_not_learned_reach_their_floors(encoder: OnnxEncoder) -> None:
    lines = real_lines(QA_PAIRS, kept_back=True)
    figures = topics.evaluate_real(lines, shipped_topics(), encoder)
    assert floors.missed("topics_real", figures) == []
    turned = [Filed(x.question, (NAMES[(NAMES.index(x.topics[0]) + 1) % 20],)) for x in lines]
    wrong = topics.evaluate_real(turned, shipped_topics(), encoder)
    assert len(floors.missed("topics_real", wrong)) == 4


@pytest.mark.models
def test_a_table_is_read_back_as_it_was_fitted() -> None:
    pytest.importorskip("sklearn")
    from service.evaluation.run_table import fit_runs

    plains = ["猫咬人", "猫\n抓人", "狗咬人", "狗\n追人", "鱼", "鱼刺"]
    truth = np.array([0, 0, 1, 1, 2, 2])
    table, weighed = fit_runs(plains, truth, np.ones(6), strength=6.0)
    assert weighed.shape == (6, len(table.rows))
    read = RunTable.of(table.arrays())
    assert read.rows == table.rows
    assert not any("\n" in run for run in table.rows)
    for plain, kind in zip(plains, truth, strict=True):
        logits = read.logits(plain)
        assert logits is not None
        assert logits.argmax() == kind
