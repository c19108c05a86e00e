"""`consult eval citations`: is every citation in a text found, and judged rightly?

Cases are our own writing, `cases/citations.jsonl`: {text, expect: [{law, article, verdict}], as_of,
form}. The worst failure is a false accept (verified, although it is not), the next a silent miss.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from knowledge import citations, text
from knowledge.citations import LawBook
from service.evaluation.benchmark import read_lines
from service.evaluation.metrics import wilson_interval

Finding = tuple[str, str | None, str]  # law, article, verdict


def shipped_cases() -> Path:
    return Path(str(files("service.evaluation"))) / "cases" / "citations.jsonl"


def evaluate(laws: LawBook, cases: Path, on: date) -> dict[str, Any]:
    """n texts, `right` (share judged exactly so), and over single citations: `false_accepts`,
    `silent_misses`, `wrong_verdicts`, `found_too_much`; `wrong` are the texts that failed."""
    counts: Counter[str] = Counter()
    by_form: dict[str, list[bool]] = defaultdict(list)
    wrong = []
    expected_in_all = 0
    for case in read_lines(cases, "text"):
        day = date.fromisoformat(case["as_of"]) if case.get("as_of") else on
        expected = Counter(_finding(e) for e in case.get("expect", ()))
        checked = citations.to_json(laws.check_text(text.normalise(case["text"]), day))
        got = Counter(_finding(c) for c in checked)
        expected_in_all += expected.total()
        _compare(expected, got, counts)
        by_form[case.get("form", "")].append(expected == got)
        if expected != got:
            wrong.append(case["text"])
    every = [ok for group in by_form.values() for ok in group]
    return {
        "n": len(every),
        "citations": expected_in_all,
        "right": round(sum(every) / len(every), 4),
        "false_accepts": counts["false_accepts"],
        "silent_misses": counts["silent_misses"],
        "wrong_verdicts": counts["wrong_verdicts"],
        "found_too_much": counts["found_too_much"],
        "interval_95": {"right": wilson_interval(sum(every), len(every))},
        "by_form": {
            form: {"n": len(group), "right": round(sum(group) / len(group), 3)}
            for form, group in sorted(by_form.items())
        },
        "wrong": wrong,
    }


def _finding(entry: dict[str, Any]) -> Finding:
    return entry["law"], entry["article"], entry["verdict"]


def _compare(expected: Counter[Finding], got: Counter[Finding], counts: Counter[str]) -> None:
    """Pair what is left over by law and article first, so that each failure has its name."""
    missing, extra = expected - got, got - expected
    for _, article, verdict in list(extra.elements()):
        twin = next((e for e in missing.elements() if e[1] == article), None)
        if verdict == "verified":
            counts["false_accepts"] += 1
        elif twin is None:
            counts["found_too_much"] += 1
        else:
            counts["wrong_verdicts"] += 1
        if twin is not None:
            missing[twin] -= 1
    counts["silent_misses"] += missing.total()
