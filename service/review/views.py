"""Reviews as JSON: for a line, and in full with both answers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.store import documents
from service.models import AnswerRecord, Staff
from service.models.review import Review
from service.review.access import iso


def of_review(session: Session, row: Review) -> dict[str, Any]:
    """Without what the citizen asked."""
    return of_reviews(session, [row])[0]


def of_reviews(session: Session, rows: list[Review]) -> list[dict[str, Any]]:
    """Likewise for several, with one query for all names."""
    people = {p for row in rows for p in (row.reviewer_id, row.rerun_by, row.closed_by) if p}
    names = dict(session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(people))).all())
    targets = {row.target for row in rows if row.target}
    titles = dict(
        session.execute(
            select(documents.c.id, documents.c.title).where(documents.c.id.in_(targets))
        ).all()
    )
    return [_view(row, names, titles) for row in rows]


def _view(row: Review, names: dict[str, str], titles: dict[str, str]) -> dict[str, Any]:
    def person(staff: str | None) -> dict[str, str] | None:
        return {"id": staff, "name": names.get(staff, "")} if staff else None

    return {
        "id": row.id,
        "answer": row.answer_id,
        "asked_at": iso(row.asked_at),
        "topic": row.topic,
        "outcome": row.outcome,
        "region": row.region,
        "version": row.version,
        "reviewer": person(row.reviewer_id),
        "reviewed_at": iso(row.reviewed_at),
        "changed_at": iso(row.changed_at),
        "verdict": row.verdict,
        "labels": row.labels,
        "comment": row.comment,
        "follow_up": row.follow_up,
        "target": {"id": row.target, "title": titles.get(row.target, "")} if row.target else None,
        "status": row.status,
        "rerun_at": iso(row.rerun_at),
        "rerun_by": person(row.rerun_by),
        "rerun_differs": row.rerun_differs,
        "rerun_verdict": row.rerun_verdict,
        "closed_at": iso(row.closed_at),
        "closed_by": person(row.closed_by),
        "closed_because": row.closed_because,
        "close_reason": row.close_reason,
    }


def in_full(session: Session, row: Review) -> dict[str, Any]:
    """With the question, the answer of then and the answer of the question asked again. `question`
    and `before` are None once the citizen's data are erased."""
    record = session.get(AnswerRecord, row.answer_id)
    return {
        **of_review(session, row),
        "question": record.question if record else None,
        "before": record.answer if record else None,
        "after": row.rerun,
    }
