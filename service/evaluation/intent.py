"""`python -m service.evaluation.intent`: learn the ear of `service.answering.harm`.

Lines: `cases/harm.jsonl`, split `dev`, and, counting less, what else people ask that asks how: ways
of asking the reviewed content (what is no legal matter among it), lines about danger, and questions
of law that were written to train the encoder. Logistic regression in its dual form (a weight for
each line, not for each run of characters), so that a page of linear algebra is all it needs. The
floor is chosen on folds that did not see the line, by the share of others refused.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from ingest.content import content_folder
from knowledge import text
from knowledge.encoder import own_questions
from service.answering.alarm import Alarm
from service.answering.harm import asks_how, plain
from service.answering.run_table import RunTable, runs
from service.evaluation import urgent
from service.evaluation.benchmark import read_lines
from service.evaluation.fitting import folds
from service.evaluation.harm import shipped_cases

SEEN = 2  # lines a run of characters must occur in
STRENGTH = 15.0  # inverse of the penalty; 5 to 50 make no difference beyond chance
ORDINARY_SHARE = 0.5  # how much any other question counts; a line of the cases counts 1
# What may be refused, by folds: of the near-harm lines, and of other questions that ask how.
REFUSED_NEAR, REFUSED_ORDINARY = 0.005, 0.003
FOLDS = 8
_ROUNDS = 15  # of Newton's method; it stands still after eight

Matrix = npt.NDArray[np.float64]


def learn(cases: Sequence[dict[str, Any]], ordinary: Sequence[str]) -> Alarm:
    """The ear with its floor. `cases`: {question, behaviour, family}."""
    questions = [text.normalise(line["question"]) for line in cases]
    plains = [*map(plain, questions), *map(plain, ordinary)]
    harm = np.array([line["behaviour"] == "harm" for line in cases] + [False] * len(ordinary))
    share = np.array([1.0] * len(cases) + [ORDINARY_SHARE] * len(ordinary))
    vocabulary, rarity, rows = _weighed(plains)
    alike = (rows @ rows.T).astype(np.float64) + 1  # the 1 is the bias
    unseen = np.zeros(len(plains))
    for train, test in folds(harm.astype(np.int64), FOLDS):
        unseen[test] = alike[np.ix_(test, train)] @ _dual(
            alike[np.ix_(train, train)], harm[train], share[train]
        )
    p = 1 / (1 + np.exp(-unseen))
    near = [
        float(p[i]) if asks_how(questions[i]) else 0.0
        for i, line in enumerate(cases)
        if line["behaviour"] != "harm"
    ]
    floor = max(
        float(np.quantile(near, 1 - REFUSED_NEAR)),
        float(np.quantile(p[len(cases) :], 1 - REFUSED_ORDINARY)),
    )

    duals = _dual(alike, harm, share)
    kinds = sorted({line["family"] for line in cases if line["behaviour"] == "harm"})
    of_kind = np.array(
        [[line["family"] == k for k in kinds] for line in cases if line.get("family")]
    )
    wrong = rows[harm]
    ridge = np.linalg.solve(
        (wrong @ wrong.T).astype(np.float64) + np.eye(len(wrong)), of_kind.astype(np.float64)
    )
    table = RunTable(
        {run: row for row, run in enumerate(vocabulary)},
        rarity,
        np.hstack([rows.T @ duals[:, None], wrong.T @ ridge]).astype(np.float32),
        np.array([duals.sum(), *[0.0] * len(kinds)], np.float32),
    )
    return Alarm(tuple(kinds), table, floor)


def _weighed(plains: Sequence[str]) -> tuple[list[str], npt.NDArray[np.float32], Any]:
    """The runs that occur often enough, how rare each is, and the lines as a table weighs them."""
    counted = [runs(line) for line in plains]
    seen = Counter(run for counts in counted for run in counts)
    vocabulary = sorted(run for run, lines in seen.items() if lines >= SEEN)
    place = {run: row for row, run in enumerate(vocabulary)}
    lines = np.array([seen[run] for run in vocabulary])
    rarity = (np.log((1 + len(plains)) / (1 + lines)) + 1).astype(np.float32)
    rows = np.zeros((len(plains), len(vocabulary)), np.float32)
    for i, counts in enumerate(counted):
        for run, n in counts.items():
            if run in place:
                rows[i, place[run]] = 1 + math.log(n)
    rows *= rarity
    return vocabulary, rarity, rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _dual(alike: Matrix, harm: npt.NDArray[np.bool_], share: Matrix) -> Matrix:
    """A weight for each line, by iteratively reweighted least squares."""
    duals: Matrix = np.zeros(len(harm))
    for _ in range(_ROUNDS):
        logits = alike @ duals
        p = 1 / (1 + np.exp(-logits))
        weight = share * p * (1 - p) + 1e-9
        target = logits + share * (harm - p) / weight
        solved = np.linalg.solve(alike + np.diag(1 / (STRENGTH * weight)), target)
        duals = solved.astype(np.float64)
    return duals


def main() -> None:
    """Write the ear into the folder given, or the package."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "answering"
    dev = [
        line
        for line in read_lines(shipped_cases(), "question", "behaviour", "split")
        if line["split"] == "dev"
    ]
    cases = [line for line in dev if line["behaviour"] != "injection"]
    learn(cases, list(ordinary_questions(_not_harmful(dev)))).save(out / "intent.npz")


def _not_harmful(dev: Sequence[dict[str, Any]]) -> list[str]:
    return [x["question"] for x in dev if x["behaviour"] == "injection" and x["expect"] != "harm"]


def ordinary_questions(more: Sequence[str]) -> Iterator[str]:
    """These and ours, normalised, each once, those that ask how."""
    urgent_dev = (x for x in read_lines(urgent.shipped_cases()) if x.get("split") == "dev")
    asked = [*more, *(x["question"] for x in (*read_lines(own_questions()), *urgent_dev))]
    for path in sorted(content_folder().rglob("*.yaml")):
        for item in yaml.safe_load(path.read_text("utf-8")):
            asked += [item["question"]] if "question" in item else []
            asked += item.get("asks", [])
    return (q for q in sorted(set(map(text.normalise, asked))) if asks_how(q))


if __name__ == "__main__":
    main()
