"""A stage on each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from service.wechat import delivery
from tests.service import databases
from tests.service.wechat.stage import Stage, stage


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
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
def patience() -> float:
    """Seconds for which a callback waits for its answer, so that a test need not wait four."""
    return 0.5


@pytest.fixture
def on_stage(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: float
) -> Iterator[Callable[..., Stage]]:
    """Starts a service with an account as the test wants it; it looks at everything ten times as
    often as it would."""
    monkeypatch.setattr(delivery, "ANSWER_WITHIN", patience)
    for name in ("_LOOK", "_FEED", "_SWEEP"):
        monkeypatch.setattr(delivery, name, getattr(delivery, name) / 10)
    with ExitStack() as stack:

        def start(**changes: Any) -> Stage:
            return stack.enter_context(stage(engine, tmp_path, **changes))

        yield start


@pytest.fixture
def service(on_stage: Callable[..., Stage]) -> Stage:
    """A service with the usual account."""
    return on_stage()
