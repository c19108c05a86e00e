"""Writes on both kinds of database: in turn or together, and inserts that a second one does not
break. On connections, not the ORM's sessions, and with statements that are made once: a message
takes some twenty of them, and making and mapping each anew cost as much as carrying it out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker

from service.models import Base, WeChatMessage, WeChatOutgoing, table_of

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


def written(sessions: sessionmaker[Session], whose: str, work: Callable[[Connection], T]) -> T:
    """What `work` gives, committed. Those who write at once share a transaction: the busier it is
    the more of them, and the less each costs. If that fails each is tried by itself, so `work` may
    be called twice: it must do nothing but read and write. Raises what `work` raises.

    `whose`: the person whose rows it locks. They are locked in the order of persons, as another
    process does it too: or each would wait for what the other has.
    """
    with _GUARD:
        queue = _QUEUES.setdefault(_engine(sessions), _Queue())
    mine = _Waiting(whose, work)
    queue.waiting.append(mine)
    with queue.turn:
        if not mine.result.done():  # else whoever wrote before has written this too
            together = [queue.waiting.popleft() for _ in range(len(queue.waiting))]
            _carry_out(sessions, sorted(together, key=lambda one: one.whose))
    result: T = mine.result.result()
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    whose: str
    work: Callable[[Connection], Any]
    result: Future[Any] = field(default_factory=Future)


@dataclass(frozen=True, eq=False)
class _Queue:
    """Who waits to write to one database."""

    waiting: deque[_Waiting] = field(default_factory=deque)
    turn: threading.Lock = field(default_factory=threading.Lock)


_GUARD = threading.Lock()
_QUEUES: WeakKeyDictionary[Engine, _Queue] = WeakKeyDictionary()


def _carry_out(sessions: sessionmaker[Session], together: Sequence[_Waiting]) -> None:
    try:
        with writing(sessions) as connection:
            results = [one.work(connection) for one in together]
    except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
        if len(together) == 1:
            together[0].result.set_exception(error)
            return
        for one in together:
            _carry_out(sessions, [one])
        return
    for one, result in zip(together, results, strict=True):
        one.result.set_result(result)


def renew(
    sessions: sessionmaker[Session],
    table: type[WeChatMessage] | type[WeChatOutgoing],
    ids: Collection[int],
    *,
    state: str,
    worker: str,
    until: datetime,
) -> None:
    """Lengthen the leases that a worker has on these rows. One that is being written is left for
    the next time: whoever waits for it while he holds others may be waited for himself."""
    if not ids:
        return
    mine = (table.id.in_(ids), table.state == state, table.worker == worker)
    free = select(table.id).where(*mine).with_for_update(skip_locked=True)
    with writing(sessions) as connection:
        connection.execute(update(table).where(table.id.in_(free), *mine).values(lease_until=until))


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
