"""Only the proxies that are named say for whom they ask."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from uvicorn import Config

from service.channels.gate import Caller


def address_seen(trusted: str, peer: str, said: str) -> str:
    """The address of a caller behind `peer`, as the server that `consult serve` starts sees it."""
    app = FastAPI()
    seen: list[str] = []

    @app.get("/")
    def look(request: Request) -> None:
        seen.append(Caller.of(request).address)

    config = Config(app, forwarded_allow_ips=trusted)
    config.load()
    client = TestClient(config.loaded_app, client=(peer, 5000))
    client.get("/", headers={"X-Forwarded-For": said})
    return seen[0]


@pytest.mark.parametrize(
    ("trusted", "peer", "said", "address"),
    [
        ("127.0.0.1", "127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.7", "203.0.113.9"),  # nobody's proxy
        ("10.0.0.0/8", "10.1.2.3", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.0/8", "10.1.2.3", "1.1.1.1, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
        ("127.0.0.1", "127.0.0.1", "2001:db8::1", "2001:db8::/64"),
    ],
)
def test_an_address_is_believed_of_trusted_proxies_only(
    trusted: str, peer: str, said: str, address: str
) -> None:
    assert address_seen(trusted, peer, said) == address


def test_the_command_passes_the_setting_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from service import cli

    given: dict[str, object] = {}

    class Prepared:
        def __init__(self, _settings: object) -> None: ...

    monkeypatch.setenv("CONSULT_TRUSTED_PROXIES", "10.0.0.0/8")
    monkeypatch.setattr(cli, "Rooms", Prepared)
    monkeypatch.setattr(cli, "_prepare", lambda _rooms: None)
    monkeypatch.setattr("service.app.create_app", lambda _rooms: None)
    monkeypatch.setattr("uvicorn.run", lambda _app, **options: given.update(options))
    cli.serve()
    assert given["forwarded_allow_ips"] == "10.0.0.0/8"
