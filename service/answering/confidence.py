"""How sure we are: probabilities from what the search found, by a calibrated model.

The model is `calibration.json`: logistic regressions on the features below, fitted and their floors
chosen by `consult calibrate` (see `service/evaluation/calibrate.py`), for one encoder, one way of
ranking and one set of features. With any other, `Calibration.load` refuses: probabilities that
nobody measured are worse than none.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from knowledge.models import Kind
from knowledge.retrieval import Hit
from service.answering.draft import Candidate, Draft

FEATURES = "5"  # raise when a feature changes its meaning, or what is shown

Features = dict[str, float]

# Which features each probability rests on.
LEGAL = ("law", "near", "outside", "near_lead", "not_legal", "length")
GUIDANCE = (
    "cosine", "third", "lexical", "lead", "no_law", "first", "top_5", "top_20", "two",
    "topic_fits", "is_faq", "is_service", "outside", "not_legal", "law", "length",
)  # fmt: skip
LAW = (
    "law", "gap_2", "gap_4", "gap_10", "lexical", "agrees", "same_law", "reviewed", "near",
    "outside", "not_legal", "topic", "length",
)  # fmt: skip


class CalibrationMismatch(Exception):
    """The calibration is missing, or was made for another encoder, ranking or set of features."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression on standardised features."""

    bias: float
    weights: dict[str, float]
    mean: dict[str, float]
    scale: dict[str, float]

    def probability(self, features: Features) -> float:
        total = self.bias + sum(
            weight * (features[name] - self.mean[name]) / self.scale[name]
            for name, weight in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@dataclass(frozen=True, slots=True)
class Floors:
    """Below these no answer is given; each chosen for a target risk.

    `off_topic`: below it the question is surely no legal matter.
    """

    legal: float
    off_topic: float
    guidance: float
    law: float


@dataclass(frozen=True, slots=True)
class Confidence:
    """Three probabilities: that the question is ours to answer at all, that the likeliest reviewed
    answer (`reviewed`) fits, and that one of the first articles decides it."""

    legal: float
    guidance: float
    law: float
    reviewed: Hit | None = None


@dataclass(frozen=True)
class Calibration:
    """What turns features into probabilities, and the floors that go with it."""

    version: str
    floors: Floors
    legal: Logistic
    guidance: Logistic
    law: Logistic

    @classmethod
    def load(cls, path: Path, *, encoder: str, ranking: str) -> Calibration:
        """Raises CalibrationMismatch, in Chinese, for a file that is missing or for others."""
        try:
            read: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise CalibrationMismatch(f"没有校准文件 {path}") from None
        fits = {"encoder": encoder, "ranking": ranking, "features": FEATURES}
        for name, value in fits.items():
            if read["made_for"][name] != value:
                raise CalibrationMismatch(
                    f"校准文件是为 {name}={read['made_for'][name]} 做的，现在是 {value}"
                )
        return cls(
            read["version"],
            Floors(**read["floors"]),
            *(Logistic(**read["models"][name]) for name in ("legal", "guidance", "law")),
        )

    def of(self, draft: Draft) -> Confidence:
        """The probabilities for a draft that has been searched for."""
        if not draft.found.law or not draft.found.guidance:
            return Confidence(0.0, 0.0, 0.0)
        features = features_of(draft)
        fits = [
            (self.guidance.probability(candidate_features(draft, candidate)), candidate.hit)
            for candidate in draft.candidates
        ]
        guidance, reviewed = max(fits, key=lambda pair: pair[0], default=(0.0, None))
        return Confidence(
            self.legal.probability(features),
            guidance,
            self.law.probability(features),
            reviewed,
        )


def shipped_calibration() -> Path:
    return Path(str(files("service.answering"))) / "calibration.json"


def features_of(draft: Draft) -> Features:
    """What was found for a question, as numbers. The draft must have law and guidance."""
    law, guidance = draft.found.law, draft.found.guidance
    first = law[0]
    documents = [h.source.document.id for h in law[:5]]

    def gap(depth: int) -> float:
        return first.score - law[min(depth, len(law)) - 1].score

    return {
        "law": max(h.cosine for h in law),
        "gap_2": gap(2),
        "gap_4": gap(4),
        "gap_10": gap(10),
        "lexical": first.lexical,
        # The words, by themselves, put their best article among the first three too.
        "agrees": float(max(h.lexical for h in law[:3]) >= 1.0),
        "same_law": documents.count(documents[0]) / len(documents),
        "reviewed": float(first.reviewed > 0),
        "near": guidance[0].cosine,
        "near_lead": guidance[0].cosine - guidance[min(1, len(guidance) - 1)].cosine,
        "outside": draft.outside.cosine if draft.outside else guidance[-1].cosine,
        "topic": draft.topics.sure,
        "not_legal": draft.topics.not_legal,
        "length": math.log(max(1, len(draft.query))),
    }


def candidate_features(draft: Draft, candidate: Candidate) -> Features:
    """What speaks for one reviewed answer, as numbers. That the search in the law, by itself, finds
    what the answer cites, says more than how near the questions are; and that several of its ways
    of asking are near, more than that one is."""
    hit, rank = candidate.hit, candidate.first_rank
    document = hit.source.document
    others = (h.cosine for h in draft.found.guidance if h is not hit)
    return {
        "cosine": hit.cosine,
        "third": hit.third,
        "lexical": hit.lexical,
        "lead": hit.cosine - max(others, default=0.0),
        "no_law": float(not candidate.cites),
        "first": float(rank is not None and rank < 1),
        "top_5": float(rank is not None and rank < 5),
        "top_20": float(rank is not None and rank < 20),
        "two": float(candidate.among_five >= 2),
        "topic_fits": math.log(draft.topics.probability(document.topic) + 0.01),
        "is_faq": float(document.kind is Kind.FAQ),
        "is_service": float(document.kind is Kind.SERVICE),
        "outside": draft.outside.cosine if draft.outside else draft.found.guidance[-1].cosine,
        "not_legal": draft.topics.not_legal,
        "law": max(h.cosine for h in draft.found.law),
        "length": math.log(max(1, len(draft.query))),
    }
