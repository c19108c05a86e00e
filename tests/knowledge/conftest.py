"""A tiny model of the encoder's kind, for what needs the extra `models`."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    """A sentence-transformers folder with a two-layer BERT of random weights."""
    pytest.importorskip("torch", reason="needs the extra `models`")
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    vocabulary = {
        t: i
        for i, t in enumerate(
            ["<s>", "<pad>", "</s>", "<unk>", *"公司拖欠工资怎么办离婚孩子归谁房东押金不退"]
        )
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_max_length=192
    )
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, pad_token_id=1, max_position_embeddings=256,
    )  # fmt: skip
    bare = tmp_path / "bare"
    BertModel(config).save_pretrained(bare)
    fast.save_pretrained(bare)
    folder = tmp_path / "tiny"
    sentence_transformers.SentenceTransformer(str(bare), device="cpu").save(str(folder))
    return folder
