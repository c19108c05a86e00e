"""Writes on both kinds of database: in turn, and with inserts that a second one does not break."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker

from service.models import Base

_ONE_WRITER = threading.Lock()


@contextmanager
def writing(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """A transaction that writes. A file has one writer: who finds it busy asks again and again and
    may be passed over, while those who wait for a lock of our own wake up in a moment."""
    bind = sessions.kw["bind"]
    with (
        _ONE_WRITER if bind.dialect.name == "sqlite" else nullcontext(),
        sessions.begin() as session,
    ):
        yield session


def insert_or_ignore(
    session: Session, table: type[Base], values: dict[str, Any] | list[dict[str, Any]], *wanted: Any
) -> Any:
    """Insert what breaks no unique constraint, and give the `wanted` columns of what is new."""
    statement = _insert(session, table).values(values).on_conflict_do_nothing()
    if wanted:
        return session.execute(statement.returning(*wanted)).all()
    session.execute(statement)
    return ()


def insert_or_update(
    session: Session, table: type[Base], values: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Insert a row, or make the `changes` to the one with that `id`."""
    statement = _insert(session, table).values(values)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))


def _insert(session: Session, table: type[Base]) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
