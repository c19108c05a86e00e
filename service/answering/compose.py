"""Search, and compose an answer from what was found: the reviewed answer when one fits, otherwise
the law itself, otherwise an honest "not sure" with whom to ask."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from knowledge import text
from knowledge.citations import LawBook
from knowledge.models import Kind
from knowledge.retrieval import Hit, Retriever
from service.answering import wording
from service.answering.cards import Cards, to_step
from service.answering.draft import Citation, Draft, Handover, Outcome
from service.answering.routing import route_of, topic_of

_MAX_ARTICLES = 3
_SENTENCE = re.compile(r"[^。；\n]+[。；]?")
_VAGUE = 4  # characters: 离婚, 我要告他


class Search:
    """Find law and guidance, and the topic that the nearest reviewed questions agree on."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever

    def __call__(self, draft: Draft) -> None:
        if not re.search(r"[\u4e00-\u9fffA-Za-z]", draft.query):
            draft.settle(Outcome.UNANSWERABLE_OFF_TOPIC, wording.OFF_TOPIC)
            return
        draft.found = self._retriever.search(draft.query, on=draft.on, region=draft.region)
        draft.topic, share = topic_of(draft.found.guidance)
        draft.trace["topic_share"] = round(share, 3)


@dataclass(frozen=True, slots=True)
class Floors:
    """Below these the answer is not given."""

    law: float
    guidance: float


def law_confidence(draft: Draft) -> float:
    """How sure we are that the first articles are about the question. Interim: a logistic of the
    best score and its lead, fitted by hand on statute_calib; the calibrated model replaces it."""
    hits = draft.found.law
    if not hits:
        return 0.0
    best = hits[0]
    lead = best.score - hits[min(9, len(hits) - 1)].score
    return _logistic(14 * (best.cosine - 0.555) + 6 * lead + 1.2 * (best.lexical - 0.8))


def guidance_confidence(draft: Draft) -> float:
    """How sure we are that the best reviewed question is the one asked."""
    hits = draft.found.guidance
    if not hits:
        return 0.0
    return _logistic(26 * (hits[0].cosine - 0.80) + 1.5 * (hits[0].lexical - 0.6))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


class Compose:
    """Choose between the reviewed answer, the law, and not being sure."""

    def __init__(self, laws: LawBook, cards: Cards, floors: Floors) -> None:
        self._laws, self._cards, self._floors = laws, cards, floors

    def __call__(self, draft: Draft) -> None:
        guidance, law = guidance_confidence(draft), law_confidence(draft)
        draft.trace |= {"p_guidance": round(guidance, 3), "p_law": round(law, 3)}
        pinned = [Citation(c.source) for c in draft.cited if c.source]
        if guidance >= self._floors.guidance:
            draft.confidence = guidance
            self._from_guidance(draft, draft.found.guidance[0])
        elif law >= self._floors.law or pinned:
            draft.confidence = 1.0 if pinned else law
            self._from_law(draft, pinned)
        elif len(draft.query) <= _VAGUE and draft.topic and draft.trace["topic_share"] > 0.5:
            self._ask_back(draft, guidance)
        else:
            self._unsure(draft, max(guidance, law))
        if pinned and draft.outcome in (Outcome.ANSWERED_FAQ, Outcome.ANSWERED_SERVICE):
            shown = {c.source.passage.id for c in pinned}
            draft.citations = pinned + [
                c for c in draft.citations if c.source.passage.id not in shown
            ]

    def _from_guidance(self, draft: Draft, hit: Hit) -> None:
        source, body = hit.source, hit.source.revision.body
        draft.topic = source.document.topic
        draft.notices += body.get("notices", [])
        for citation in body.get("cites", []):
            cited = self._laws.cite(citation, draft.on)
            draft.citations.append(Citation(cited, highlight=marked(cited.passage.text, draft)))
        if source.document.kind is Kind.FAQ:
            draft.step_ids = list(body.get("steps", []))
            draft.settle(Outcome.ANSWERED_FAQ, body["answer"])
        else:
            draft.steps.append(to_step(source))
            draft.step_ids = [i for i in body.get("related", []) if i != source.document.id][:2]
            draft.settle(Outcome.ANSWERED_SERVICE, _card_summary(body))

    def _from_law(self, draft: Draft, pinned: list[Citation]) -> None:
        shown = {c.source.passage.id for c in pinned}
        best = draft.found.law[0].score if draft.found.law else 0.0
        found = [
            Citation(h.source, highlight=marked(h.source.passage.text, draft))
            for h in draft.found.law
            if h.id not in shown and h.score >= best - 0.12
        ]
        draft.citations = (pinned + found)[: max(_MAX_ARTICLES, len(pinned))]
        lines = [wording.LAW_LEAD]
        for number, citation in enumerate(draft.citations, start=1):
            start, end = citation.highlight or (0, len(citation.source.passage.text))
            quoted = citation.source.passage.text[start:end].strip()
            lines.append(f"{number}. {citation.source.name}：“{quoted}”")
        draft.step_ids = route_of(draft.topic)["steps"]
        draft.settle(Outcome.ANSWERED_LAW, "\n".join([*lines, wording.LAW_TAIL]))

    def _ask_back(self, draft: Draft, guidance: float) -> None:
        draft.confidence = guidance
        titles = [
            h.source.document.title
            for h in draft.found.guidance
            if h.source.document.topic == draft.topic and h.source.document.kind is Kind.FAQ
        ]
        draft.clarify = titles[:4]
        draft.step_ids = route_of(draft.topic)["steps"]
        draft.settle(Outcome.CLARIFY_TOPIC, wording.CLARIFY.format(topic=draft.query))

    def _unsure(self, draft: Draft, confidence: float) -> None:
        draft.confidence = confidence
        legal = bool(text.legal_terms(draft.query)) or draft.cited
        on_topic = legal or confidence >= 0.15
        hotlines = tuple(route_of(draft.topic if on_topic else None)["hotlines"])
        targets = self._cards.targets(hotlines, draft.on)
        draft.handover = Handover("hotline", "unsure" if on_topic else "off_topic", targets)
        if on_topic:
            draft.settle(Outcome.UNANSWERABLE_UNSURE, wording.UNSURE)
        else:
            draft.topic = None
            draft.settle(Outcome.UNANSWERABLE_OFF_TOPIC, wording.OFF_TOPIC)


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
    scores = [
        len(wanted & set(_pairs(article[start:end]))) / math.sqrt(end - start + 8)
        for start, end in spans
    ]
    best = max(range(len(spans)), key=scores.__getitem__)
    return spans[best] if scores[best] > 0 else None


def _pairs(words: str) -> list[str]:
    runs = re.findall(r"[\u4e00-\u9fff]+", words)
    return [run[i : i + 2] for run in runs for i in range(len(run) - 1)]
