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
_GUIDANCE = {"bias": -8.15, "near": 10.33, "lexical": 1.52, "lead": 3.71}
_LAW = {"bias": -4.34, "law": 2.94, "near": 2.29, "outside": 1.97, "reviewed": 0.86, "lead": 8.9}


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
    features = {
        "bias": 1.0,
        "law": max(h.cosine for h in law),
        "near": guidance[0].cosine,
        "outside": draft.outside.cosine if draft.outside else guidance[-1].cosine,
        "lexical": guidance[0].lexical,
    }
    apart = guidance[0].cosine - guidance[min(1, len(guidance) - 1)].cosine
    lead = law[0].score - law[min(3, len(law) - 1)].score
    reviewed = float(law[0].reviewed > 0)
    return Confidence(
        legal=_logistic(_LEGAL, features),
        guidance=_logistic(_GUIDANCE, features | {"lead": apart}),
        law=_logistic(_LAW, features | {"lead": lead, "reviewed": reviewed}),
    )


def _logistic(weights: dict[str, float], features: dict[str, float]) -> float:
    return 1 / (1 + math.exp(-sum(weights[name] * features[name] for name in weights)))
