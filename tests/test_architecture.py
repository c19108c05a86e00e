"""Deny by default, and proof that these tests can fail."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from service.app import create_app
from service.assembly import Rooms
from tests.conftest import settings_for

# Without accounts there is nothing but what the public may use; an endpoint that is not listed
# here does not get in unnoticed.
PUBLIC = {
    ("POST", "/api/v1/questions"),
    ("GET", "/api/v1/suggestions"),
    ("GET", "/"),
    ("GET", "/static/{name}"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/api/v1/openapi.json"),
}


def endpoints(app: FastAPI) -> set[tuple[str, str]]:
    """All of them, those of included routers too, which a loop over `app.routes` does not see."""
    return {
        (method, str(route.path))
        for route in iter_route_contexts(app.routes)
        for method in (getattr(route, "methods", None) or ())
        if method != "HEAD"
    }


def test_no_endpoint_is_public_by_accident(tmp_path: Path) -> None:
    app = create_app(Rooms(settings_for(tmp_path)))
    assert endpoints(app) == PUBLIC
    app.add_api_route("/forgotten", lambda: None)
    assert endpoints(app) - PUBLIC == {("GET", "/forgotten")}
