"""Writes on both kinds of database: in turn, and inserts that a second one does
not break. On connections, not the ORM's sessions, and with statements that are made once: a message
takes some twenty of them, and making and mapping each anew cost as much as carrying it out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker

from service.models import Base, table_of

T = TypeVar("T")
_ONE_WRITER = threading.Lock()


@contextmanager
def writing(sessions: sessionmaker[Session]) -> Iterator[Connection]:
    """A transaction that writes. A file has one writer: who finds it busy asks again and again and
    may be passed over, while those who wait for a lock of our own wake up in a moment."""
    engine = _engine(sessions)
    with (
        _ONE_WRITER if engine.dialect.name == "sqlite" else nullcontext(),
        engine.begin() as connection,
    ):
        yield connection


def written(sessions: sessionmaker[Session], work: Callable[[Connection], T]) -> T:
    """What `work` gives, committed. Those who write at once share a transaction: the busier it is
    the more of them, and the less each costs. If that fails each is tried by itself, so `work` may
    be called twice; it must do nothing but read and write. Raises what `work` raises."""
    engine = _engine(sessions)
    with _GUARD:
        queue = _QUEUES.setdefault(engine, _Queue())
    mine: Future[T] = Future()
    queue.waiting.append((work, mine))
    with queue.turn:
        if not mine.done():  # else whoever wrote before has written this too
            batch = [queue.waiting.popleft() for _ in range(len(queue.waiting))]
            _carry_out(sessions, batch)
    return mine.result()


class _Queue:
    """Who waits to write to one database."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[Callable[[Connection], Any], Future[Any]]] = deque()
        self.turn = threading.Lock()


_GUARD = threading.Lock()
_QUEUES: WeakKeyDictionary[Engine, _Queue] = WeakKeyDictionary()


def _carry_out(
    sessions: sessionmaker[Session],
    batch: Sequence[tuple[Callable[[Connection], Any], Future[Any]]],
) -> None:
    try:
        with writing(sessions) as connection:
            results = [work(connection) for work, _waiting in batch]
    except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
        if len(batch) == 1:
            batch[0][1].set_exception(error)
            return
        for one in batch:
            _carry_out(sessions, [one])
        return
    for (_work, waiting), result in zip(batch, results, strict=True):
        waiting.set_result(result)


def insert_or_ignore(
    connection: Connection, table: type[Base], rows: list[dict[str, Any]], *wanted: str
) -> Any:
    """Insert what breaks no unique constraint; of one row, give the `wanted` columns if it is
    new. All rows have the same columns."""
    statement = _ignoring(connection.dialect.name, table, wanted)
    found = connection.execute(statement, rows[0] if len(rows) == 1 else rows)
    return found.one_or_none() if wanted else None


def insert_or_update(
    connection: Connection, table: type[Base], row: dict[str, Any], changes: Mapping[str, Any]
) -> None:
    """Insert a row, or give the one with its `id` the `changes`, which are in the row too."""
    connection.execute(_updating(connection.dialect.name, table, frozenset(changes)), row)


@cache
def _ignoring(dialect: str, table: type[Base], wanted: tuple[str, ...]) -> Any:
    statement = _insert(dialect, table).on_conflict_do_nothing()
    return (
        statement.returning(*(table_of(table).c[name] for name in wanted)) if wanted else statement
    )


@cache
def _updating(dialect: str, table: type[Base], changes: frozenset[str]) -> Any:
    statement = _insert(dialect, table)
    values = {name: statement.excluded[name] for name in sorted(changes)}
    return statement.on_conflict_do_update(index_elements=["id"], set_=values)


def _insert(dialect: str, table: type[Base]) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table_of(table))


def _engine(sessions: sessionmaker[Session]) -> Engine:
    engine: Engine = sessions.kw["bind"]
    return engine
