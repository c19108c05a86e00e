"""`consult eval abstention`: does it know what it does not know?

Every line is answered as a citizen's question. An answer to a legal question is right when an
article that decides it is among those shown; to a line that is nothing for us no answer is right.
A reviewed answer is right by another measure too: that readers found it to answer the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from knowledge.index import Progress
from service.answering.draft import Answer, Outcome
from service.answering.pipeline import Pipeline
from service.evaluation.doubt import Judged
from service.evaluation.metrics import (
    auroc,
    coverage_at_risk,
    expected_calibration_error,
    risk_coverage,
    wilson_interval,
)

_RISK = 0.10
_REVIEWED = (Outcome.ANSWERED_FAQ, Outcome.ANSWERED_SERVICE)


@dataclass(frozen=True)
class _Result:
    judged: Judged
    answered: bool
    right: bool  # what was shown, or would have been had it been surer
    also_right: bool  # or by what readers found to decide it too
    sure: float  # probability that it is right
    legal: float | None  # probability that it is ours; None if rules settled it before the search


def evaluate(
    pipeline: Pipeline, lines: Sequence[Judged], on: date, progress: Progress
) -> dict[str, Any]:
    """Figures over legal questions and lines that are nothing for us; other kinds count only for
    `reviewed`: of the reviewed answers shown where readers have judged them, the share that fits.

    `precision` is over answered legal questions (`precision_all_judged` counts too what readers
    found to decide them beside the articles named first; all other figures do not),
    `outside_answered` the share of the others that got an answer; `auroc_right` is over legal
    questions alone, `auroc_right_all` and `calibration_error` over both, `auroc_legal` over those
    that came to the search.
    """
    results, fits = [], []
    wanted = [j for j in lines if j.kind in ("legal", "outside") or j.documents is not None]
    for done, judged in enumerate(wanted, start=1):
        answer = pipeline.answer(judged.question, on=on)
        if judged.kind in ("legal", "outside"):
            results.append(_judge(judged, answer))
        if judged.documents is not None and answer.outcome in _REVIEWED:
            fits.append(answer.draft.trace["answered_by"] in judged.documents)
        progress("提问", done, len(wanted))
    legal = [r for r in results if r.judged.kind == "legal"]
    outside = [r for r in results if r.judged.kind == "outside"]
    answered = [r for r in legal if r.answered]
    right, all_judged = sum(r.right for r in answered), sum(r.also_right for r in answered)
    out: dict[str, Any] = {
        "n": len(results),
        "legal": len(legal),
        "outside": len(outside),
        "coverage": _share(len(answered), len(legal)),
        "precision": _share(right, len(answered)),
        "precision_all_judged": _share(all_judged, len(answered)),
        "auroc_right": auroc([r.sure for r in legal], [r.right for r in legal]),
        "auroc_right_all": auroc([r.sure for r in results], [r.right for r in results]),
        "auroc_legal": auroc(
            [r.legal for r in results if r.legal is not None],
            [r.judged.kind == "legal" for r in results if r.legal is not None],
        ),
        "calibration_error": expected_calibration_error(
            [r.sure for r in results], [r.right for r in results]
        ),
        "outside_answered": _share(sum(r.answered for r in outside), len(outside)),
        "interval_95": {
            "precision": wilson_interval(right, len(answered)),
            "precision_all_judged": wilson_interval(all_judged, len(answered)),
            "coverage": wilson_interval(len(answered), len(legal)),
            "outside_answered": wilson_interval(sum(r.answered for r in outside), len(outside)),
        },
        "wrong": [r.judged.question for r in outside if r.answered],
    }
    if fits:
        interval = wilson_interval(sum(fits), len(fits))
        out["reviewed"] = {"shown": len(fits), "fit": _share(sum(fits), len(fits))}
        out["interval_95"]["reviewed_fit"] = interval
    curve = risk_coverage([r.sure for r in legal], [r.right for r in legal])
    out["coverage_at_10_risk"] = coverage_at_risk(curve, _RISK)
    out["risk_coverage"] = _thinned(curve)
    return out


def _judge(judged: Judged, answer: Answer) -> _Result:
    draft = answer.draft
    answered = answer.outcome.answered and answer.outcome is not Outcome.ANSWERED_SMALLTALK
    shown = {c.source.passage.id for c in draft.citations}
    if not answered:
        shown |= set(draft.trace.get("would_show", ()))
    return _Result(
        judged,
        answered,
        right=bool(shown & judged.articles),
        also_right=bool(shown & (judged.articles | judged.also)),
        # A named article is answered without a search, for certain.
        sure=float(draft.trace.get("p_right", draft.confidence if answered else 0.0)),
        legal=draft.trace.get("p_legal"),
    )


def _thinned(curve: Sequence[tuple[float, float, float]]) -> list[dict[str, float]]:
    """The curve at each tenth of coverage."""
    points = []
    for tenth in range(1, 11):
        reached = next((p for p in curve if p[1] >= tenth / 10 - 1e-9), None)
        if reached:
            threshold, coverage, risk = reached
            points.append(
                {
                    "threshold": round(threshold, 3),
                    "coverage": round(coverage, 3),
                    "risk": round(risk, 3),
                }
            )
    return points


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
