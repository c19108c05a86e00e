"""`consult eval topics`: the product's topics on our own lines, or the method on another scheme.

The product files questions under twenty topics of its own (`service.answering.topics.NAMES`). For a
file with other labels the same kind of model is fitted in cross-validation on that file; where the
labels are those of LawBench 2-4, two thousand lines of our own writing under those labels
(`knowledge/encoder/questions.jsonl`, those without articles) are added to the training side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge import text
from knowledge.encoder import QUERY, Encoder, own_questions
from service.answering.topics import NOT_LEGAL, TopicModel
from service.evaluation.benchmark import read_lines
from service.evaluation.fitting import fit_softmax, folds, predict
from service.evaluation.metrics import classification_metrics, wilson_interval

FOLDS = 10
PENALTY = 0.004  # and the share below: chosen by the folds of topics_dev
GIVEN_SHARE = 2.0  # a line of the file at hand counts as two of ours
SPREAD = 4.0  # unit vectors times this, so that the penalty acts on all topics alike


def evaluate(
    questions: Sequence[str], truth: Sequence[str], shipped: TopicModel, encoder: Encoder
) -> dict[str, Any]:
    """n, accuracy, macro_f1, the confusion, and how it was measured: `shipped` or `folds`."""
    predicted: list[str]
    second_counts = 0
    if set(truth) <= set(shipped.labels):
        vectors = encoder.encode([QUERY + text.normalise(q) for q in questions])
        guesses = [shipped.guess(v) for v in vectors]
        predicted = [NOT_LEGAL if g.not_legal > 0.5 else g.names[0] for g in guesses]
        second_counts = sum(
            t == p or t in g.names[1:] for t, p, g in zip(truth, predicted, guesses, strict=True)
        )
        measured_by = "shipped"
    else:
        predicted = cross_validate(questions, truth, encoder)
        measured_by = "folds"
    hits = sum(t == p for t, p in zip(truth, predicted, strict=True))
    out = {
        "n": len(truth),
        "measured_by": measured_by,
        **classification_metrics(truth, predicted),
        "interval_95": {"accuracy": wilson_interval(hits, len(truth))},
    }
    if second_counts:
        out["accuracy_first_or_second"] = round(second_counts / len(truth), 4)
    return out


def cross_validate(questions: Sequence[str], truth: Sequence[str], encoder: Encoder) -> list[str]:
    """The label of each line by a model that has not seen it."""
    labels = sorted(set(truth))
    codes = np.array([labels.index(t) for t in truth])
    own = _own_lines(labels)
    own_codes = np.array([labels.index(topic) for _, topic in own], dtype=np.int64)
    texts = [*questions, *(question for question, _ in own)]
    vectors = encoder.encode([QUERY + text.normalise(q) for q in texts]).astype(np.float64) * SPREAD
    given, more = vectors[: len(truth)], vectors[len(truth) :]
    predicted = np.zeros(len(truth), dtype=np.int64)
    for train, test in folds(codes, FOLDS):
        weights = fit_softmax(
            np.vstack([given[train], more]),
            np.concatenate([codes[train], own_codes]),
            len(labels),
            penalty=PENALTY,
            shares=np.concatenate([np.full(train.sum(), GIVEN_SHARE), np.ones(len(more))]),
        )
        predicted[test] = predict(weights, given[test]).argmax(axis=1)
    return [labels[i] for i in predicted]


def _own_lines(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Questions of our own writing under LawBench's topics; none where the labels are others."""
    lines = [(x["question"], x["topic"]) for x in read_lines(own_questions()) if not x["articles"]]
    return lines if {topic for _, topic in lines} == set(labels) else []
