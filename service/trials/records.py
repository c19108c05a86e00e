"""Questions and answers of a run: as rows, and as the plain data that people get."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.models import digest
from service.conversations import Answers
from service.curation.views import moment
from service.models import Staff, TrialResult, TrialRun, TrialRunSet
from service.trials.asking import Answering, converse
from service.trials.expectation import cited_by, judge, shown_by

STATUSES = {
    "waiting": "排队中",
    "running": "正在问",
    "finished": "问完了",
    "cancelled": "已停止",
    "interrupted": "中断",
    "failed": "没有问成",
}
OPEN = ("waiting", "running")


def _key(question: dict[str, Any]) -> str:
    parts = (question["question"], *question["earlier"], question["region"])
    return digest(*parts, str(question["as_of"] or ""))


def once(questions: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """What several sets ask is asked once, with what is expected of it; twice only where two sets
    expect something of it."""
    expected = {_key(q) for _, q in questions if q["expect"]}
    kept: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    for set_id, question in questions:
        key = _key(question)
        if question["expect"]:
            kept[key, set_id] = (set_id, question)
        elif key not in expected:
            kept.setdefault((key, ""), (set_id, question))
    return list(kept.values())


def asked(run: str, position: int, set_id: str, question: dict[str, Any]) -> dict[str, Any]:
    as_of = question["as_of"]
    return {
        "run_id": run,
        "position": position,
        "set_id": set_id,
        "key": _key(question),
        "question": question["question"],
        "earlier": question["earlier"],
        "expect": question["expect"],
        "region": question["region"],
        "as_of": None if as_of is None else datetime.fromisoformat(as_of).date(),
        "summary": "",
        "cited": [],
        "shown": {},
        "why": [],
        "answer_id": question.get("answer_id"),
    }


def answered(row: TrialResult, answers: Answers, answering: Answering) -> dict[str, Any]:
    answer, _ = converse(
        answers,
        row.question,
        earlier=row.earlier,
        on=row.as_of,
        region=row.region or None,
    )
    cited = cited_by(answer)
    shown = shown_by(answer, answering.library)
    outcome = answer.outcome.value
    passed, why = judge(
        row.expect, outcome=outcome, cited=cited, shown=shown, library=answering.library
    )
    return {
        "outcome": outcome,
        "topic": answer.draft.topic,
        "confidence": round(answer.draft.confidence, 4),
        "summary": answer.draft.summary,
        "cited": cited,
        "shown": shown,
        "took_ms": round(answer.took_ms, 1),
        "passed": passed,
        "why": why,
    }


def views(session: Session, rows: Sequence[TrialRun]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    sets: dict[str, list[dict[str, str]]] = {}
    for row in session.scalars(
        select(TrialRunSet).where(TrialRunSet.run_id.in_(ids)).order_by(TrialRunSet.name)
    ):
        sets.setdefault(row.run_id, []).append({"id": row.set_id, "name": row.name})
    people = session.execute(
        select(Staff.id, Staff.name).where(Staff.id.in_({row.asked_by for row in rows}))
    )
    names = {row.id: row.name for row in people}
    return [
        {
            "id": row.id,
            "status": row.status,
            "status_label": STATUSES[row.status],
            "open": row.status in OPEN,
            "revision": row.revision_id,
            "sets": sets.get(row.id, []),
            "asked_by": names.get(row.asked_by, ""),
            "asked_at": moment(row.asked_at),
            "began_at": moment(row.began_at),
            "ended_at": moment(row.ended_at),
            "total": row.total,
            "done": row.done,
            "passed": row.passed,
            "failed": row.failed,
            "knowledge": row.knowledge,
            "versions": row.versions,
            "problem": row.problem,
        }
        for row in rows
    ]


def result(row: TrialResult) -> dict[str, Any]:
    fields = (
        "position", "set_id", "key", "question", "earlier", "expect", "region", "outcome",
        "topic", "confidence", "summary", "cited", "shown", "took_ms", "passed", "why",
    )  # fmt: skip
    return {field: getattr(row, field) for field in fields} | {
        "as_of": row.as_of.isoformat() if row.as_of else None
    }
