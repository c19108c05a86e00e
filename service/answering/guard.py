"""Take personal data out, and look for danger: before anything else, by the words alone, so that
it works when index and models are down; and once more with the question's vector."""

from __future__ import annotations

from knowledge import text
from service import privacy
from service.answering import wording
from service.answering.danger import second_look, shipped_danger, suspicion_of
from service.answering.draft import Draft, Handover, Outcome, Targets
from service.answering.requests import request_kind

_OTHER_REQUESTS = ("greeting", "thanks", "person", "harm")


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
        last = draft.history[-1] if draft.history else None
        if last and draft.query in map(text.normalise, last.clarify):
            return  # words that we put into the citizen's mouth
        draft.suspicion = suspicion = suspicion_of(draft.query)
        draft.trace["p_danger"] = round(suspicion.danger, 4)
        if request_kind(draft.query) in _OTHER_REQUESTS and not suspicion.signs:
            draft.suspicion = None  # reviewed patterns know better than the ear what that is
        elif suspicion.alarm:
            raise_alarm(draft, suspicion.kind, self._targets)


class SecondLook:
    """What the words left open, when the search has the question's vector. It can raise an alarm,
    never silence one."""

    def __init__(self, targets: Targets, encoder: str) -> None:
        self._targets = targets
        self._fits = encoder == shipped_danger().encoder

    def __call__(self, draft: Draft) -> None:
        vector, suspicion = draft.found.vector, draft.suspicion
        if vector is None or suspicion is None or not self._fits:
            return
        danger, alarm = second_look(suspicion, vector)
        draft.trace["p_danger"] = round(danger, 4)
        if alarm:
            raise_alarm(draft, suspicion.kind, self._targets)


def raise_alarm(draft: Draft, kind: str, targets: Targets) -> None:
    """Settle the question with the fixed text of a kind of danger, and whom to call."""
    words, hotlines = wording.URGENT[kind]
    draft.trace["urgent"] = kind
    draft.confidence = 1.0
    draft.handover = Handover("urgent", wording.URGENT_REASONS[kind], targets(hotlines))
    draft.step_ids = list(wording.URGENT_STEPS[kind])
    draft.notices.append(wording.NOT_URGENT)
    draft.settle(Outcome.HANDOVER_URGENT, words)
