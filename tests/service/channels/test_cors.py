"""Other sites talk to us by their exact origin, or not at all."""

from __future__ import annotations

import pytest

from tests.service.channels.counter import BUREAU, QUESTIONS, STRANGER, TOWN, Counter


def preflight(counter: Counter, path: str, origin: str, method: str = "POST") -> dict[str, str]:
    response = counter.client.options(
        path, headers={"Origin": origin, "Access-Control-Request-Method": method}
    )
    return {"status": str(response.status_code), **response.headers}


@pytest.mark.parametrize("origin", [BUREAU, TOWN])
def test_a_registered_site_may_send_what_the_element_sends(counter: Counter, origin: str) -> None:
    said = preflight(counter, QUESTIONS, origin)
    assert said["status"] == "204"
    assert said["access-control-allow-origin"] == origin
    assert {"Idempotency-Key", "X-Consult-Session", "Content-Type"} <= {
        h.strip() for h in said["access-control-allow-headers"].split(",")
    }
    assert said["access-control-max-age"] == "600"
    assert "Origin" in said["vary"]
    assert "access-control-allow-credentials" not in said


@pytest.mark.parametrize("origin", [STRANGER, "null", "*", f"{BUREAU}/", f"{BUREAU}:443"])
def test_nobody_else_may(counter: Counter, origin: str) -> None:
    said = preflight(counter, QUESTIONS, origin)
    assert said["status"] == "403"
    assert "access-control-allow-origin" not in said
    for path in (QUESTIONS, "/api/v1/ratings", "/api/v1/conversations/c_1/handover"):
        response = counter.client.post(path, content=b"{}", headers={"Origin": origin})
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "origin_not_allowed"


def test_what_staff_use_is_open_to_no_site(counter: Counter) -> None:
    said = preflight(counter, "/api/v1/staff/handovers", BUREAU, "GET")
    assert "access-control-allow-origin" not in said


def test_the_element_is_given_to_registered_sites(counter: Counter) -> None:
    for path in ("/widget.js", "/widget.css", "/static/dom.js"):
        given = counter.client.get(path, headers={"Origin": BUREAU})
        assert given.headers["access-control-allow-origin"] == BUREAU
        assert "Origin" in given.headers["vary"]
        stranger = counter.client.get(path, headers={"Origin": STRANGER})
        assert "access-control-allow-origin" not in stranger.headers


def test_the_page_in_a_frame_is_for_its_site_only(counter: Counter) -> None:
    policy = counter.client.get("/embed?site=bureau").headers["content-security-policy"]
    assert policy.endswith(f"frame-ancestors 'self' {BUREAU} https://m.bureau.test")
    assert counter.client.get("/embed?site=nobody").status_code == 404
    assert counter.client.get("/embed").status_code == 404
    assert counter.client.get("/").headers["content-security-policy"].endswith("'self'")
