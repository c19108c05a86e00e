"""`consult calibrate`: fit topics and confidence for an encoder, and choose the floors.

Fits on `calib` lines only: our own (`doubt.jsonl`, `behaviours.jsonl`) over the product's law and,
where given, the benchmark's statute_calib over its corpus. Probabilities that floors are chosen on
come from folds that did not see the line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge import store
from knowledge.citations import LawBook
from knowledge.index import Progress
from knowledge.retrieval import RANKING
from service.answering.compose import CitedLaw, Search
from service.answering.confidence import FEATURES, GUIDANCE, LAW, LEGAL, Features, Logistic
from service.answering.topics import TopicModel
from service.assembly import Rooms, abbreviations
from service.evaluation import filing
from service.evaluation.benchmark import ON, open_benchmark
from service.evaluation.doubt import Observation, observe, read_asked, read_benchmark, read_own
from service.evaluation.fitting import Matrix, fit_softmax, folds
from service.evaluation.metrics import auroc, expected_calibration_error

# What share of answers may be wrong. Judgements name few of the articles and documents that would
# do, so that some of what counts as wrong is not: of 20 such answers from the law, read one by
# one, 6 were to the point.
LAW_RISK, GUIDANCE_RISK = 0.15, 0.15
OUTSIDE_PASSING = 0.03  # of what is nothing for us may pass as legal; few pass the next floor too
LEGAL_TURNED_AWAY = 0.005  # of ours may be called none of ours
_PENALTY = 0.003  # on standardised features; .02 gave the same AUROC to .002 on statute_calib
_FOLDS = 10
_ENOUGH = 20  # answers, before their share of wrong ones says anything

Line = tuple[Features, bool]  # what was found, and whether it was right
Scored = tuple[float, bool]  # a probability, and whether it was right


def run(rooms: Rooms, bench: Path | None, out: Path, progress: Progress) -> dict[str, Any]:
    """Fit topics and confidence for the encoder of `rooms` and write both into `out`; returns what
    was measured. `bench` is a folder with statute_calib.jsonl, articles.jsonl.gz,
    articles_vectors.npy and qa_pairs.jsonl."""
    asked = filing.real_lines(bench / "qa_pairs.jsonl") if bench else []
    topics = filing.fit_topics(filing.content_lines(rooms.library), asked, rooms.encoder)
    on, region = store.today_in_china(), rooms.settings.region
    own = [*read_own(rooms.laws, on, "calib"), *read_asked("calib")]
    cited_law = CitedLaw(rooms.laws)
    with rooms.retriever() as retriever:
        search = Search(retriever, cited_law, topics)
        observed = list(observe(search, own, on, region, progress))
    if bench:
        observed += _observe_benchmark(rooms, bench, topics, progress)
    command = "consult calibrate" + (" --bench BENCH" if bench else "")
    calibration = fit_confidence(observed, rooms.encoder.version, command)
    write(calibration, topics, out)
    return {k: calibration[k] for k in ("version", "floors", "measured_by_folds")}


def _observe_benchmark(
    rooms: Rooms, bench: Path, topics: TopicModel, progress: Progress
) -> list[Observation]:
    with open_benchmark(
        bench / "articles.jsonl.gz",
        bench / "articles_vectors.npy",
        rooms.encoder,
        progress,
        rooms.library,
    ) as retriever:
        laws = LawBook(retriever.library, abbreviations())
        cited_law = CitedLaw(laws)
        lines = read_benchmark(bench / "statute_calib.jsonl", retriever.library)
        search = Search(retriever, cited_law, topics)
        return list(observe(search, lines, ON, rooms.settings.region, progress))


def fit_confidence(observed: Sequence[Observation], encoder: str, command: str) -> dict[str, Any]:
    """The calibration as it is stored: models, floors, and how well the folds did."""
    law = [o for o in observed if o.law_right is not None]
    guidance = [o for o in observed if o.candidates]
    tasks = {
        "legal": (LEGAL, [[(o.features, o.judged.kind != "outside")] for o in observed]),
        "guidance": (GUIDANCE, [list(o.candidates) for o in guidance]),
        "law": (LAW, [[(o.features, bool(o.law_right))] for o in law]),
    }
    models, measured, unseen = {}, {}, {}
    for name, (features, groups) in tasks.items():
        models[name] = _fit([row for group in groups for row in group], features)
        unseen[name] = _surest_unseen(groups, features)
        measured[name] = _measured(unseen[name])
    is_ours = [o.judged.kind != "outside" for o in observed]
    p_legal = np.array([p for p, _ in unseen["legal"]])
    floors = {
        "legal": round(float(np.quantile(p_legal[~np.array(is_ours)], 1 - OUTSIDE_PASSING)), 3),
        "off_topic": round(float(np.quantile(p_legal[is_ours], LEGAL_TURNED_AWAY)), 3),
        "guidance": floor_for_risk(_ours(unseen["guidance"], guidance), GUIDANCE_RISK),
        "law": floor_for_risk(_ours(unseen["law"], law), LAW_RISK),
    }
    floors["off_topic"] = min(floors["off_topic"], floors["legal"])
    body = {
        "made_for": {"encoder": encoder, "ranking": RANKING, "features": FEATURES},
        "command": command,
        "risk": {"law": LAW_RISK, "guidance": GUIDANCE_RISK, "outside": OUTSIDE_PASSING},
        "measured_by_folds": measured,
        "floors": floors,
        "models": models,
    }
    version = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]
    return {"version": version, **body}


def _ours(surest: Sequence[Scored], observed: Sequence[Observation]) -> list[Scored]:
    """Without what is nothing for us: that is kept out by the floor of `legal`."""
    pairs = zip(surest, observed, strict=True)
    return [scored for scored, o in pairs if o.judged.kind != "outside"]


def _measured(surest: Sequence[Scored]) -> dict[str, Any]:
    probability, right = [p for p, _ in surest], [ok for _, ok in surest]
    return {
        "n": len(surest),
        "right": round(sum(right) / len(right), 3),
        "auroc": auroc(probability, right),
        "calibration_error": expected_calibration_error(probability, right),
    }


def floor_for_risk(surest: Sequence[Scored], risk: float) -> float:
    """The lowest floor such that, of the questions answered above it, at most `risk` are answered
    wrongly; 1 if there is none."""
    floor, wrong = 1.0, 0
    for given, (p, right) in enumerate(sorted(surest, key=lambda pair: -pair[0]), start=1):
        wrong += not right
        if given >= _ENOUGH and wrong / given <= risk:
            floor = p
    return round(floor, 3)


def _fit(lines: Sequence[Line], features: Sequence[str]) -> dict[str, Any]:
    """Standardise, fit, and name the coefficients."""
    rows = np.array([[found[f] for f in features] for found, _ in lines])
    truth = np.array([int(right) for _, right in lines])
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale[scale == 0] = 1.0
    two = fit_softmax((rows - mean) / scale, truth, 2, penalty=_PENALTY)
    weights = two[1] - two[0]
    return {
        "bias": round(float(weights[-1]), 5),
        "weights": _named(features, weights[:-1]),
        "mean": _named(features, mean),
        "scale": _named(features, scale),
    }


def _surest_unseen(groups: Sequence[Sequence[Line]], features: Sequence[str]) -> list[Scored]:
    """For each group, of candidates for one question, the surest one's probability, by a model
    that has seen none of the group, and whether it is right."""
    any_right = np.array([int(any(right for _, right in group)) for group in groups])
    out: list[Scored] = [(0.0, False)] * len(groups)
    for train, test in folds(any_right, _FOLDS):
        seen = [line for i in np.flatnonzero(train).tolist() for line in groups[i]]
        model = Logistic(**_fit(seen, features))
        for i in np.flatnonzero(test).tolist():
            scored = [(model.probability(found), right) for found, right in groups[i]]
            out[i] = max(scored, key=lambda pair: pair[0])
    return out


def _named(features: Sequence[str], values: Matrix) -> dict[str, float]:
    return {name: round(float(v), 5) for name, v in zip(features, values, strict=True)}


def write(calibration: dict[str, Any], topics: TopicModel, folder: Path) -> None:
    """Both files, into a home or, for what ships, the package."""
    folder.mkdir(parents=True, exist_ok=True)
    topics.save(folder / "topics.npz")
    target = folder / "calibration.json"
    target.write_text(json.dumps(calibration, ensure_ascii=False, indent=1) + "\n", "utf-8")
