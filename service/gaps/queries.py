"""What the page of gaps asks of the database: counts, and questions as they were kept, masked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, distinct, func, or_, select
from sqlalchemy.orm import Session

from service.gaps.collect import KINDS
from service.models import AnswerRecord, GapCluster, GapMember, Staff

MOST_EXAMPLES = 12

Conditions = Sequence[ColumnElement[bool]]


def members(*columns: Any) -> Any:
    """Members with their answers: what has been erased is not there, collected again or not."""
    return (
        select(*columns)
        .select_from(GapMember)
        .join(AnswerRecord, AnswerRecord.id == GapMember.answer_id)
    )


def ranked(
    session: Session,
    conditions: Conditions,
    start: datetime,
    place: tuple[int, str] | None,
    limit: int,
) -> Sequence[Any]:
    asked = func.count(distinct(GapMember.answer_id))
    query = (
        members(
            GapMember.cluster_id,
            asked.label("asked"),
            func.count(distinct(AnswerRecord.conversation_id)).label("conversations"),
        )
        .join(GapCluster, GapMember.cluster_id == GapCluster.id)
        .where(*conditions, GapMember.asked_at > start)
        .group_by(GapMember.cluster_id)
    )
    if place is not None:
        count, last = place
        query = query.having(or_(asked < count, and_(asked == count, GapMember.cluster_id > last)))
    return session.execute(query.order_by(asked.desc(), GapMember.cluster_id).limit(limit)).all()


def counts(
    session: Session,
    ids: Sequence[str],
    conditions: Conditions,
    start: datetime,
    end: datetime,
) -> dict[str, int]:
    rows = session.execute(
        members(GapMember.cluster_id, func.count(distinct(GapMember.answer_id)).label("asked"))
        .where(
            *conditions,
            GapMember.cluster_id.in_(ids),
            GapMember.asked_at > start,
            GapMember.asked_at <= end,
        )
        .group_by(GapMember.cluster_id)
    )
    return {row.cluster_id: row.asked for row in rows}


def examples(
    session: Session,
    ids: Sequence[str],
    conditions: Conditions,
    start: datetime,
) -> dict[str, list[str]]:
    """The newest questions of each cluster, each wording once."""
    number = func.row_number().over(
        partition_by=GapMember.cluster_id,
        order_by=(GapMember.asked_at.desc(), GapMember.answer_id),
    )
    ranked = (
        members(GapMember.cluster_id, AnswerRecord.question, number.label("number"))
        .where(*conditions, GapMember.cluster_id.in_(ids), GapMember.asked_at > start)
        .subquery()
    )
    rows = session.execute(
        select(ranked.c.cluster_id, ranked.c.question)
        .where(ranked.c.number <= MOST_EXAMPLES)
        .order_by(ranked.c.cluster_id, ranked.c.number)
    )
    out: dict[str, list[str]] = {}
    for row in rows:
        words = out.setdefault(row.cluster_id, [])
        if row.question not in words:
            words.append(row.question)
    return out


def named(session: Session, clusters: Iterable[GapCluster]) -> dict[str, Any]:
    """The naming question of each cluster, with its topic and what was searched for."""
    by_answer = {c.medoid_id: c.id for c in clusters}
    rows = session.execute(
        select(
            AnswerRecord.id,
            AnswerRecord.question,
            AnswerRecord.topic,
            AnswerRecord.region,
            AnswerRecord.trace["query"].as_string().label("searched"),
        ).where(AnswerRecord.id.in_(by_answer))
    )
    return {by_answer[row.id]: row for row in rows}


def people(session: Session, clusters: Iterable[GapCluster]) -> dict[str, str]:
    ids = {c.changed_by for c in clusters if c.changed_by}
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    return {row.id: row.name for row in rows}


def figures(
    session: Session,
    conditions: Conditions,
    start: datetime,
    length: timedelta,
) -> dict[str, Any]:
    """How many questions of each kind, in all, and in the period before."""
    asked = func.count(distinct(GapMember.answer_id))
    rows = session.execute(
        members(GapMember.kind, asked.label("asked"))
        .where(*conditions, GapMember.asked_at > start)
        .group_by(GapMember.kind)
    ).all()
    now_, before = (
        session.scalar(
            members(asked).where(
                *conditions, GapMember.asked_at > since, GapMember.asked_at <= until
            )
        )
        or 0
        for since, until in (
            (start, start + length + timedelta(days=1)),
            (start - length, start),
        )
    )
    by_kind = {row.kind: row.asked for row in rows}
    return {
        "asked": now_,
        "before": before,
        "trend": trend(now_, before),
        "kinds": [
            {"kind": k, "label": label, "asked": by_kind.get(k, 0)} for k, label in KINDS.items()
        ],
    }


def trend(count: int, before: int) -> str:
    """This period against the one before, in words."""
    if not before:
        return "上一期没有" if count else "两期都没有"
    if count == before:
        return "和上一期一样多"
    more = count - before
    share = f"{abs(more) / before:.0%}"
    if more > 0:
        times = f"，是上一期的 {count / before:.1f} 倍" if count >= 2 * before else ""
        return f"比上一期多 {more} 个（增加 {share}{times}）"
    return f"比上一期少 {-more} 个（减少 {share}）"
