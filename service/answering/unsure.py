"""Where the rules are unsure: what is open to a choice, and what becomes of one.

A choice comes from a language model (`Hints`) and is taken only out of what is open. It decides
whom the citizen is sent to and which reviewed questions are offered first; it is no reason to
answer, and what the rules would have offered stays."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.models import Kind
from service.answering.draft import Draft
from service.answering.topics import NAMES

# From here on the likeliest topic is right in 145 of 154 own questions and in 159 of 163 real ones
# that nothing was learned from; below in 213 of 288 and in 552 of 808.
_TOPIC_IS_SURE = 0.9
_NEAR = 8  # reviewed questions that may be meant
_ADDED = 2  # of them that a choice may add to what the rules offer
# Whose title, asked as it stands, gets them as the answer.
_OFFERED = frozenset({Kind.FAQ, Kind.SERVICE, Kind.GUIDE})


@dataclass(frozen=True, slots=True)
class Open:
    """What may be chosen: topics, and titles of reviewed questions. False when that is nothing."""

    topics: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.topics or self.questions)


def open_choices(draft: Draft) -> Open:
    """What is open for a question that has been searched for. A topic that is surely the right one
    is not, and one that is switched off is never chosen."""
    unsure = draft.topics.sure < _TOPIC_IS_SURE
    return Open(
        tuple(name for name in NAMES if name not in draft.off.topics) if unsure else (),
        tuple(dict.fromkeys(related_questions(draft, above=0.0)[:_NEAR])),
    )


def likely_topic(draft: Draft) -> str | None:
    """The topic that was chosen, if it was open; otherwise that of the rules."""
    chosen = draft.hints.topic
    return chosen if chosen in open_choices(draft).topics else draft.topic


def suggestions(draft: Draft, *, above: float, most: int) -> list[str]:
    """What the citizen is offered: the chosen questions first, and all that the rules offer."""
    ruled = related_questions(draft, above=above)[:most]
    near = open_choices(draft).questions
    chosen = [title for title in draft.hints.questions if title in near]
    added = [title for title in chosen if title not in ruled][:_ADDED]
    return list(dict.fromkeys([*(t for t in chosen if t in ruled or t in added), *ruled]))


def related_questions(draft: Draft, *, above: float) -> list[str]:
    """Reviewed questions and matters of service near the question asked, one a document, for the
    citizen to choose from."""
    return [
        h.source.document.title
        for h in draft.found.guidance
        if h.source.document.kind in _OFFERED and h.cosine >= above
    ]
