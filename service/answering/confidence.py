"""How sure we are, in probabilities, from what the search found.

Interim: logistic regressions fitted on the 234 questions of statute_calib and on our own lines in
`service/evaluation/cases` (2026-11-26); they belong to the shipped encoder and index, and a
calibrated model with its own training command is to take their place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from service.answering.draft import Draft

_LEGAL = {"bias": 3.43, "law": 5.09, "near": 9.72, "outside": -17.19}
_GUIDANCE = {
    "bias": -7.15,
    "near": 7.48,
    "lexical": 1.24,
    "lead": 3.59,
    "first": 1.22,
    "top_5": 0.62,
    "top_20": 1.05,
}
_LAW = {"bias": -4.34, "law": 2.94, "near": 2.29, "outside": 1.97, "reviewed": 0.86, "lead": 8.9}


# Lay words and statutes can be far apart (没钱请律师 finds no article on legal aid by itself), but
# questions this near are the same: nine in ten of ours shared an article with the reviewed answer.
_SAME_QUESTION = 0.8  # cosine
_NEAR_ALONE = {"bias": -8.1, "near": 12.51}


@dataclass(frozen=True, slots=True)
class Confidence:
    """Three probabilities: that the question is a legal matter at all, that the best reviewed
    question is the one asked, and that one of the first articles is about it."""

    legal: float
    guidance: float
    law: float


def confidence(draft: Draft) -> Confidence:
    """The probabilities for a draft that has been searched for."""
    law, guidance = draft.found.law, draft.found.guidance
    if not law or not guidance:
        return Confidence(0.0, 0.0, 0.0)
    nearest = draft.nearest or guidance[0]
    features = {
        "bias": 1.0,
        "law": max(h.cosine for h in law),
        "near": nearest.cosine,
        "outside": draft.outside.cosine if draft.outside else guidance[-1].cosine,
    }
    # That the search in the law, by itself, finds what the reviewed answer cites, says more than
    # how near the questions are: AUROC .844 without, .893 with.
    rank = draft.support
    answer = {
        "lexical": nearest.lexical,
        "lead": nearest.cosine - max((h.cosine for h in guidance if h is not nearest), default=0.0),
        "first": float(rank is not None and rank < 1),
        "top_5": float(rank is not None and rank < 5),
        "top_20": float(rank is not None and rank < 20),
    }
    articles = {
        "lead": law[0].score - law[min(3, len(law) - 1)].score,
        "reviewed": float(law[0].reviewed > 0),
    }
    fits = _logistic(_GUIDANCE, features | answer)
    if nearest.cosine >= _SAME_QUESTION:
        fits = max(fits, _logistic(_NEAR_ALONE, features))
    return Confidence(
        legal=_logistic(_LEGAL, features),
        guidance=fits,
        law=_logistic(_LAW, features | articles),
    )


def _logistic(weights: dict[str, float], features: dict[str, float]) -> float:
    return 1 / (1 + math.exp(-sum(weights[name] * features[name] for name in weights)))
