"""Weighted runs of characters, learned from lines that were written and labelled: a table in the
package, no encoder, no index, a tenth of a millisecond. `service.evaluation.run_table` makes one.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

LONGEST_RUN = 5  # characters
_DIGITS = re.compile(r"\d+")

Logits = npt.NDArray[np.float32]


def runs(plain: str) -> Counter[str]:
    """The runs of one to five characters of a folded question, counted."""
    framed = f" {_DIGITS.sub('0', plain)} "
    return Counter(
        framed[i : i + n] for n in range(1, LONGEST_RUN + 1) for i in range(len(framed) - n + 1)
    )


@dataclass(frozen=True)
class RunTable:
    """Regression over tf-idf of `runs` (sublinear, unit length)."""

    rows: dict[str, int]
    rarity: npt.NDArray[np.float32]  # inverse document frequency, (runs,)
    weights: npt.NDArray[np.float32]  # (runs, outputs)
    bias: npt.NDArray[np.float32]  # (outputs,)

    def logits(self, plain: str) -> Logits | None:
        """(outputs,); None for a question of which no run is known."""
        known = [(self.rows[r], n) for r, n in runs(plain).items() if r in self.rows]
        if not known:
            return None
        rows = [row for row, _ in known]
        counts = np.array([1 + math.log(n) for _, n in known], np.float32) * self.rarity[rows]
        out: Logits = counts / np.linalg.norm(counts) @ self.weights[rows] + self.bias
        return out

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> RunTable:
        """From the arrays of `arrays`."""
        named = stored["runs"].tobytes().decode("utf-8").split("\n")
        return cls(
            {run: row for row, run in enumerate(named)},
            stored["rarity"].astype(np.float32),
            stored["weights"].astype(np.float32),
            stored["bias"].astype(np.float32),
        )

    def arrays(self) -> dict[str, Any]:
        """What an .npz file keeps of it."""
        return {
            "runs": np.frombuffer("\n".join(self.rows).encode("utf-8"), np.uint8),
            "rarity": self.rarity.astype(np.float16),
            "weights": self.weights.astype(np.float16),
            "bias": self.bias,
        }
