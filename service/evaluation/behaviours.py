"""`consult eval behaviours`: does each kind of question end as it should?

Cases are our own writing, in `cases/*.jsonl`: {id, question, behaviour, expect, topic, cites}.
`expect` lists the outcomes, or their prefixes, that are right; `cites` the articles of which at
least one should be shown. `split` and `documents` are explained in `doubt.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from knowledge.index import Progress
from knowledge.statutes import short_title
from service.answering.draft import Answer
from service.answering.pipeline import Pipeline
from service.evaluation.benchmark import read_lines


def shipped_cases() -> Path:
    return Path(str(files("service.evaluation"))) / "cases" / "behaviours.jsonl"


def _ends_right(case: dict[str, Any], answer: Answer) -> bool:
    return answer.outcome.value.startswith(tuple(case["expect"]))


def _shows_an_article(case: dict[str, Any], answer: Answer) -> bool:
    shown = {
        short_title(c.source.document.title) + c.source.passage.label
        for c in answer.draft.citations
    }
    return bool(shown & set(case["cites"]))


def evaluate(pipeline: Pipeline, cases: Path, progress: Progress) -> dict[str, Any]:
    """n and share of right endings, in all and by behaviour; of the answered legal questions that
    name articles, the share that shows one; how each behaviour ended (confusion); and the ids that
    ended wrong."""
    lines = list(read_lines(cases, "id", "question", "behaviour", "expect"))
    right: dict[str, list[bool]] = defaultdict(list)
    confusion: dict[str, Counter[str]] = defaultdict(Counter)
    shown: list[bool] = []
    wrong: list[str] = []
    for done, case in enumerate(lines, start=1):
        answer = pipeline.answer(case["question"])
        ok = _ends_right(case, answer)
        right[case["behaviour"]].append(ok)
        confusion[case["behaviour"]][answer.outcome.value] += 1
        if not ok:
            wrong.append(case["id"])
        if case["behaviour"] == "legal" and case.get("cites") and answer.outcome.answered:
            shown.append(_shows_an_article(case, answer))
        progress("提问", done, len(lines))
    everything = [ok for group in right.values() for ok in group]
    return {
        "n": len(lines),
        "right": _share(everything),
        "by_behaviour": {
            name: {"n": len(group), "right": _share(group)} for name, group in right.items()
        },
        "legal_answered_with_cites": {"n": len(shown), "shows_one": _share(shown)},
        "confusion": {name: dict(row) for name, row in confusion.items()},
        "wrong": wrong,
    }


def _share(group: list[bool]) -> float | None:
    return round(sum(group) / len(group), 3) if group else None
