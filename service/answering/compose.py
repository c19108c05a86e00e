"""Search, and compose an answer from what was found: the reviewed answer when one fits, otherwise
the law itself, otherwise an honest "not sure" with whom to ask."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

from knowledge import text
from knowledge.citations import LawBook
from knowledge.library import Source
from knowledge.models import Kind, Revision
from knowledge.retrieval import Found, Hit, Retriever
from service.answering import wording
from service.answering.cards import Cards
from service.answering.confidence import Calibration, Confidence
from service.answering.draft import NOTHING_OFF, Candidate, Citation, Draft, Handover, Off, Outcome
from service.answering.followup import rounds_of_clarifying
from service.answering.lookup import named_sources
from service.answering.routing import route_of
from service.answering.topics import TopicModel
from service.answering.unsure import likely_topic, related_questions, suggestions

# Five articles hold one that decides the question in 77 of 100 cases, three in 67; the summary
# quotes the first three, the others are cards below it.
_MAX_ARTICLES = 5
_QUOTED = 3
_LESS_LIKELY = 0.15  # by score
_SENTENCE = re.compile(r"[^。；\n]+[。；]?")
_DEPTH = 40  # deep enough to meet the nearest question that is no legal matter
_VAGUE = 5  # characters: 我要告他 is asked back unless a reviewed question is surely meant,
_BARE = 3  # 离婚 always
_SURELY = 0.85
_ROUNDS = 2  # times in a row that a citizen is asked back
_RELATED = 0.5  # cosine, from which a reviewed question may be what was meant
_CANDIDATES = 4  # reviewed answers that are weighed against each other
_MAX_OF_CARD = 6  # articles shown of a card that cites many

# What reviewed answers to similar questions cite is evidence for an article. Chosen on
# statute_calib: any of the first three relevant .585 → .598; on our own lay lines .54 → .71.
_REVIEWED_WEIGHT = 0.4
_REVIEWED_FROM = 0.45  # cosine
_REVIEWED_DEPTH = 4


class CitedLaw:
    """The articles that a card or answer cites, in force on a day; remembered."""

    def __init__(self, laws: LawBook) -> None:
        self._laws = laws
        self._of = lru_cache(maxsize=4096)(self._resolve)

    def of(self, revision: Revision, on: date, off: Off = NOTHING_OFF) -> tuple[Source, ...]:
        """Those that resolve on that day, and are not `off`; what does not resolve is a problem of
        the content, which the tests and `consult doctor` report."""
        sources = self._of(tuple(revision.body.get("cites", ())), on)
        if off.documents:
            return tuple(s for s in sources if s.document.id not in off.documents)
        return sources

    def _resolve(self, citations: tuple[str, ...], on: date) -> tuple[Source, ...]:
        sources = []
        for citation in citations:
            try:
                sources.append(self._laws.cite(citation, on))
            except LookupError:
                continue
        return tuple(sources)


class Search:
    """Find law and guidance, and what the question is about."""

    def __init__(self, retriever: Retriever, cited_law: CitedLaw, topics: TopicModel) -> None:
        self._retriever, self._cited_law, self._topics = retriever, cited_law, topics

    def __call__(self, draft: Draft) -> None:
        if not re.search(r"[\u4e00-\u9fffA-Za-z]", draft.query):
            draft.settle(Outcome.UNANSWERABLE_OFF_TOPIC, wording.OFF_TOPIC)
            return
        found = self._retriever.search(draft.query, on=draft.on, region=draft.region, limit=_DEPTH)
        if draft.off.documents:
            found = replace(
                found, law=_on(found.law, draft.off), guidance=_on(found.guidance, draft.off)
            )
        draft.outside = next((h for h in found.guidance if is_outside(h)), None)
        guidance = tuple(h for h in found.guidance if not is_outside(h))
        draft.candidates = tuple(
            self._candidate(hit, found.law, draft) for hit in guidance[:_CANDIDATES]
        )
        law = self._with_reviewed(found.law, guidance, draft)
        draft.found = Found(law, guidance, found.vector)
        if found.vector is not None:
            draft.topics = self._topics.guess(found.vector, draft.query)
            draft.topic = draft.topics.names[0]
            draft.trace["topics"] = list(draft.topics.names)

    def _candidate(self, hit: Hit, law: tuple[Hit, ...], draft: Draft) -> Candidate:
        sources = self._cited_law.of(hit.source.revision, draft.on, draft.off)
        cited = {s.passage.id for s in sources}
        ranks = [rank for rank, found in enumerate(law) if found.id in cited]
        return Candidate(
            hit,
            cites=bool(cited),
            first_rank=ranks[0] if ranks else None,
            among_five=sum(rank < 5 for rank in ranks),
        )

    def _with_reviewed(
        self, law: tuple[Hit, ...], guidance: tuple[Hit, ...], draft: Draft
    ) -> tuple[Hit, ...]:
        hits = {h.id: h for h in law}
        lowest = min((h.cosine for h in law), default=0.0)
        raised: dict[str, float] = {}
        for near in guidance[:_REVIEWED_DEPTH]:
            bonus = _REVIEWED_WEIGHT * max(0.0, near.cosine - _REVIEWED_FROM)
            cited = self._cited_law.of(near.source.revision, draft.on, draft.off) if bonus else ()
            for source in cited:
                key = source.passage.id
                hits.setdefault(key, Hit(source, lowest, 0.0))
                raised[key] = max(raised.get(key, 0.0), bonus)
        out = [replace(h, reviewed=raised.get(h.id, 0.0)) for h in hits.values()]
        return tuple(sorted(out, key=lambda h: (-h.score, h.id)))


def articles_to_show(law: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """The first few articles, without those that are clearly less likely than the first."""
    return tuple(h for h in law[:_MAX_ARTICLES] if h.score >= law[0].score - _LESS_LIKELY)


def _on(hits: tuple[Hit, ...], off: Off) -> tuple[Hit, ...]:
    return tuple(h for h in hits if h.source.document.id not in off.documents)


def is_outside(hit: Hit) -> bool:
    return hit.source.document.kind is Kind.OUTSIDE


class Compose:
    """Choose between the reviewed answer, the law, asking back, and not being sure."""

    def __init__(
        self,
        cited_law: CitedLaw,
        cards: Cards,
        calibration: Calibration,
        clock: Callable[[], date],
    ) -> None:
        self._cited_law, self._cards, self._clock = cited_law, cards, clock
        self._calibration, self._floors = calibration, calibration.floors

    def __call__(self, draft: Draft) -> None:
        p = self._calibration.of(draft)
        draft.trace |= {"p_legal": p.legal, "p_guidance": p.guidance, "p_law": p.law}
        # What an answer would rest on: the measure of doubt needs it for those not given too.
        by_guidance = p.reviewed and p.guidance >= self._floors.guidance
        draft.trace["p_right"] = p.guidance if by_guidance else p.law
        draft.trace["would_show"] = [h.id for h in articles_to_show(draft.found.law)]
        named = named_sources(draft)
        if not named and p.legal < self._floors.off_topic:
            self._off_topic(draft, p)
        elif not named and p.legal < self._floors.legal:
            self._unsure(draft, p)
        elif not named and self._is_vague(draft, p):
            self._ask_back(draft, p)
        elif p.reviewed and p.guidance >= self._floors.guidance and self._holds(draft, p.reviewed):
            draft.confidence = p.guidance
            self._from_guidance(draft, p.reviewed, named)
        elif named or p.law >= self._floors.law:
            draft.confidence = 1.0 if named else p.law
            self._from_law(draft, named)
        else:
            self._unsure(draft, p)

    def _holds(self, draft: Draft, hit: Hit) -> bool:
        """Whether the reviewed answer, written for the law of today, holds on the day asked for:
        what it cites was the same law then."""
        revision = hit.source.revision
        law_today = self._cited_law.of(revision, self._clock(), draft.off)
        if len(law_today) < len(revision.body.get("cites", ())):
            return False  # law has changed under it: no source, no answer
        return self._cited_law.of(revision, draft.on, draft.off) == law_today

    @staticmethod
    def _is_vague(draft: Draft, p: Confidence) -> bool:
        length = len(draft.query)
        if draft.history and draft.query in draft.history[-1].clarify:
            return False  # chosen from what was offered, however short
        if draft.in_context or rounds_of_clarifying(draft.history) >= _ROUNDS:
            return False  # the matter is known, or was asked for often enough
        return length <= _BARE or (length <= _VAGUE and p.guidance < _SURELY)

    def _from_guidance(self, draft: Draft, hit: Hit, named: list[Citation]) -> None:
        draft.topic = hit.source.document.topic
        self._note_repetition(draft, hit.source)
        cited = self._cited_law.of(hit.source.revision, draft.on, draft.off)
        give_reviewed(draft, hit.source, cited, self._cards, named)

    def _note_repetition(self, draft: Draft, source: Source) -> None:
        """The same answer a second time helps nobody: say so, and who can look at the case."""
        draft.trace["answered_by"] = source.document.id
        last = draft.history[-1] if draft.history else None
        if last and last.answered_by == source.document.id:
            draft.notices.append(wording.SAME_AGAIN)
            hotlines = tuple(route_of(draft.topic)["hotlines"])
            draft.handover = Handover(
                "hotline", wording.REASONS["same_again"], self._cards.targets(hotlines, draft.on)
            )

    def _from_law(self, draft: Draft, named: list[Citation]) -> None:
        found = [_citation(h.source, draft) for h in articles_to_show(draft.found.law)]
        draft.citations = _distinct([*named, *found])[: max(_MAX_ARTICLES, len(named))]
        lines = [wording.LAW_LEAD]
        quoted_first = draft.citations[: max(_QUOTED, len(named))]
        for number, citation in enumerate(quoted_first, start=1):
            start, end = citation.highlight or (0, len(citation.source.passage.text))
            quoted = citation.source.passage.text[start:end].strip()
            lines.append(f"{number}. {citation.source.name}：“{quoted}”")
        draft.step_ids = route_of(draft.topic)["steps"]
        draft.clarify = related_questions(draft, above=_RELATED)[:3] or None
        draft.settle(Outcome.ANSWERED_LAW, "\n".join([*lines, wording.LAW_TAIL]))

    def _ask_back(self, draft: Draft, p: Confidence) -> None:
        draft.confidence = p.guidance
        draft.topic = likely_topic(draft)
        draft.clarify = suggestions(draft, above=0.0, most=4)
        draft.step_ids = route_of(draft.topic)["steps"]
        draft.settle(Outcome.CLARIFY_TOPIC, wording.CLARIFY.format(topic=draft.query))

    def _unsure(self, draft: Draft, p: Confidence) -> None:
        draft.confidence = max(p.guidance, p.law)
        draft.topic = likely_topic(draft)
        hotlines = tuple(route_of(draft.topic)["hotlines"])
        draft.handover = Handover(
            "hotline", wording.REASONS["unsure"], self._cards.targets(hotlines, draft.on)
        )
        draft.clarify = suggestions(draft, above=_RELATED, most=3) or None
        if rounds_of_clarifying(draft.history) >= _ROUNDS:
            draft.step_ids = route_of(draft.topic)["steps"]
            draft.settle(Outcome.UNANSWERABLE_UNSURE, wording.STILL_VAGUE)
            return
        words = [wording.UNSURE, *([wording.RELATED] if draft.clarify else [])]
        draft.settle(Outcome.UNANSWERABLE_UNSURE, "\n".join(words))

    def _off_topic(self, draft: Draft, p: Confidence) -> None:
        draft.confidence = 1 - p.legal
        draft.topic = None
        known = draft.outside and draft.outside.cosine > 0.6
        body = draft.outside.source.revision.body if draft.outside and known else {}
        targets = self._cards.targets(tuple(body.get("hotlines", ())), draft.on)
        if targets:
            draft.handover = Handover("hotline", wording.REASONS["off_topic"], targets)
        draft.settle(Outcome.UNANSWERABLE_OFF_TOPIC, body.get("reply") or wording.OFF_TOPIC)


def give_reviewed(
    draft: Draft,
    source: Source,
    cited: Iterable[Source],
    cards: Cards,
    named: Sequence[Citation] = (),
) -> None:
    """Settle the draft with a reviewed answer or card, its articles, and what to do next. `named`
    are the articles that the question itself names."""
    body = source.revision.body
    draft.topic = source.document.topic
    draft.notices += body.get("notices", [])
    draft.citations = _distinct([*named, *(_citation(s, draft) for s in cited)])
    if source.document.topic == "法律援助":
        draft.clarify = [wording.PRECHECK]
    if source.document.kind is Kind.FAQ:
        draft.step_ids = list(body.get("steps", []))
        draft.settle(Outcome.ANSWERED_FAQ, body["answer"])
    else:
        draft.citations = draft.citations[: max(_MAX_OF_CARD, len(named))]
        draft.steps.append(cards.to_step(source))
        draft.step_ids = [i for i in body.get("related", []) if i != source.document.id][:2]
        draft.settle(Outcome.ANSWERED_SERVICE, _card_summary(body))


def _citation(source: Source, draft: Draft) -> Citation:
    return Citation(source, highlight=marked(source.passage.text, draft))


def _distinct(citations: list[Citation]) -> list[Citation]:
    return list({c.source.passage.id: c for c in reversed(citations)}.values())[::-1]


def _card_summary(body: dict[str, object]) -> str:
    lines = [str(body["summary"])]
    if body.get("who"):
        lines.append(f"谁可以办：{body['who']}")
    return "\n".join(lines)


def marked(article: str, draft: Draft) -> tuple[int, int] | None:
    """The part of an article that matters for the question, as code points: the 款 or sentence
    that shares most terms with it. None when the article is one sentence or nothing stands out."""
    spans = [m.span() for m in _SENTENCE.finditer(article)]
    if len(spans) < 2:
        return None
    wanted = set(_pairs(" ".join([draft.query, *text.legal_terms(draft.query)])))
    pairs = [wanted & set(_pairs(article[start:end])) for start, end in spans]
    # A pair that is all over the article (用人, 单位) says little about one sentence of it.
    common = Counter(pair for found in pairs for pair in found)
    scores = [
        sum(1 / common[pair] for pair in found) / math.sqrt(end - start + 8)
        for found, (start, end) in zip(pairs, spans, strict=True)
    ]
    best = max(range(len(spans)), key=scores.__getitem__)
    return spans[best] if scores[best] > 0 else None


def _pairs(words: str) -> list[str]:
    runs = re.findall(r"[\u4e00-\u9fff]+", words)
    return [run[i : i + 2] for run in runs for i in range(len(run) - 1)]
