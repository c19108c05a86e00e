"""How much a question sounds like danger: weighted runs of characters, learned from lines
that were written and labelled for it. A table in the package, no encoder, no index, a tenth of a
millisecond.

Rules alone stopped at what their authors had thought of: on lines written without sight of them
they found three in four. `python -m service.evaluation.alarm` makes the table.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

LONGEST_RUN = 5  # characters
_DIGITS = re.compile(r"\d+")


def runs(plain: str) -> Counter[str]:
    """The runs of one to five characters of a folded question, counted."""
    framed = f" {_DIGITS.sub('0', plain)} "
    return Counter(
        framed[i : i + n] for n in range(1, LONGEST_RUN + 1) for i in range(len(framed) - n + 1)
    )


@dataclass(frozen=True)
class Alarm:
    """Logistic regression over tf-idf of `runs` (sublinear, unit length).

    `weights` (runs, 1 + kinds): the first column tells danger from none, the others the kinds
    from each other; `floor` is a probability from which it is acted upon, where it acts alone.
    """

    kinds: tuple[str, ...]
    rows: dict[str, int]
    rarity: npt.NDArray[np.float32]  # inverse document frequency, (runs,)
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]  # (1 + kinds,)
    floor: float

    @classmethod
    def load(cls, path: Path) -> Alarm:
        with np.load(path, allow_pickle=False) as stored:
            named = stored["runs"].tobytes().decode("utf-8").split("\n")
            return cls(
                tuple(stored["kinds"].tolist()),
                {run: row for row, run in enumerate(named)},
                stored["rarity"].astype(np.float32),
                stored["weights"].astype(np.float32),
                stored["bias"].astype(np.float32),
                float(stored["floor"]),
            )

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            kinds=np.array(self.kinds),
            runs=np.frombuffer("\n".join(self.rows).encode("utf-8"), np.uint8),
            rarity=self.rarity.astype(np.float16),
            weights=self.weights.astype(np.float16),
            bias=self.bias,
            floor=np.array(self.floor),
        )

    def hear(self, plain: str) -> tuple[float, str]:
        """How likely a folded question tells of danger, and the likeliest kind."""
        known = [(self.rows[r], n) for r, n in runs(plain).items() if r in self.rows]
        if not known:
            return 0.0, self.kinds[0]
        rows = [row for row, _ in known]
        counts = np.array([1 + math.log(n) for _, n in known], np.float32) * self.rarity[rows]
        logits = counts / np.linalg.norm(counts) @ self.weights[rows] + self.bias
        danger = 1 / (1 + math.exp(-float(logits[0])))
        return danger, self.kinds[int(logits[1:].argmax())]


@cache
def shipped_alarm() -> Alarm:
    return Alarm.load(Path(str(files("service.answering"))) / "alarm.npz")
