"""Floors: what each evaluation must reach, in `floors.yaml`; CI and `--check` hold it to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from service.evaluation.runs import Figures, flat


@dataclass(frozen=True, slots=True)
class Floor:
    """A bound on one figure: `least` for what should be high, `most` for what should be low."""

    figure: str
    least: float | None = None
    most: float | None = None

    def holds(self, value: float | None) -> bool:
        """A figure that is missing does not hold: what is not measured is not reached."""
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )

    def __str__(self) -> str:
        return self.figure + (f" ≥ {self.least}" if self.least is not None else f" ≤ {self.most}")


@cache
def floors() -> dict[str, tuple[Floor, ...]]:
    """By the name of the evaluation. Raises ValueError for a floor without exactly one bound."""
    text = (files("service.evaluation") / "floors.yaml").read_text("utf-8")
    out = {}
    for name, bounds in yaml.safe_load(text).items():
        out[name] = tuple(Floor(figure, **bound) for figure, bound in bounds.items())
        for floor in out[name]:
            if (floor.least is None) == (floor.most is None):
                raise ValueError(f"{name}: {floor.figure} needs `least` or `most`")
    return out


def missed(name: str, figures: Figures) -> list[str]:
    """The floors that these figures do not reach, a sentence each."""
    reached = flat(figures)
    return [
        f"{name}：要求 {floor}，实际 {reached.get(floor.figure, '没有测到')}"
        for floor in floors().get(name, ())
        if not floor.holds(reached.get(floor.figure))
    ]
