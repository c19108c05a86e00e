"""How much a question sounds like danger, by a table of weighted runs of characters.

Rules alone stopped at what their authors had thought of: on lines written without sight of them
they found three in four. `python -m service.evaluation.alarm` makes the table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from service.answering.run_table import RunTable


@dataclass(frozen=True)
class Alarm:
    """The first output of `table` tells danger from none, the others the kinds from each other;
    `floor` is a probability from which it is acted upon, where it acts alone."""

    kinds: tuple[str, ...]
    table: RunTable
    floor: float

    @classmethod
    def load(cls, path: Path) -> Alarm:
        with np.load(path, allow_pickle=False) as stored:
            kinds, floor = tuple(stored["kinds"].tolist()), float(stored["floor"])
            return cls(kinds, RunTable.of(stored), floor)

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            kinds=np.array(self.kinds),
            floor=np.array(self.floor),
            **self.table.arrays(),
        )

    def hear(self, plain: str) -> tuple[float, str]:
        """How likely a folded question tells of danger, and the likeliest kind."""
        logits = self.table.logits(plain)
        if logits is None:
            return 0.0, self.kinds[0]
        danger = 1 / (1 + math.exp(-float(logits[0])))
        return danger, self.kinds[int(logits[1:].argmax())]


@cache
def shipped_alarm() -> Alarm:
    return Alarm.load(Path(str(files("service.answering"))) / "alarm.npz")
