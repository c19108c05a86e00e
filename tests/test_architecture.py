"""Deny by default, and proof that these tests can fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount

from service.app import create_app
from service.assembly import Rooms
from service.auth import ROLES, Permission
from service.permits import Require, require
from tests.conftest import settings_for

# What anybody may use. An endpoint that names no permission and is not listed here does not get in.
PUBLIC = {
    ("POST", "/api/v1/questions"),
    ("POST", "/api/v1/web-sessions"),
    ("GET", "/embed"),
    ("GET", "/widget.js"),
    ("GET", "/widget.css"),
    ("GET", "/api/v1/suggestions"),
    ("GET", "/"),
    ("GET", "/legal-aid"),
    ("GET", "/static/{name}"),
    ("GET", "/console/static/{name}"),
    # Whoever is not signed in yet: a password, or the token of an invitation, is the permission.
    ("GET", "/console/login"),
    ("GET", "/console/invitation/{token}"),
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/invitations/look"),
    ("POST", "/api/v1/invitations/accept"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/api/v1/openapi.json"),
    # Whoever holds the unguessable id of a conversation.
    ("POST", "/api/v1/conversations/{conversation}/handover"),
    ("GET", "/api/v1/conversations/{conversation}/handover"),
    ("DELETE", "/api/v1/conversations/{conversation}/handover"),
    ("GET", "/api/v1/conversations/{conversation}"),
    ("DELETE", "/api/v1/conversations/{conversation}"),
    ("GET", "/api/v1/notices"),
    ("GET", "/api/v1/legal-aid"),
    ("POST", "/api/v1/legal-aid/check"),
    # Whoever holds a signed token.
    ("POST", "/api/v1/ratings"),
    ("POST", "/api/v1/ratings/mine"),
    ("GET", "/api/v1/ratings/form"),
    ("GET", "/api/v1/ratings/summary"),
    # Whoever knows the token that an account shares with the platform; who opens a link from it.
    ("GET", "/wechat/{account}"),
    ("GET", "/wechat/{account}/"),
    ("POST", "/wechat/{account}"),
    ("POST", "/wechat/{account}/"),
    ("GET", "/answer"),
    ("POST", "/api/v1/answers/mine"),
}

Endpoint = tuple[str, str]


def endpoints(app: FastAPI) -> dict[Endpoint, list[Permission]]:
    """All of them with the permissions that they name, those of included routers too, which a loop
    over `app.routes` does not see."""
    found: dict[Endpoint, list[Permission]] = {}
    for route in iter_route_contexts(app.routes):
        named = list(_named(getattr(route, "dependant", None)))
        # What is mounted has no methods, and must not slip through for that.
        for method in (getattr(route, "methods", None) or {"ANY"}) - {"HEAD"}:
            found.setdefault((method, str(route.path)), []).extend(named)
    return found


def _named(dependant: Dependant | None) -> Iterator[Permission]:
    for dependency in dependant.dependencies if dependant else ():
        if isinstance(dependency.call, Require):
            yield dependency.call.permission
        yield from _named(dependency)


def undecided(app: FastAPI) -> set[Endpoint]:
    """Endpoints of which it is not clear who may use them: no permission, or more than one, or one
    although they are public."""
    return {
        endpoint
        for endpoint, named in endpoints(app).items()
        if len(named) != (0 if endpoint in PUBLIC else 1)
    }


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(Rooms(settings_for(tmp_path)))


def test_every_endpoint_names_one_permission_or_is_public_on_purpose(app: FastAPI) -> None:
    assert undecided(app) == set()
    assert endpoints(app).keys() >= PUBLIC
    assert len(endpoints(app)) > len(PUBLIC)


def test_every_permission_that_an_endpoint_names_is_given_to_some_role(app: FastAPI) -> None:
    given = frozenset().union(*ROLES.values())
    assert {p for named in endpoints(app).values() for p in named} <= given


def test_an_endpoint_that_says_nothing_is_found(app: FastAPI) -> None:
    app.add_api_route("/forgotten", lambda: None)
    router = APIRouter(prefix="/inner")
    router.add_api_route("/forgotten", lambda: None, methods=["POST"])
    outer = APIRouter(prefix="/outer")
    outer.include_router(router)
    app.include_router(outer)
    app.mount("/mounted", FastAPI())
    assert undecided(app) == {
        ("GET", "/forgotten"),
        ("POST", "/outer/inner/forgotten"),
        ("ANY", "/mounted"),
    }


def test_an_endpoint_that_says_too_much_is_found(app: FastAPI) -> None:
    def two(
        _one: Annotated[object, Depends(require("handover:list"))],
        _other: Annotated[object, Depends(require("handover:read"))],
    ) -> None: ...

    app.add_api_route("/two", two)
    guarded = APIRouter(dependencies=[Depends(require("audit:read"))])
    guarded.add_api_route("/twice", lambda: None, dependencies=[Depends(require("audit:read"))])
    guarded.add_api_route("/once", lambda: None)
    app.include_router(guarded)
    assert undecided(app) == {("GET", "/two"), ("GET", "/twice")}


def test_a_public_endpoint_that_asks_for_an_account_is_found(app: FastAPI) -> None:
    app.add_api_route("/health/live", lambda: None, dependencies=[Depends(require("audit:read"))])
    assert undecided(app) == {("GET", "/health/live")}


def test_a_plain_loop_over_the_routes_would_see_nothing(app: FastAPI) -> None:
    """The reason for the walk: if this fails, FastAPI has changed, and the walk may be simpler."""
    assert [route for route in app.routes if isinstance(route, APIRoute | Mount)] == []
