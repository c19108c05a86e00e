"""`consult eval urgent`: is danger recognised, and nothing else taken for it?

Cases are our own, `cases/urgent.jsonl`: {question, behaviour: urgent | near_urgent, kind, split,
set}. From `dev` table and network have learned; on `calib` what they prove was weighed and the
floors were chosen. `test` (sets f, o) and `unseen` (x, y, z, L, M) only report: lines written
without sight of rules and lines, on which two readings agreed. How often each has been measured
stands in `docs/quality.md`. They may be learned from when others are written.
"""

from __future__ import annotations

from collections import defaultdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from knowledge import text
from service.answering.danger import listen, suspicion_of
from service.evaluation.benchmark import read_lines
from service.evaluation.metrics import wilson_interval


def shipped_cases() -> Path:
    return Path(str(files("service.evaluation"))) / "cases" / "urgent.jsonl"


def evaluate(cases: Path, split: str | None = None) -> dict[str, Any]:
    """Recall over lines of danger and the share of false alarms over the others, by the words
    alone and with the network, of all and of each set; of one split, or all if None.
    `told_whom_to_call` counts as well what is answered with the emergency numbers before it."""
    lines = [
        line
        for line in read_lines(cases, "question", "behaviour")
        if split in (None, line.get("split", split))
    ]
    asked = [text.normalise(line["question"]) for line in lines]
    suspicions = [suspicion_of(q) for q in asked]
    heard = listen(suspicions, asked)
    by_words = [s.alarm for s in suspicions]
    rang = [words or h.alarm for words, h in zip(by_words, heard, strict=True)]
    told = [alarm or h.doubt for alarm, h in zip(rang, heard, strict=True)]
    named = [
        line["kind"] == suspicion.kind
        for line, suspicion, alarm in zip(lines, suspicions, rang, strict=True)
        if alarm and line.get("kind")
    ]
    return {
        "n": len(lines),
        **_figures(lines, rang),
        "by_words": _figures(lines, by_words),
        "told_whom_to_call": _figures(lines, told),
        "kind_right": round(sum(named) / len(named), 4) if named else None,
        "by_set": _by_set(lines, rang),
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
