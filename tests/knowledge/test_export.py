"""The export of the encoder, on a tiny model of the same kind (extra `models`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    """A sentence-transformers folder with a two-layer BERT of random weights."""
    pytest.importorskip("torch", reason="needs the extra `models`")
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    vocabulary = {
        t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>", *"公司拖欠工资怎么办"])
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_max_length=64
    )
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, pad_token_id=1,
    )  # fmt: skip
    bare = tmp_path / "bare"
    BertModel(config).save_pretrained(bare)
    fast.save_pretrained(bare)
    folder = tmp_path / "tiny"
    sentence_transformers.SentenceTransformer(str(bare), device="cpu").save(str(folder))
    return folder


@pytest.mark.parametrize("int8", [False, True])
def test_the_exported_graph_gives_the_vectors_of_the_model(
    tiny_model: Path, tmp_path: Path, int8: bool
) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from knowledge.encoder import OnnxEncoder
    from knowledge.encoder.export import export

    export(tiny_model, tmp_path / "out", int8=int8)
    encoder = OnnxEncoder(tmp_path / "out", dimensions=32)
    texts = ["公司拖欠工资", "怎么办"]
    model = sentence_transformers.SentenceTransformer(str(tiny_model), device="cpu")
    expected = model.encode(texts, normalize_embeddings=True)
    assert np.allclose(encoder.encode(texts), expected, atol=0.2 if int8 else 2e-3)
