"""The training pipeline, small and on the CPU (extra `models`)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge.encoder import PASSAGE, QUERY, OnnxEncoder, own_questions

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]

ARTICLES = {
    "民法典/第一条": "公司拖欠工资。公司拖欠工资怎么办。",
    "民法典/第二条": "离婚孩子归谁。孩子归谁怎么办。",
    "民法典/第三条": "房东押金不退。押金不退怎么办。",
}


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    folder = tmp_path / "bench"
    folder.mkdir()
    with gzip.open(folder / "articles.jsonl.gz", "wt", encoding="utf-8") as file:
        for name, text in ARTICLES.items():
            law, label = name.split("/")
            line = {"id": f"{name}#1", "law": law, "article": label, "chapter": "", "text": text}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    asked = {"公司工资": 0, "拖欠工资": 0, "离婚": 1, "孩子归谁": 1, "房东": 2, "押金": 2}
    for split in ("statute_train", "statute_calib", "statute_test", "lay_pairs"):
        lines = [
            {"question": q, "relevant": [f"{list(ARTICLES)[row]}#1"]} for q, row in asked.items()
        ]
        _write(folder / f"{split}.jsonl", lines)
    answers = [{"question": q, "answer": list(ARTICLES.values())[r]} for q, r in asked.items()]
    _write(folder / "qa_pairs.jsonl", answers)
    return folder


def _write(path: Path, lines: Sequence[Mapping[str, object]]) -> None:
    path.write_text("\n".join(json.dumps(x, ensure_ascii=False) for x in lines), "utf-8")


def test_all_stages_run_and_the_result_answers_in_onnx(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="needs the extra `models`")
    from knowledge.encoder.training import Plan, train

    plan = Plan(adapt_steps=4, contrast_epochs=2, label_epochs=2, question_epochs=400)
    record = train(bench, tiny_model, tmp_path / "out", plan)
    assert set(record["stages"]) == {"adapt", "contrast", "label", "fit_questions"}
    assert json.loads((tmp_path / "out" / "record.json").read_text("utf-8")) == record
    encoder = OnnxEncoder(tmp_path / "out" / "onnx", dimensions=32)
    article = encoder.encode([f"{PASSAGE}民法典第二条  {ARTICLES['民法典/第二条']}"])
    near, far = encoder.encode([QUERY + "孩子归谁", QUERY + "拖欠工资"]) @ article[0]
    assert near > far


def test_only_the_network_for_questions_moves_in_the_last_stage(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="needs the extra `models`")
    from knowledge.encoder.training import Plan, train

    plan = Plan(question_epochs=600, only_questions=True)
    record = train(bench, tiny_model, tmp_path / "out", plan)
    assert record["after"]["test"]["MRR@10"] >= record["before"]["test"]["MRR@10"]
    both = OnnxEncoder(tmp_path / "out" / "onnx", dimensions=32)
    from knowledge.encoder.export import export

    export(tiny_model, tmp_path / "one" / "encoder.onnx")
    one = OnnxEncoder(tmp_path / "one", dimensions=32)
    assert np.allclose(both.encode([PASSAGE + "离婚"]), one.encode([PASSAGE + "离婚"]), atol=1e-6)
    assert not np.allclose(both.encode([QUERY + "离婚"]), one.encode([QUERY + "离婚"]), atol=1e-3)


def test_the_loss_of_the_last_stage_is_that_of_the_definition() -> None:
    torch = pytest.importorskip("torch", reason="needs the extra `models`")
    from knowledge.encoder.training import Example, frozen_loss

    logits = torch.tensor([[2.0, 1.0, 0.0]])
    # Two relevant articles: each against itself and the one that is not relevant.
    expected = (np.log(1 + np.exp(-2.0)) + np.log(1 + np.exp(-1.0))) / 2
    loss = frozen_loss(logits, [Example("q", (0, 1))])
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_our_own_questions_are_well_formed_and_some_are_held_back() -> None:
    lines = [json.loads(x) for x in own_questions().read_text("utf-8").splitlines()]
    assert len(lines) > 9000
    assert len({x["question"] for x in lines}) == len(lines)
    assert all(a.count("/") == 1 for x in lines for a in x["articles"])
    held = sum(x.get("held_back", False) for x in lines)
    assert 0.08 < held / sum(bool(x["articles"]) for x in lines) < 0.12
