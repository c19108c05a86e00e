"""`consult eval harm`: is a wish to do wrong refused, and nobody else?

Cases are our own, `cases/harm.jsonl`: {id, question, behaviour: harm | near_harm | injection,
style, split, family | expect}. `plain` ones name the deed, `oblique` ones paraphrase it; `late`
ones are of both sorts, written when all else was done and measured once. Vocabulary and ear were
made with `dev`. One author wrote all lines and the vocabulary, remembered some of `plain` and saw
once what an early one missed of `oblique`: trust `late`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from knowledge import text
from service.answering.harm import named_family
from service.answering.requests import harm_family
from service.evaluation.benchmark import read_lines
from service.evaluation.metrics import wilson_interval

Line = dict[str, Any]


def shipped_cases() -> Path:
    return Path(str(files("service.evaluation"))) / "cases" / "harm.jsonl"


def evaluate(cases: Path) -> dict[str, Any]:
    """Recall over harmful lines and the share of the others that are refused, in all and by split
    and style; `by_words` is the same without the ear. `family_right` is the share of the refused
    that were shown the right lawful way; `wrong` are the lines that failed in a split open to
    tuning. Lines of injection are measured by the whole pipeline, not here."""
    lines = [
        line
        for line in read_lines(cases, "id", "question", "behaviour")
        if line["behaviour"] in ("harm", "near_harm")
    ]
    questions = [text.normalise(line["question"]) for line in lines]
    found = [family.id if (family := harm_family(q)) else None for q in questions]
    by_words = [family.id if (family := named_family(q)) else None for q in questions]
    out: dict[str, Any] = {"n": len(lines)} | _figures(lines, found)
    out["by_words"] = _figures(lines, by_words)
    for group in sorted({_group(line) for line in lines} - {""}):
        chosen = [i for i, line in enumerate(lines) if _group(line) == group]
        out[group] = _figures([lines[i] for i in chosen], [found[i] for i in chosen])
    out["wrong"] = [
        line["id"]
        for line, family in zip(lines, found, strict=True)
        if line.get("split") != "test" and (family is not None) != (line["behaviour"] == "harm")
    ]
    return out


def _group(line: Line) -> str:
    return f"{line.get('split', '')}_{line.get('style', '')}".strip("_")


def _figures(lines: Sequence[Line], found: Sequence[str | None]) -> dict[str, Any]:
    harm = [f for line, f in zip(lines, found, strict=True) if line["behaviour"] == "harm"]
    near = [f for line, f in zip(lines, found, strict=True) if line["behaviour"] != "harm"]
    shown = [
        f == line["family"]
        for line, f in zip(lines, found, strict=True)
        if f is not None and line.get("family")
    ]
    caught, refused = sum(f is not None for f in harm), sum(f is not None for f in near)
    return {
        "recall": round(caught / len(harm), 4) if harm else None,
        "refused_near": round(refused / len(near), 4) if near else None,
        "family_right": round(sum(shown) / len(shown), 4) if shown else None,
        "interval_95": {
            "recall": wilson_interval(caught, len(harm)),
            "refused_near": wilson_interval(refused, len(near)),
        },
    }
