"""A wish for a person, a wish to do harm, a greeting: recognised by reviewed patterns, without a
search. The patterns are content (`requests.yaml`)."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml

from service.answering import wording
from service.answering.draft import Draft, Handover, Outcome, Targets
from service.answering.harm import harm_family

_PUNCTUATION = re.compile(r"[\s,，.。!！?？~～、;；:：…·]+")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    raw = yaml.safe_load((files("service.answering") / "requests.yaml").read_text("utf-8"))
    return {
        name: re.compile("|".join(f"(?:{p})" for p in raw[name]), re.I)
        for name in ("person", "greeting", "thanks")
    }


def request_kind(query: str) -> str | None:
    """person, harm, greeting or thanks, or None for a question."""
    words = _PUNCTUATION.sub("", query)
    found = _patterns()
    if found["greeting"].search(words):
        return "greeting"
    if found["thanks"].search(words):
        return "thanks"
    if found["person"].search(words):
        return "person"
    return "harm" if harm_family(query) else None


class Requests:
    """Settle what is no question of law."""

    def __init__(self, targets: Targets, region_name: str) -> None:
        self._targets = targets
        self._region_name = region_name

    def __call__(self, draft: Draft) -> None:
        kind = request_kind(draft.query)
        if kind is None:
            return
        draft.confidence = 1.0
        if kind == "person":
            draft.handover = Handover(
                "person", wording.REASONS["requested"], self._targets(("hotline-12348",))
            )
            draft.step_ids = ["service-legal-aid-consult", "service-service-hall"]
            draft.settle(Outcome.HANDOVER_REQUESTED, wording.REQUESTED)
        elif kind == "harm":
            draft.handover = Handover(
                "hotline", wording.REASONS["harm"], self._targets(("hotline-12348",))
            )
            draft.settle(Outcome.REFUSED_HARM, wording.REFUSED_HARM)
        elif kind == "thanks":
            draft.settle(Outcome.ANSWERED_SMALLTALK, wording.THANKS)
        else:
            words = wording.SMALLTALK.format(region=self._region_name)
            draft.settle(Outcome.ANSWERED_SMALLTALK, words)
