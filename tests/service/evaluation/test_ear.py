"""The network that listens is trained, exported and read again, on a tiny model (extra `models`);
from which lines is decided in one place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from service.evaluation import danger_lines
from service.evaluation.danger_lines import Line, lines_to_learn, own_lines, real_lines

# Of the few characters that the tiny model knows; which is danger is only a word here.
CRIES = ["孩子", "离婚孩子", "孩子归谁", "谁办孩子"]
QUESTIONS = ["公司拖欠工资", "押金不退", "房东不退押金", "工资怎么办"]


def test_nothing_is_learned_that_only_reports() -> None:
    learned = {x.question for x in lines_to_learn()}
    for split in ("calib", "test", "unseen"):
        assert not learned & {x.question for x in own_lines(split)}


def test_real_questions_are_read_by_their_labels_and_some_kept_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        '{"file": "asked", "line": 0, "urgent": true, "kind": "violence"}\n'
        '{"file": "asked", "line": 1, "urgent": null, "kind": ""}\n'
    )
    asked = tmp_path / "asked.jsonl"
    asked.write_text("".join(json.dumps({"question": q}) + "\n" for q in ["甲", "乙", "丙", "丁"]))
    monkeypatch.setattr(danger_lines, "_labels", lambda: labels)
    monkeypatch.setattr(danger_lines, "KEPT_BACK", {"asked": 3})
    assert real_lines(asked) == [
        Line("甲", True, "violence", "real"),
        Line("丙", False, "", "real", easy=True),
    ]
    assert [x.question for x in real_lines(asked, kept_back=True)] == ["丁"]


@pytest.mark.models
@pytest.mark.filterwarnings("ignore")
def test_a_tiny_network_learns_and_is_heard_as_it_was_trained(
    tiny_model: Path, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    from service.answering.ear import Ear
    from service.evaluation import ear

    lines = [Line(q, True, "violence") for q in CRIES] + [Line(q, False) for q in QUESTIONS]
    network, tokenizer = ear.load(tiny_model, layers=1)
    read = tokenizer(["query: " + x.question for x in lines], padding=True, return_tensors="pt")
    before = float(network.loss(read["input_ids"], read["attention_mask"], lines))
    ear.train(network, tokenizer, lines, epochs=150)
    with torch.no_grad():
        after = float(network.loss(read["input_ids"], read["attention_mask"], lines))
        expected = network(read["input_ids"], read["attention_mask"]).numpy()
    assert after < before
    ear.export(network, tmp_path / "ear.onnx")
    listening = Ear(tmp_path / "ear.onnx", tokenizer_folder=tiny_model)
    assert np.allclose(listening.hear([x.question for x in lines]), expected, atol=0.02)
