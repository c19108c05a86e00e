"""Vectors that were computed before: nothing is embedded twice by the same encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.encoder import Encoder, Vectors
from knowledge.models import digest

EMBED_BATCH = 64


class VectorCache:
    """Vectors by fingerprint of their input, for one encoder: nothing is embedded twice."""

    def __init__(self, encoder: str) -> None:
        self.encoder = encoder
        self._vectors: dict[str, npt.NDArray[np.float16]] = {}

    def __len__(self) -> int:
        return len(self._vectors)

    def keys(self) -> Iterable[str]:
        return self._vectors.keys()

    def get(self, key: str) -> npt.NDArray[np.float16] | None:
        return self._vectors.get(key)

    def put(self, keys: Iterable[str], vectors: Vectors) -> None:
        for key, vector in zip(keys, vectors, strict=True):
            self._vectors[key] = vector.astype(np.float16)

    def stack(self, keys: Sequence[str]) -> npt.NDArray[np.float16]:
        """The vectors of `keys`, one a row. Raises KeyError."""
        return np.stack([self._vectors[k] for k in keys])

    def load(self, path: Path) -> None:
        """Add the vectors in `path`, if there are any and they are of this encoder."""
        with suppress(FileNotFoundError), np.load(path) as saved:
            if str(saved["encoder"]) == self.encoder:
                keys = saved["keys"].astype(str).tolist()
                self._vectors.update(zip(keys, saved["vectors"], strict=True))

    def save(self, path: Path, keys: Iterable[str]) -> None:
        """Write the vectors of `keys` to `path`, atomically."""
        kept = sorted(set(keys))
        partial = path.with_suffix(".partial.npz")
        vectors = self.stack(kept) if kept else np.zeros((0, 1), np.float16)
        np.savez(partial, encoder=self.encoder, keys=np.array(kept, "S16"), vectors=vectors)
        partial.replace(path)


def shipped_vectors() -> Path:
    """The vectors that come with the product, of its statutes and its own content."""
    return Path(str(files("knowledge"))) / "vectors" / "shipped.npz"


def vectors_of(
    inputs: Sequence[str],
    encoder: Encoder,
    cache: VectorCache,
    progress: Callable[[str, int, int], None],
) -> Vectors:
    """Vectors of `inputs`: from the cache where it has them, embedded and cached otherwise."""
    keys = [digest(i) for i in inputs]
    missing = {k: i for k, i in zip(keys, inputs, strict=True) if cache.get(k) is None}
    new_keys, new_inputs = list(missing), list(missing.values())
    for start in range(0, len(new_keys), EMBED_BATCH):
        some = slice(start, start + EMBED_BATCH)
        cache.put(new_keys[some], encoder.encode(new_inputs[some]))
        progress("计算向量", min(start + EMBED_BATCH, len(new_keys)), len(new_keys))
    if not keys:
        return np.zeros((0, encoder.dimensions), np.float32)
    return cache.stack(keys).astype(np.float32)
