"""What ratings need of the bureau: a real database by the real migrations, no encoder, no index."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session, sessionmaker

from service.api import ratings as api
from service.app import install_errors
from service.auth import Member, StaffRegister
from service.handover import Handovers
from service.models import AnswerRecord, Base, Conversation
from service.ratings import Ratings
from tests.service import databases
from tests.service.office import at_once as run_at_once

KEY = "a key of the tests, long enough for everybody"
TICKETS = "/api/v1/staff/rating-tickets"


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)  # a Friday, 16:00 in Shanghai

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Bureau:
    """Everything that a test of ratings needs, with short ways to make what can be rated."""

    sessions: sessionmaker[Session]
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.ratings = Ratings(self.sessions, KEY, clock=self.clock)
        self.tickets = self.ratings.tickets
        self.staff = StaffRegister(self.sessions)
        self.handovers = Handovers(
            self.sessions, due=lambda at: at, region="310107", clock=self.clock
        )
        app = FastAPI()
        app.state.ratings, app.state.staff = self.ratings, self.staff
        app.include_router(api.router)
        install_errors(app)
        self.http = TestClient(app)

    def __enter__(self) -> Self:
        self.http.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.http.__exit__(None, None, None)

    def hire(self, role: str, region: str = "") -> Member:
        return self.staff.add(f"某{role}", [role], region=region)[0]

    def conversation(self) -> str:
        name = f"c_{secrets.token_urlsafe(16)}"
        with self.sessions.begin() as session:
            session.execute(insert(Conversation), {"id": name, "channel": "web"})
        return name

    def answer(
        self,
        conversation: str = "",
        *,
        outcome: str = "answered_law",
        region: str = "310107",
        answer: dict[str, Any] | None = None,
        trace: dict[str, Any] | None = None,
    ) -> str:
        """An answer as the desk stores it; gives its id."""
        row = {
            "id": f"a_{secrets.token_urlsafe(12)}",
            "conversation_id": conversation or self.conversation(),
            "question": "公司不发工资怎么办",
            "outcome": outcome,
            "topic": "劳动人事",
            "confidence": 0.9,
            "region": region,
            "took_ms": 1.0,
            "answer": answer or {"citations": [{"law": "劳动法"}], "steps": []},
            "trace": trace or {"hits": {"law": [], "guidance": []}},
        }
        with self.sessions.begin() as session:
            session.execute(insert(AnswerRecord), row)
        return str(row["id"])

    def handover(self, member: Member, *, close: bool = True) -> str:
        """A hand-over claimed by that member of staff; gives its id."""
        conversation = self.conversation()
        ticket = str(self.handovers.open(conversation, consent=True)[0]["id"])
        self.handovers.claim(member, ticket)
        if close:
            self.handovers.close(member, ticket, outcome="solved", summary="已说明。")
        return ticket

    def token(self, event: str = "") -> str:
        """For rating an answer (a new one), or a hand-over."""
        event = event or self.answer()
        return self.ratings.token_for("handover" if event.startswith("h_") else "answer", event)

    def bad_rating(self, event: str = "", level: int = 1, comment: str = "没有用") -> str:
        """Rate badly; gives the id of the ticket."""
        rated = self.ratings.rate(self.token(event), level, ["便捷度"], comment)
        return str(rated["ticket"]["id"])

    def post(self, body: object, path: str = "/api/v1/ratings") -> Any:
        return self.http.post(path, json=body)

    def count(self, table: type[Base]) -> int:
        with self.sessions() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def bureau(database: Engine) -> Iterator[Bureau]:
    """A bureau without anything from another test, on each kind of database."""
    with Bureau(databases.sessions_of(database)) as opened:
        yield opened


@pytest.fixture
def agent(bureau: Bureau) -> Member:
    return bureau.hire("agent")


@pytest.fixture
def supervisor(bureau: Bureau) -> Member:
    return bureau.hire("supervisor")


def at_once(n: int, act: Callable[[int], Any]) -> list[Any]:
    """What `act(0)` to `act(n - 1)` give or raise, all begun at the same moment."""
    return run_at_once([partial(act, number) for number in range(n)])
