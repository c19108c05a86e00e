"""The figures of a period as people read them: with definitions, and beside the period before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from knowledge.models import Kind, Status
from knowledge.store import documents, revisions
from service.answering.topics import NAMES as TOPICS
from service.models import Rating
from service.ratings.citizen import LEVELS, SATISFIED_FROM
from service.statistics import waits
from service.statistics.counts import Cell, Cells
from service.statistics.days import Period

# Words to a person are no question to the assistant; a greeting or thanks asks for nothing.
_NO_QUESTION = ("handover_with_person", "answered_smalltalk")
# What we should have been able to answer, and could not.
_MISSED = (
    "unanswerable_unsure",
    "unanswerable_not_held",
    "unanswerable_no_source",
    "failed_search",
)
DEFINITIONS = {
    "questions": "市民问助手的问题数。寒暄（你好、谢谢）和人工接待中对工作人员说的话不算。",
    "conversations": "这段时间里新开始的会话数；一个会话可以有多个问题。",
    "answered_share": "给出了回答的问题，占全部问题的比例。"
    "反问、转人工、紧急、答不了的都不算给出回答。",
    "coverage": "属于解答范围的问题里给出了回答的比例："
    "给出回答的 ÷（给出回答的 + 没把握 + 未收录 + 没有依据 + 故障）。只说答没答，不说答得对不对。",
    "unsure": "助手没有把握、没有给出答案的问题数。",
    "urgent": "听出危险、直接给出求助电话的问题数；处置用时从市民说出到工作人员确认处置。",
    "handovers": "市民同意转给工作人员的次数；等待从提交到第一次有人接手。",
    "satisfaction": "三星及以上的评价，占全部计入的评价的比例；申诉成立的评价不计入。",
    "freshness": "每份内容最近一次核对日期距今天的天数；只看已发布的。",
}
_AGES = ((30, "30 天内"), (90, "31–90 天"), (180, "91–180 天"), (365, "181–365 天"))
_OLDER = "超过一年"


def of(session: Session, period: Period, today: date, *, region: str = "") -> dict[str, Any]:
    """All figures of a period; `region` limits to what belongs to a member's region."""
    cells = Cells(session, period, region=region)
    by_outcome = cells.by("topic", "channel", "outcome")
    questions = [c for c in by_outcome if c.outcome not in _NO_QUESTION]
    by_hour = _asked(cells.by("hour", "outcome"))
    return {
        "totals": _totals(session, period, region, cells, questions),
        "outcomes": _added(by_outcome, "outcome"),
        "topics": _by_topic(questions),
        "channels": _added(questions, "channel"),
        "days": _by_day(cells.by("day", "outcome"), period, today),
        "hours": [_sum(c for c in by_hour if c.hour == hour) for hour in range(24)],
        "handover_outcomes": waits.outcomes(session, period, region=region),
        "ratings": ratings(session, period, region=region),
    }


def totals(session: Session, period: Period, *, region: str = "") -> dict[str, Any]:
    """Only the figures that are compared with another period."""
    cells = Cells(session, period, region=region)
    found = _totals(session, period, region, cells, _asked(cells.by("outcome")))
    rated = ratings(session, period, region=region)
    return found | {"satisfaction": rated["satisfaction"], "rated": rated["total"]}


def _totals(
    session: Session, period: Period, region: str, cells: Cells, questions: list[Cell]
) -> dict[str, Any]:
    total, answered = _sum(questions), _sum(c for c in questions if _answered(c))
    urgent = waits.waits(session, waits.URGENT, period, region=region)
    handovers = waits.waits(session, waits.HANDOVER, period, region=region)
    return {
        "questions": total,
        # Where a conversation belongs is only known of its questions.
        "conversations": None if region else sum(cells.conversations().values()),
        "answered": answered,
        "answered_share": _of(answered, total),
        "coverage": coverage(questions),
        "unsure": _sum(c for c in questions if c.outcome == "unanswerable_unsure"),
        "unanswerable": _sum(c for c in questions if c.outcome.startswith("unanswerable_")),
        "failed": _sum(c for c in questions if c.outcome.startswith("failed_")),
        "urgent": _sum(c for c in questions if c.outcome == "handover_urgent"),
        "urgent_waits": asdict(urgent),
        "handovers": handovers.asked,
        "handover_waits": asdict(handovers),
    }


def coverage(cells: Iterable[Cell]) -> float | None:
    """See DEFINITIONS."""
    cells = list(cells)
    answered = _sum(c for c in cells if _answered(c))
    return _of(answered, answered + _sum(c for c in cells if c.outcome in _MISSED))


def ratings(session: Session, period: Period, *, region: str = "") -> dict[str, Any]:
    """Ratings given in a period, by level, with those that were excluded apart."""
    wanted = [Rating.rated_at >= period.since, Rating.rated_at < period.until]
    if region:
        wanted.append(Rating.region == region)
    excluded = Rating.excluded_at.is_not(None)
    rows = session.execute(
        select(Rating.level, excluded.label("excluded"), func.count().label("n"))
        .where(*wanted)
        .group_by(Rating.level, excluded)
    ).all()
    counted = {row.level: row.n for row in rows if not row.excluded}
    total = sum(counted.values())
    satisfied = sum(n for level, n in counted.items() if level >= SATISFIED_FROM)
    return {
        "levels": [
            {"level": level, "label": label, "n": counted.get(level, 0)}
            for level, label in LEVELS.items()
        ],
        "total": total,
        "satisfaction": _of(satisfied, total),
        "excluded": sum(row.n for row in rows if row.excluded),
    }


def freshness(session: Session, today: date) -> dict[str, Any]:
    """Published content by the age of its last check, laws apart; and what is still to be
    published."""
    newest = (
        select(revisions.c.document_id, func.max(revisions.c.checked_on).label("checked_on"))
        .where(revisions.c.status == Status.PUBLISHED.value)
        .group_by(revisions.c.document_id)
        .subquery()
    )
    rows = session.execute(
        select(documents.c.kind, newest.c.checked_on, func.count().label("n"))
        .join(newest, newest.c.document_id == documents.c.id)
        .group_by(documents.c.kind, newest.c.checked_on)
    ).all()
    waiting = session.execute(
        select(revisions.c.status, func.count())
        .where(revisions.c.status.in_((Status.DRAFT.value, Status.IN_REVIEW.value)))
        .group_by(revisions.c.status)
    )
    ages = {label: {"content": 0, "laws": 0} for label in (*(a[1] for a in _AGES), _OLDER)}
    for row in rows:
        column = "laws" if row.kind == Kind.STATUTE.value else "content"
        ages[_age(row.checked_on, today)][column] += row.n
    counted = {str(status): n for status, n in waiting}
    return {
        "ages": [{"label": label, **n} for label, n in ages.items()],
        "content": sum(n["content"] for n in ages.values()),
        "laws": sum(n["laws"] for n in ages.values()),
        "drafts": counted.get(Status.DRAFT.value, 0),
        "in_review": counted.get(Status.IN_REVIEW.value, 0),
    }


def change(now: float | None, before: float | None) -> float | None:
    """By what share a number has grown; None where there is nothing to compare with."""
    return None if now is None or not before else (now - before) / before


def _age(checked_on: date, today: date) -> str:
    days = (today - checked_on).days
    return next((label for most, label in _AGES if days <= most), _OLDER)


def _answered(cell: Cell) -> bool:
    return cell.outcome.startswith("answered_")


def _sum(cells: Iterable[Cell]) -> int:
    return sum(c.n for c in cells)


def _of(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _asked(cells: Iterable[Cell]) -> list[Cell]:
    return [c for c in cells if c.outcome not in _NO_QUESTION]


def _added(cells: Iterable[Cell], key: str) -> list[dict[str, Any]]:
    totals: dict[str, int] = {}
    for cell in cells:
        totals[getattr(cell, key)] = totals.get(getattr(cell, key), 0) + cell.n
    whole = sum(totals.values())
    ordered = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"key": name, "n": n, "share": _of(n, whole)} for name, n in ordered]


def _by_topic(cells: list[Cell]) -> list[dict[str, Any]]:
    of: dict[str, list[Cell]] = {}
    for cell in cells:
        of.setdefault(cell.topic, []).append(cell)
    known = sorted(of, key=lambda t: (t == "", -_sum(of[t]), t))
    silent = [t for t in TOPICS if t not in of]
    return [
        {
            "topic": topic,
            "n": _sum(of.get(topic, ())),
            "answered": _sum(c for c in of.get(topic, ()) if _answered(c)),
            "unsure": _sum(c for c in of.get(topic, ()) if c.outcome == "unanswerable_unsure"),
            "coverage": coverage(of.get(topic, ())),
        }
        for topic in (*known, *silent)
    ]


def _by_day(cells: list[Cell], period: Period, today: date) -> list[dict[str, Any]]:
    of: dict[date, list[Cell]] = {}
    for cell in _asked(cells):
        if cell.day is not None:
            of.setdefault(cell.day, []).append(cell)
    days = [d for d in period.list() if d <= today]
    rows = [_day_row(f"{d:%m-%d}", d, d, of.get(d, [])) for d in days]
    if len(rows) <= 62:
        return rows
    weeks: list[dict[str, Any]] = []
    for n in range(0, len(days), 7):
        part = days[n : n + 7]
        cells_of_week = [c for d in part for c in of.get(d, [])]
        weeks.append(_day_row(f"{part[0]:%m-%d} 起", part[0], part[-1], cells_of_week))
    return weeks


def _day_row(label: str, first: date, last: date, cells: list[Cell]) -> dict[str, Any]:
    return {
        "label": label,
        "first": first,
        "last": last,
        "n": _sum(cells),
        "answered": _sum(c for c in cells if _answered(c)),
        "unsure": _sum(c for c in cells if c.outcome == "unanswerable_unsure"),
        "urgent": _sum(c for c in cells if c.outcome == "handover_urgent"),
    }


def compared(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """For each figure of `totals`: what it was, and by what share it has changed."""
    return {
        name: {"before": before[name], "change": change(now[name], before[name])}
        for name in before
        if not isinstance(before[name], dict)
    }
