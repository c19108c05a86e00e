"""Every endpoint and page of the real application × everybody: exactly those get in who may.

Who gets in is told by the answer alone: 401 and 403 (of a page: the way to the login) are a closed
door, and whatever else, be it that nothing is found, is behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from service import migrations
from service.accounts import Accounts, StaffSessions
from service.accounts.sessions import end
from service.app import create_app
from service.assembly import Rooms
from service.auth import ROLES, Member, Permission
from service.errors import NotAllowed
from service.permits import Require, require
from tests.conftest import settings_for
from tests.test_architecture import PUBLIC, Endpoint, endpoints

SAFE = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True)
class Person:
    """Somebody who knocks: what they send along, and what their roles allow."""

    name: str
    headers: Callable[[], dict[str, str]]  # anew for each door: behind one of them they sign out
    roles: frozenset[str] = frozenset()
    changes: bool = True  # whether they may change anything

    def may(self, method: str, permission: Permission) -> bool:
        allowed = any(permission in ROLES[role] for role in self.roles)
        return allowed and (self.changes or method in SAFE)


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rooms]:
    opened = Rooms(settings_for(tmp_path_factory.mktemp("matrix")))
    migrations.upgrade(opened.engine)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def people(rooms: Rooms) -> list[Person]:
    accounts = Accounts(rooms.sessions, None)
    browsers = StaffSessions(rooms.sessions)

    def program(*roles: str) -> tuple[Member, Callable[[], dict[str, str]]]:
        member, token = accounts.add_token_holder("某人", roles)
        return member, lambda: {"Authorization": f"Bearer {token}"}

    def browser(*roles: str, csrf: bool = True, over: bool = False) -> Callable[[], dict[str, str]]:
        member, _ = accounts.add_token_holder("某人", roles)

        def headers() -> dict[str, str]:
            with rooms.sessions.begin() as session:
                token = browsers.begin(session, member.id, "")
            held = browsers.holder(token)
            assert held is not None
            if over:
                with rooms.sessions.begin() as session:
                    end(session, member.id)
            cookie = {"Cookie": f"consult_session={token}"}
            return {**cookie, "X-CSRF-Token": held.csrf} if csrf else cookie

        return headers

    every = frozenset(ROLES)
    gone, of_gone = program(*every)
    accounts.disable(gone.id)
    return [
        *(Person(role, program(role)[1], frozenset({role})) for role in ROLES),
        Person("nobody", dict),
        Person("a wrong token", lambda: {"Authorization": "Bearer consult_wrong"}),
        Person("a disabled account with every role", of_gone),
        Person("a browser without CSRF", browser(*every, csrf=False), every, changes=False),
        Person("a browser with CSRF", browser(*every), every),
        Person("a session that has ended", browser(*every, over=True)),
    ]


@pytest.fixture
def app(rooms: Rooms) -> FastAPI:
    return create_app(rooms)


def knock(client: TestClient, endpoint: Endpoint, person: Person) -> bool:
    """Whether this person gets in."""
    method, template = endpoint
    path = re.sub(r"\{[^}]*\}", "x_1", template)
    with client.stream(method, path, headers=person.headers()) as response:
        to_login = response.headers.get("location", "").startswith("/console/login")
        return response.status_code not in (401, 403) and not to_login


def guarded(app: FastAPI) -> dict[Endpoint, Permission]:
    """The endpoints that name a permission; tests/test_architecture.py has an eye on the others."""
    return {
        endpoint: named[0]
        for endpoint, named in endpoints(app).items()
        if endpoint not in PUBLIC and named
    }


def wrong_doors(app: FastAPI, people: list[Person], only: set[Endpoint] | None = None) -> list[str]:
    """Whoever gets in where the permission that is named does not let them, or the other way."""
    found = []
    # Without its lifespan, the application has no encoder and answers nobody: what fails behind the
    # door is no matter here.
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    with capture_logs():  # to print what fails would take a hundred times as long as to fail
        for endpoint, permission in sorted(guarded(app).items()):
            if only is not None and endpoint not in only:
                continue
            for person in people:
                expected = person.may(endpoint[0], permission)
                if knock(client, endpoint, person) is not expected:
                    door = "stays outside" if expected else "gets in"
                    found.append(f"{person.name} {door}: {' '.join(endpoint)}")
    return found


def test_exactly_those_get_in_who_may(app: FastAPI, people: list[Person]) -> None:
    doors = guarded(app)
    assert len(doors) > 50
    assert any(path.startswith("/console/") for _, path in doors)
    found = wrong_doors(app, people)
    assert not found, "\n".join(found)


def test_every_endpoint_has_somebody_who_may_and_a_wrong_person(
    app: FastAPI, people: list[Person]
) -> None:
    """Nothing is closed to everybody; and but for one's own account, open to every role."""
    for (method, path), permission in guarded(app).items():
        roles = [p.name for p in people if p.name in ROLES and p.may(method, permission)]
        assert roles, (method, path)
        for_all = {Permission.SELF_MANAGE, Permission.NOTICE_READ}
        assert permission in for_all or len(roles) < len(ROLES), (method, path)


def test_a_person_who_may_not_see_a_page_is_told_so_on_a_page(
    app: FastAPI, people: list[Person]
) -> None:
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    agent = next(person for person in people if person.name == "agent")
    refused = client.get("/console/people", headers=agent.headers())
    assert refused.status_code == 403
    assert "没有做这件事的权限" in refused.text
    assert refused.headers["content-type"].startswith("text/html")
    sent = client.get("/console/audit?action=staff.")
    assert sent.status_code == 303
    assert sent.headers["location"] == "/console/login?next=%2Fconsole%2Faudit%3Faction%3Dstaff."


def test_a_door_with_the_wrong_lock_is_found(app: FastAPI, people: list[Person]) -> None:
    """These tests can fail: a wrong lock, a lock that is not looked at, a wall without a door."""

    class Careless(Require):
        def __call__(self) -> None:  # type: ignore[override]
            return None

    def right(
        _member: Annotated[Member, Depends(require("audit:read"))],
    ) -> None: ...

    app.add_api_route(
        "/open", lambda: None, dependencies=[Depends(Careless(Permission.AUDIT_READ))]
    )
    app.add_api_route("/right", right)
    app.add_api_route("/shut", _shut, dependencies=[Depends(require("audit:read"))])
    doors = {("GET", "/open"), ("GET", "/right"), ("GET", "/shut")}
    found = wrong_doors(app, people, doors)
    opened = [line for line in found if line.endswith("GET /open")]
    assert len(opened) == len([p for p in people if not p.may("GET", Permission.AUDIT_READ)])
    assert "nobody gets in: GET /open" in opened
    assert "auditor stays outside: GET /shut" in found
    assert not [line for line in found if line.endswith("/right")]


def test_a_change_that_a_browser_can_be_made_to_do_is_found(
    app: FastAPI, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.permits._SAFE", frozenset({"GET", "POST"}))
    endpoint = ("POST", "/api/v1/staff/people")
    assert wrong_doors(app, people, {endpoint}) == [
        "a browser without CSRF gets in: POST /api/v1/staff/people"
    ]


def _shut() -> None:
    raise NotAllowed("not_allowed", "不让进。")
