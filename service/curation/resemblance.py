"""Passages that say the same as one that is published: by how many runs of six characters they
share, which a person can see for himself when the two stand side by side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from knowledge.library import Library, Source
from knowledge.models import Kind

_RUN = 6  # characters: shorter ones are phrases (应当自收到之日起) that all law shares
# The share of the runs of the shorter of two passages that are in the longer. Of 800 articles in
# force one in ten reaches it with an article of another law: the twelve looked at were the same
# rule twice. At 0.5 half as many again come up that only share a turn of phrase. Of 55 articles
# whose wording was changed, 45 in 100 reach it with what they were before.
ALIKE = 0.6
_SHORTEST = 30  # characters; less than that says little
_SAMPLED = 8  # one run in so many is looked up, all are compared
_KEPT = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]+")

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """A published passage that resembles a new one, and how much of the shorter they share."""

    source: Source
    share: float


def runs_of(text: str) -> Hashes:
    """Fingerprints of all runs of `_RUN` characters of a text without its punctuation."""
    return np.unique(_hashes("".join(_KEPT.findall(text))))


def _hashes(plain: str) -> Hashes:
    """A fingerprint of the run that begins at each character, but for the last few."""
    points = np.frombuffer(plain.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    if len(points) < _RUN:
        return np.zeros(0, np.uint64)
    out = np.zeros(len(points) - _RUN + 1, np.uint64)
    for offset in range(_RUN):
        out = out * np.uint64(1_000_003) + points[offset : len(points) - _RUN + 1 + offset]
    out ^= out >> np.uint64(29)
    return out * np.uint64(0x9E3779B97F4A7C15)


class Resemblances:
    """What is published, ready to be compared with; see `over`."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = [s for s in sources if len(s.passage.text) >= _SHORTEST]
        # All of it in one go: a call for each of 25,000 passages takes seconds.
        plain = ["".join(_KEPT.findall(s.passage.text)) for s in self._sources]
        every = _hashes("".join(plain))
        owners = np.repeat(np.arange(len(plain)), [len(p) for p in plain])
        first, last = owners[: len(every)], owners[_RUN - 1 :][: len(every)]
        kept = (first == last) & _is_sampled(every)  # no run over the end of a passage
        order = np.argsort(every[kept], kind="stable")
        self._runs, self._owners = every[kept][order], first[kept][order]

    @staticmethod
    def over(library: Library) -> Resemblances:
        """All law and policy that a library holds; made once for each."""
        return _over(library)

    def nearest(self, text: str, *, besides: str = "") -> Likeness | None:
        """The published passage that shares most with a text, if that is at least `ALIKE`; none of
        the document `besides`, which the text is a new version of."""
        if len(text) < _SHORTEST:
            return None
        own = runs_of(text)
        counts: Counter[int] = Counter()
        for run in _sampled(own):
            low, high = np.searchsorted(self._runs, [run, run + np.uint64(1)])
            if high - low <= 200:  # what is everywhere tells nothing
                counts.update(self._owners[low:high].tolist())
        best: Likeness | None = None
        for at, _ in counts.most_common(12):
            source = self._sources[at]
            if source.document.id == besides:
                continue
            other = runs_of(source.passage.text)
            shared = len(np.intersect1d(own, other, assume_unique=True))
            share = shared / max(1, min(len(own), len(other)))
            if share >= ALIKE and (best is None or share > best.share):
                best = Likeness(source, share)
        return best


def _sampled(runs: Hashes) -> Hashes:
    return runs[_is_sampled(runs)]


def _is_sampled(runs: Hashes) -> npt.NDArray[np.bool_]:
    sampled: npt.NDArray[np.bool_] = (runs >> np.uint64(11)) % np.uint64(_SAMPLED) == 0
    return sampled


@lru_cache(maxsize=1)
def _over(library: Library) -> Resemblances:
    kinds = (Kind.STATUTE, Kind.POLICY)
    return Resemblances(
        library.source(p.id)
        for p in library.passages.values()
        if library.document_of(p).kind in kinds
    )
