"""The way a question goes, on one page.

mask → urgent → requests → region → look up → search → compose     until one settles the outcome
verify → premise → next steps                                       always
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import date

import structlog

from knowledge.citations import LawBook
from knowledge.retrieval import Retriever
from knowledge.store import today_in_china
from service.answering import wording
from service.answering.cards import Cards
from service.answering.compose import CitedLaw, Compose, Search
from service.answering.confidence import Calibration
from service.answering.draft import Answer, Draft, Handover, Outcome, Step, Target
from service.answering.finish import NextSteps, Verify
from service.answering.guard import Mask, Urgent
from service.answering.lookup import Lookup, Premise
from service.answering.requests import Requests
from service.answering.routing import Region
from service.answering.topics import TopicModel

log = structlog.get_logger()


class Pipeline:
    """Answers questions from one state of the knowledge base; safe to share between threads."""

    def __init__(
        self,
        retriever: Retriever,
        laws: LawBook,
        *,
        region: str,
        region_name: str,
        calibration: Calibration,
        topics: TopicModel,
        versions: dict[str, str],
        clock: Callable[[], date] = today_in_china,
    ) -> None:
        cards = Cards(retriever.library)
        cited_law = CitedLaw(laws)

        def targets(ids: tuple[str, ...]) -> tuple[Target, ...]:
            return cards.targets(ids, clock())

        def emergency(ids: tuple[str, ...]) -> tuple[Target, ...]:
            return cards.targets(ids, clock(), urgent=True)

        self._decide: Sequence[Step] = (
            Mask(),
            Urgent(emergency),
            Requests(targets, region_name),
            Region(region, region_name, targets),
            Lookup(laws),
            Search(retriever, cited_law, topics),
            Compose(cited_law, cards, calibration, clock),
        )
        self._finish: Sequence[Step] = (Verify(laws, cards), Premise(), NextSteps(cards, clock))
        self._region = region
        self._targets = targets
        self._clock = clock
        self.laws = laws
        self.versions = versions | {
            "wording": wording.VERSION,
            "calibration": calibration.version,
        }

    def answer(self, question: str, *, on: date | None = None, region: str | None = None) -> Answer:
        """Answer one question as the law stands `on` that day (today if None)."""
        began = time.perf_counter()
        draft = Draft(raw=question, on=on or self._clock(), region=region or self._region)
        times: dict[str, float] = {}
        draft.trace["step_ms"] = times
        try:
            for step in self._decide:
                self._run(step, draft, times)
                if draft.outcome is not None:
                    break
            for step in self._finish:
                self._run(step, draft, times)
        except Exception:
            # The one edge of a question: whatever breaks, the citizen is told whom to call.
            log.exception("answer.failed")
            self._fail(draft)
        draft.trace["query"] = draft.query
        draft.trace["hits"] = _hits(draft)
        return Answer(draft, (time.perf_counter() - began) * 1000, self.versions)

    @staticmethod
    def _run(step: Step, draft: Draft, times: dict[str, float]) -> None:
        began = time.perf_counter()
        step(draft)
        times[type(step).__name__.lower()] = round((time.perf_counter() - began) * 1000, 2)

    def _fail(self, draft: Draft) -> None:
        draft.citations, draft.steps, draft.notices, draft.confidence = [], [], [], 0.0
        draft.handover = Handover(
            "hotline", wording.REASONS["failed"], self._targets(("hotline-12348",))
        )
        draft.settle(Outcome.FAILED_SEARCH, wording.FAILED_SEARCH)


def _hits(draft: Draft) -> dict[str, list[dict[str, object]]]:
    """What the search found, for the record and for staff."""
    return {
        shelf: [
            {
                "passage": h.id,
                "score": round(h.score, 4),
                "cosine": round(h.cosine, 4),
                "lexical": round(h.lexical, 4),
            }
            for h in hits[:10]
        ]
        for shelf, hits in (("law", draft.found.law), ("guidance", draft.found.guidance))
    }
