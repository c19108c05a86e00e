"""`consult eval retrieval`: the product's own search, on its own law or on a benchmark corpus."""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from knowledge import text
from knowledge.index import Progress
from knowledge.retrieval import Retriever
from service.evaluation.metrics import bootstrap_interval, ranking_by_question, ranking_metrics

Ranking = list[tuple[str, float]]  # ids with scores, best first

DEPTH = 100


def evaluate(
    retriever: Retriever,
    questions: Sequence[str],
    relevant: Sequence[Set[str]],
    on: date,
    progress: Progress,
    run_file: Path | None = None,
) -> dict[str, Any]:
    """n, the ranking metrics over all questions, 95 % intervals, and a search's median time in ms.

    `relevant` are passage ids, parallel to `questions`. `run_file` receives the ranking in TREC
    format.
    """
    runs: list[Ranking] = []
    times = []
    for done, question in enumerate(questions, start=1):
        began = time.perf_counter()
        found = retriever.search(text.normalise(question), on=on, limit=DEPTH)
        times.append((time.perf_counter() - began) * 1000)
        runs.append([(h.id, h.score) for h in found.law])
        progress("检索", done, len(questions))
    if run_file:
        _write_run(run_file, runs)
    ranked = [[i for i, _ in run] for run in runs]
    by_question = ranking_by_question(ranked, relevant)
    return {
        "n": len(questions),
        **ranking_metrics(ranked, relevant),
        "interval_95": {n: bootstrap_interval(by_question[n]) for n in ("R@5", "MRR@10")},
        "search_ms_p50": round(median(times), 1),
    }


def _write_run(path: Path, runs: list[Ranking]) -> None:
    """TREC's run format: question, Q0, document, rank, score, name of the run."""
    with path.open("w", encoding="utf-8") as file:
        for number, run in enumerate(runs):
            for rank, (passage, score) in enumerate(run, start=1):
                file.write(f"{number} Q0 {passage.replace(' ', '_')} {rank} {score:.5f} consult\n")
