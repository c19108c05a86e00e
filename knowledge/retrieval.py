"""From a question to scored passages: dense + a little lexical, filtered by day, place and kind."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from knowledge.encoder import QUERY, Encoder, Vectors
from knowledge.index import SearchIndex, Shelf
from knowledge.library import Library, Source
from knowledge.lifecycle import applies_in, in_force
from knowledge.models import Kind

# Chosen on statute_calib: more drags the ranking down, reciprocal rank fusion even more.
LEXICAL_WEIGHT = 0.06
DENSE_CANDIDATES = 200
LEXICAL_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage with why it was found. `lexical` is BM25 as a share of the question's best (0–1);
    `reviewed` is what reviewed answers to similar questions add when they cite it."""

    source: Source
    cosine: float
    lexical: float
    reviewed: float = 0.0

    @property
    def score(self) -> float:
        """What hits are ranked by."""
        return self.cosine + LEXICAL_WEIGHT * self.lexical + self.reviewed

    @property
    def id(self) -> str:
        return self.source.passage.id


@dataclass(frozen=True, slots=True)
class Found:
    """Law and guidance for one question, each best first. Guidance has one hit a document."""

    law: tuple[Hit, ...] = ()
    guidance: tuple[Hit, ...] = ()


class Retriever:
    """Searches one index with one encoder over the library that the index was built from."""

    def __init__(self, index: SearchIndex, library: Library, encoder: Encoder) -> None:
        if index.manifest.encoder != encoder.version:
            raise ValueError("the index was built with another encoder: run `consult index`")
        self._index = index
        self._encoder = encoder
        self.library = library
        self.versions = {
            "knowledge": index.manifest.knowledge,
            "index": index.manifest.generation,
            "encoder": encoder.version,
        }
        self._built_on = date.fromisoformat(index.manifest.built_for_on)
        self._boundaries = library.boundaries()

    def search(
        self,
        question: str,
        *,
        on: date,
        region: str | None = None,
        kinds: Iterable[Kind] | None = None,
        limit: int = 20,
    ) -> Found:
        """The best `limit` passages of law in force `on` that day, and of guidance for `region`.

        `question` should be normalised (`knowledge.text.normalise`).
        """
        wanted = frozenset(kinds) if kinds is not None else frozenset(Kind)
        vector = self._encoder.encode([QUERY + question])[0]
        shelves = [Shelf.LAW]
        if self._law_changed_between(self._built_on, on):
            shelves.append(Shelf.LAW_DORMANT)
        law = [
            hit
            for shelf in shelves
            for hit in self._search_shelf(shelf, vector, question)
            if in_force(hit.source.revision, on)
        ]
        guidance = self._search_shelf(Shelf.GUIDANCE, vector, question)

        def keep(hits: Iterable[Hit]) -> list[Hit]:
            kept = [
                h
                for h in hits
                if h.source.document.kind in wanted and applies_in(h.source.document.region, region)
            ]
            return sorted(kept, key=lambda h: (-h.score, h.id))

        return Found(
            law=tuple(keep(law)[:limit]),
            guidance=tuple(_best_of_each_document(keep(guidance))[:limit]),
        )

    def _law_changed_between(self, one: date, other: date) -> bool:
        """Whether a law started or ceased between two days, so that shelves no longer fit."""
        low, high = sorted((one, other))
        # effective_until is inclusive: the change shows on the day after, hence the wide window.
        return bisect_right(self._boundaries, high) > bisect_right(
            self._boundaries, date.fromordinal(low.toordinal() - 1)
        )

    def _search_shelf(self, shelf: Shelf, vector: Vectors, words: str) -> list[Hit]:
        cosines = self._index.nearest(shelf, vector, DENSE_CANDIDATES)
        lexical = self._index.word_scores(shelf, words)
        best = float(lexical.max()) if lexical.size else 0.0
        if best > 0:
            count = min(LEXICAL_CANDIDATES, lexical.size)
            top = np.argpartition(-lexical, count - 1)[:count]
            extra = [int(r) for r in top if lexical[r] > 0 and int(r) not in cosines]
            cosines |= self._index.cosines(shelf, vector, extra)
        ids = self._index.ids[shelf]
        hits = []
        for row, cosine in cosines.items():
            share = float(lexical[row]) / best if best > 0 else 0.0
            source = self.library.source(ids[row])
            hits.append(Hit(source, cosine, share))
        return hits


def _best_of_each_document(hits: Iterable[Hit]) -> list[Hit]:
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.source.document.id, hit)
    return list(best.values())
