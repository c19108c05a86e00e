"""`consult eval urgent`: is danger recognised, and nothing else taken for it?

Cases are our own, `cases/urgent.jsonl`: {question, behaviour: urgent | near_urgent, kind, split,
set}. `dev` was learned from; `test` was written without sight of rules and lines, and only reports:
lines of it on which two readings agreed. Both its sets (f, o) were measured when it was chosen what
ships. `unseen`, seven more sets with one label each, was measured only after that: the fairest
figure. It may be learned from once another is written.
"""

from __future__ import annotations

from collections import defaultdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from knowledge import text
from knowledge.encoder import QUERY, Encoder
from service.answering.danger import second_look, suspicion_of
from service.evaluation.benchmark import read_lines
from service.evaluation.metrics import wilson_interval


def shipped_cases() -> Path:
    return Path(str(files("service.evaluation"))) / "cases" / "urgent.jsonl"


def evaluate(cases: Path, encoder: Encoder, split: str | None = None) -> dict[str, Any]:
    """Recall over lines of danger and the share of false alarms over the others, by the words
    alone and with the second look, of all and of each set; of one split, or all if None."""
    lines = [
        line
        for line in read_lines(cases, "question", "behaviour")
        if split in (None, line.get("split", split))
    ]
    asked = [text.normalise(line["question"]) for line in lines]
    suspicions = [suspicion_of(q) for q in asked]
    vectors = encoder.encode([QUERY + q for q in asked])
    by_words = [s.alarm for s in suspicions]
    both = [s.alarm or second_look(s, v)[1] for s, v in zip(suspicions, vectors, strict=True)]
    named = [
        line["kind"] == s.kind
        for line, s, alarm in zip(lines, suspicions, both, strict=True)
        if alarm and line.get("kind")
    ]
    return {
        "n": len(lines),
        **_figures(lines, both),
        "by_words": _figures(lines, by_words),
        "kind_right": round(sum(named) / len(named), 4) if named else None,
        "by_set": _by_set(lines, both),
    }


def _by_set(lines: list[dict[str, Any]], rang: list[bool]) -> dict[str, Any]:
    pairs: dict[str, list[tuple[dict[str, Any], bool]]] = defaultdict(list)
    for line, alarm in zip(lines, rang, strict=True):
        pairs[line.get("set", "")].append((line, alarm))
    return {
        name: {"n": len(of)} | _figures([line for line, _ in of], [alarm for _, alarm in of])
        for name, of in sorted(pairs.items())
    }


def _figures(lines: list[dict[str, Any]], rang: list[bool]) -> dict[str, Any]:
    danger = [a for line, a in zip(lines, rang, strict=True) if line["behaviour"] == "urgent"]
    other = [a for line, a in zip(lines, rang, strict=True) if line["behaviour"] != "urgent"]
    return {
        "recall": round(sum(danger) / len(danger), 4) if danger else None,
        "false_alarms": round(sum(other) / len(other), 4) if other else None,
        "interval_95": {
            "recall": wilson_interval(sum(danger), len(danger)),
            "false_alarms": wilson_interval(sum(other), len(other)),
        },
    }
