"""Runs are kept and compared; every floor can fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.evaluation import floors, runs
from service.evaluation.floors import Floor


def test_a_run_is_compared_with_the_last_one_over_the_same_cases(tmp_path: Path) -> None:
    kept = runs.Runs(tmp_path)
    assert kept.last("topics", "a") is None
    kept.keep("topics", "a", {}, {"accuracy": 0.5})
    kept.keep("topics", "b", {}, {"accuracy": 0.9})
    last = kept.last("topics", "a")
    assert last is not None
    assert last.figures == {"accuracy": 0.5}


def test_changes_name_the_figures_that_moved_and_the_cases_that_turned() -> None:
    before = {"n": 2, "right": 0.5, "by": {"legal": 0.5}, "wrong": ["u1"]}
    after = {"n": 2, "right": 0.5, "by": {"legal": 0.75}, "wrong": ["u2"]}
    assert runs.changes(before, after) == ["by.legal  .500 → .750", "变错：u2", "变对：u1"]
    assert runs.changes(after, after) == []


def test_other_cases_have_another_fingerprint(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"\x00\xff")
    other.write_bytes(b"\x00")
    assert runs.fingerprint(one) != runs.fingerprint(other)


def _just_reaching(bounds: tuple[Floor, ...]) -> dict[str, Any]:
    return {f.figure: f.least if f.least is not None else f.most for f in bounds}


FLOORS = [(name, floor) for name, bounds in floors.floors().items() for floor in bounds]


@pytest.mark.parametrize(("name", "floor"), FLOORS, ids=lambda v: str(v))
def test_each_floor_can_fail(name: str, floor: Floor) -> None:
    figures = _just_reaching(floors.floors()[name])
    assert floors.missed(name, figures) == []
    worse = floor.least - 0.001 if floor.least is not None else (floor.most or 0) + 0.001
    (said,) = floors.missed(name, figures | {floor.figure: worse})
    assert str(floor) in said


@pytest.mark.parametrize(("name", "floor"), FLOORS, ids=lambda v: str(v))
def test_a_figure_that_was_not_measured_misses_its_floor(name: str, floor: Floor) -> None:
    figures = _just_reaching(floors.floors()[name])
    del figures[floor.figure]
    assert len(floors.missed(name, figures)) == 1
