"""Softmax regression by accelerated gradient descent: a page instead of a dependency.

The problems here are small and convex (thousands of rows, hundreds of columns), so the plainest
method finds the optimum in a second, the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_ROUNDS = 400
_CLOSE_ENOUGH = 1e-6


def fit_softmax(
    rows: Matrix,
    labels: npt.NDArray[np.int64],
    classes: int,
    *,
    penalty: float,
    shares: Matrix | None = None,
    prior: Matrix | None = None,
) -> Matrix:
    """Weights (classes, columns + 1), the last column the bias, that minimise the mean of
    −log p(label), rows counting by `shares`, plus penalty/2 × the squared distance from `prior`
    (zero if None); the bias is free. (Nesterov 1983 with restarts, O'Donoghue and Candès 2015)
    """
    design = np.hstack([rows, np.ones((len(rows), 1))])
    weight = np.ones(len(rows)) if shares is None else np.asarray(shares, dtype=np.float64)
    weight = weight / weight.sum()
    centre = np.zeros((classes, design.shape[1])) if prior is None else prior
    ridge = np.full(design.shape[1], penalty)
    ridge[-1] = 0.0
    truth = np.eye(classes)[labels]
    # The curvature of softmax is at most half that of the design.
    curvature = 0.5 * float(np.linalg.norm((design * weight[:, None]).T @ design, 2)) + penalty
    point = momentum = centre.copy()
    speed = 1.0
    for _ in range(_ROUNDS):
        miss = (softmax(design @ momentum.T) - truth) * weight[:, None]
        slope = miss.T @ design + ridge * (momentum - centre)
        following = momentum - slope / curvature
        step = following - point
        if float(np.sum(slope * step)) > 0:
            momentum, speed = point.copy(), 1.0
            continue
        faster = (1 + np.sqrt(1 + 4 * speed * speed)) / 2
        momentum = following + (speed - 1) / faster * step
        point, speed = following, faster
        if float(np.abs(step).max()) < _CLOSE_ENOUGH:
            break
    return point


def softmax(logits: Matrix) -> Matrix:
    """Probabilities by row."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: Matrix = raised / raised.sum(axis=1, keepdims=True)
    return out


def predict(weights: Matrix, rows: Matrix) -> Matrix:
    """Probabilities (rows, classes) by weights of `fit_softmax`."""
    return softmax(rows @ weights[:, :-1].T + weights[:, -1])


def balanced(truth: npt.NDArray[np.int64]) -> Matrix:
    """Shares by which rare labels count up to more: the square root between as is and equal."""
    counts = np.bincount(truth)
    out: Matrix = 1 / np.sqrt(counts[truth])
    return out


def folds(labels: npt.NDArray[np.int64], count: int) -> Iterator[tuple[Mask, Mask]]:
    """Stratified folds as boolean masks (train, test): each label is spread evenly, the order
    fixed by a seed."""
    random = np.random.default_rng(0)
    fold = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        fold[rows] = (np.arange(len(rows)) + random.integers(count)) % count
    for number in range(count):
        yield fold != number, fold == number
