"""Writing to SQLite from many threads: everybody waits his turn, nobody is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from knowledge import store

READ, ADD = text("SELECT n FROM counters"), text("UPDATE counters SET n = n + 1")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = store.connect(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counters (n INTEGER)"))
        connection.execute(text("INSERT INTO counters VALUES (0)"))
    yield engine
    engine.dispose()


def read_then_add(session: Session) -> None:
    session.execute(READ).all()
    session.execute(ADD)


def in_a_savepoint(session: Session) -> None:
    with session.begin_nested():
        read_then_add(session)


def after_a_savepoint(session: Session) -> None:
    with session.begin_nested():
        session.execute(READ).all()
    session.execute(ADD)


@pytest.mark.parametrize("write", [read_then_add, in_a_savepoint, after_a_savepoint])
def test_many_writers_at_once_all_get_through(
    engine: Engine, write: Callable[[Session], None]
) -> None:
    def run(_number: int) -> None:
        for _ in range(5):
            with Session(engine) as session, session.begin():
                write(session)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(run, range(8)))
    with engine.connect() as connection:
        assert connection.execute(READ).scalar() == 40


def test_a_savepoint_is_undone_with_its_transaction(engine: Engine) -> None:
    with Session(engine) as session:
        in_a_savepoint(session)
        session.rollback()
    with engine.connect() as connection:
        assert connection.execute(READ).scalar() == 0


def test_reading_does_not_wait_for_a_writer(engine: Engine) -> None:
    with Session(engine) as writer, Session(engine) as reader:
        writer.execute(ADD)
        assert reader.execute(READ).scalar() == 0
        writer.commit()
        assert reader.execute(READ).scalar() == 1
