"""The bureau on each kind of database."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.service import databases
from tests.service.curation.bureau import Bureau


@pytest.fixture
def bureau(database: Engine) -> Bureau:
    return Bureau(database, databases.sessions_of(database))
