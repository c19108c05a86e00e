"""The bureau on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import databases
from tests.service.curation.bureau import Bureau


@pytest.fixture(params=["sqlite", "postgresql"])
def bureau(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bureau]:
    if request.param == "sqlite":
        with databases.sqlite(tmp_path) as engine:
            yield Bureau(engine, databases.sessions_of(engine))
    elif databases.POSTGRES:
        engine = request.getfixturevalue("postgresql")
        databases.empty(engine)
        yield Bureau(engine, databases.sessions_of(engine))
    else:
        pytest.skip("CONSULT_TEST_POSTGRES names no database")
