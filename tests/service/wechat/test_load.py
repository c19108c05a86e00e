"""A small version of the measure of load: two processes, one of them killed in the middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.benchmarks.wechat_load import failures, measure
from tests.service import databases


@pytest.mark.slow
def test_every_message_is_answered_once_although_a_process_is_killed(tmp_path: Path) -> None:
    with databases.sqlite(tmp_path) as engine:
        database = engine.url.render_as_string(hide_password=False)
    result = asyncio.run(
        measure(
            tmp_path,
            database,
            rate=10,
            seconds=4,
            fast_seconds=1,
            slow=(0.5, 6.0),
            answering=50,
            processes=2,
        )
    )
    assert result["slow"]["answered_once"] == 40
    assert result["fast"]["answered_once"] == 10
    assert [wrong for wrong in failures(result) if "p99" not in wrong] == []
    assert result["answer_records"] == 50
