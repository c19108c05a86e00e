"""The figures mean what their names say: worked by hand, and against their definitions."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.evaluation import metrics


def test_recall_and_reciprocal_rank_count_questions_that_found_nothing() -> None:
    found = metrics.ranking_metrics([["a", "b"], []], [{"b", "c"}, {"d"}])
    assert found["R@1"] == 0.0
    assert found["R@5"] == 0.25
    assert found["MRR@10"] == 0.25


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    assert metrics.auroc([0.9, 0.8, 0.1], [True, False, False]) == 1.0
    assert metrics.auroc([0.1, 0.8, 0.9], [True, False, False]) == 0.0
    assert metrics.auroc([0.5, 0.5], [True, False]) == 0.5
    assert metrics.auroc([0.5], [True]) is None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auroc_agrees_with_counting_pairs(pairs: list[tuple[int, bool]]) -> None:
    scores = [float(s) for s, _ in pairs]
    positive = [p for _, p in pairs]
    wins = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a, p in zip(scores, positive, strict=True)
        if p
        for b, q in zip(scores, positive, strict=True)
        if not q
    ]
    expected = round(sum(wins) / len(wins), 4) if wins else None
    assert metrics.auroc(scores, positive) == pytest.approx(expected, abs=1e-4)


def test_risk_rises_as_less_sure_answers_are_given() -> None:
    curve = metrics.risk_coverage([0.9, 0.8, 0.8, 0.1], [True, True, False, False])
    assert curve == [(0.9, 0.25, 0.0), (0.8, 0.75, pytest.approx(1 / 3)), (0.1, 1.0, 0.5)]
    assert metrics.coverage_at_risk(curve, 0.10) == 0.25
    assert metrics.coverage_at_risk(curve, 0.34) == 0.75


def test_honest_probabilities_have_no_calibration_error_and_boasting_has() -> None:
    coin = random.Random(1)  # noqa: S311
    promised = [coin.random() for _ in range(5000)]
    kept = [coin.random() < p for p in promised]
    assert metrics.expected_calibration_error(promised, kept) < 0.03
    assert metrics.expected_calibration_error([0.9] * 100, [False] * 100) == pytest.approx(0.9)


def test_macro_f1_counts_each_class_alike() -> None:
    found = metrics.classification_metrics(["a", "a", "a", "b"], ["a", "a", "a", "a"])
    assert found["accuracy"] == 0.75
    assert found["macro_f1"] == pytest.approx((6 / 7 + 0) / 2, abs=1e-4)
    assert found["confusion"] == {"a": {"a": 3}, "b": {"a": 1}}


def test_intervals_hold_the_share_and_shrink_with_n() -> None:
    narrow, wide = metrics.wilson_interval(800, 1000), metrics.wilson_interval(8, 10)
    assert narrow is not None
    assert wide is not None
    assert narrow[0] < 0.8 < narrow[1]
    assert narrow[1] - narrow[0] < wide[1] - wide[0]
    assert metrics.wilson_interval(0, 0) is None
    low, high = metrics.bootstrap_interval([0.0, 1.0] * 50)
    assert low < 0.5 < high
