"""Figures under their usual names: ranking, doubt, classification, and their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from itertools import groupby, pairwise
from statistics import fmean

import numpy as np

DEPTHS = (1, 5, 10, 100)


def ranking_metrics(
    runs: Sequence[Sequence[str]], relevant: Sequence[Set[str]]
) -> dict[str, float]:
    """R@k, MRR@10 and nDCG@10 (binary relevance) of ranked ids against relevant ids.

    `runs` and `relevant` are parallel; a question with nothing found counts as zero.
    """
    by_question = ranking_by_question(runs, relevant)
    return {name: round(fmean(values), 4) for name, values in by_question.items()}


def ranking_by_question(
    runs: Sequence[Sequence[str]], relevant: Sequence[Set[str]]
) -> dict[str, list[float]]:
    """Of each metric its value for each question."""
    if len(runs) != len(relevant) or not runs:
        raise ValueError("runs and judgements must be parallel and not empty")
    pairs = list(zip(runs, relevant, strict=True))
    out = {
        f"R@{k}": [len(set(run[:k]) & judged) / len(judged) for run, judged in pairs]
        for k in DEPTHS
    }
    out["MRR@10"] = [
        next((1 / rank for rank, i in enumerate(run[:10], 1) if i in judged), 0.0)
        for run, judged in pairs
    ]
    out["nDCG@10"] = [_ndcg(run[:10], judged) for run, judged in pairs]
    return out


def _ndcg(run: Sequence[str], judged: Set[str]) -> float:
    gain = sum(1 / math.log2(rank + 1) for rank, i in enumerate(run, 1) if i in judged)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(judged), 10) + 1))
    return gain / ideal


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Chance that a positive scores above a negative, ties counting half; None when there are
    only positives or only negatives. (Mann and Whitney 1947)"""
    if len(scores) != len(positive):
        raise ValueError("scores and labels must be parallel")
    n_positive = sum(positive)
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return None
    ranks = _mid_ranks(scores)
    sum_positive = sum(r for r, p in zip(ranks, positive, strict=True) if p)
    wins = sum_positive - n_positive * (n_positive + 1) / 2
    return round(wins / (n_positive * n_negative), 4)


def _mid_ranks(scores: Sequence[float]) -> list[float]:
    """Ranks from 1; equal scores share the middle of their ranks."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    ranks = [0.0] * len(scores)
    start = 0
    for _, group in groupby(order, key=scores.__getitem__):
        members = list(group)
        middle = start + (len(members) + 1) / 2
        for i in members:
            ranks[i] = middle
        start += len(members)
    return ranks


def risk_coverage(
    confidence: Sequence[float], right: Sequence[bool]
) -> list[tuple[float, float, float]]:
    """(threshold, coverage, risk) as answers are given from the surest on: risk is the share of
    wrong ones among those given. Equal confidences are given together. (El-Yaniv and Wiener 2010)
    """
    surest = sorted(zip(confidence, right, strict=True), key=lambda pair: -pair[0])
    points, given, wrong = [], 0, 0
    for threshold, group in groupby(surest, key=lambda pair: pair[0]):
        answers = [ok for _, ok in group]
        given += len(answers)
        wrong += answers.count(False)
        points.append((threshold, given / len(surest), wrong / given))
    return points


def coverage_at_risk(points: Sequence[tuple[float, float, float]], risk: float) -> float:
    """The largest coverage of a risk–coverage curve at which at most `risk` of answers is wrong."""
    return round(max((c for _, c, r in points if r <= risk), default=0.0), 4)


def expected_calibration_error(
    probability: Sequence[float], right: Sequence[bool], bins: int = 10
) -> float:
    """Mean distance between what was promised and what came true, over bins of equal counts.

    (Naeini et al. 2015, with equal-mass bins: few questions get extreme probabilities.)
    """
    pairs = sorted(zip(probability, right, strict=True), key=lambda pair: pair[0])
    edges = [round(len(pairs) * b / bins) for b in range(bins + 1)]
    total = 0.0
    for low, high in pairwise(edges):
        group = pairs[low:high]
        if group:
            total += abs(sum(p for p, _ in group) - sum(ok for _, ok in group))
    return round(total / len(pairs), 4)


def classification_metrics(
    truth: Sequence[str], predicted: Sequence[str]
) -> dict[str, float | dict[str, dict[str, int]]]:
    """accuracy, macro_f1 (over the classes in `truth`) and confusion[truth][predicted]."""
    confusion: dict[str, dict[str, int]] = {}
    for t, p in zip(truth, predicted, strict=True):
        row = confusion.setdefault(t, {})
        row[p] = row.get(p, 0) + 1
    scores = []
    for label, row in confusion.items():
        hit = row.get(label, 0)
        claimed = sum(other.get(label, 0) for other in confusion.values())
        scores.append(2 * hit / (claimed + sum(row.values())))
    right = sum(t == p for t, p in zip(truth, predicted, strict=True))
    return {
        "accuracy": round(right / len(truth), 4),
        "macro_f1": round(fmean(scores), 4),
        "confusion": confusion,
    }


def wilson_interval(hits: int, n: int, z: float = 1.96) -> tuple[float, float] | None:
    """95 % interval of a share. (Wilson 1927) None without observations."""
    if not n:
        return None
    share, square = hits / n, z * z
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return round(centre - half, 4), round(centre + half, 4)


def bootstrap_interval(values: Sequence[float], rounds: int = 2000) -> tuple[float, float]:
    """95 % interval of a mean by resampling questions. (Efron 1979) The seed is fixed."""
    random = np.random.default_rng(0)
    sample = np.asarray(values, dtype=np.float64)
    means = sample[random.integers(0, len(sample), (rounds, len(sample)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return round(float(low), 4), round(float(high), 4)
