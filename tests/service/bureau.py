"""The people of a bureau over a fresh database: invited, signed in by browser, over real HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, select

from service.accounts import Accounts, AddressLimit, Invitations, SecondFactor, SignIn
from service.api import accounts as accounts_endpoints
from service.api import audit as audit_endpoints
from service.app import install_errors
from service.assembly import Rooms
from service.auth import Member, StaffRegister
from service.console import audit as audit_pages
from service.console import pages
from service.console import people as people_pages
from service.handover import Handovers, minutes_later
from service.models.people import AuditEvent
from tests.conftest import settings_for
from tests.service import databases

PASSWORD = "三棵梧桐 two rivers 1949"
KEY = "k" * 32


@dataclass
class Hands:
    """A clock that stands still until somebody moves its hands."""

    at: datetime = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Bureau:
    engine: Engine
    home: Path
    clock: Hands = field(default_factory=Hands)

    def __post_init__(self) -> None:
        self.sessions = databases.sessions_of(self.engine)
        self.addresses = AddressLimit(clock=self.clock)
        self.second_factor = SecondFactor(KEY)
        self.signing = SignIn(self.sessions, self.second_factor, self.addresses, clock=self.clock)
        self.staff = StaffRegister(self.sessions)
        self.app = self._app()

    def _app(self) -> FastAPI:
        app = FastAPI()
        rooms = Rooms(settings_for(self.home))
        rooms.engine = self.engine
        app.state.rooms = rooms
        app.state.staff = self.staff
        app.state.sign_in_limit = AddressLimit()
        app.state.handovers = Handovers(self.sessions, due=minutes_later(60), region="310107")
        for router in (
            accounts_endpoints.router,
            audit_endpoints.router,
            pages.router,
            people_pages.router,
            audit_pages.router,
        ):
            app.include_router(router)
        install_errors(app)
        return app

    def invited(self, login: str, *roles: str, region: str = "", name: str = "") -> tuple[str, str]:
        """The id of somebody new, and the token of the invitation."""
        accounts = Accounts(self.sessions, None, clock=self.clock)
        made = accounts.invite(name or login, login, roles or ["agent"], region)
        return made.member.id, made.token

    def hired(self, login: str, *roles: str, region: str = "", name: str = "") -> Member:
        """Somebody who has set `PASSWORD`."""
        staff_id, token = self.invited(login, *roles, region=region, name=name)
        Invitations(self.sessions, clock=self.clock).accept(token, PASSWORD)
        return next(member for member in self.staff.all() if member.id == staff_id)

    def browser(self, base_url: str = "http://testserver") -> Browser:
        return Browser(TestClient(self.app, base_url=base_url, follow_redirects=False))

    def signed_in(self, login: str) -> Browser:
        browser = self.browser()
        response = browser.sign_in(login)
        assert response.status_code == 200, response.text
        return browser

    def events(self, action: str = "") -> list[AuditEvent]:
        """What is on record, the oldest first."""
        with self.sessions() as session:
            found = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
            return [event for event in found if event.action.startswith(action)]


@dataclass
class Browser:
    """Sends what a page of ours sends: the cookie by itself, and the CSRF token."""

    client: TestClient
    csrf: str = ""

    def sign_in(self, login: str, password: str = PASSWORD, **more: str) -> Response:
        response = self.client.post(
            "/api/v1/session", json={"login": login, "password": password, **more}
        )
        if response.status_code == 200:
            self.csrf = response.json()["csrf"]
        return response

    def get(self, path: str, **params: Any) -> Response:
        return self.client.get(path, params=params)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        return self.client.request(
            method, path, json=body, headers={"X-CSRF-Token": self.csrf, **headers}
        )

    def post(self, path: str, body: Any = None) -> Response:
        return self.send("POST", path, body)


def error(response: Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return response.status_code, response.json()["error"]["code"]
