"""The first two steps: take personal data out, and look for danger.

Both are rules, so they work when index and models are down.
"""

from __future__ import annotations

from knowledge import text
from service import privacy
from service.answering import wording
from service.answering.draft import Draft, Handover, Outcome, Targets
from service.answering.urgent import urgent_kind


class Mask:
    """Take personal data out of what was typed, normalised, before anything else sees it."""

    def __call__(self, draft: Draft) -> None:
        masked = privacy.mask(text.normalise(draft.raw))
        draft.question, draft.masked = masked.text, masked.kinds
        draft.query = masked.text


class Urgent:
    """Fixed, reviewed texts for danger, with whom to call first."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def __call__(self, draft: Draft) -> None:
        kind = urgent_kind(draft.query)
        if kind is not None:
            raise_alarm(draft, kind, self._targets)


def raise_alarm(draft: Draft, kind: str, targets: Targets) -> None:
    """Settle the question with the fixed text of a kind of danger, and whom to call."""
    words, hotlines = wording.URGENT[kind]
    draft.trace["urgent"] = kind
    draft.confidence = 1.0
    draft.handover = Handover("urgent", wording.URGENT_REASONS[kind], targets(hotlines))
    draft.step_ids = list(wording.URGENT_STEPS[kind])
    draft.notices.append(wording.NOT_URGENT)
    draft.settle(Outcome.HANDOVER_URGENT, words)
