"""A small network that was trained to tell danger from talk of it: the lower half of the encoder,
trained on with lines that were written and labelled for it. It needs neither index nor search, and
takes some milliseconds. `python -m service.evaluation.ear` makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.encoder import QUERY, load_network, load_tokenizer

MAX_TOKENS = 160

Logits = npt.NDArray[np.float32]


class Ear:
    """A network in one ONNX file; it reads with the encoder's tokenizer, or that of a folder. Safe
    to share between threads."""

    def __init__(self, path: Path, tokenizer_folder: Path | None = None) -> None:
        self._network = load_network(path)
        self._tokenizer = load_tokenizer(MAX_TOKENS, tokenizer_folder)

    def hear(self, questions: Sequence[str], batch: int = 32) -> Logits:
        """The logit of danger of each normalised question, (len(questions),)."""
        out = np.zeros(len(questions), np.float32)
        order = sorted(range(len(questions)), key=lambda i: len(questions[i]))
        for start in range(0, len(order), batch):
            some = order[start : start + batch]
            read = self._tokenizer.encode_batch([QUERY + questions[i] for i in some])
            inputs = {
                "input_ids": np.array([e.ids for e in read], dtype=np.int64),
                "attention_mask": np.array([e.attention_mask for e in read], dtype=np.int64),
            }
            out[some] = self._network.run(None, inputs)[0]
        return out


def ear_file() -> Path:
    return Path(str(files("service.answering"))) / "ear.onnx"


@cache
def shipped_ear() -> Ear:
    return Ear(ear_file())
