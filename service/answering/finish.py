"""After the outcome is settled: nothing unverified leaves, and the next step is attached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from knowledge.citations import LawBook
from knowledge.lifecycle import in_force
from knowledge.models import DateBasis
from knowledge.statutes import chinese_date
from service.answering import wording
from service.answering.cards import Cards
from service.answering.draft import Draft, Handover, Outcome

_MAX_STEPS = 3


class Verify:
    """Each citation must be the stored text of an article in force on the day asked for; an answer
    that keeps no source is not given."""

    def __init__(self, laws: LawBook, cards: Cards) -> None:
        self._library = laws.library
        self._cards = cards

    def __call__(self, draft: Draft) -> None:
        kept = []
        for citation in draft.citations:
            source = citation.source
            stored = self._library.passages.get(source.passage.id)
            is_on = source.document.id not in draft.off.documents
            if is_on and stored == source.passage and in_force(source.revision, draft.on):
                kept.append(citation)
            else:
                draft.trace.setdefault("dropped", []).append(source.passage.id)
        lost = len(kept) < len(draft.citations)
        draft.citations = kept
        needs_law = draft.outcome in (Outcome.ANSWERED_LAW, Outcome.ANSWERED_ARTICLE)
        if (needs_law and not kept) or (lost and draft.outcome is Outcome.ANSWERED_FAQ):
            self._withhold(draft)

    def _withhold(self, draft: Draft) -> None:
        draft.citations, draft.steps, draft.confidence = [], [], 0.0
        targets = self._cards.targets(("hotline-12348",), draft.on)
        draft.handover = Handover("hotline", wording.REASONS["no_source"], targets)
        draft.settle(Outcome.UNANSWERABLE_NO_SOURCE, wording.NO_SOURCE)


class NextSteps:
    """Turn the step ids into cards that hold for the region, and date what is old."""

    def __init__(self, cards: Cards, clock: Callable[[], date]) -> None:
        self._cards, self._clock = cards, clock

    def __call__(self, draft: Draft) -> None:
        today = self._clock()
        present = {s.id for s in draft.steps}
        for step_id in draft.step_ids:
            step = self._cards.step(step_id, today, draft.region)
            if step and step.id not in present and len(draft.steps) < _MAX_STEPS:
                draft.steps.append(step)
                present.add(step.id)
        if draft.on != today and draft.citations:
            draft.notices.append(wording.PAST_DATE.format(day=chinese_date(draft.on)))
            for citation in draft.citations:
                revision, document = citation.source.revision, citation.source.document
                if revision.date_basis is DateBasis.PUBLICATION:
                    day = chinese_date(revision.effective_from)
                    draft.notices.append(wording.LOWER_BOUND.format(law=document.title, day=day))
        draft.notices = list(dict.fromkeys(draft.notices))
