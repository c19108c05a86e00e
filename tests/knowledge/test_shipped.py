"""What ships fits together: weights, vectors, content."""

from __future__ import annotations

import numpy as np

from knowledge.encoder import OnnxEncoder
from knowledge.index import embedding_input, is_searched
from knowledge.library import Library
from knowledge.models import digest
from knowledge.vector_cache import VectorCache, shipped_vectors


def test_everything_searched_has_its_vector_so_that_a_first_start_is_quick(
    library: Library, encoder: OnnxEncoder
) -> None:
    cache = VectorCache(encoder.version)
    cache.load(shipped_vectors())
    inputs = [embedding_input(s) for s in map(library.source, library.passages) if is_searched(s)]
    missing = [i for i in inputs if cache.get(digest(i)) is None]
    assert len(inputs) > 24_000
    # A few new ones are embedded as they come; many mean that the file was not made anew.
    assert len(missing) <= 200


def test_the_shipped_vectors_are_those_of_the_shipped_weights(
    library: Library, encoder: OnnxEncoder
) -> None:
    cache = VectorCache(encoder.version)
    cache.load(shipped_vectors())
    inputs = [embedding_input(library.source(i)) for i in sorted(library.passages)[::1500]]
    known = [i for i in inputs if cache.get(digest(i)) is not None]
    assert len(known) > 10
    fresh = encoder.encode(known)
    stored = cache.stack([digest(i) for i in known]).astype(np.float32)
    assert np.abs(fresh - stored).max() < 0.005


def test_vectors_of_another_encoder_are_not_used() -> None:
    cache = VectorCache("another")
    cache.load(shipped_vectors())
    assert len(cache) == 0


def test_a_batch_gives_the_same_vectors_as_one_by_one(encoder: OnnxEncoder) -> None:
    texts = ["query: 短", "query: 公司拖欠工资三个月了怎么办", "passage: " + "长" * 400]
    together = encoder.encode(texts)
    alone = np.vstack([encoder.encode([t]) for t in texts])
    assert np.allclose(together, alone, atol=1e-5)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
