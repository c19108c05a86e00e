"""The sentence encoder: ONNX at run time, so that nothing here imports torch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]

QUERY, PASSAGE = "query: ", "passage: "  # the prefixes that the model was trained with
MAX_TOKENS = 192
MAX_CHARACTERS = 420  # of an article's text, as in training


class Encoder(Protocol):
    """Turns texts into unit vectors. `version` names weights and format: vectors of another
    version cannot be compared with these."""

    @property
    def version(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Texts with their prefix → float32 (len(texts), dimensions), each of length 1."""
        ...


class OnnxEncoder:
    """The encoder shipped in `weights/`, or any folder with encoder.onnx and tokenizer.json."""

    def __init__(
        self, folder: Path | None = None, *, dimensions: int = 384, threads: int | None = None
    ) -> None:
        self.dimensions = dimensions
        self._folder = folder or Path(str(files("knowledge.encoder") / "weights"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or min(os.cpu_count() or 1, 4)
        # Threads that go on spinning after their work take the other core from the search that
        # follows: questions then took 50 ms instead of 20.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self._session = onnxruntime.InferenceSession(
            str(self._folder / "encoder.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding(pad_id=1, pad_token="<pad>")  # noqa: S106 — a token, no secret

    @cached_property
    def version(self) -> str:
        """Fingerprint of the weights, tokenizer and input format."""
        state = hashlib.sha256(f"{QUERY}|{PASSAGE}|{MAX_TOKENS}|{MAX_CHARACTERS}".encode())
        for name in ("encoder.onnx", "tokenizer.json"):
            state.update((self._folder / name).read_bytes())
        return state.hexdigest()[:12]

    def encode(self, texts: Sequence[str], batch: int = 16) -> Vectors:
        """See `Encoder.encode`; texts of like length share a batch, so padding stays small."""
        out = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            encoded = self._tokenizer.encode_batch([texts[i] for i in rows])
            out[rows] = self._session.run(
                None,
                {
                    "input_ids": np.array([e.ids for e in encoded], dtype=np.int64),
                    "attention_mask": np.array([e.attention_mask for e in encoded], np.int64),
                },
            )[0]
        return out


def article_input(law: str, label: str, path: str, text: str) -> str:
    """An article as the encoder was trained to read it: short law name, label, path, text."""
    return f"{PASSAGE}{law}{label} {path} {text[:MAX_CHARACTERS]}"
