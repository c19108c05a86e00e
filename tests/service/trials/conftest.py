"""The laboratory on each kind of database."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.service import databases
from tests.service.trials.laboratory import Laboratory


@pytest.fixture
def laboratory(database: Engine) -> Laboratory:
    return Laboratory(databases.sessions_of(database))
