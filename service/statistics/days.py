"""Days of Asia/Shanghai, the periods that people compare, and days and hours in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, String, cast, extract, func, literal_column
from sqlalchemy.orm import Session

from service.answering.hours import SHANGHAI
from service.errors import BadRequest

_LONGEST = 731  # days of one period
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
# As literals: PostgreSQL holds an expression with other parameters for another one in GROUP BY.
_SHANGHAI: ColumnElement[str] = literal_column("'Asia/Shanghai'")
_EIGHT_HOURS: ColumnElement[str] = literal_column("'+8 hours'")


def china_day(at: datetime) -> date:
    """The day that a moment belongs to here."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(SHANGHAI).date()


def refuse_far(*days: date | None) -> None:
    """Raises BadRequest for a day of a year that nobody means, and near which there is no day
    before or after to count with."""
    if any(day and not _FIRST_YEAR <= day.year <= _LAST_YEAR for day in days):
        raise BadRequest("date_far", f"日期只能在{_FIRST_YEAR}年到{_LAST_YEAR}年之间。")


def begins(day: date) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, both ends included; `kind` is day, week, month or range."""

    kind: str
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def since(self) -> datetime:
        return begins(self.first)

    @property
    def until(self) -> datetime:
        """Exclusive."""
        return begins(self.last + timedelta(days=1))

    @property
    def label(self) -> str:
        if self.kind == "day":
            return f"{self.first:%Y-%m-%d}"
        if self.kind == "month":
            return f"{self.first.year}年{self.first.month}月"
        return f"{self.first:%Y-%m-%d} 至 {self.last:%Y-%m-%d}"

    def before(self) -> Period:
        """The period to compare with: the calendar month, or as many days, before."""
        last = self.first - timedelta(days=1)
        if self.kind == "month":
            return Period("month", last.replace(day=1), last)
        return Period(self.kind, self.first - timedelta(days=self.days), last)

    def compared_with(self, today: date) -> Period:
        """What its figures are to be compared with: the period before, of which only as many days
        as this one has had while it still goes on; three days against a month say nothing."""
        before = self.before()
        if not self.first <= today < self.last:
            return before
        return Period("range", before.first, min(before.last, before.first + (today - self.first)))

    def after(self) -> Period:
        """The period that follows."""
        first = self.last + timedelta(days=1)
        if self.kind == "month":
            return month_of(first)
        return Period(self.kind, first, first + timedelta(days=self.days - 1))

    def list(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(self.days)]


def month_of(day: date) -> Period:
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return Period("month", first, following - timedelta(days=1))


def period_of(kind: str, on: date, since: date | None = None, until: date | None = None) -> Period:
    """The day, week (from Monday) or month that `on` is in, or the range. Raises BadRequest."""
    refuse_far(on, since, until)
    if kind == "day":
        return Period("day", on, on)
    if kind == "week":
        monday = on - timedelta(days=on.weekday())
        return Period("week", monday, monday + timedelta(days=6))
    if kind == "month":
        return month_of(on)
    if since is None or until is None or until < since:
        raise BadRequest("period_wrong", "请写开始和结束日期，结束不能早于开始。")
    if (until - since).days >= _LONGEST:
        raise BadRequest("period_too_long", "一次最多看两年。")
    return Period("range", since, until)


def month_named(month: str) -> Period:
    """The month 2026-11. Raises BadRequest."""
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise BadRequest("month_wrong", "月份要写成 2026-11 这样。") from error
    refuse_far(first)
    return month_of(first)


def hour_in_china(session: Session, moment: Any) -> ColumnElement[int]:
    """The hour of a column of moments, in SQL. Shanghai is eight hours ahead, the year round."""
    if session.get_bind().dialect.name == "sqlite":
        return cast(func.strftime(literal_column("'%H'"), moment, _EIGHT_HOURS), Integer)
    return cast(extract("hour", func.timezone(_SHANGHAI, moment)), Integer)


def day_in_china(session: Session, moment: Any) -> ColumnElement[Any]:
    """The day of a column of moments, in SQL: text on SQLite, a date on PostgreSQL."""
    if session.get_bind().dialect.name == "sqlite":
        return func.date(moment, _EIGHT_HOURS, type_=String)
    return cast(func.timezone(_SHANGHAI, moment), Date)


def as_date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)
