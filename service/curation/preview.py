"""What a citizen would be shown, made by the parts that answer: of words not yet published too."""

from __future__ import annotations

from datetime import date
from typing import Any

from ingest.pipeline import Incoming
from knowledge import text
from knowledge.citations import LawBook
from knowledge.library import Library, Source
from knowledge.models import Kind
from knowledge.store import today_in_china
from service.answering import wording
from service.answering.cards import Cards
from service.answering.compose import CitedLaw, give_reviewed
from service.answering.draft import Answer, Draft, Handover, Outcome
from service.answering.finish import NextSteps
from service.errors import BadRequest


class Preview:
    """Over the library that serves: what the words point to is shown as it is published."""

    def __init__(self, library: Library, laws: LawBook, region: str) -> None:
        self._cards, self._cited, self._region = Cards(library), CitedLaw(laws), region

    def of(self, incoming: Incoming, on: date | None = None) -> dict[str, Any]:
        """The JSON of the answer to its own first way of asking. Raises BadRequest for what is no
        answer by itself."""
        document = incoming.document
        if document.kind in (Kind.RULES, Kind.STATUTE, Kind.POLICY) or not incoming.passages:
            raise BadRequest("no_preview", "这一类内容不直接显示给市民，没有预览。")
        today = on or today_in_china()
        question = incoming.passages[0].text
        draft = Draft(raw=question, on=today, region=self._region, question=question)
        draft.query = text.normalise(question)
        draft.confidence = 1.0
        source = Source(incoming.passages[0], incoming.revision, document)
        if document.kind is Kind.OUTSIDE:
            self._turn_away(draft, source)
        else:
            cited = self._cited.of(incoming.revision, today)
            give_reviewed(draft, source, cited, self._cards)
        NextSteps(self._cards, lambda: today)(draft)
        return Answer(draft, 0.0, {}).to_json()

    def _turn_away(self, draft: Draft, source: Source) -> None:
        body = source.revision.body
        targets = self._cards.targets(tuple(body.get("hotlines", ())), draft.on)
        if targets:
            draft.handover = Handover("hotline", wording.REASONS["off_topic"], targets)
        draft.settle(Outcome.UNANSWERABLE_OFF_TOPIC, body["reply"])
