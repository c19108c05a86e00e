"""Answers and conversations by day: finished days are folded once into `daily_counts`, what came
after is counted as it is. Answers that are deleted are added to what is kept first, so that no
figure changes when the data goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, literal_column, select, update
from sqlalchemy.orm import Session, sessionmaker

from service.models import AnswerRecord, Conversation, DailyConversations, DailyCount, now
from service.statistics import jobs
from service.statistics.days import Period, as_date, begins, china_day, day_in_china, hour_in_china

# A question that is asked just before midnight may be stored after it.
_SETTLED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """So many answers of one sort; `day` or `hour` is None where they are added up."""

    n: int
    outcome: str = ""
    channel: str = ""
    topic: str = ""
    day: date | None = None
    hour: int | None = None


class Counts:
    """The counts of one installation; safe with several processes."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def fold(self) -> date | None:
        """Fold all finished days that are not, each in a transaction of its own so that nobody has
        to wait; the last one folded. Nothing happens twice."""
        last = china_day(self._clock() - _SETTLED) - timedelta(days=1)
        while True:
            with self._sessions() as session:
                done = jobs.done_until(session, jobs.COUNTS)
                first = _first_day(session) if done is None else done + timedelta(days=1)
            if done is not None and done >= last:
                return done
            self._fold_day(min(first or last, last), done)

    def rebuild(self) -> date | None:
        """Count all that is there anew; what was kept of deleted answers stays."""
        with self._sessions.begin() as session:
            jobs.serialise(session, jobs.COUNTS, self._clock())
            for table in (DailyCount, DailyConversations):
                session.execute(delete(table).where(table.kept == 0))
                session.execute(update(table).values(n=0))
            jobs.set_done(session, jobs.COUNTS, None)
        return self.fold()

    def _fold_day(self, day: date, done: date | None) -> None:
        with self._sessions.begin() as session:
            if jobs.serialise(session, jobs.COUNTS, self._clock()) != done:
                return  # another process was first
            since, until = begins(day), begins(day + timedelta(days=1))
            add(session, DailyCount, "n", _answers(session, since, until))
            add(session, DailyConversations, "n", _conversations(session, since, until))
            jobs.set_done(session, jobs.COUNTS, day)

    def forget(
        self, session: Session, answers: ColumnElement[bool], conversations: ColumnElement[bool]
    ) -> None:
        """Keep the counts of the answers and conversations that this transaction deletes next."""
        done = jobs.serialise(session, jobs.COUNTS, self._clock())
        for table, rows in (
            (DailyCount, _answers(session, None, None, answers)),
            (DailyConversations, _conversations(session, None, None, conversations)),
        ):
            add(session, table, "kept", rows)
            folded = [r for r in rows if done is not None and r["day"] <= done]
            add(session, table, "n", [r | {"n": -r["n"]} for r in folded])


class Cells:
    """The answers and conversations of a period, added up as they are asked for; `region` limits
    answers. Those of days that are not folded are read once."""

    def __init__(self, session: Session, period: Period, *, region: str = "") -> None:
        self._session, self._period, self._region = session, period, region
        done = jobs.done_until(session, jobs.COUNTS)
        self._live_from = max(period.first, done + timedelta(days=1)) if done else period.first

    def by(self, *keys: str) -> list[Cell]:
        """Added up by some of `outcome`, `channel`, `topic`, `day`, `hour`."""
        columns = [getattr(DailyCount, key) for key in keys]
        folded = select(*columns, func.sum(DailyCount.n + DailyCount.kept).label("n")).where(
            DailyCount.day >= self._period.first, DailyCount.day <= self._period.last
        )
        if self._region:
            folded = folded.where(DailyCount.region == self._region)
        totals: dict[tuple[Any, ...], int] = {}
        for row in self._session.execute(folded.group_by(*columns)):
            totals[tuple(row[:-1])] = int(row.n or 0)
        for live in self._live:
            key = tuple(live[k] for k in keys)
            totals[key] = totals.get(key, 0) + live["n"]
        return [Cell(n, **dict(zip(keys, key, strict=True))) for key, n in totals.items() if n]

    def conversations(self) -> dict[str, int]:
        """Conversations that began in the period, by channel; of all regions."""
        total = func.sum(DailyConversations.n + DailyConversations.kept)
        rows = self._session.execute(
            select(DailyConversations.channel, total.label("n"))
            .where(
                DailyConversations.day >= self._period.first,
                DailyConversations.day <= self._period.last,
            )
            .group_by(DailyConversations.channel)
        )
        totals = {row.channel: int(row.n or 0) for row in rows}
        if self._live_from <= self._period.last:
            since, until = begins(self._live_from), self._period.until
            for live in _conversations(self._session, since, until):
                totals[live["channel"]] = totals.get(live["channel"], 0) + live["n"]
        return {channel: n for channel, n in totals.items() if n}

    @cached_property
    def _live(self) -> list[dict[str, Any]]:
        if self._live_from > self._period.last:
            return []
        rows = _answers(self._session, begins(self._live_from), self._period.until)
        return [row for row in rows if not self._region or row["region"] == self._region]


def _first_day(session: Session) -> date | None:
    """The first day of which anything is there."""
    moments = (
        session.scalar(select(func.min(column)))
        for column in (AnswerRecord.asked_at, Conversation.started_at)
    )
    return min((china_day(at) for at in moments if at), default=None)


def _between(
    column: Any, since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    return [
        *([column >= since] if since else []),
        *([column < until] if until else []),
    ]


def _answers(
    session: Session, since: datetime | None, until: datetime | None, *wanted: ColumnElement[bool]
) -> list[dict[str, Any]]:
    """Answers counted by the keys of `DailyCount`, as they are."""
    day, hour = (f(session, AnswerRecord.asked_at) for f in (day_in_china, hour_in_china))
    topic = func.coalesce(AnswerRecord.topic, literal_column("''"))
    keys = (
        day.label("day"),
        Conversation.channel,
        AnswerRecord.outcome,
        topic.label("topic"),
        AnswerRecord.region,
        hour.label("hour"),
    )
    rows = session.execute(
        select(*keys, func.count().label("n"))
        .select_from(AnswerRecord)
        .join(Conversation, AnswerRecord.conversation_id == Conversation.id)
        .where(*_between(AnswerRecord.asked_at, since, until), *wanted)
        .group_by(day, Conversation.channel, AnswerRecord.outcome, topic, AnswerRecord.region, hour)
    )
    return [dict(row._mapping) | {"day": as_date(row.day)} for row in rows]


def _conversations(
    session: Session, since: datetime | None, until: datetime | None, *wanted: ColumnElement[bool]
) -> list[dict[str, Any]]:
    day = day_in_china(session, Conversation.started_at)
    rows = session.execute(
        select(day.label("day"), Conversation.channel, func.count().label("n"))
        .where(*_between(Conversation.started_at, since, until), *wanted)
        .group_by(day, Conversation.channel)
    )
    return [dict(row._mapping) | {"day": as_date(row.day)} for row in rows]


def add(session: Session, table: Any, column: str, rows: Sequence[dict[str, Any]]) -> None:
    """Add the `n` of each row to a column of the table, in a transaction that has the lock."""
    keys = [c.name for c in table.__table__.primary_key]
    other = "kept" if column == "n" else "n"
    days = {row["day"] for row in rows}
    if not days:
        return
    present = {
        tuple(row)
        for row in session.execute(
            select(*(getattr(table, k) for k in keys)).where(
                table.day >= min(days), table.day <= max(days)
            )
        )
    }
    fresh = [row for row in rows if tuple(row[k] for k in keys) not in present]
    if fresh:
        values = [{k: row[k] for k in keys} | {column: row["n"], other: 0} for row in fresh]
        session.execute(insert(table), values)
    for row in rows:
        if tuple(row[k] for k in keys) in present:
            session.execute(
                update(table)
                .where(*(getattr(table, k) == row[k] for k in keys))
                .values({column: getattr(table, column) + row["n"]})
                .execution_options(synchronize_session=False)
            )
