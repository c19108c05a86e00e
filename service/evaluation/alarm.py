"""`python -m service.evaluation.alarm`: learn the table of `service.answering.alarm`.

Lines: `cases/urgent.jsonl`, split `dev` (danger and what only sounds like it), and, counting less,
the questions of law we wrote to train the encoder. Needs the extra `models` (scikit-learn comes
with it). The floor is chosen on folds that did not see the line, by the share of false alarms.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.encoder import own_questions
from service.answering.alarm import Alarm, runs
from service.answering.urgent import fold
from service.evaluation.benchmark import read_lines
from service.evaluation.fitting import folds
from service.evaluation.urgent import shipped_cases

KEPT = 30_000  # runs of characters in the table
SEEN = 2  # lines a run must occur in
STRENGTH = 15.0  # inverse of the penalty; 5 to 30 make no difference beyond chance
ORDINARY_SHARE = 0.2  # how much a question of law counts; a line of the cases counts 1
FALSE_ALARMS = 0.012  # of the lines that only sound like danger, by folds
FOLDS = 8

Line = dict[str, Any]


def learn(cases: Sequence[Line], ordinary: Sequence[str], *, kept: int = KEPT) -> Alarm:
    """The table with its floor. `cases`: {question, behaviour, kind}; kind may be empty."""
    danger = np.array([x["behaviour"] == "urgent" for x in cases]).astype(np.int64)
    unseen = np.zeros(len(cases))
    for train, test in folds(danger, FOLDS):
        table = _fit([x for x, keep in zip(cases, train, strict=True) if keep], ordinary, kept)
        heard = [table.hear(fold(cases[i]["question"]))[0] for i in np.flatnonzero(test)]
        unseen[test] = heard
    floor = float(np.quantile(unseen[danger == 0], 1 - FALSE_ALARMS))
    found = float((unseen[danger == 1] >= floor).mean())
    print(json.dumps({"n": len(cases), "floor": round(floor, 3), "recall": round(found, 4)}))  # noqa: T201
    return replace(_fit(cases, ordinary, kept), floor=round(floor, 3))


def _fit(cases: Sequence[Line], ordinary: Sequence[str], kept: int) -> Alarm:
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression

    counted = [runs(fold(q)) for q in [*(x["question"] for x in cases), *ordinary]]
    danger = np.array([*(x["behaviour"] == "urgent" for x in cases), *[False] * len(ordinary)])
    share = np.array([1.0] * len(cases) + [ORDINARY_SHARE] * len(ordinary))
    names = DictVectorizer(dtype=np.float32)
    counts = names.fit_transform(counted)
    vocabulary = np.array(names.feature_names_)
    often = np.flatnonzero(counts.getnnz(axis=0) >= SEEN)

    def fit(columns: Any) -> tuple[Any, Any, Any]:
        weigh = TfidfTransformer(sublinear_tf=True)
        rows = weigh.fit_transform(counts[:, columns])
        model = LogisticRegression(C=STRENGTH, max_iter=200, tol=1e-3)
        return weigh, rows, model.fit(rows, danger, sample_weight=share)

    weigh, _, model = fit(often)
    heaviest = np.argsort(-np.abs(model.coef_[0] * weigh.idf_))[:kept]
    chosen = often[np.sort(heaviest)]
    weigh, rows, model = fit(chosen)

    named = np.array([i for i, x in enumerate(cases) if x.get("kind")])
    of_kind = [cases[i]["kind"] for i in named]
    kinds = LogisticRegression(C=STRENGTH, max_iter=200, tol=1e-3).fit(rows[named], of_kind)
    return Alarm(
        tuple(kinds.classes_.tolist()),
        {run: row for row, run in enumerate(vocabulary[chosen].tolist())},
        weigh.idf_.astype(np.float32),
        np.hstack([model.coef_.T, kinds.coef_.T]).astype(np.float32),
        np.concatenate([model.intercept_, kinds.intercept_]).astype(np.float32),
        0.5,
    )


def main() -> None:
    """Write the table into the folder given, or the package."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "answering"
    cases = [x for x in read_lines(shipped_cases()) if x["split"] == "dev"]
    ordinary = sorted({x["question"] for x in read_lines(own_questions())})
    learn(cases, ordinary).save(out / "alarm.npz")


if __name__ == "__main__":
    main()
