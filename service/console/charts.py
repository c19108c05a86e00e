"""Bars as plain shapes, which a template draws as SVG with the classes of the page.

Not pygal: its output holds a script with the chart's configuration even without scripts, styles
inside that a strict policy forbids, and one broken rule where a chart has no id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 220
_LEFT, _BOTTOM, _TOP = 44, 24, 12
_WIDEST = 48  # of a column


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; `tone` is the series it belongs to."""

    x: float
    y: float
    width: float
    height: float
    tone: int
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars with the ticks at the side and the labels below."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, int], ...]  # where, and the number there
    labels: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def floor(self) -> int:
        return self.height - _BOTTOM

    @property
    def left(self) -> int:
        return _LEFT


def columns(
    labels: Sequence[str], series: Sequence[tuple[str, Sequence[int]]], *, every: int | None = None
) -> Chart:
    """Columns, one a label, of several series stacked on each other, each with its name."""
    count = max(1, len(labels))
    totals = [sum(numbers[i] for _, numbers in series) for i in range(len(labels))]
    top = _round_up(max(totals, default=0))
    floor, space = HEIGHT - _BOTTOM, HEIGHT - _BOTTOM - _TOP
    step = (WIDTH - _LEFT) / count
    width = min(step * 0.72, _WIDEST)
    bars = []
    for i, label in enumerate(labels):
        below = 0.0
        for tone, (name, numbers) in enumerate(series):
            height = numbers[i] / top * space
            if numbers[i]:
                bars.append(
                    Bar(
                        x=round(_LEFT + (i + 0.5) * step - width / 2, 1),
                        y=round(floor - below - height, 1),
                        width=round(width, 1),
                        height=round(height, 1),
                        tone=tone,
                        title=f"{label} {name} {numbers[i]}",
                    )
                )
            below += height
    every = every or max(1, -(-count // 12))
    return Chart(
        bars=tuple(bars),
        ticks=tuple((round(floor - n / top * space, 1), n) for n in _ticks(top)),
        labels=tuple(
            (round(_LEFT + (i + 0.5) * step, 1), label)
            for i, label in enumerate(labels)
            if i % every == 0
        ),
    )


def _round_up(most: int) -> int:
    """The next number that is easy to read: 1, 2, 4, 5, 8 or 10 with noughts."""
    size = 1
    while True:
        for step in (1, 2, 4, 5, 8, 10):
            if step * size >= max(most, 1):
                return step * size
        size *= 10


def _ticks(top: int) -> list[int]:
    parts = next(p for p in (4, 5, 2, 1) if top % p == 0)
    return [top * n // parts for n in range(parts + 1)]
