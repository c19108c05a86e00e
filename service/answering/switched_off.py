"""What the office has switched off: a channel, a topic, a document. Danger is heard before any of
it, and what is left is an honest text with whom to ask.

A document that is off counts as not published: the search, the articles, reviewed answers, cards
and tables leave it out where they are looked up, and `LeaveOut` makes sure of cards and hotlines.
"""

from __future__ import annotations

from dataclasses import replace

from service.answering import wording
from service.answering.draft import Draft, Handover, Outcome, Targets
from service.answering.guard import raise_alarm
from service.answering.legal_aid import RULES

_HOTLINES = ("hotline-12348", "hotline-12345")
_WINDOW = "service-service-hall"  # where to ask in person
# Danger, a wish for a person and what is no question of that topic are not silenced with it.
_BESIDE_THE_TOPIC = (
    Outcome.ANSWERED_SMALLTALK,
    Outcome.CLARIFY_REGION,
    Outcome.REFUSED_HARM,
    Outcome.UNANSWERABLE_OFF_TOPIC,
    Outcome.UNANSWERABLE_OTHER_REGION,
    Outcome.UNANSWERABLE_SWITCHED_OFF,
    Outcome.FAILED_SEARCH,
)


class ChannelOff:
    """After the guard: a channel that is off says so. As there is no answer beside which to say
    whom to call, a doubt about danger (from `doubt` on) speaks for danger."""

    def __init__(self, targets: Targets, emergency: Targets, doubt: float) -> None:
        self._targets, self._emergency, self._doubt = targets, emergency, doubt

    def __call__(self, draft: Draft) -> None:
        if draft.channel not in draft.off.channels:
            return
        if draft.suspicion and draft.suspicion.danger >= self._doubt:
            raise_alarm(draft, draft.suspicion.kind, self._emergency)
            return
        what = {"channel": draft.channel}
        settle_switched_off(draft, what, wording.CHANNEL_OFF, self._targets)


class TopicOff:
    """Once the outcome is settled: what belongs to a topic that is off is not said. The topic is
    that of the answer or, where this has none of its own, the likeliest of the question."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def __call__(self, draft: Draft) -> None:
        if not draft.off.topics or draft.outcome is None or draft.outcome in _BESIDE_THE_TOPIC:
            return
        if draft.outcome.startswith("handover_"):
            return
        topic = draft.topic or next(iter(draft.topics.names), None)
        if topic in draft.off.topics:
            words = wording.TOPIC_OFF.format(topic=topic)
            settle_switched_off(draft, {"topic": str(topic)}, words, self._targets)
            draft.topic = topic


class LeaveOut:
    """Cards and hotlines that are off are not shown. The numbers to call in an emergency stay: the
    fixed words name them too."""

    def __call__(self, draft: Draft) -> None:
        off = draft.off.documents
        if not off:
            return
        draft.steps = [step for step in draft.steps if step.id not in off]
        handover = draft.handover
        if handover and draft.outcome is not Outcome.HANDOVER_URGENT:
            shown = tuple(t for t in handover.targets if t.id not in off)
            draft.handover = replace(handover, targets=shown)
        if RULES in off and draft.clarify:
            draft.clarify = [c for c in draft.clarify if c != wording.PRECHECK] or None


def settle_switched_off(draft: Draft, what: dict[str, str], words: str, targets: Targets) -> None:
    """End the question with the honest text and whom to ask; what was prepared is dropped."""
    draft.citations, draft.steps, draft.notices, draft.clarify = [], [], [], None
    draft.trace["switched_off"] = what
    draft.trace.pop("flow", None)
    draft.confidence = 1.0
    draft.handover = Handover("hotline", wording.REASONS["switched_off"], targets(_HOTLINES))
    draft.step_ids = [_WINDOW]
    draft.settle(Outcome.UNANSWERABLE_SWITCHED_OFF, words)
