"""Writing to SQLite from many threads: everybody waits his turn, nobody is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from knowledge import store
from tests.service import databases

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


@pytest.fixture
def served() -> Iterator[Engine]:
    if not databases.POSTGRES:
        pytest.skip("CONSULT_TEST_POSTGRES names no database")
    engine = store.connect(databases.POSTGRES)
    yield engine
    engine.dispose()


def gone(engine: Engine) -> None:
    """The server has ended the connection that the pool holds."""
    with engine.connect() as connection:
        number = connection.scalar(text("SELECT pg_backend_pid()"))
    other = store.connect(databases.POSTGRES)
    with other.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": number})
    other.dispose()


def test_a_connection_that_was_idle_for_a_while_is_asked_whether_it_is_there(
    served: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone(served)
    monkeypatch.setattr(store, "_TRUSTED_SECONDS", 0.0)
    with served.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_one_that_was_used_just_now_is_not(served: Engine) -> None:
    gone(served)
    with served.connect() as connection, pytest.raises(OperationalError):
        connection.execute(text("SELECT 1"))
    with served.connect() as connection:  # then it is known, and another is made
        assert connection.scalar(text("SELECT 1")) == 1


def test_what_only_reads_begins_no_transaction(served: Engine, engine: Engine) -> None:
    with store.reading(sessionmaker(served)) as connection:
        connection.execute(text("SELECT 1"))
        raw = connection.connection.driver_connection
        assert raw is not None
        assert raw.info.transaction_status.name == "IDLE"
    with served.connect() as connection:  # and the next user has his transactions again
        connection.execute(text("SELECT 1"))
        assert raw.info.transaction_status.name == "INTRANS"
    with store.reading(sessionmaker(engine)) as connection:
        assert connection.execute(READ).scalar() == 0
