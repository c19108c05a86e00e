"""The desk with its pages and its live stream, over a fresh database and a small library."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from knowledge.library import Library
from knowledge.models import Document, Kind, Passage, Revision, Status
from service.api import desk as desk_api
from service.api import handovers as handover_api
from service.api import ratings as rating_api
from service.app import install_errors
from service.console import desk as desk_pages
from service.console import ratings as rating_pages
from service.handover import Handovers, Live, Presence, minutes_later
from service.ratings import Ratings
from service.settings import Settings
from tests.service import databases
from tests.service.office import Clock, Office

EVENTS = "/api/v1/staff/desk/events"
DUTY = "/api/v1/staff/desk/duty"
KEY = "a key of the tests, long enough for everybody"


def card(identity: str, kind: Kind, title: str, **body: Any) -> tuple[Document, Revision, Passage]:
    """A published card with one way of asking for it."""
    document = Document(id=identity, kind=kind, title=title, origin="content", region="310107")
    revision = Revision(
        id=f"{identity}@1",
        document_id=identity,
        status=Status.PUBLISHED,
        source="区司法局网页",
        checked_on=date(2026, 11, 1),
        body={"summary": title, **body},
    )
    asks = Passage(
        id=f"{identity}@1#1", revision_id=revision.id, ordinal=1, label="问法", text=title
    )
    return document, revision, asks


def small_library() -> Library:
    hours = {"text": "周一至周五9:00–11:30、13:30–16:30", "certainty": "D", "source": "第三方"}
    cards = [
        card(
            "service-service-hall",
            Kind.SERVICE,
            "普陀区公共法律服务中心",
            hours=hours,
            opening={"days": "workdays", "times": ["09:00-11:30", "13:30-16:30"]},
            phone={"text": "52656672", "certainty": "D", "source": "第三方"},
            where={"text": "铜川路1809号", "certainty": "D", "source": "第三方"},
        ),
        card(
            "hotline-12348",
            Kind.HOTLINE,
            "12348 公共法律服务热线",
            phone={"text": "12348", "certainty": "A", "source": "司法部"},
        ),
        card("faq-unpaid-wages", Kind.FAQ, "公司拖欠工资怎么办", answer="先投诉，再申请劳动仲裁。"),
        card("faq-divorce", Kind.FAQ, "离婚怎么办", answer="协议离婚到民政局登记。"),
    ]
    return Library(*zip(*cards, strict=True))


@dataclass
class FrontDesk(Office):
    """An office whose clock begins now, with pages and a live stream."""

    clock: Clock = field(default_factory=lambda: Clock(datetime.now(UTC)))
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.library = small_library()
        self.handovers = Handovers(
            self.sessions,
            due=minutes_later(60),
            region="310107",
            presence=Presence(lambda: self.library),
            clock=self.clock,
        )
        self.ratings = Ratings(self.sessions, KEY, clock=self.clock)
        self.live = Live(self.sessions, every_s=0.05, alive_s=0.5, recheck_s=0.3)
        self.app = self.application()
        self.client = TestClient(self.app)

    def application(self, live: Live | None = None) -> FastAPI:
        """The application as one process has it."""
        app = FastAPI()
        app.state.staff, app.state.handovers = self.staff, self.handovers
        app.state.urgent, app.state.ratings = self.urgent_watch, self.ratings
        app.state.live = live or self.live
        app.state.serving = SimpleNamespace(library=self.library)
        settings = Settings(_env_file=None)
        app.state.rooms = SimpleNamespace(sessions=self.sessions, settings=settings)
        for module in (handover_api, desk_api, rating_api, desk_pages, rating_pages):
            app.include_router(module.router)
        install_errors(app)
        return app

    @property
    def urgent_watch(self) -> Any:
        return self.client.app.state.urgent  # type: ignore[attr-defined]


@pytest.fixture
def front(database: Engine) -> FrontDesk:
    return FrontDesk(database, databases.sessions_of(database))


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """A real server in a thread; its address."""
    config = uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(5)
        assert not thread.is_alive()


@dataclass
class Stream:
    """A listener's open stream; `next` waits for an event, and fails after three seconds."""

    response: httpx.Response
    chunks: Iterator[str] = field(init=False)
    text: str = ""
    comments: int = 0
    last_id: str = ""

    def __post_init__(self) -> None:
        self.chunks = self.response.iter_lines()

    def next(self, name: str) -> dict[str, Any]:
        """The data of the next event of that name; others are passed over."""
        while True:
            found, data = self._one()
            if found == name:
                return data

    def ends(self) -> list[str]:
        """What still comes, until the server ends the stream."""
        names = []
        while True:
            try:
                names.append(self._one()[0])
            except StopIteration:
                return names

    def _one(self) -> tuple[str, dict[str, Any]]:
        name, data = "", ""
        while True:
            line = next(self.chunks)
            self.text += line + "\n"
            if line.startswith(":"):
                self.comments += 1
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                data = value
            elif key == "id":
                self.last_id = value
            elif not line and name:
                return name, json.loads(data)


@contextmanager
def listening(url: str, headers: dict[str, str], **more: str) -> Iterator[Stream]:
    with (
        closing(httpx.Client(timeout=httpx.Timeout(3.0))) as client,
        client.stream("GET", url + EVENTS, headers={**headers, **more}) as response,
    ):
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response)
