"""From a question to scored passages: dense + a little lexical, filtered by day, place and kind."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from heapq import merge
from itertools import islice

import numpy as np
import numpy.typing as npt

from knowledge import text
from knowledge.encoder import QUERY, Encoder, Vectors
from knowledge.index import FORMAT, Scores, SearchIndex, Shelf
from knowledge.library import Library, Source
from knowledge.lifecycle import applies_in, in_force
from knowledge.models import Kind

# Chosen on statute_calib: more drags the ranking down, reciprocal rank fusion even more.
LEXICAL_WEIGHT = 0.06
CANDIDATES = 2  # times the limit, from the vectors; half as many from the words

# How hits are found and scored. A calibration is valid for one such version.
RANKING = f"{FORMAT}/{LEXICAL_WEIGHT}/{CANDIDATES}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage with why it was found. `lexical` is BM25 as a share of the question's best (0–1);
    `reviewed` is what reviewed answers to similar questions add when they cite it; `third`, of
    guidance, the cosine of the document's third-nearest way of asking (`_best_of_each_document`).
    """

    source: Source
    cosine: float
    lexical: float
    reviewed: float = 0.0
    third: float = 0.0

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
    vector: Vectors | None = field(default=None, compare=False)  # of the question


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
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="search")
        self._allowed = lru_cache(maxsize=64)(self._find_allowed)

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
        shelves = [Shelf.LAW]
        if self._index.ids[Shelf.POLICY]:
            shelves.append(Shelf.POLICY)
        if self._law_changed_between(self._built_on, on):
            shelves.append(Shelf.LAW_DORMANT)
        # The encoder and Chroma let go of the interpreter: words are scored beside the one, and
        # the two shelves searched beside each other.
        scored = self._pool.submit(self._score_words, question, [*shelves, Shelf.GUIDANCE])
        vector = self._encoder.encode([QUERY + question])[0]
        lexical = scored.result()

        def hits(shelf: Shelf) -> Iterator[Hit]:
            allowed = self._allowed(shelf, on, region, wanted)
            return self._search_shelf(shelf, vector, lexical[shelf], allowed, limit)

        def guidance() -> tuple[Hit, ...]:
            return tuple(islice(_best_of_each_document(hits(Shelf.GUIDANCE)), limit))

        beside = self._pool.submit(guidance)
        law = merge(*map(hits, shelves), key=lambda h: -h.score)
        return Found(tuple(islice(law, limit)), beside.result(), vector)

    def _score_words(self, question: str, shelves: Iterable[Shelf]) -> dict[Shelf, Scores]:
        terms = text.terms(question)
        return {shelf: self._index.word_scores(shelf, terms) for shelf in shelves}

    def _law_changed_between(self, one: date, other: date) -> bool:
        """Whether a law started or ceased between two days, so that shelves no longer fit."""
        low, high = sorted((one, other))
        # effective_until is inclusive: the change shows on the day after, hence the wide window.
        return bisect_right(self._boundaries, high) > bisect_right(
            self._boundaries, date.fromordinal(low.toordinal() - 1)
        )

    def _find_allowed(
        self, shelf: Shelf, on: date, region: str | None, kinds: frozenset[Kind]
    ) -> npt.NDArray[np.bool_]:
        """Which rows of a shelf are in force on a day, hold for a place, and are of these kinds."""
        out = np.zeros(len(self._index.ids[shelf]), dtype=np.bool_)
        for row, passage_id in enumerate(self._index.ids[shelf]):
            source = self.library.source(passage_id)
            out[row] = (
                source.document.kind in kinds
                and applies_in(source.document.region, region)
                and in_force(source.revision, on)
            )
        return out

    def _search_shelf(
        self,
        shelf: Shelf,
        vector: Vectors,
        lexical: Scores,
        allowed: npt.NDArray[np.bool_],
        limit: int,
    ) -> Iterator[Hit]:
        """Hits of one shelf, best first; equal ones by passage id, in which order rows stand."""
        cosines = self._index.nearest(shelf, vector, CANDIDATES * limit)
        best = float(lexical.max()) if lexical.size else 0.0
        if best > 0 and shelf is not Shelf.GUIDANCE:  # a way of asking is found by its meaning
            count = min(max(1, CANDIDATES * limit // 4), lexical.size)
            top = np.argpartition(-lexical, count - 1)[:count]
            extra = [r for r in top.tolist() if lexical[r] > 0 and r not in cosines]
            cosines |= self._index.cosines(shelf, vector, extra)
        rows = sorted(r for r in cosines if allowed[r])
        cosine = np.array([cosines[r] for r in rows], dtype=np.float32)
        share = lexical[rows] / best if best > 0 else np.zeros(len(rows), np.float32)
        order = np.argsort(-(cosine + LEXICAL_WEIGHT * share), kind="stable")
        ids = self._index.ids[shelf]
        for i in order.tolist():
            source = self.library.source(ids[rows[i]])
            yield Hit(source, float(cosine[i]), float(share[i]))


def _best_of_each_document(hits: Iterable[Hit]) -> Iterator[Hit]:
    """The nearest way of asking of each document, and how near its third is. One that has no third
    among those found has it no nearer than the farthest of them: that is what it gets."""
    ways: dict[str, list[Hit]] = {}
    farthest = 1.0
    for hit in hits:
        ways.setdefault(hit.source.document.id, []).append(hit)
        farthest = min(farthest, hit.cosine)
    for near in ways.values():
        cosines = sorted((h.cosine for h in near), reverse=True)
        yield replace(near[0], third=cosines[2] if len(cosines) > 2 else farthest)
