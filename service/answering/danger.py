"""How sure we are of danger: rules, the table of weighted runs, and a network that listens.

The first two are asked before anything else, and need nothing that could fail. What they leave
open, the network hears; if it fails, the benefit of the doubt goes to danger. Decision record 0014.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from service.answering.alarm import shipped_alarm
from service.answering.ear import shipped_ear
from service.answering.urgent import fold, signs_of

_HAN = re.compile(r"[\u4e00-\u9fff]")
_UNMISTAKABLE = 3  # strength of signs
_EDGE = 1e-4  # keeps logits finite


def logit(probability: float) -> float:
    return math.log((probability + _EDGE) / (1 - probability + _EDGE))


@dataclass(frozen=True)
class DangerModel:
    """Two logistic combinations and their floors, all probabilities.

    `by_words`: weights of the table's logit, of hints, of signs, and the bias; `by_ear` has that of
    the network's logit before the bias. From `words_floor` and `ear_floor` on there is an alarm,
    from `doubt_floor` on a doubt.
    """

    by_words: tuple[float, ...]
    words_floor: float
    by_ear: tuple[float, ...]
    ear_floor: float
    doubt_floor: float

    @classmethod
    def load(cls, path: Path) -> DangerModel:
        stored = json.loads(path.read_text("utf-8"))
        stored |= {name: tuple(stored[name]) for name in ("by_words", "by_ear")}
        return cls(**stored)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")


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


@dataclass(frozen=True, slots=True)
class Heard:
    """What the network adds: how likely there is danger, and whether that is enough for an alarm,
    or for a doubt: then the question is answered, and whom to call is said before."""

    danger: float
    alarm: bool
    doubt: bool


def suspicion_of(query: str) -> Suspicion:
    """By rules and table: neither index nor network."""
    signs, model = signs_of(query), shipped_danger()
    heard, kind = shipped_alarm().hear(fold(query))
    features = (logit(heard), float(signs.strength == 1), float(signs.strength >= 2))
    danger = _probability(model.by_words, features)
    if not in_chinese(query) and not signs.strength:
        return Suspicion(kind, 0.0, False, (logit(0.0), 0.0, 0.0))
    if signs.kind and signs.strength == _UNMISTAKABLE:
        kind = signs.kind  # otherwise the table is right more often
    return Suspicion(kind, danger, danger >= model.words_floor, features)


def listen(suspicions: Sequence[Suspicion], queries: Sequence[str]) -> list[Heard]:
    """What the network makes of normalised questions, in the light of the suspicions."""
    model = shipped_danger()
    heard = []
    for suspicion, query, sound in zip(
        suspicions, queries, shipped_ear().hear(queries), strict=True
    ):
        danger = _probability(model.by_ear, (*suspicion.features, float(sound)))
        if not in_chinese(query) and not suspicion.signs:
            danger = 0.0
        heard.append(Heard(danger, danger >= model.ear_floor, danger >= model.doubt_floor))
    return heard


def in_chinese(query: str) -> bool:
    """Table and network have learned from Chinese; in English only the rules can tell."""
    return bool(_HAN.search(query))


def urgent_kind(query: str) -> str | None:
    """Which danger a question tells of by its words alone, or None."""
    suspicion = suspicion_of(query)
    return suspicion.kind if suspicion.alarm else None


def _probability(weights: tuple[float, ...], features: tuple[float, ...]) -> float:
    *slopes, bias = weights
    z = sum(w * x for w, x in zip(slopes, features, strict=True)) + bias
    return 1 / (1 + math.exp(-z))


@cache
def danger_version() -> str:
    """Fingerprint of rules, table, network and floors, for the record of each answer."""
    folder = Path(str(files("service.answering")))
    state = hashlib.sha256()
    for name in ("urgent.yaml", "alarm.npz", "ear.onnx", "danger.json"):
        state.update((folder / name).read_bytes())
    return state.hexdigest()[:12]


@cache
def shipped_danger() -> DangerModel:
    return DangerModel.load(Path(str(files("service.answering"))) / "danger.json")
