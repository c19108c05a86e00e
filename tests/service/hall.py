"""Supervision over a fresh database, with people, citizens who ask, endpoints and pages."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, select

from service.api import citizen, control, statistics
from service.app import install_errors
from service.auth import Member, StaffRegister
from service.console import control as control_pages
from service.console import dashboard
from service.handover import Handovers, minutes_later
from service.models import AnswerRecord, CitedPassage, Conversation
from tests.service import databases

START = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)  # a Friday, 16:00 in Shanghai


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Hall:
    """The database with short ways to make what is supervised."""

    engine: Engine
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.sessions = databases.sessions_of(self.engine)
        self.staff = StaffRegister(self.sessions)
        self.handovers = Handovers(
            self.sessions, due=minutes_later(60), region="310107", clock=self.clock
        )
        app = FastAPI()
        app.state.staff = self.staff
        app.state.rooms = SimpleNamespace(sessions=self.sessions)
        app.state.writer = None  # no language model
        for room in (citizen, control, statistics, control_pages, dashboard):
            app.include_router(room.router)
        install_errors(app)
        self.app, self.client = app, TestClient(app)

    def hire(
        self, name: str = "周督导", role: str = "supervisor", region: str = ""
    ) -> tuple[Member, dict[str, str]]:
        member, token = self.staff.add(name, [role], region=region)
        return member, {"Authorization": f"Bearer {token}"}

    def asked(
        self,
        conversation: str,
        question: str = "公司拖欠三个月工资怎么办",
        outcome: str = "answered_faq",
        *,
        at: datetime | None = None,
        channel: str = "web",
        topic: str | None = "劳动人事",
        region: str = "310107",
        trace: dict[str, Any] | None = None,
    ) -> str:
        """A citizen has asked and got an answer, whose id this is."""
        at = at or self.clock()
        with self.sessions.begin() as session:
            if session.get(Conversation, conversation) is None:
                session.add(Conversation(id=conversation, channel=channel, started_at=at))
                session.flush()
            answer = f"a_{secrets.token_hex(6)}"
            session.add(
                AnswerRecord(
                    id=answer,
                    conversation_id=conversation,
                    asked_at=at,
                    question=question,
                    outcome=outcome,
                    topic=topic,
                    confidence=0.9,
                    region=region,
                    took_ms=1.0,
                    answer={
                        "outcome": outcome,
                        "summary": "可以先向劳动监察投诉。",
                        "citations": [{"law": "劳动法", "article": "第五十条", "text": "工资……"}],
                        "steps": [{"title": "劳动监察投诉", "phone": "12333"}],
                        "notices": ["一年之内申请仲裁。"],
                    },
                    trace=trace or {},
                )
            )
            session.flush()
            session.add(
                CitedPassage(
                    answer_id=answer,
                    position=0,
                    passage_id="p",
                    title="劳动法",
                    label="第五十条",
                    text="工资应当以货币形式按月支付给劳动者本人。",
                )
            )
        return answer

    def closed_ticket(self, conversation: str, member: Member) -> str:
        """Somebody has handled it, with words from both sides."""
        ticket, _ = self.handovers.open(conversation, consent=True, note="请帮我看看")
        identity: str = ticket["id"]
        self.handovers.claim(member, identity)
        self.handovers.reply(member, identity, "已经帮您查过")
        self.handovers.close(member, identity, outcome="solved", summary="讲清楚了")
        return identity

    def count(self, table: Any) -> int:
        with self.sessions() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0
