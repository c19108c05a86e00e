"""Writes on both kinds of database: in turn, and inserts that a second one does
not break. On connections, not the ORM's sessions, and with statements that are made once: a message
takes some twenty of them, and making and mapping each anew cost as much as carrying it out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker

from service.models import Base, table_of

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
