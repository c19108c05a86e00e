"""Fixtures of supervision."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.service.hall import Hall


@pytest.fixture
def hall(database: Engine) -> Hall:
    return Hall(database)
