"""The sentence encoder: ONNX at run time, so that nothing here imports torch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib.resources import files
from itertools import groupby, islice
from pathlib import Path
from threading import Lock
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
    """The encoder shipped in `weights/`, or any folder with tokenizer.json and either `query.onnx`
    and `passage.onnx` or one `encoder.onnx` for both.

    Questions and passages are read by two networks into one space: the one for questions was
    trained on while passages, and so everybody's vectors of the law, stayed as they were. Each is
    loaded when first needed; answering needs only that of questions.
    """

    def __init__(
        self, folder: Path | None = None, *, dimensions: int = 384, threads: int | None = None
    ) -> None:
        self.dimensions = dimensions
        self._folder = folder or _shipped()
        self._threads = threads
        self._sessions: dict[Path, onnxruntime.InferenceSession] = {}
        self._loading = Lock()
        self._tokenizer = load_tokenizer(MAX_TOKENS, self._folder)

    @cached_property
    def version(self) -> str:
        """Fingerprint of the weights, tokenizer and input format."""
        state = hashlib.sha256(f"{QUERY}|{PASSAGE}|{MAX_TOKENS}|{MAX_CHARACTERS}".encode())
        for path in sorted({self._weights(QUERY), self._weights(PASSAGE)}):
            state.update(path.read_bytes())
        state.update((self._folder / "tokenizer.json").read_bytes())
        return state.hexdigest()[:12]

    def encode(self, texts: Sequence[str], batch: int = 16) -> Vectors:
        """See `Encoder.encode`; texts of like length share a batch, so padding stays small."""
        out = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: (texts[i].startswith(QUERY), len(texts[i])))
        for is_question, rows in groupby(order, key=lambda i: texts[i].startswith(QUERY)):
            session = self._session(self._weights(QUERY if is_question else PASSAGE))
            for some in _batches(rows, batch):
                out[some] = self._run(session, [texts[i] for i in some])
        return out

    def _run(self, session: onnxruntime.InferenceSession, texts: list[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(texts)
        inputs = {
            "input_ids": np.array([e.ids for e in encoded], dtype=np.int64),
            "attention_mask": np.array([e.attention_mask for e in encoded], dtype=np.int64),
        }
        vectors: Vectors = session.run(None, inputs)[0]
        return vectors

    def _weights(self, prefix: str) -> Path:
        own = self._folder / f"{prefix.removesuffix(': ')}.onnx"
        return own if own.exists() else self._folder / "encoder.onnx"

    def _session(self, weights: Path) -> onnxruntime.InferenceSession:
        with self._loading:
            if weights not in self._sessions:
                self._sessions[weights] = load_network(weights, self._threads)
            return self._sessions[weights]


def load_network(path: Path, threads: int | None = None) -> onnxruntime.InferenceSession:
    """A network for the processor."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(os.cpu_count() or 1, 4)
    # Threads that go on spinning after their work take the other core from the search
    # that follows: questions then took 50 ms instead of 20.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def load_tokenizer(longest: int, folder: Path | None = None) -> Tokenizer:
    """The tokenizer of the encoder, or that of `folder`; cuts at `longest` tokens, and pads."""
    tokenizer = Tokenizer.from_file(str((folder or _shipped()) / "tokenizer.json"))
    tokenizer.enable_truncation(longest)
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")  # noqa: S106 — a token, no secret
    return tokenizer


def _shipped() -> Path:
    return Path(str(files("knowledge.encoder") / "weights"))


def own_questions() -> Path:
    """Our own questions with their articles and LawBench's topics, written for training."""
    return Path(__file__).with_name("questions.jsonl")


def article_input(law: str, label: str, path: str, text: str) -> str:
    """An article as the encoder was trained to read it: short law name, label, path, text."""
    return f"{PASSAGE}{law}{label} {path} {text[:MAX_CHARACTERS]}"


def _batches(rows: Iterable[int], size: int) -> Iterator[list[int]]:
    """itertools.batched, which Python 3.11 lacks."""
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some
