"""Fixtures of the web counter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.service import databases
from tests.service.channels.counter import Counter


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    """On SQLite: what is tested does not look into the database."""
    with databases.sqlite(tmp_path) as engine:
        yield Counter(engine, tmp_path)


@pytest.fixture
def counter_on_each(database: Engine, tmp_path: Path) -> Counter:
    """On each kind of database."""
    return Counter(database, tmp_path)
