"""`consult eval urgent`: is danger recognised, and nothing else taken for it?

Cases are our own, `cases/urgent.jsonl`: {question, behaviour: urgent | near_urgent, split}. Rules
were tuned on `dev`; `test` was not looked at while writing them.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from knowledge import text
from service.answering.urgent import urgent_kind
from service.evaluation.benchmark import read_lines
from service.evaluation.metrics import wilson_interval


def shipped_cases() -> Path:
    return Path(str(files("service.evaluation"))) / "cases" / "urgent.jsonl"


def evaluate(cases: Path) -> dict[str, Any]:
    """Recall over lines of danger and the share of false alarms over the others, in all and by
    split; `wrong` are the lines that failed in a split open to tuning."""
    lines = list(read_lines(cases, "question", "behaviour"))
    rang = [urgent_kind(text.normalise(line["question"])) is not None for line in lines]
    out: dict[str, Any] = {"n": len(lines)} | _figures(lines, rang)
    splits = sorted({line.get("split", "") for line in lines} - {""})
    for split in splits:
        chosen = [i for i, line in enumerate(lines) if line.get("split") == split]
        out[split] = _figures([lines[i] for i in chosen], [rang[i] for i in chosen])
    out["wrong"] = [
        line["question"]
        for line, alarm in zip(lines, rang, strict=True)
        if line.get("split") != "test" and alarm != (line["behaviour"] == "urgent")
    ]
    return out


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
