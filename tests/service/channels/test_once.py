"""A question under one key is answered once, whatever happens to the connection."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import uvicorn
from sqlalchemy import select

from service.channels.gate import OnceOnly
from service.models.gate import AskedQuestion
from service.retention import MyConversation
from tests.service import databases
from tests.service.channels.counter import QUESTIONS, Counter, new_key
from tests.service.office import at_once
from tests.service.wechat.stage import free_port


def test_the_same_key_gets_the_stored_answer(counter_on_each: Counter) -> None:
    key = new_key()
    first = counter_on_each.ask("拖欠工资", key=key).json()
    second = counter_on_each.ask("拖欠工资", key=key).json()
    assert second == first
    assert second["rating_token"] == f"r-{first['id']}"
    assert counter_on_each.assistant.asked == ["拖欠工资"]
    assert counter_on_each.stored() == 1


def test_another_key_or_another_question_is_asked_anew(counter: Counter) -> None:
    key = new_key()
    ids = {
        counter.ask("拖欠工资", key=key).json()["id"],
        counter.ask("拖欠工资", key=new_key()).json()["id"],
        counter.ask("离婚", key=key).json()["id"],
        counter.ask("拖欠工资").json()["id"],
        counter.ask("拖欠工资").json()["id"],
    }
    assert len(ids) == 5


def test_a_key_that_is_no_key_is_refused(counter: Counter) -> None:
    for key in ("short", "x" * 65, "with space and more", "<script>-------------"):
        assert counter.ask("拖欠工资", key=key).status_code == 422
    assert counter.stored() == 0


def test_of_many_at_once_in_two_processes_one_answers(counter_on_each: Counter) -> None:
    key, processes = new_key(), (counter_on_each, counter_on_each.another())
    tasks = [
        lambda process=process: process.ask("slow 0.3 拖欠工资", key=key)
        for process in processes * 4
    ]
    answers = at_once(tasks)
    assert {a.status_code for a in answers} == {200}, [a.text for a in answers]
    assert len({a.json()["id"] for a in answers}) == 1
    assert counter_on_each.stored() == 1
    assert len(counter_on_each.assistant.asked) == 1


def test_a_question_that_failed_is_free_again(counter_on_each: Counter) -> None:
    key = new_key()
    counter_on_each.assistant.broken = True
    with pytest.raises(RuntimeError, match="on purpose"):
        counter_on_each.ask("拖欠工资", key=key)
    counter_on_each.assistant.broken = False
    assert counter_on_each.ask("拖欠工资", key=key).status_code == 200
    assert counter_on_each.stored() == 1


def test_whoever_died_is_replaced_and_whoever_was_only_slow_stores_nothing(
    counter_on_each: Counter,
) -> None:
    sessions = databases.sessions_of(counter_on_each.engine)
    desk = counter_on_each.app.state.desk
    slow, heir = (OnceOnly(sessions, lease=timedelta(seconds=0.2)) for _ in range(2))
    digest = "d" * 64
    counter_on_each.assistant.gate.clear()
    answers = []

    def first() -> None:
        answers.append(slow.answer(digest, lambda b: desk.ask("gated", beside=b), desk.again))

    thread = threading.Thread(target=first)
    thread.start()
    while not counter_on_each.assistant.asked:
        time.sleep(0.01)
    taken = heir.answer(digest, lambda b: desk.ask("拖欠工资", beside=b), desk.again)
    counter_on_each.assistant.gate.set()
    thread.join(10)
    assert answers[0]["id"] == taken["id"]
    assert counter_on_each.stored() == 1


def test_an_erased_conversation_takes_its_keys_along(counter_on_each: Counter) -> None:
    answer = counter_on_each.ask("拖欠工资", key=new_key(), consent="2026-12-01").json()
    sessions = databases.sessions_of(counter_on_each.engine)
    MyConversation(sessions).erase(answer["conversation"])
    with sessions() as session:
        assert session.scalars(select(AskedQuestion)).all() == []


@contextmanager
def running(counter: Counter) -> Iterator[int]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(counter.app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield port
    server.should_exit = True
    thread.join(10)


def asked_over(port: int, key: str) -> socket.socket:
    body = json.dumps({"question": "gated"}).encode()
    head = (
        f"POST {QUESTIONS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: text/event-stream\r\nIdempotency-Key: {key}\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    wire = socket.create_connection(("127.0.0.1", port), timeout=15)
    wire.sendall(head.encode() + body)
    return wire


def rest_of(wire: socket.socket) -> str:
    received = b""
    with wire:
        while part := wire.recv(65536):
            received += part
    return received.decode()


def test_a_cut_stream_is_taken_up_again_with_the_answer_that_was_being_made(
    counter_on_each: Counter,
) -> None:
    key = new_key()
    counter_on_each.assistant.gate.clear()
    with running(counter_on_each) as port:
        wire = asked_over(port, key)
        while b"searching" not in wire.recv(4096):
            pass
        wire.close()
        again = asked_over(port, key)
        time.sleep(0.2)
        counter_on_each.assistant.gate.set()
        assert '"outcome": "answered_faq"' in rest_of(again)
        later = rest_of(asked_over(port, key))
        assert '"outcome": "answered_faq"' in later
    assert counter_on_each.assistant.asked == ["gated"]
    assert counter_on_each.stored() == 1
