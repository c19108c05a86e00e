"""Fixtures: the real database by the real migrations, real Chroma, the real encoder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from knowledge.citations import LawBook
from knowledge.encoder import OnnxEncoder
from knowledge.library import Library
from service.answering.pipeline import Pipeline
from service.app import create_app
from service.assembly import Rooms
from service.settings import Settings

TODAY = date(2026, 11, 26)

# The benchmark data that CI has beside the checkout; the product does not need it.
SHARED = Path(os.environ.get("CONSULT_BENCH", Path(__file__).parents[2] / "shared"))


def settings_for(home: Path, **changes: object) -> Settings:
    return Settings(_env_file=None, home=home, **changes)


@pytest.fixture(scope="session")
def encoder() -> OnnxEncoder:
    return OnnxEncoder()


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as `consult serve` leaves it after its first start; tests must not write to it."""
    home = tmp_path_factory.mktemp("home")
    rooms = Rooms(settings_for(home))
    rooms.prepare()
    rooms.close()
    return home


@pytest.fixture(scope="session")
def rooms(prepared_home: Path) -> Iterator[Rooms]:
    opened = Rooms(settings_for(prepared_home))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def library(rooms: Rooms) -> Library:
    return rooms.library


@pytest.fixture(scope="session")
def laws(rooms: Rooms) -> LawBook:
    return rooms.laws


@pytest.fixture(scope="session")
def pipeline(rooms: Rooms) -> Iterator[Pipeline]:
    with rooms.pipeline() as opened:
        yield opened


@pytest.fixture
def home(prepared_home: Path, tmp_path: Path) -> Path:
    """A prepared home of one's own, to write to."""
    return Path(shutil.copytree(prepared_home, tmp_path / "home"))


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    with TestClient(create_app(settings_for(home))) as opened:
        yield opened
