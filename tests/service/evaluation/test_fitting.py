"""The fit finds the optimum, stays near its prior, and sees no line that it is tested on."""

from __future__ import annotations

import numpy as np

from service.evaluation.fitting import fit_softmax, folds, predict


def test_it_finds_the_coefficients_that_made_the_data() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(20_000, 2))
    chance = 1 / (1 + np.exp(-(1.5 * rows[:, 0] - 0.7 * rows[:, 1] + 0.3)))
    labels = (random.random(len(rows)) < chance).astype(np.int64)
    weights = fit_softmax(rows, labels, 2, penalty=1e-6)
    assert np.allclose(weights[1] - weights[0], [1.5, -0.7, 0.3], atol=0.08)


def test_at_the_optimum_the_slope_is_zero() -> None:
    random = np.random.default_rng(1)
    rows, labels = random.normal(size=(300, 5)), random.integers(0, 3, 300)
    weights = fit_softmax(rows, labels, 3, penalty=0.1)
    miss = (predict(weights, rows) - np.eye(3)[labels]) / len(rows)
    slope = miss.T @ np.hstack([rows, np.ones((300, 1))])
    slope[:, :-1] += 0.1 * weights[:, :-1]
    assert np.abs(slope).max() < 1e-4


def test_a_strong_penalty_keeps_the_prior() -> None:
    rows, labels = np.eye(4), np.array([0, 1, 0, 1])
    prior = np.array([[1.0, 2, 3, 4, 0], [4, 3, 2, 1, 0]])
    weights = fit_softmax(rows, labels, 2, penalty=1e4, prior=prior)
    assert np.allclose(weights[:, :-1], prior[:, :-1], atol=1e-3)


def test_folds_cover_every_line_once_and_spread_each_label() -> None:
    labels = np.array([0] * 20 + [1] * 10)
    tested = np.zeros(30, dtype=int)
    for train, test in folds(labels, 5):
        assert not (train & test).any()
        assert (labels[test] == 1).sum() == 2
        tested += test
    assert (tested == 1).all()
