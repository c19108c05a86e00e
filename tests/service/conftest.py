"""Fixtures for tests that need a database and no knowledge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.service import databases
from tests.service.office import Office


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Engine]:
    with databases.postgresql() as engine:
        yield engine


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty one of each kind."""
    if request.param == "sqlite":
        with databases.sqlite(tmp_path) as engine:
            yield engine
    elif databases.POSTGRES:
        engine = request.getfixturevalue("postgresql")
        databases.empty(engine)
        yield engine
    else:
        pytest.skip("CONSULT_TEST_POSTGRES names no database")


@pytest.fixture
def office(database: Engine) -> Office:
    """The desk on each kind of database."""
    return Office(database, databases.sessions_of(database))
