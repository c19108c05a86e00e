"""The values of answering: the Draft that steps write on, and the Answer that people get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from knowledge.citations import Checked
from knowledge.library import Source
from knowledge.models import DateBasis
from knowledge.retrieval import Found, Hit
from service.answering.danger import Suspicion
from service.answering.topics import TopicGuess


class Outcome(StrEnum):
    """How a question ended. The prefix before the first `_` is what gets counted."""

    ANSWERED_FAQ = "answered_faq"
    ANSWERED_SERVICE = "answered_service"
    ANSWERED_LAW = "answered_law"
    ANSWERED_ARTICLE = "answered_article"
    ANSWERED_REPEALED = "answered_repealed"
    ANSWERED_SMALLTALK = "answered_smalltalk"
    ANSWERED_LEGAL_AID = "answered_legal_aid"
    CLARIFY_TOPIC = "clarify_topic"
    CLARIFY_REGION = "clarify_region"
    CLARIFY_LEGAL_AID = "clarify_legal_aid"
    HANDOVER_URGENT = "handover_urgent"
    HANDOVER_REQUESTED = "handover_requested"
    HANDOVER_WITH_PERSON = "handover_with_person"
    UNANSWERABLE_UNSURE = "unanswerable_unsure"
    UNANSWERABLE_OFF_TOPIC = "unanswerable_off_topic"
    UNANSWERABLE_NO_SUCH_ARTICLE = "unanswerable_no_such_article"
    UNANSWERABLE_NO_SUCH_LAW = "unanswerable_no_such_law"
    UNANSWERABLE_NOT_IN_FORCE = "unanswerable_not_in_force"
    UNANSWERABLE_OTHER_REGION = "unanswerable_other_region"
    UNANSWERABLE_NOT_HELD = "unanswerable_not_held"
    UNANSWERABLE_NO_SOURCE = "unanswerable_no_source"
    UNANSWERABLE_SWITCHED_OFF = "unanswerable_switched_off"
    REFUSED_HARM = "refused_harm"
    FAILED_SEARCH = "failed_search"

    @property
    def answered(self) -> bool:
        return self.value.startswith("answered_")


@dataclass(frozen=True, slots=True)
class Off:
    """What the office has switched off: ids of channels, names of topics, ids of documents. False
    when that is nothing."""

    channels: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.channels or self.topics or self.documents)


NOTHING_OFF = Off()


@dataclass(frozen=True, slots=True)
class Hints:
    """What a language model makes of a question that the rules are unsure of: other ways of putting
    it, looked for if its own words are not found, and what is likely meant of what is open (see
    `service.answering.unsure`). Only what is found for a reading can be a reason to answer."""

    readings: tuple[str, ...] = ()
    topic: str | None = None
    questions: tuple[str, ...] = ()  # titles of reviewed answers, likeliest first


NO_HINTS = Hints()


@dataclass(frozen=True, slots=True)
class Citation:
    """An article as shown: its exact text, and which part of it matters here (code points)."""

    source: Source
    in_force: bool = True
    highlight: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        passage, revision, document = (
            self.source.passage,
            self.source.revision,
            self.source.document,
        )
        certain = revision.date_basis is not DateBasis.PUBLICATION
        start = revision.effective_from if certain else None
        return {
            "law": document.title,
            "article": passage.label,
            "text": passage.text,
            "in_force": self.in_force,
            "source": revision.source,
            "path": passage.path,
            "highlight": list(self.highlight) if self.highlight else None,
            "effective_from": start.isoformat() if start else None,
            "published_on": revision.published_on.isoformat() if revision.published_on else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """One thing to do next. What is not verified says so in its own text."""

    title: str
    how: str
    source: str
    checked_on: str
    where: str | None = None
    phone: str | None = None
    hours: str | None = None
    fee: str | None = None
    deadline: str | None = None
    open_now: str | None = None  # said when the answer was given
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a person is to be reached."""

    title: str
    phone: str | None = None
    where: str | None = None
    hours: str | None = None
    open_now: str | None = None  # said when the answer was given
    note: str | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Handover:
    """Why a person is needed and who: urgent, hotline, or person."""

    kind: str
    reason: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reviewed answer or card near the question, and what the search in the law, by itself, says
    of the articles that it cites: the rank of the first (None: none of the first, or it cites
    none), and how many are among the first five."""

    hit: Hit
    cites: bool
    first_rank: int | None
    among_five: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An earlier question of the same conversation, and what became of it."""

    question: str  # masked
    outcome: str
    root: str = ""  # the question that follow-ups belong to, as it was searched for
    topic: str | None = None
    region: str = ""
    clarify: tuple[str, ...] = ()  # what the citizen was given to choose from
    documents: tuple[str, ...] = ()  # ids of the cards shown as next steps
    answered_by: str = ""  # id of the reviewed answer or card that was given
    flow: dict[str, Any] | None = None  # where a guided flow stands


Targets = Callable[[tuple[str, ...]], tuple[Target, ...]]  # ids of hotlines → whom to call


@dataclass
class Draft:
    """What is known so far about one question. Setting `outcome` is the only way to stop."""

    raw: str
    on: date
    region: str
    history: tuple[Turn, ...] = ()  # oldest first
    channel: str = ""  # on which it was asked
    off: Off = NOTHING_OFF
    question: str = ""  # masked: the only form that is stored and shown
    query: str = ""  # normalised: the form that is searched for
    in_context: tuple[
        str, ...
    ] = ()  # the query with the earlier question before it, should it need that
    hints: Hints = NO_HINTS
    masked: tuple[str, ...] = ()
    topic: str | None = None
    topics: TopicGuess = field(default_factory=TopicGuess)
    suspicion: Suspicion | None = None  # of danger, by the words
    cited: list[Checked] = field(default_factory=list)
    found: Found = field(default_factory=Found)
    outside: Hit | None = None  # the nearest question that is no legal matter
    candidates: tuple[Candidate, ...] = ()  # reviewed answers and cards that may be meant
    confidence: float = 0.0
    outcome: Outcome | None = None
    summary: str = ""
    citations: list[Citation] = field(default_factory=list)
    steps: list[NextStep] = field(default_factory=list)
    step_ids: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    caution: str | None = None  # whom to call in danger, said before everything else
    handover: Handover | None = None
    clarify: list[str] | None = None
    model: dict[str, Any] | None = None  # which language model wrote what is shown, where one did
    trace: dict[str, Any] = field(default_factory=dict)

    def settle(self, outcome: Outcome, summary: str) -> None:
        """Decide how the question ends."""
        self.outcome, self.summary = outcome, summary


class Step(Protocol):
    """Reads and writes the draft; settles the outcome or leaves it to the next."""

    def __call__(self, draft: Draft) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The finished draft with its time and versions."""

    draft: Draft
    took_ms: float
    versions: dict[str, str]

    @property
    def outcome(self) -> Outcome:
        if self.draft.outcome is None:
            raise RuntimeError("the last step must settle the outcome")
        return self.draft.outcome

    def to_json(self) -> dict[str, Any]:
        """The JSON of an answer, as design and API promise it. Never repeats what was masked."""
        draft = self.draft
        return {
            "question": draft.question,
            "outcome": self.outcome.value,
            "topic": draft.topic,
            "confidence": round(draft.confidence, 3),
            "caution": draft.caution,
            "summary": draft.summary,
            "citations": [c.to_json() for c in draft.citations],
            "steps": [asdict(s) for s in draft.steps],
            "notices": draft.notices,
            "handover": asdict(draft.handover) if draft.handover else None,
            "masked": list(draft.masked),
            "clarify": draft.clarify,
            "as_of": draft.on.isoformat(),
            "region": draft.region,
            "took_ms": round(self.took_ms, 1),
            "versions": self.versions,
            **({"model": draft.model} if draft.model else {}),
        }
