"""A hand-over desk over a fresh database, with people who work at it and citizens who ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from service.api import handovers as endpoints
from service.app import install_errors
from service.auth import Member, StaffRegister
from service.handover import Handovers, UrgentWatch, minutes_later
from service.models import AnswerRecord, Conversation

QUEUE = "/api/v1/staff/handovers"
URGENT = "/api/v1/staff/urgent"
START = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A second later at each look, so that nothing happens at the same moment."""

    at: datetime = START

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@dataclass
class Office:
    """The desk over a fresh database, with a client, people, and citizens who have asked."""

    engine: Engine
    sessions: sessionmaker[Session]
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        due = minutes_later(60)
        self.handovers = Handovers(self.sessions, due=due, region="310107", clock=self.clock)
        self.staff = StaffRegister(self.sessions)
        app = FastAPI()
        app.state.staff = self.staff
        app.state.handovers = self.handovers
        app.state.urgent = UrgentWatch(self.sessions, clock=self.clock)
        app.include_router(endpoints.router)
        install_errors(app)
        self.client = TestClient(app)

    def hire(self, name: str, role: str = "agent", region: str = "") -> tuple[Member, Desk]:
        member, token = self.staff.add(name, [role], region=region)
        return member, Desk(self.client, {"Authorization": f"Bearer {token}"})

    def asked(
        self,
        conversation: str,
        question: str = "公司拖欠三个月工资怎么办",
        outcome: str = "answered_faq",
        *,
        region: str = "310107",
        trace: dict[str, Any] | None = None,
        reason: str | None = None,
    ) -> str:
        """A citizen has asked and got an answer, whose id this is."""
        with self.sessions.begin() as session:
            if session.get(Conversation, conversation) is None:
                session.add(Conversation(id=conversation, channel="web"))
                session.flush()
            number = session.scalar(select(func.count(AnswerRecord.id)))
            answer = f"a_{number}"
            session.add(
                AnswerRecord(
                    id=answer,
                    conversation_id=conversation,
                    asked_at=self.clock(),
                    question=question,
                    outcome=outcome,
                    topic="劳动",
                    confidence=0.9,
                    region=region,
                    took_ms=1.0,
                    answer={
                        "outcome": outcome,
                        "summary": "可以先向劳动监察投诉。",
                        "citations": [{"law": "劳动法", "article": "第五十条", "text": "工资……"}],
                        "steps": [{"title": "劳动监察投诉", "phone": "12333"}],
                        "notices": ["劳动争议申请仲裁的时效期间为一年。"],
                        "handover": {"kind": "hotline", "reason": reason, "targets": []}
                        if reason
                        else None,
                    },
                    trace=trace or {},
                )
            )
        return answer

    def open(self, conversation: str, **body: Any) -> Response:
        return self.client.post(path(conversation), json={"consent": True, **body})

    def ticket(self, conversation: str, **body: Any) -> str:
        """The id of a ticket that was opened."""
        response = self.open(conversation, **body)
        assert response.status_code == 201, response.text
        identity: str = response.json()["id"]
        return identity

    def seen_by_citizen(self, conversation: str, after: int = 0) -> dict[str, Any]:
        ticket: dict[str, Any] = self.client.get(path(conversation), params={"after": after}).json()
        return ticket

    def count(self, table: Any) -> int:
        with self.sessions() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@dataclass
class Desk:
    """Somebody of the staff at work over HTTP."""

    client: TestClient
    headers: dict[str, str]

    def get(self, url: str, **params: Any) -> Response:
        return self.client.get(url, params=params, headers=self.headers)

    def do(self, handover: str, action: str, **body: Any) -> Response:
        url = f"{QUEUE}/{handover}/{action}"
        return self.client.post(url, json=body or None, headers=self.headers)


def path(conversation: str) -> str:
    return f"/api/v1/conversations/{conversation}/handover"


def texts(ticket: dict[str, Any], sender: str) -> list[str]:
    return [m["text"] for m in ticket["messages"] if m["from"] == sender]


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Results, or exceptions, of tasks that all begin at the same moment."""
    start = Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return task()
        except Exception as error:  # noqa: BLE001  (the error is the result)
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))
