"""The shipped pre-check, paths through it, and its decision table (precheck_cases.txt)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.content import Rules, content_folder, read_items
from knowledge.statutes import label_of_key
from service.answering.precheck import LegalAidCheck, Result

[ITEM] = read_items(content_folder() / "rules" / "legal_aid.yaml")
assert isinstance(ITEM, Rules)
TABLE: dict[str, Any] = ITEM.table
CITES: list[str] = ITEM.cites
CHECK = LegalAidCheck(TABLE, version="rules-legal-aid@test")
LONGEST = 11  # questions on the longest path


def walk(path: str) -> dict[str, Any]:
    """The answers of somebody who chooses these options in turn; 1+2 chooses several."""
    answers: dict[str, Any] = {}
    for choice in path.split():
        question = CHECK.next_question(answers)
        assert question, f"nothing is asked after {answers}, but {choice} is left"
        answers[question.id] = choice.split("+") if question.many else choice
    left = CHECK.next_question(answers)
    assert left is None, f"{path}: still asks {left}"
    return answers


def after(path: str) -> Result:
    """The result of a path."""
    return CHECK.evaluate(walk(path))


def reasons_cite(result: Result) -> set[str]:
    """The articles among the reasons proper."""
    return {cite for reason in result.reasons for cite in reason.cites}


def said(result: Result) -> str:
    """Every word that the result says of itself, without the questions and options chosen."""
    parts = [result.label, result.lead, result.disclaimer]
    for _, reasons in result.parts():
        parts += [f"{r.text}（{'、'.join(r.cites)}{r.source}）" for r in reasons]
    return "\n".join(parts)


def article(short: str) -> str:
    """31 → 法律援助法第三十一条; a full citation stays."""
    return f"法律援助法{label_of_key(short)}" if short.isdigit() else short


@dataclass(frozen=True)
class Case:
    facts: str
    path: str
    verdict: str
    expected: tuple[str, ...]


def _cases() -> list[Case]:
    lines = (Path(__file__).parent / "precheck_cases.txt").read_text("utf-8").splitlines()
    rows = [line.split(" | ") for line in lines if line and not line.startswith("#")]
    return [
        Case(facts, path, verdict, tuple(expected.split()))
        for facts, path, verdict, expected in rows
    ]


CASES = _cases()
