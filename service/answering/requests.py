"""A wish for a person, a wish to do harm, a greeting: recognised by reviewed patterns, without a
search. The patterns are content (`requests.yaml`)."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml

from service.answering import wording
from service.answering.draft import Draft, Handover, Outcome, Targets
from service.answering.harm import Family, heard_family, named_family

_PUNCTUATION = re.compile(r"[\s,，.。!！?？~～、;；:：…·]+")
_KINDS = ("greeting", "thanks", "person")
_PAUSE = re.compile(r"[，,。!！?？;；:：\n]+|\.\s")
_TAGGED = re.compile(r"<(\w+)>[^<]*</\1>|</?\w+>")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    raw = yaml.load(
        (files("service.answering") / "requests.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader
    )
    known = {kind: raw[kind] for kind in _KINDS} | raw["instructions"]
    return {
        kind: re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.I)
        for kind, patterns in known.items()
    }


def request_kind(query: str) -> str | None:
    """person, harm, greeting or thanks, or None for a question."""
    words = _PUNCTUATION.sub("", query)
    kind = next((kind for kind in _KINDS if _patterns()[kind].search(words)), None)
    return kind or ("harm" if harm_family(query) else None)


def harm_family(query: str) -> Family | None:
    """The kind of wrong that a normalised question asks help with, or None. Orders to the machine
    are read with the rest, but say nothing to the ear."""
    return named_family(query) or heard_family(without_instructions(query))


def without_instructions(query: str) -> str:
    """A question without what it tells the machine to do or to be; empty if that was all."""
    order, address, filler = (_patterns()[name] for name in ("order", "address", "filler"))
    untagged = _TAGGED.sub("，", query)
    clauses = [clause.strip() for clause in _PAUSE.split(untagged)]
    rest = [c for c in clauses if not filler.search(c) and not order.search(c)]
    asked = [c for c in rest if not address.search(c)]
    if untagged == query and len(asked) == sum(not filler.search(c) for c in clauses):
        return query
    return "，".join(filter(None, asked or rest))


def _refuse(draft: Draft, family: Family, targets: Targets) -> None:
    """Give no help with a wrong, and show the lawful way to what may be meant by it."""
    draft.trace["harm"] = family.id
    draft.confidence = 1.0
    draft.handover = Handover("hotline", wording.REASONS["harm"], targets(("hotline-12348",)))
    draft.step_ids = list(family.steps)
    draft.settle(Outcome.REFUSED_HARM, f"{wording.REFUSED_HARM}\n{family.lawful}")


class Requests:
    """Settle what is no question of law."""

    def __init__(self, targets: Targets, region_name: str) -> None:
        self._targets = targets
        self._region_name = region_name

    def __call__(self, draft: Draft) -> None:
        kind = request_kind(draft.query)
        if kind is None:
            self._leave_instructions_out(draft)
            return
        draft.confidence = 1.0
        if kind == "person":
            draft.handover = Handover(
                "person", wording.REASONS["requested"], self._targets(("hotline-12348",))
            )
            draft.step_ids = ["service-legal-aid-consult", "service-service-hall"]
            draft.settle(Outcome.HANDOVER_REQUESTED, wording.REQUESTED)
        elif kind == "harm":
            family = harm_family(draft.query)
            if family:
                _refuse(draft, family, self._targets)
        elif kind == "thanks":
            draft.settle(Outcome.ANSWERED_SMALLTALK, wording.THANKS)
        else:
            words = wording.SMALLTALK.format(region=self._region_name)
            draft.settle(Outcome.ANSWERED_SMALLTALK, words)

    def _leave_instructions_out(self, draft: Draft) -> None:
        rest = without_instructions(draft.query)
        if rest == draft.query:
            return
        draft.trace["instructions"] = True
        if rest:
            draft.query = rest
            return
        draft.confidence = 1.0
        draft.settle(Outcome.UNANSWERABLE_OFF_TOPIC, wording.OFF_TOPIC)
