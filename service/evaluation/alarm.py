"""`python -m service.evaluation.alarm [OUT] [--real FILE ...]`: make the table of weighted runs,
and weigh what rules, table and network prove (`service.answering.danger`).

The table learns from the same lines as the network (`danger_lines`). The weights and floors are
chosen on `calib`: sets of hands that neither has learned from, for within one hand the figures
flatter. Needs scikit-learn, which comes with the extra `models`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from service.answering.alarm import Alarm
from service.answering.danger import DangerModel, logit
from service.answering.ear import Ear, ear_file
from service.answering.urgent import fold, signs_of
from service.evaluation.danger_lines import Line, lines_to_learn, own_lines, real_lines
from service.evaluation.run_table import KEPT, fit_runs, regression

STRENGTH = 15.0  # inverse of the penalty of the table; 5 to 30 make no difference beyond chance
EASY_SHARE, WEIGHTY_SHARE = 0.5, 3.0  # how much such lines count
# Share of the lines of `calib` without danger that may ring: by the words alone, with the network;
# and that may be answered with whom to call before. Most of them were written to be close (G, n1)
# or to ring (I, J), so other lines ring less. With these an alarm means that danger is likelier
# than not. Set with sight of test, x, y and z: see `docs/quality.md`.
FALSE_BY_WORDS, FALSE_ALARMS, DOUBTS = 0.01, 0.04, 0.08

Matrix = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def fit_table(lines: Sequence[Line], *, kept: int = KEPT) -> Alarm:
    """The table from lines."""
    weighty = np.where([x.weighty for x in lines], WEIGHTY_SHARE, 1.0)
    share = np.where([x.easy for x in lines], EASY_SHARE, weighty)
    table, weighed = fit_runs(
        [fold(x.question) for x in lines],
        np.array([int(x.danger) for x in lines]),
        share,
        strength=STRENGTH,
        kept=kept,
    )
    named = np.array([place for place, x in enumerate(lines) if x.kind])
    kinds = regression(STRENGTH).fit(weighed[named], [lines[place].kind for place in named])
    both = replace(
        table,
        weights=np.hstack([table.weights, kinds.coef_.T]).astype(np.float32),
        bias=np.concatenate([table.bias, kinds.intercept_]).astype(np.float32),
    )
    return Alarm(tuple(kinds.classes_.tolist()), both, 0.5)


def weigh(table: Alarm, ear: Ear, lines: Sequence[Line]) -> DangerModel:
    """What each part proves, and the floors, on lines that they have not learned from."""
    danger = np.array([x.danger for x in lines])
    features = _features(table, ear, lines)
    by_words, by_ear = _combine(features[:, :3], danger), _combine(features, danger)
    p_words, p_ear = _probability(by_words, features[:, :3]), _probability(by_ear, features)
    words_floor = float(np.quantile(p_words[~danger], 1 - FALSE_BY_WORDS))
    at_once = p_words >= words_floor
    ear_floor = _floor_for(FALSE_ALARMS, p_ear, at_once, danger)
    doubt_floor = _floor_for(DOUBTS, p_ear, at_once, danger)
    floors = (round(x, 3) for x in (words_floor, ear_floor, doubt_floor))
    words_floor, ear_floor, doubt_floor = floors
    return DangerModel(by_words, words_floor, by_ear, ear_floor, doubt_floor)


def measure(
    model: DangerModel, table: Alarm, ear: Ear, lines: Sequence[Line]
) -> dict[str, dict[str, float | None]]:
    """Found and false, by the words alone, with the network, and with what is only a doubt."""
    danger = np.array([x.danger for x in lines])
    features = _features(table, ear, lines)
    at_once = _probability(model.by_words, features[:, :3]) >= model.words_floor
    p = _probability(model.by_ear, features)
    alarm, told = at_once | (p >= model.ear_floor), at_once | (p >= model.doubt_floor)
    return {
        name: {"n": len(lines), "recall": _share(rang[danger]), "false": _share(rang[~danger])}
        for name, rang in (("by_words", at_once), ("alarm", alarm), ("told", told | alarm))
    }


def _features(table: Alarm, ear: Ear, lines: Sequence[Line]) -> Matrix:
    strength = np.array([signs_of(x.question).strength for x in lines])
    heard = [logit(table.hear(fold(x.question))[0]) for x in lines]
    sounds = ear.hear([x.question for x in lines])
    return np.column_stack([heard, strength == 1, strength >= 2, sounds]).astype(np.float64)


def _probability(weights: tuple[float, ...], features: Matrix) -> Matrix:
    p: Matrix = 1 / (1 + np.exp(-(features @ np.array(weights[:-1]) + weights[-1])))
    return p


def _floor_for(share: float, p: Matrix, at_once: Mask, danger: Mask) -> float:
    """The lowest floor with which all that is no danger and rings keeps its share."""
    left = np.sort(p[~danger & ~at_once])[::-1]
    allowed = int(share * (~danger).sum()) - int((at_once & ~danger).sum())
    return float(left[max(allowed, 0)]) + 1e-3


def _combine(features: Matrix, danger: Mask) -> tuple[float, ...]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=500).fit(features, danger)
    return tuple(round(float(w), 4) for w in [*model.coef_[0], *model.intercept_])


def _share(hits: Mask) -> float | None:
    return round(float(hits.mean()), 4) if len(hits) else None


def main() -> None:
    """Write both files into the folder given, or the package, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=ear_file().parent)
    parser.add_argument("--real", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    table, ear = fit_table(lines_to_learn(arguments.real)), Ear(ear_file())
    calib = own_lines("calib")
    model = weigh(table, ear, calib)
    table.save(arguments.out / "alarm.npz")
    model.save(arguments.out / "danger.json")
    kept_back = [x for path in arguments.real for x in real_lines(path, kept_back=True)]
    for name, lines in (("calib", calib), ("real, kept back", kept_back)):
        if lines:
            print(name, json.dumps(measure(model, table, ear, lines)))  # noqa: T201


if __name__ == "__main__":
    main()
