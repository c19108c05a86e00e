"""A stage on each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from service.wechat import delivery, pace
from tests.service.wechat.stage import Stage, stage


@pytest.fixture
def patience() -> float:
    """Seconds for which a callback waits for its answer, so that a test need not wait four."""
    return 0.5


@pytest.fixture
def on_stage(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: float
) -> Iterator[Callable[..., Stage]]:
    """Starts a service with an account as the test wants it; it looks at everything ten times as
    often as it would."""
    monkeypatch.setattr(delivery, "ANSWER_WITHIN", patience)
    # A busy machine is no reason for less of it: that is a test of its own.
    monkeypatch.setattr(pace, "_NOTED_IN", 60.0)
    for name in ("_LOOK", "_FEED", "_SWEEP", "_TOGETHER"):
        monkeypatch.setattr(delivery, name, getattr(delivery, name) / 10)
    with ExitStack() as stack:

        def start(**changes: Any) -> Stage:
            return stack.enter_context(stage(database, tmp_path, **changes))

        yield start


@pytest.fixture
def service(on_stage: Callable[..., Stage]) -> Stage:
    """A service with the usual account."""
    return on_stage()
