"""What reviewers found, counted for the dashboard."""

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
