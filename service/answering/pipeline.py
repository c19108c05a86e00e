"""The way a question goes, on one page.

mask → sensitive → urgent                                       danger first, without a search
     → is the channel switched off?
     → solicitation → pre-check → requests → follow-up → region   until one settles the outcome
     → look up → side of the matter → search → in context → compose
topic switched off? → deadlines → verify → premise → next steps  always
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
from service.answering.danger import danger_version
from service.answering.deadlines import Deadlines
from service.answering.draft import (
    NO_HINTS,
    NOTHING_OFF,
    Answer,
    Draft,
    Handover,
    Hints,
    Off,
    Outcome,
    Step,
    Target,
    Turn,
)
from service.answering.finish import NextSteps, Verify
from service.answering.followup import FollowUp, InContext, SideOfMatter
from service.answering.guard import Mask, Urgent, raise_alarm
from service.answering.guided import PreCheck
from service.answering.legal_aid import LegalAid
from service.answering.lookup import Lookup, Premise
from service.answering.requests import Requests
from service.answering.routing import Region
from service.answering.sensitive import Sensitive, Solicitation, Words
from service.answering.switched_off import ChannelOff, LeaveOut, TopicOff
from service.answering.topics import TopicModel

log = structlog.get_logger()
_DOUBT = 0.5  # probability of danger by the words alone, when nothing else can be asked


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
        words: Words,
        versions: dict[str, str],
        clock: Callable[[], date] = today_in_china,
    ) -> None:
        cards = Cards(retriever.library)
        cited_law = CitedLaw(laws)

        search = Search(retriever, cited_law, topics)

        def targets(ids: tuple[str, ...]) -> tuple[Target, ...]:
            return cards.targets(ids, clock())

        def emergency(ids: tuple[str, ...]) -> tuple[Target, ...]:
            return cards.targets(ids, clock(), urgent=True)

        self.legal_aid = LegalAid(retriever.library, laws, region)
        # All that happens while a person owns the conversation.
        self._guard: Sequence[Step] = (Mask(), Sensitive(words), Urgent(emergency))
        self._decide: Sequence[Step] = (
            *self._guard,
            ChannelOff(targets, emergency, _DOUBT),
            Solicitation(words, targets),
            PreCheck(self.legal_aid, clock),
            Requests(targets, region_name),
            FollowUp(),
            Region(region, region_name, targets),
            Lookup(laws, targets),
            SideOfMatter(cards, clock),
            search,
            InContext(search, calibration),
            Compose(cited_law, cards, calibration, clock),
        )
        deadlines = Deadlines.of(laws, targets, clock())
        self._finish: Sequence[Step] = (
            TopicOff(targets),
            *([deadlines] if deadlines else []),
            Verify(laws, cards),
            Premise(),
            NextSteps(cards, clock),
            LeaveOut(),
        )
        self._region = region
        self._targets, self._emergency = targets, emergency
        self._clock = clock
        self.laws = laws
        self.versions = versions | {
            "wording": wording.VERSION,
            "calibration": calibration.version,
            "danger": danger_version(),
        }

    def answer(
        self,
        question: str,
        *,
        on: date | None = None,
        region: str | None = None,
        history: Sequence[Turn] = (),
        with_person: bool = False,
        channel: str = "",
        off: Off = NOTHING_OFF,
        hints: Hints = NO_HINTS,
    ) -> Answer:
        """Answer one question as the law stands `on` that day (today if None), in the light of the
        conversation so far, oldest turn first. While a person owns the conversation
        (`with_person`), only danger is looked for. What is `off` is not answered, on that `channel`
        or of that topic, and those documents count as not published. `hints` are looked at where
        the rules are unsure."""
        began = time.perf_counter()
        draft = Draft(
            raw=question,
            on=on or self._clock(),
            region=region or self._region,
            history=tuple(history),
            channel=channel,
            off=off,
            hints=hints,
        )
        times: dict[str, float] = {}
        draft.trace["step_ms"] = times
        try:
            for step in self._guard if with_person else self._decide:
                self._run(step, draft, times)
                if draft.outcome is not None:
                    break
            if draft.outcome is None and with_person:
                draft.confidence = 1.0
                draft.settle(Outcome.HANDOVER_WITH_PERSON, wording.WITH_PERSON)
            for step in self._finish:
                self._run(step, draft, times)
        except Exception:
            # The one edge of a question: whatever breaks, the citizen is told whom to call.
            log.exception("answer.failed")
            self._fail(draft)
        draft.trace["query"] = draft.query
        _remember(draft)
        draft.trace["hits"] = _hits(draft)
        return Answer(draft, (time.perf_counter() - began) * 1000, self.versions)

    @staticmethod
    def _run(step: Step, draft: Draft, times: dict[str, float]) -> None:
        began = time.perf_counter()
        step(draft)
        times[type(step).__name__.lower()] = round((time.perf_counter() - began) * 1000, 2)

    def _fail(self, draft: Draft) -> None:
        draft.citations, draft.steps, draft.notices, draft.confidence = [], [], [], 0.0
        if draft.suspicion and draft.suspicion.danger >= _DOUBT:
            # Whatever broke, a doubt speaks for danger.
            raise_alarm(draft, draft.suspicion.kind, self._emergency)
            return
        draft.handover = Handover(
            "hotline", wording.REASONS["failed"], self._targets(("hotline-12348",))
        )
        draft.settle(Outcome.FAILED_SEARCH, wording.FAILED_SEARCH)


_BESIDE_THE_MATTER = (
    Outcome.ANSWERED_SMALLTALK,
    Outcome.UNANSWERABLE_OFF_TOPIC,
    Outcome.REFUSED_HARM,
    Outcome.HANDOVER_REQUESTED,
    Outcome.HANDOVER_WITH_PERSON,
)


def _remember(draft: Draft) -> None:
    """What a follow-up to this question will need: the question it belongs to, and the cards."""
    last = draft.history[-1] if draft.history else None
    if draft.outcome in _BESIDE_THE_MATTER:
        draft.trace["root"] = last.root if last else ""
        draft.trace["documents"] = list(last.documents) if last else []
    else:
        draft.trace.setdefault("root", draft.query)
        draft.trace["documents"] = [s.id for s in draft.steps]


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
