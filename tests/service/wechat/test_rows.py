"""Writes of several threads: together, each with its own outcome, and without waiting in a ring."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from service.models import now
from service.models.wechat import WeChatMessage as Message
from service.models.wechat import WeChatPerson as Person
from service.wechat import rows
from tests.service import databases

Sessions = sessionmaker[Session]


@pytest.fixture
def sessions(database: Engine) -> Sessions:
    return databases.sessions_of(database)


def adds(name: str) -> Callable[[Connection], str]:
    """Work that adds somebody, and gives his name."""

    def work(connection: Connection) -> str:
        row = {"id": name, "account": "a", "sent_since_spoke": 0, "sent_since_acted": 0}
        connection.execute(insert(Person), row | {"changed_at": now()})
        return name

    return work


def names(sessions: Sessions) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(Person.id).order_by(Person.id)))


def together(
    sessions: Sessions, works: dict[str, Callable[[Connection], Any]]
) -> list[Future[Any]]:
    """All of them, handed in while somebody else writes; by the order of the dictionary."""
    started, go_on = threading.Event(), threading.Event()

    def holds_up(_connection: Connection) -> None:
        started.set()
        go_on.wait(20)

    with ThreadPoolExecutor(1 + len(works)) as threads:
        first = threads.submit(rows.written, sessions, "", holds_up)
        started.wait(20)
        queue = rows._QUEUES[sessions.kw["bind"]]
        waiting = []
        for whose, work in works.items():
            waiting.append(threads.submit(rows.written, sessions, whose, work))
            while len(queue.waiting) < len(waiting):
                pass
        go_on.set()
    first.result()
    return waiting


def test_what_waits_is_written_in_one_transaction(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, begin = [], rows.writing

    def begins(given: Sessions) -> Any:
        begun.append(given)
        return begin(given)

    monkeypatch.setattr(rows, "writing", begins)
    works = {name: adds(name) for name in ("甲", "乙", "丙")}
    assert [done.result() for done in together(sessions, works)] == ["甲", "乙", "丙"]
    assert names(sessions) == sorted(works)
    assert len(begun) == 2  # who held the others up, and all the others


def test_one_that_fails_takes_no_other_along(sessions: Sessions) -> None:
    rows.written(sessions, "甲", adds("甲"))
    works = {"1": adds("乙"), "2": adds("甲"), "3": adds("丙")}
    before, wrong, after = together(sessions, works)
    assert (before.result(), after.result()) == ("乙", "丙")
    with pytest.raises(IntegrityError):
        wrong.result()
    assert names(sessions) == sorted(["甲", "乙", "丙"])


def test_rows_are_locked_in_the_order_of_persons(sessions: Sessions) -> None:
    order: list[str] = []

    def notes(whose: str) -> Callable[[Connection], Any]:
        return lambda _connection: order.append(whose)

    together(sessions, {whose: notes(whose) for whose in ("c", "a", "b")})
    assert order == ["a", "b", "c"]


def test_many_threads_lose_nothing(sessions: Sessions) -> None:
    rows.written(sessions, "甲", adds("甲"))
    more = update(Person).values(sent_since_spoke=Person.sent_since_spoke + 1)
    with ThreadPoolExecutor(16) as threads:
        done = [
            threads.submit(rows.written, sessions, "甲", lambda c: c.execute(more).rowcount)
            for _ in range(200)
        ]
    assert [one.result() for one in done] == [1] * 200
    with sessions() as session:
        assert session.scalar(select(func.sum(Person.sent_since_spoke))) == 200


def test_a_lease_is_renewed_but_for_what_another_is_writing(sessions: Sessions) -> None:
    at = now()
    row: dict[str, Any] = {"account": "a", "person_id": "p", "state": "answering"}
    row |= {
        "delivery": "pending",
        "worker": "w",
        "attempts": 1,
        "tries": 1,
        "received_at": at,
        "lease_until": at,
    }
    with sessions.begin() as session:
        session.add_all(Message(key=key, **row) for key in ("1", "2", "3"))
        session.flush()
        session.execute(update(Message).where(Message.key == "3").values(worker="another"))
    with sessions() as session:
        ids = session.scalars(select(Message.id)).all()

    def renew() -> set[str]:
        until = now() + timedelta(seconds=30)
        rows.renew(sessions, Message, ids, state="answering", worker="w", until=until)
        with sessions() as session:
            renewed = select(Message.key).where(Message.lease_until == until)
            return set(session.scalars(renewed))

    assert renew() == {"1", "2"}
    if sessions.kw["bind"].dialect.name == "sqlite":
        return  # a file has one writer at a time
    with sessions.begin() as session:
        session.execute(update(Message).where(Message.key == "1").values(tries=2))
        assert renew() == {"2"}  # and does not wait for the other
    rows.renew(sessions, Message, (), state="answering", worker="w", until=now())
