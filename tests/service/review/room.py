"""A room for reviews over a fresh database: citizens who asked, people who judge, and a stand-in
for what answers, that says what it is told to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session, sessionmaker

from knowledge import store
from knowledge.models import Document, Kind, Passage, Revision, Status
from service.answering.draft import NOTHING_OFF, Answer, Draft, Off, Outcome, Turn
from service.api import reviews as endpoints
from service.app import install_errors
from service.assembly import Rooms
from service.auth import Member, StaffRegister
from service.console import pages, review
from service.models import (
    AnswerRecord,
    CitedPassage,
    Conversation,
    HandoverTicket,
    Rating,
)
from service.review import http
from service.review.conversations import Conversations
from service.review.judging import Reviews
from service.review.queue import ReviewQueue
from tests.conftest import settings_for

NOW = datetime(2026, 11, 30, 4, 0, tzinfo=UTC)  # noon in Shanghai
API, CONSOLE = "/api/v1/staff", "/console"


@dataclass
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@dataclass
class Answering:
    """Answers with `says`, and remembers what it was asked."""

    says: str = "可以先向劳动监察投诉。"
    asked: list[dict[str, Any]] = field(default_factory=list)

    def answer(
        self,
        question: str,
        *,
        on: date | None = None,
        region: str | None = None,
        history: Sequence[Turn] = (),
        off: Off = NOTHING_OFF,
        **_more: Any,
    ) -> Answer:
        asked = {"question": question, "on": on, "region": region, "history": history, "off": off}
        self.asked.append(asked)
        draft = Draft(question, on or date(2026, 11, 30), region or "310107", question=question)
        draft.settle(Outcome.ANSWERED_FAQ, self.says)
        return Answer(draft, 12.0, {"knowledge": "new"})


@dataclass
class Room:
    engine: Engine
    home: Path

    def __post_init__(self) -> None:
        self.sessions: sessionmaker[Session] = sessionmaker(self.engine, expire_on_commit=False)
        self.clock, self.answering = Clock(), Answering()
        self.reviews = Reviews(self.sessions, clock=self.clock)
        self.queue = ReviewQueue(self.sessions, clock=self.clock)
        self.conversations = Conversations(self.sessions, clock=self.clock)
        self.staff = StaffRegister(self.sessions)
        rooms = Rooms(settings_for(self.home))
        rooms.__dict__ |= {"engine": self.engine, "sessions": self.sessions}
        app = FastAPI()
        app.state.staff, app.state.rooms, app.state.serving = self.staff, rooms, self.answering
        app.dependency_overrides = {
            http.conversations_of: lambda: self.conversations,
            http.queue_of: lambda: self.queue,
            http.reviews_of: lambda: self.reviews,
        }
        for router in (pages.router, endpoints.router, review.router):
            app.include_router(router)
        install_errors(app)
        self.client = TestClient(app, follow_redirects=False)
        self._number = 0

    def hire(self, name: str, role: str = "reviewer", region: str = "") -> Person:
        member, token = self.staff.add(name, [role], region=region)
        return Person(member, self.client, {"Authorization": f"Bearer {token}"})

    def asked(
        self,
        conversation: str = "",
        question: str = "公司拖欠三个月工资怎么办",
        outcome: str = "answered_faq",
        *,
        ago: timedelta = timedelta(minutes=1),
        topic: str | None = "劳动人事",
        confidence: float = 0.9,
        region: str = "310107",
        channel: str = "web",
        summary: str = "可以先向劳动监察投诉。",
        trace: dict[str, Any] | None = None,
    ) -> str:
        """A citizen has asked, so long ago; the id of the answer."""
        self._number += 1
        conversation = conversation or f"c_{self._number}"
        with self.sessions.begin() as session:
            if session.get(Conversation, conversation) is None:
                session.add(Conversation(id=conversation, channel=channel))
                session.flush()
            session.add(
                AnswerRecord(
                    id=f"a_{self._number}",
                    conversation_id=conversation,
                    asked_at=NOW - ago,
                    question=question,
                    outcome=outcome,
                    topic=topic,
                    confidence=confidence,
                    region=region,
                    took_ms=12.3,
                    answer={
                        "outcome": outcome,
                        "summary": summary,
                        "citations": [],
                        "steps": [],
                        "notices": [],
                        "clarify": None,
                        "handover": None,
                    },
                    trace=trace or {"query": question},
                )
            )
        return f"a_{self._number}"

    def rated(
        self, event: str, level: int, kind: str = "answer", *, excluded: bool = False
    ) -> None:
        with self.sessions.begin() as session:
            session.add(
                Rating(
                    id=f"g_{event}",
                    event_kind=kind,
                    event_id=event,
                    level=level,
                    aspects=[],
                    comment="",
                    rated_at=self.clock(),
                    month="2026-11",
                    person="p",
                    region="310107",
                    matter={},
                    handler_kind="law",
                    handler_id="law",
                    handler={},
                    excluded_at=NOW if excluded else None,
                )
            )

    def handed_over(
        self,
        conversation: str,
        answer: str | None = None,
        status: str = "closed",
        by: Member | None = None,
    ) -> str:
        with self.sessions.begin() as session:
            session.add(
                HandoverTicket(
                    id=f"h_{conversation}",
                    conversation_id=conversation,
                    answer_id=answer,
                    kind="requested",
                    status=status,
                    region="310107",
                    reason="市民要求与人沟通。",
                    packet={},
                    created_at=self.clock(),
                    due_at=NOW,
                    claimed_by=by.id if by else None,
                )
            )
        return f"h_{conversation}"

    def published(self, revision: str, text: str, since: date, until: date | None = None) -> str:
        """A version of a law with one article; the id of its passage."""
        law = Document(id="law-test", kind=Kind.STATUTE, title="试验法", origin="test")
        version = Revision(
            id=revision,
            document_id=law.id,
            status=Status.PUBLISHED,
            source="test",
            checked_on=since,
            effective_from=since,
            effective_until=until,
        )
        passage = Passage(
            id=f"{revision}#1", revision_id=revision, ordinal=1, label="第一条", text=text
        )
        with self.sessions.begin() as session:
            store.save_document(session, law)
            store.add_revision(session, version, [passage])
        return passage.id

    def cites(self, answer: str, passage: str, text: str) -> None:
        with self.sessions.begin() as session:
            copy = {"answer_id": answer, "position": 0, "passage_id": passage, "title": "试验法"}
            session.execute(insert(CitedPassage), copy | {"label": "第一条", "text": text})


@dataclass
class Person:
    """Somebody at work over HTTP."""

    member: Member
    client: TestClient
    headers: dict[str, str]

    def get(self, url: str, **params: Any) -> Response:
        return self.client.get(url, params=params or None, headers=self.headers)

    def post(self, url: str, **body: Any) -> Response:
        return self.client.post(url, json=body, headers=self.headers)

    def put(self, url: str, **body: Any) -> Response:
        return self.client.put(url, json=body, headers=self.headers)

    def judges(self, answer: str, verdict: str, **more: Any) -> dict[str, Any]:
        response = self.post(f"{API}/answers/{answer}/reviews", verdict=verdict, **more)
        assert response.status_code == 201, response.text
        review: dict[str, Any] = response.json()
        return review
