"""Small real implementations for what lies outside; nothing of ours is mocked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from knowledge.encoder import Vectors


class HashEncoder:
    """An Encoder whose vectors are sums of character-bigram directions seeded by sha256, so that
    texts with common words are near, in every process alike."""

    FIRST_THREE: ClassVar[list[float]] = [
        0.039000000804662704,
        -0.046300001442432404,
        0.09269999712705612,
    ]
    dimensions = 64

    def __init__(self, version: str = "hash-1") -> None:
        self.version = version

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._one(t) for t in texts])

    def _one(self, text: str) -> Vectors:
        words = text.removeprefix("query: ").removeprefix("passage: ")
        total = np.zeros(self.dimensions, np.float32)
        for i in range(max(len(words) - 1, 1)):
            seed = hashlib.sha256(words[i : i + 2].encode()).digest()[:8]
            rng = np.random.default_rng(int.from_bytes(seed))
            total += rng.standard_normal(self.dimensions).astype(np.float32)
        return total / np.linalg.norm(total)
