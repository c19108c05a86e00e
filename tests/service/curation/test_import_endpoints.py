"""Importing, exporting and confirming over HTTP: by permission, with errors that a clerk reads."""

from __future__ import annotations

import io
import zipfile

import pytest
from fastapi.testclient import TestClient

from service.auth import StaffRegister
from tests.conftest import rooms_of
from tests.ingest import papers

IMPORTS = "/api/v1/staff/imports"


def headers(client: TestClient, role: str) -> dict[str, str]:
    _, token = StaffRegister(rooms_of(client).sessions).add("小王", [role])
    return {"Authorization": f"Bearer {token}"}


def send(client: TestClient, who: dict[str, str], name: str, data: bytes) -> tuple[int, dict]:  # type: ignore[type-arg]
    sent = client.post(IMPORTS, files={"file": (name, data)}, headers=who)
    return sent.status_code, sent.json()


def test_a_file_is_sent_looked_at_and_saved(client: TestClient) -> None:
    who = headers(client, "curator")
    data = papers.word()
    status, seen = send(client, who, "办法.docx", data)
    assert (status, seen["again"]) == (201, False)
    assert send(client, who, "办法.docx", data)[0] == 200
    page = client.get(f"/console/imports/{seen['id']}", headers=who)
    assert page.status_code == 200
    assert "首次接待的工作人员应当告知承办单位" in page.text
    original = client.get(f"{IMPORTS}/{seen['id']}/file", headers=who)
    assert original.content == data
    assert "attachment" in original.headers["content-disposition"]
    wrong = client.post(f"{IMPORTS}/{seen['id']}/save", json={"form": "policy"}, headers=who)
    assert wrong.status_code == 400
    assert {"title", "source", "published_on"} <= wrong.json()["error"]["fields"].keys()
    body = {
        "form": "policy",
        "title": "便民办法",
        "source": "区司法局",
        "published_on": "2026-06-18",
    }
    saved = client.post(f"{IMPORTS}/{seen['id']}/save", json=body, headers=who)
    assert saved.json()["drafts"][0]["title"] == "便民办法"
    assert "便民办法" in client.get(f"/console/imports/{seen['id']}", headers=who).text


@pytest.mark.parametrize(
    ("name", "data", "status", "said"),
    [
        ("扫描.pdf", papers.scanned_pdf(), 400, "扫描件读不出文字"),
        ("a.exe", b"MZ", 400, "只能导入这些类型"),
        ("a.md", b"", 400, "空文件"),
        ("a.docx", b"PK" + b"x" * (20 * 1024 * 1024), 413, "太大"),
    ],
)
def test_what_is_refused_says_why(
    client: TestClient, name: str, data: bytes, status: int, said: str
) -> None:
    answered, body = send(client, headers(client, "curator"), name, data)
    assert answered == status
    assert said in body["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"form": "law"},
        {"form": "policy", "title": "x" * 401},
        {"form": "policy", "title": "a\u0000b"},
        {"form": "policy", "published_on": "昨天"},
        {"form": "policy", "left_out": [-1]},
        {"form": "policy", "more": 1},
    ],
)
def test_bad_bodies_are_refused(client: TestClient, body: dict[str, object]) -> None:
    who = headers(client, "curator")
    assert client.post(f"{IMPORTS}/i_1/save", json=body, headers=who).status_code == 422


def test_who_may_do_what(client: TestClient) -> None:
    for role, importing, exporting in (
        ("curator", 200, 403),
        ("reviewer", 403, 403),
        ("administrator", 403, 200),
    ):
        who = headers(client, role)
        assert client.get(IMPORTS, headers=who).status_code == importing
        assert client.get("/api/v1/staff/export", headers=who).status_code == exporting
    assert client.get(IMPORTS).status_code == 401
    who = headers(client, "curator")
    assert client.get(f"{IMPORTS}/i_404", headers=who).status_code == 404
    checked = {"revision": "没有", "basis": "看过了"}
    assert client.post("/api/v1/staff/stale/checked", json=checked, headers=who).status_code == 404


def test_the_export_is_a_zip_with_all_that_ships(client: TestClient) -> None:
    sent = client.get("/api/v1/staff/export", headers=headers(client, "administrator"))
    assert sent.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(sent.content)) as archive:
        assert archive.testzip() is None
        assert {"content/faq.yaml", "statutes.csv", "manifest.json"} <= set(archive.namelist())
