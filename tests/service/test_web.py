"""The web channel: JSON and events, bad input in Chinese, everything stored before it is sent."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import AnswerRecord, CitedPassage
from tests.conftest import rooms_of

URL = "/api/v1/questions"
PAGES = ("/", "/legal-aid")
MEDIA = {"css": "text/css", "js": "text/javascript"}


def rows(client: TestClient) -> list[AnswerRecord]:
    with Session(rooms_of(client).engine) as session:
        return list(session.scalars(select(AnswerRecord).order_by(AnswerRecord.asked_at)))


def test_a_question_is_answered_and_stored_with_its_evidence(client: TestClient) -> None:
    answer = client.post(URL, json={"question": "公司拖欠三个月工资怎么办"}).json()
    assert answer["outcome"].startswith("answered_")
    promised = {
        "outcome", "topic", "confidence", "summary", "citations", "steps", "notices", "handover",
        "masked", "clarify", "took_ms", "versions", "conversation",
    }  # fmt: skip
    assert promised <= answer.keys()
    assert {"law", "article", "text", "in_force", "source"} <= answer["citations"][0].keys()
    assert {
        "title", "how", "where", "phone", "hours", "fee", "deadline", "source", "checked_on",
    } <= answer["steps"][0].keys()  # fmt: skip
    [row] = rows(client)
    assert row.id == answer["id"]
    assert row.trace["hits"]["guidance"]
    assert row.trace["step_ms"]
    assert row.answer["versions"] == answer["versions"]
    with Session(rooms_of(client).engine) as session:
        copies = session.scalars(select(CitedPassage).where(CitedPassage.answer_id == row.id)).all()
    assert [c.text for c in copies] == [c["text"] for c in answer["citations"]]


def test_the_answer_can_be_streamed(client: TestClient) -> None:
    response = client.post(
        URL, json={"question": "民法典第1079条"}, headers={"Accept": "text/event-stream"}
    )
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [block.split("\n", 1) for block in response.text.strip().split("\n\n")]
    assert [name for name, _ in events] == ["event: status", "event: status", "event: answer"]
    answer = json.loads(events[-1][1].removeprefix("data: "))
    assert answer["outcome"] == "answered_article"
    assert rows(client)[0].id == answer["id"]


def test_a_thread_keeps_its_conversation(client: TestClient) -> None:
    first = client.post(URL, json={"question": "你好"}).json()["conversation"]
    again = client.post(URL, json={"question": "谢谢", "conversation": first}).json()
    assert again["conversation"] == first
    assert {r.conversation_id for r in rows(client)} == {first}


def test_personal_data_never_reaches_the_database(client: TestClient) -> None:
    client.post(URL, json={"question": "我叫李四，手机13800138000，老板不发工资"})
    [row] = rows(client)
    assert "13800138000" not in json.dumps([row.question, row.answer, row.trace])
    assert "[手机号]" in row.question


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"question": ""}, 400, "请先写下"),
        ({"question": "   \n\t "}, 400, "请先写下"),
        ({"question": "长" * 20_000}, 400, "太长"),
        ({"question": "\x01\x02\x03\x04\x05\x06\x07\x08"}, 400, "不像文字"),
        ({"question": 123}, 422, "question"),
        ({"question": ["a"]}, 422, "question"),
        ({"question": None}, 422, "question"),
        ({}, 422, "question"),
        ({"question": "离婚", "as_of": "昨天"}, 422, "as_of"),
        ({"question": "离婚", "region": "普陀"}, 422, "region"),
        ({"question": "离婚", "conversation": "c_of_somebody_else"}, 404, "会话"),
        ({"question": "离婚", "conversation": "x" * 400}, 422, "conversation"),
    ],
)
def test_bad_input_gets_a_clear_error_and_stores_nothing(
    client: TestClient, body: dict[str, object], status: int, said: str
) -> None:
    response = client.post(URL, json=body)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]
    assert rows(client) == []


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe\x00", b"<xml/>", b"[1,2]", b'"text"', b"null"]
)
def test_a_broken_body_gets_a_clear_error(client: TestClient, raw: bytes) -> None:
    response = client.post(URL, content=raw, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    assert response.json()["error"]["message"].startswith("请求格式不对")


def test_a_body_without_end_is_cut_off(client: TestClient) -> None:
    response = client.post(URL, content=b"x" * 2_000_000)
    assert response.status_code == 413
    assert "太大" in response.json()["error"]["message"]


def test_errors_are_streamed_too(client: TestClient) -> None:
    response = client.post(URL, json={"question": " "}, headers={"Accept": "text/event-stream"})
    assert "event: error" in response.text
    assert "请先写下您的问题" in response.text


def loaded_by(client: TestClient, page: str, *, everything: bool = False) -> dict[str, str]:
    """Every file that a page loads at first, its modules' imports included; or ever."""
    found: dict[str, str] = {}
    named = re.findall(r'(?:src|href)="/static/([^"]+)"', client.get(page).text)
    while named:
        if (name := named.pop()) not in found:
            file = client.get(f"/static/{name}")
            assert file.status_code == 200, name
            assert file.headers["content-type"].startswith(MEDIA[name.rpartition(".")[2]])
            found[name] = file.text
            named += re.findall(r"from '\./([^']+)'", file.text)
            if everything:
                named += re.findall(r"import\('\./([^']+)'\)", file.text)
    return found


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_served_with_a_strict_policy(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]* src=)|<style|\s(?:style|on\w+)=", page.text)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.text)
    assert '<html lang="zh-CN">' in page.text


@pytest.mark.parametrize("path", PAGES)
def test_all_that_a_page_loads_is_served_here_and_no_script_writes_html(
    client: TestClient, path: str
) -> None:
    files = loaded_by(client, path, everything=True)
    assert {"page.css", "dom.js", "api.js"} <= files.keys()
    for text in files.values():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text)
        # What is loaded later is named in the code, and is ours.
        assert not re.search(r"\beval\(|new Function|import\((?!'\./[a-z-]+\.js'\))", text)


def test_pages_stay_light(client: TestClient) -> None:
    for path in PAGES:
        files = loaded_by(client, path)
        for suffix, most in ((".js", 25_000), (".css", 11_000)):
            texts = [text for name, text in files.items() if name.endswith(suffix)]
            assert sum(len(gzip.compress(t.encode())) for t in texts) <= most, (path, suffix)


@pytest.mark.parametrize(
    "path", ["/static/../__init__.py", "/static/%2e%2e%2fapp.py", "/static/x.js", "/nothing"]
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "没有" in response.json()["error"]["message"]


def test_health_tells_live_and_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    assert client.get("/health/ready").json()["versions"]["encoder"]


def test_the_contract_is_published(client: TestClient) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert URL in schema["paths"]


def test_every_response_carries_a_request_id(client: TestClient) -> None:
    ids = {client.get("/health/live").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
