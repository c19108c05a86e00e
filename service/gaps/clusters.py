"""Questions of one meaning fall together: one look at each, in the order in which they came.

A question joins the cluster whose middle it is nearest to, from `TOGETHER` on, and founds one
otherwise. So a cluster of yesterday is there today, whatever has come since, and ten thousand
questions take about two seconds. Vectors are compared after the mean of our own titles has been
taken off: what all legal questions have in common says nothing about which of them belong together.

The threshold was chosen on the ways of asking in `knowledge/content` (6,447 of 265 documents, in
random order; half of the documents to choose on, the other half to report): pairs in one cluster
that are of one document (precision), and pairs of one document in one cluster (recall). At .52
precision .53 and recall .27 on the one half, .48 and .24 on the other, where three quarters of
pairs are of one topic; without taking off the mean, at the same precision, recall was .13. See
docs/decisions/0017-gaps-are-clusters.md for what that means.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knowledge.encoder import Vectors

TOGETHER = 0.52  # cosine of a question and the middle of a cluster
_ROOM = 256
_BLOCK = 64


def centred(vectors: Vectors, centre: Vectors) -> Vectors:
    """Vectors without what they have in common, each of length 1."""
    moved = vectors - centre
    lengths = np.maximum(np.linalg.norm(moved, axis=-1, keepdims=True), 1e-9)
    out: Vectors = (moved / lengths).astype(np.float32)
    return out


class Clusters:
    """Clusters that grow: `join` says to which each vector belongs, by place, new ones included.

    `totals` are the sums of the vectors of those that are there already.
    """

    def __init__(self, totals: Vectors, *, together: float = TOGETHER) -> None:
        self._count: int = len(totals)
        dimensions = totals.shape[1]
        self._totals = np.zeros((self._count + _ROOM, dimensions), np.float32)
        self._totals[: self._count] = totals
        self._middles = np.zeros_like(self._totals)
        for place in range(self._count):
            self._set_middle(place)
        self._together = together

    def __len__(self) -> int:
        return self._count

    def total(self, place: int) -> Vectors:
        out: Vectors = self._totals[place]
        return out

    def join(self, vectors: Vectors) -> list[int]:
        """The places of the clusters that the vectors are now in, one after the other."""
        places: list[int] = []
        for start in range(0, len(vectors), _BLOCK):
            places += self._join_block(vectors[start : start + _BLOCK])
        return places

    def _join_block(self, vectors: Vectors) -> list[int]:
        """As one by one, but what a block does not move is compared with all of it at once: that
        is what makes ten thousand questions a matter of seconds."""
        self._make_room(len(vectors))
        known = self._count
        cosines = vectors @ self._middles[:known].T
        moved: list[int] = []
        places = []
        for vector, row in zip(vectors, cosines, strict=True):
            if moved:
                fresh = self._middles[moved] @ vector
                inside = [(m, c) for m, c in zip(moved, fresh, strict=True) if m < known]
                row[[m for m, _ in inside]] = [c for _, c in inside]
                founded = [(float(c), -m) for m, c in zip(moved, fresh, strict=True) if m >= known]
            else:
                founded = []
            place = self._best(row, founded)
            self._totals[place] += vector
            self._set_middle(place)
            if place not in moved:
                moved.append(place)
            places.append(place)
        return places

    def _best(self, row: Vectors, founded: list[tuple[float, int]]) -> int:
        """The nearest cluster that is near enough, the older of equals; else a new one."""
        if len(row):
            nearest = int(row.argmax())
            founded = [(float(row[nearest]), -nearest), *founded]
        cosine, place = max(founded, default=(-1.0, 0))
        if cosine >= self._together:
            return -place
        self._count += 1
        return self._count - 1

    def _make_room(self, more: int) -> None:
        if self._count + more > len(self._totals):
            room = ((0, len(self._totals) + more), (0, 0))
            self._totals = np.pad(self._totals, room)
            self._middles = np.pad(self._middles, room)

    def _set_middle(self, place: int) -> None:
        total = self._totals[place]
        self._middles[place] = total / max(float(np.linalg.norm(total)), 1e-9)


def medoid(vectors: Sequence[Vectors], total: Vectors) -> int:
    """Which of a cluster's vectors is nearest to its middle; the first of equals."""
    return int((np.asarray(vectors) @ total).argmax())


def packed(vector: Vectors, kind: type[np.floating] = np.float16) -> bytes:
    return vector.astype(kind).tobytes()


def unpacked(raw: bytes, kind: type[np.floating] = np.float16) -> Vectors:
    return np.frombuffer(raw, dtype=kind).astype(np.float32)
