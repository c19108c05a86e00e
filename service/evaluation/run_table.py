"""Fit a `RunTable`. Needs scikit-learn, which comes with the extra `models`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from service.answering.run_table import RunTable, runs

KEPT = 30_000  # runs of characters in a table
SEEN = 2  # lines a run must occur in
# Stopped at 1e-3 the table of danger found a tenth less, and less again with three lines fewer.
ROUNDS, CLOSE_ENOUGH = 1000, 1e-5


def fit_runs(
    plains: Sequence[str],
    truth: npt.NDArray[np.int64],
    share: npt.NDArray[np.float64],
    *,
    strength: float,
    kept: int = KEPT,
) -> tuple[RunTable, Any]:
    """A table that tells the values of `truth` apart (one output for two of them), rows counting by
    `share`, of the `kept` runs that say most; and the lines as it weighs them, (lines, runs).

    `strength`: the inverse of the penalty.
    """
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.feature_extraction.text import TfidfTransformer

    names = DictVectorizer(dtype=np.float32)
    counts = names.fit_transform([runs(plain) for plain in plains])
    vocabulary = np.array(names.feature_names_)
    # A line break parts the runs in the file that keeps them.
    on_one_line = np.array(["\n" not in run for run in vocabulary])
    often = np.flatnonzero((counts.getnnz(axis=0) >= SEEN) & on_one_line)

    def fit(columns: Any) -> tuple[Any, Any, Any]:
        weigh = TfidfTransformer(sublinear_tf=True)
        weighed = weigh.fit_transform(counts[:, columns])
        return weigh, weighed, regression(strength).fit(weighed, truth, sample_weight=share)

    weigh, _, model = fit(often)
    heaviest = np.argsort(-np.abs(model.coef_ * weigh.idf_).max(axis=0))[:kept]
    chosen = often[np.sort(heaviest)]
    weigh, weighed, model = fit(chosen)
    table = RunTable(
        {run: row for row, run in enumerate(vocabulary[chosen].tolist())},
        weigh.idf_.astype(np.float32),
        model.coef_.T.astype(np.float32),
        model.intercept_.astype(np.float32),
    )
    return table, weighed


def regression(strength: float) -> Any:
    """Logistic regression, run to its end."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=ROUNDS, tol=CLOSE_ENOUGH)
