from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import databases
from tests.service.trials.laboratory import Laboratory


@pytest.fixture(params=["sqlite", "postgresql"])
def laboratory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Laboratory]:
    """On each kind of database."""
    if request.param == "sqlite":
        with databases.sqlite(tmp_path) as engine:
            yield Laboratory(databases.sessions_of(engine))
    elif databases.POSTGRES:
        engine = request.getfixturevalue("postgresql")
        databases.empty(engine)
        yield Laboratory(databases.sessions_of(engine))
    else:
        pytest.skip("CONSULT_TEST_POSTGRES names no database")
