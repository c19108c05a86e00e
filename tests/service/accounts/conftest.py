from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from service.accounts import passwords
from tests.service.bureau import Bureau


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hash with the least work. What the real one costs is tested where it matters."""
    hasher = PasswordHasher(time_cost=1, memory_cost=256, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    passwords._nobodys.cache_clear()


@pytest.fixture
def bureau(database: Engine, tmp_path: Path) -> Bureau:
    """On each kind of database."""
    return Bureau(database, tmp_path / "home")
