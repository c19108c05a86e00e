"""What reviewers found: counts for the dashboard, and the answers that were wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from service.models.review import Review
from service.review.access import utc
from service.review.filters import SHANGHAI
from service.review.words import named

_BAD = ("partial", "wrong", "unsafe")


def verdict_counts(
    session: Session, since: datetime, until: datetime, *, region: str = ""
) -> dict[str, Any]:
    """Verdicts of reviews made in [since, until): {total, weeks, topics, outcomes}; a week is named
    by its Monday in Asia/Shanghai. The order of verdicts is that of `words.VERDICTS`."""
    wanted = [*span(since, until), *([Review.region == region] if region else [])]
    rows = session.execute(
        select(Review.reviewed_at, Review.topic, Review.outcome, Review.verdict).where(*wanted)
    ).all()
    return {
        "total": named(Counter(row.verdict for row in rows)),
        "weeks": _grouped((_monday(row.reviewed_at), row.verdict) for row in rows),
        "topics": _grouped((row.topic or "", row.verdict) for row in rows),
        "outcomes": _grouped((row.outcome, row.verdict) for row in rows),
    }


def wrong_answers(
    session: Session, since: datetime, until: datetime, *, region: str = ""
) -> list[str]:
    """Ids of answers, asked in [since, until), that somebody judged partial, wrong or unsafe and
    whose follow-up is not over, newest first."""
    wanted = [
        Review.asked_at >= utc(since),
        Review.asked_at < utc(until),
        Review.verdict.in_(_BAD),
        Review.closed_because.is_distinct_from("better"),
        *([Review.region == region] if region else []),
    ]
    rows = session.execute(
        select(Review.answer_id, Review.asked_at).where(*wanted).order_by(Review.asked_at.desc())
    )
    return list(dict.fromkeys(row.answer_id for row in rows))


def span(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Reviews made in [since, until)."""
    return [
        *([Review.reviewed_at >= utc(since)] if since else []),
        *([Review.reviewed_at < utc(until)] if until else []),
    ]


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for key, verdict in pairs:
        counts[key][verdict] += 1
    return {key: named(counts[key]) for key in sorted(counts)}


def _monday(at: datetime) -> str:
    day = utc(at).astimezone(SHANGHAI).date()
    return (day - timedelta(days=day.weekday())).isoformat()
