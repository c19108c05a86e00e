"""Over HTTP: verified sentences as they come, then the answer, which is stored."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from langchain_core.language_models import BaseChatModel
from sqlalchemy import select

from service.answering import wording
from service.conversations import Desk
from service.evaluation.characters import Character, invention, line
from service.model.endpoint import open_writer
from service.models import AnswerRecord
from service.switches import Switches
from tests.conftest import rooms_of
from tests.fakes_model import Scripted

WAGES = "公司拖欠三个月工资怎么办"
STREAM = {"Accept": "text/event-stream"}


def desk_with(client: TestClient, model: BaseChatModel, switches: Any = None) -> Desk:
    rooms, app = rooms_of(client), client.app
    assert isinstance(app, FastAPI)
    writer = open_writer(rooms.settings, rooms.sessions, lambda: rooms.laws, model)
    return Desk(
        rooms.sessions,
        app.state.serving,
        channel="web",
        longest=2000,
        writer=writer,
        switches=switches,
    )


@pytest.fixture
def app(client: TestClient) -> Iterator[FastAPI]:
    """The application, whose desk a test may replace."""
    assert isinstance(client.app, FastAPI)
    before = client.app.state.desk
    yield client.app
    client.app.state.desk = before


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n", 1)
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_each_verified_sentence_is_an_event_before_the_answer(
    client: TestClient, app: FastAPI
) -> None:
    plain = client.post("/api/v1/questions", json={"question": WAGES}).json()
    first, second, third = (c["text"].split("。")[0].split("\n")[0] for c in plain["citations"][:3])
    said = [line(first, "A1"), line(invention(4), "A1"), line(second, "A2"), line(third, "A3")]
    app.state.desk = desk_with(client, Scripted(pieces=said))
    response = client.post("/api/v1/questions", json={"question": WAGES}, headers=STREAM)
    heard = events(response.text)
    assert [name for name, _ in heard if name != "sentence"] == [
        "status",
        "status",
        "status",
        "answer",
    ]
    # The label is there before the first sentence is.
    label = {"stage": "composing", "label": wording.MODEL_LABEL}
    assert heard.index(("status", label)) < [name for name, _ in heard].index("sentence")
    sentences = [data for name, data in heard if name == "sentence"]
    assert [s["text"].rstrip("。") for s in sentences] == [first, second, third]
    assert sentences[0]["ai"] is True
    assert sentences[0]["sources"][0].startswith("《")
    answer = heard[-1][1]
    assert answer["model"]["generated"] == ["summary"]
    assert all(s["text"].rstrip("。") in answer["summary"] for s in sentences)
    with rooms_of(client).sessions() as session:
        record = session.scalars(select(AnswerRecord).where(AnswerRecord.id == answer["id"])).one()
    assert record.answer["summary"] == answer["summary"]
    assert record.answer["versions"]["prompt_compose"]
    assert record.trace["model"]["dropped"][0]["reason"] == "number"


def test_the_first_sentence_is_out_while_the_model_still_writes(
    client: TestClient, app: FastAPI
) -> None:
    plain = client.post("/api/v1/questions", json={"question": WAGES}).json()
    first = plain["citations"][0]["text"].split("。")[0]
    held, seen = threading.Event(), threading.Event()
    desk = desk_with(client, Scripted(pieces=[line(first, "A1"), held]))

    def hear(event: str, _data: dict[str, Any]) -> None:
        if event == "sentence":
            seen.set()

    asking = threading.Thread(target=lambda: desk.ask(WAGES, hear=hear))
    asking.start()
    assert seen.wait(5)
    assert asking.is_alive()
    held.set()
    asking.join(10)


def test_without_a_model_the_events_are_what_they_were(client: TestClient) -> None:
    response = client.post("/api/v1/questions", json={"question": WAGES}, headers=STREAM)
    heard = events(response.text)
    assert [name for name, _ in heard] == ["status", "status", "answer"]
    assert "model" not in heard[-1][1]


def test_the_kill_switch_stops_it_at_once(client: TestClient, app: FastAPI) -> None:
    class Off(Switches):
        def model_off(self) -> bool:
            return True

    model = Scripted(pieces=["x"])
    app.state.desk = desk_with(client, model, Off(rooms_of(client).sessions))
    response = client.post("/api/v1/questions", json={"question": WAGES}, headers=STREAM)
    assert [name for name, _ in events(response.text)] == ["status", "status", "answer"]
    assert model.history == []


def test_a_question_that_cannot_be_answered_ends_the_stream_with_its_error(
    client: TestClient, app: FastAPI
) -> None:
    app.state.desk = desk_with(client, Character(character="truthful"))
    response = client.post("/api/v1/questions", json={"question": " "}, headers=STREAM)
    assert events(response.text)[-1][0] == "error"


def test_nobody_sees_what_a_person_reads_when_a_person_owns_the_talk(
    client: TestClient, app: FastAPI
) -> None:
    """A model is silent where the assistant is."""
    model = Scripted(pieces=[line("甲", "A1")])

    class Taken:
        def citizen_says(self, conversation: str, text: str) -> dict[str, Any]:
            return {"id": conversation, "text": text}

    desk = desk_with(client, model)
    started = desk.ask("你好")
    desk._people = Taken()
    answer = desk.ask(WAGES, conversation=started["conversation"])
    assert answer["outcome"] == "handover_with_person"
    assert model.history == []
