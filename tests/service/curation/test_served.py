"""What staff publish is what citizens are told: with the real index, encoder and law."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ingest.content import Rules
from service.app import create_app
from service.assembly import Rooms
from service.auth import StaffRegister
from service.curation import BadFields
from service.curation.difference import as_yaml
from service.curation.form import EDITED, Known, body_of, checked
from service.curation.shelf import USABLE
from tests.conftest import settings_for

ASKED = "小区充电桩车位被燃油车占用找谁管"
WORDS = "先和车主、物业协商挪车；协商不成的，可以请居民委员会调解。（本条为测试）"


def state(client: TestClient) -> Any:
    assert isinstance(client.app, FastAPI)
    return client.app.state


def ask(client: TestClient, question: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/api/v1/questions", json={"question": question}).json()
    return answer


@pytest.mark.slow
def test_an_approved_answer_is_given_and_a_withdrawn_one_is_not(home: Path) -> None:
    with TestClient(create_app(Rooms(settings_for(home)))) as client:
        staff = StaffRegister(state(client).rooms.sessions)
        author, reviewer = (
            {"Authorization": f"Bearer {staff.add(name, [role])[1]}"}
            for name, role in (("甲", "curator"), ("乙", "reviewer"))
        )
        api = "/api/v1/staff/knowledge"
        body = {
            "topic": "物业管理",
            "region": "000000",
            "question": ASKED,
            "asks": ["充电车位被油车占了怎么办", "油车占充电桩车位谁来管", "电动车位被占"],
            "answer": WORDS,
            "cites": ["民法典第二百七十八条"],
            "source": "测试",
            "checked_on": "2026-11-30",
        }
        assert WORDS not in ask(client, ASKED)["summary"]
        saved = client.post(api, json={"kind": "faq", "body": body}, headers=author)
        revision = saved.json()["id"]
        client.post(f"{api}/revisions/{revision}/submit", json={}, headers=author)
        assert WORDS not in ask(client, ASKED)["summary"]
        done = client.post(f"{api}/revisions/{revision}/approve", json={}, headers=reviewer)
        assert done.status_code == 200
        state(client).serving.refresh()
        told = ask(client, ASKED)
        assert (told["outcome"], told["summary"]) == ("answered_faq", WORDS)
        document = done.json()["document"]
        gone = {"reason": "测试结束"}
        client.post(f"{api}/documents/{document}/withdraw", json=gone, headers=reviewer)
        state(client).serving.refresh()
        assert WORDS not in ask(client, ASKED)["summary"]


def known_to(served: TestClient) -> Known:
    rooms = state(served).rooms
    with rooms.sessions() as session:
        kinds = {row[0]: row[1] for row in session.execute(USABLE)}
    return Known(rooms.laws, date(2026, 11, 30), kinds)


@pytest.mark.parametrize("table", ["rules-deadlines", "rules-legal-aid"])
def test_a_rule_table_is_edited_as_text_and_read_strictly(served: TestClient, table: str) -> None:
    [revision] = state(served).serving.library.versions(table)
    body, known = body_of(revision), known_to(served)
    text = as_yaml(body["table"])
    item = checked(table, "rules", body | {"table": text}, known)
    assert isinstance(item, Rules)
    assert item.table == body["table"]
    name = "missed" if table == "rules-deadlines" else "text"
    for broken, said in (
        (text.replace(f"{name}:", f"{name}x:", 1), name),
        (text.replace(":", "", 1), "YAML"),
        ("只有一句话", "一张表"),
        (re.sub(r"法第[一二三四五六七八九十百]+条", "法第九千条", text), "第九千条"),
    ):
        with pytest.raises(BadFields) as told:
            checked(table, "rules", body | {"table": broken}, known)
        assert said in told.value.fields["table"]
        assert "required" not in told.value.fields["table"]


def test_every_shipped_item_passes_the_form_as_it_is(served: TestClient) -> None:
    """Whoever opens one and saves it is not told of mistakes that he did not make."""
    library, known = state(served).serving.library, known_to(served)
    items = [r for r in library.revisions.values() if r.body.get("kind") in EDITED]
    assert len(items) > 250
    for revision in items:
        checked(revision.document_id, revision.body["kind"], body_of(revision), known)
