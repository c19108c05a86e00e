"""`consult eval topics`: the product's topics on our own lines, or the method on another scheme.

The product files questions, ours and real ones, under twenty topics of its own
(`service.answering.topics.NAMES`). For a file with other labels the same kind of model is fitted in
cross-validation on that file; where the labels are those of LawBench 2-4, two thousand lines of our
own writing under those labels (`knowledge/encoder/questions.jsonl`, those without articles) are
added to the training side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge import text
from knowledge.encoder import QUERY, Encoder, own_questions
from service.answering.topics import NOT_LEGAL, TopicGuess, TopicModel
from service.evaluation.benchmark import read_lines
from service.evaluation.filing import Filed
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
    second_counts = 0
    if set(truth) <= set(shipped.labels):
        guesses = _guesses(questions, shipped, encoder)
        predicted = [_filed_under(g) for g in guesses]
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


def evaluate_real(lines: Sequence[Filed], shipped: TopicModel, encoder: Encoder) -> dict[str, Any]:
    """Lines to which a reader gave one topic or two. accuracy and macro_f1 count the first;
    `fits`: the topic is one of theirs; `one_fits`: it or the second named is."""
    guesses = _guesses([line.question for line in lines], shipped, encoder)
    truth, predicted = [line.topics[0] for line in lines], [_filed_under(g) for g in guesses]
    pairs = list(zip(lines, predicted, guesses, strict=True))
    fits = sum(p in line.topics for line, p, _ in pairs)
    one_fits = sum(bool({p, *g.names[1:]} & set(line.topics)) for line, p, g in pairs)
    hits = sum(t == p for t, p in zip(truth, predicted, strict=True))
    return {
        "n": len(lines),
        "measured_by": "shipped",
        **classification_metrics(truth, predicted),
        "fits": round(fits / len(lines), 4),
        "one_fits": round(one_fits / len(lines), 4),
        "interval_95": {
            "accuracy": wilson_interval(hits, len(lines)),
            "fits": wilson_interval(fits, len(lines)),
        },
    }


def _guesses(questions: Sequence[str], shipped: TopicModel, encoder: Encoder) -> list[TopicGuess]:
    normal = [text.normalise(q) for q in questions]
    vectors = encoder.encode([QUERY + q for q in normal])
    return [shipped.guess(v, q) for v, q in zip(vectors, normal, strict=True)]


def _filed_under(guess: TopicGuess) -> str:
    return NOT_LEGAL if guess.not_legal > 0.5 else guess.names[0]


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
