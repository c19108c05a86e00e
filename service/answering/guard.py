"""Take personal data out, and look for danger: before anything else, without index or search, so
that it works when those are down."""

from __future__ import annotations

from knowledge import text
from service import privacy
from service.answering import wording
from service.answering.choices import Choice, choose
from service.answering.danger import listen, suspicion_of
from service.answering.draft import Draft, Handover, Outcome, Targets, Turn
from service.answering.ear import shipped_ear
from service.answering.requests import request_kind

_OTHER_REQUESTS = ("greeting", "thanks", "person", "harm")


class Mask:
    """Take personal data out of what was typed, normalised, before anything else sees it."""

    def __call__(self, draft: Draft) -> None:
        masked = privacy.mask(text.normalise(draft.raw))
        draft.question, draft.masked = masked.text, masked.kinds
        draft.query = masked.text


class Urgent:
    """Fixed, reviewed texts for danger, with whom to call first. What is not enough for an alarm is
    answered, with whom to call before it."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        shipped_ear()  # what it lacks is found at the start, not at the first cry

    def __call__(self, draft: Draft) -> None:
        last = draft.history[-1] if draft.history else None
        picked = _picked(draft.query, last)
        if last and picked == wording.NO_DANGER:
            draft.query = last.root
            draft.caution = wording.IF_DANGER
        if picked:
            return  # words that we put into the citizen's mouth
        suspicion = suspicion_of(draft.query)
        if request_kind(draft.query) in _OTHER_REQUESTS and not suspicion.signs:
            return  # reviewed patterns know better than the ear what that is
        # Kept before the network is asked: should that fail, the words speak for themselves.
        draft.suspicion = suspicion
        draft.trace["p_danger"] = round(suspicion.danger, 4)
        if suspicion.alarm:
            raise_alarm(draft, suspicion.kind, self._targets)
            return
        [heard] = listen([suspicion], [draft.query])
        draft.trace["p_danger"] = round(heard.danger, 4)
        if heard.alarm:
            raise_alarm(draft, suspicion.kind, self._targets)
        elif heard.doubt:
            draft.caution = wording.IF_DANGER


def _picked(query: str, last: Turn | None) -> str | None:
    """Which of the choices that were offered last a reply takes."""
    options = [Choice(o, o) for o in last.clarify] if last else []
    picked = choose(query, options, near=False)
    return picked[0] if picked else None


def raise_alarm(draft: Draft, kind: str, targets: Targets) -> None:
    """Settle the question with the fixed text of a kind of danger, and whom to call."""
    words, hotlines = wording.URGENT[kind]
    draft.trace["urgent"] = kind
    draft.confidence = 1.0
    draft.handover = Handover("urgent", wording.URGENT_REASONS[kind], targets(hotlines))
    draft.step_ids = list(wording.URGENT_STEPS[kind])
    draft.notices.append(wording.NOT_URGENT)
    draft.clarify = [wording.NO_DANGER]
    draft.settle(Outcome.HANDOVER_URGENT, words)
