"""Ranking metrics over all judged questions, those that found nothing included."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from statistics import fmean

DEPTHS = (1, 5, 10, 100)


def ranking_metrics(
    runs: Sequence[Sequence[str]], relevant: Sequence[Set[str]]
) -> dict[str, float]:
    """R@k, MRR@10 and nDCG@10 (binary relevance) of ranked ids against relevant ids.

    `runs` and `relevant` are parallel; a question with nothing found counts as zero.
    """
    if len(runs) != len(relevant) or not runs:
        raise ValueError("runs and judgements must be parallel and not empty")
    out = {
        f"R@{k}": fmean(
            len(set(run[:k]) & judged) / len(judged)
            for run, judged in zip(runs, relevant, strict=True)
        )
        for k in DEPTHS
    }
    out["MRR@10"] = fmean(
        next((1 / rank for rank, i in enumerate(run[:10], 1) if i in judged), 0.0)
        for run, judged in zip(runs, relevant, strict=True)
    )
    out["nDCG@10"] = fmean(
        _ndcg(run[:10], judged) for run, judged in zip(runs, relevant, strict=True)
    )
    return {name: round(value, 4) for name, value in out.items()}


def _ndcg(run: Sequence[str], judged: Set[str]) -> float:
    gain = sum(1 / math.log2(rank + 1) for rank, i in enumerate(run, 1) if i in judged)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(judged), 10) + 1))
    return gain / ideal
