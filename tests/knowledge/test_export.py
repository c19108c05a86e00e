"""The export of the encoder, on a tiny model of the same kind (extra `models`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("int8", [False, True])
def test_the_exported_graph_gives_the_vectors_of_the_model(
    tiny_model: Path, tmp_path: Path, int8: bool
) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from knowledge.encoder import OnnxEncoder
    from knowledge.encoder.export import export

    export(tiny_model, tmp_path / "out" / "encoder.onnx", int8=int8)
    encoder = OnnxEncoder(tmp_path / "out", dimensions=32)
    texts = ["公司拖欠工资", "怎么办"]
    model = sentence_transformers.SentenceTransformer(str(tiny_model), device="cpu")
    expected = model.encode(texts, normalize_embeddings=True)
    assert np.allclose(encoder.encode(texts), expected, atol=0.2 if int8 else 2e-3)
