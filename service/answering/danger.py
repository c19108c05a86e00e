"""How sure we are of danger: rules, the table of weighted runs, and a second look at the vector.

The first two need neither model nor index and are asked before anything else (`Urgent`). What they
leave open is looked at again when the search has the question's vector (`SecondLook`), and if the
search fails, the benefit of the doubt goes to danger. Decision record 0014.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.encoder import Vectors
from service.answering.alarm import shipped_alarm
from service.answering.urgent import fold, signs_of

Floats = npt.NDArray[np.float32]
_HAN = re.compile(r"[\u4e00-\u9fff]")
_UNMISTAKABLE = 3  # strength of signs
_EDGE = 1e-4  # keeps logits finite


def logit(probability: float) -> float:
    return math.log((probability + _EDGE) / (1 - probability + _EDGE))


@dataclass(frozen=True)
class DangerModel:
    """Two logistic combinations with their floors, and the lines that a vector is compared with.

    `by_words`: weights of the table's logit, of hints, of signs, and the bias; `by_look` has that
    of the likeness to lines of danger before the bias. Likeness: a Gaussian of the distance
    to each of `lines`, (lines, dimensions), weighted by `pull`, (lines,).
    """

    by_words: Floats
    words_floor: float
    by_look: Floats
    look_floor: float
    lines: Floats
    pull: Floats
    width: float
    encoder: str

    @classmethod
    def load(cls, path: Path) -> DangerModel:
        with np.load(path, allow_pickle=False) as stored:
            return cls(
                stored["by_words"],
                float(stored["words_floor"]),
                stored["by_look"],
                float(stored["look_floor"]),
                stored["lines"].astype(np.float32),
                stored["pull"],
                float(stored["width"]),
                str(stored["encoder"]),
            )

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            by_words=self.by_words,
            words_floor=np.array(self.words_floor),
            by_look=self.by_look,
            look_floor=np.array(self.look_floor),
            lines=self.lines.astype(np.float16),
            pull=self.pull,
            width=np.array(self.width),
            encoder=np.array(self.encoder),
        )

    def likeness(self, vector: Vectors) -> float:
        """To the lines of danger more than to the others: above zero."""
        # Not `lines @ vector`: threads of the matrix library go on spinning after so large a
        # product, and take the other core from the encoder: questions then took 38 ms, not 25.
        cosines = np.einsum("ij,j->i", self.lines, vector)
        return float(np.exp(-2 * self.width * (1 - cosines)) @ self.pull)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What the words alone say: the likeliest kind, how likely there is danger, and whether that
    is sure enough to act before anything else is asked."""

    kind: str
    danger: float
    alarm: bool
    features: tuple[float, float, float]

    @property
    def signs(self) -> bool:
        """Whether the rules see any."""
        return any(self.features[1:])


def suspicion_of(query: str) -> Suspicion:
    """By rules and table: neither model nor index nor network."""
    signs, model = signs_of(query), shipped_danger()
    heard, kind = shipped_alarm().hear(fold(query))
    features = (logit(heard), float(signs.strength == 1), float(signs.strength >= 2))
    danger = _probability(model.by_words, features)
    if not signs.strength and not _HAN.search(query):
        # The table has learned from Chinese; in English only the rules can tell.
        return Suspicion(kind, 0.0, False, (logit(0.0), 0.0, 0.0))
    if signs.kind and signs.strength == _UNMISTAKABLE:
        kind = signs.kind  # otherwise the table is right more often
    return Suspicion(kind, danger, danger >= model.words_floor, features)


def second_look(suspicion: Suspicion, vector: Vectors) -> tuple[float, bool]:
    """How likely there is danger, the vector seen too, and whether to raise the alarm."""
    model = shipped_danger()
    danger = _probability(model.by_look, (*suspicion.features, model.likeness(vector)))
    return danger, danger >= model.look_floor


def urgent_kind(query: str) -> str | None:
    """Which danger a question tells of by its words alone, or None."""
    suspicion = suspicion_of(query)
    return suspicion.kind if suspicion.alarm else None


def _probability(weights: Floats, features: tuple[float, ...]) -> float:
    z = float(weights[:-1] @ np.array(features, np.float32) + weights[-1])
    return 1 / (1 + math.exp(-z))


@cache
def danger_version() -> str:
    """Fingerprint of rules, table and likeness, for the record of each answer."""
    folder = Path(str(files("service.answering")))
    state = hashlib.sha256()
    for name in ("urgent.yaml", "alarm.npz", "danger.npz"):
        state.update((folder / name).read_bytes())
    return state.hexdigest()[:12]


@cache
def shipped_danger() -> DangerModel:
    return DangerModel.load(Path(str(files("service.answering"))) / "danger.npz")
