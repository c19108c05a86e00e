from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.service.review.room import Room


@pytest.fixture
def room(database: Engine, tmp_path: Path) -> Room:
    return Room(database, tmp_path)
