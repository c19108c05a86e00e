"""The web counter over a fresh database, with a scripted assistant behind it."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, func, select

from service.app import install_errors
from service.channels import web
from service.channels.gate import Cors, Gate
from service.conversations import Desk
from service.models import AnswerRecord
from service.settings import Settings
from tests.service import databases
from tests.service.wechat.stage import Scripted

QUESTIONS, SESSIONS = "/api/v1/questions", "/api/v1/web-sessions"
BUREAU, TOWN, STRANGER = "https://bureau.test", "https://town.test:8443", "https://evil.test"
SITES = f"""
sites:
  - id: bureau
    name: 区司法局网站
    origins: ["{BUREAU}", "https://m.bureau.test"]
  - id: town
    name: 街道网站
    origins: ["{TOWN}"]
"""
HERE = "http://testserver"


@dataclass
class Counter:
    """Everything in one process; `another` is a second process on the same database."""

    engine: Engine
    home: Path
    limits: dict[str, Any] = field(default_factory=dict)
    assistant: Scripted = field(default_factory=Scripted)

    def __post_init__(self) -> None:
        (self.home / "sites.yaml").write_text(SITES, "utf-8")
        sessions = databases.sessions_of(self.engine)
        settings = Settings(_env_file=None, home=self.home, **self.limits)
        self.app = FastAPI()
        self.gate = self.app.state.gate = Gate(settings, lambda: sessions)
        self.app.state.desk = Desk(
            sessions, self.assistant, channel="web", longest=2000, rating_token=lambda a: f"r-{a}"
        )
        self.app.include_router(web.router)
        self.app.add_middleware(Cors, sites=self.gate.sites)
        install_errors(self.app)
        self.client = TestClient(self.app)

    def another(self) -> Counter:
        return Counter(self.engine, self.home, self.limits, self.assistant)

    def session(self, origin: str = HERE, site: str = "home") -> str:
        response = self.client.post(SESSIONS, json={"site": site}, headers={"Origin": origin})
        assert response.status_code == 200, response.text
        token: str = response.json()["session"]
        return token

    def ask(
        self,
        question: str,
        *,
        origin: str = "",
        session: str = "",
        key: str = "",
        proof: str = "",
        **body: Any,
    ) -> Response:
        named = {
            "Origin": origin,
            "X-Consult-Session": session,
            "Idempotency-Key": key,
            "X-Consult-Proof": proof,
        }
        headers = {name: value for name, value in named.items() if value}
        return self.client.post(QUESTIONS, json={"question": question, **body}, headers=headers)

    def stored(self) -> int:
        with databases.sessions_of(self.engine)() as session:
            return session.scalar(select(func.count()).select_from(AnswerRecord)) or 0


def new_key() -> str:
    return str(uuid.uuid4())


def solution(challenge: dict[str, Any]) -> str:
    """What a browser works out."""
    token: str = challenge["token"]
    bound: int = 1 << (256 - challenge["bits"])

    def fits(part: int, number: int) -> bool:
        digest = hashlib.sha256(f"{token[-24:]}:{part}:{number}".encode()).digest()
        return int.from_bytes(digest) < bound

    found = [next(n for n in itertools.count() if fits(p, n)) for p in range(challenge["parts"])]
    return f"{token}:{','.join(map(str, found))}"
