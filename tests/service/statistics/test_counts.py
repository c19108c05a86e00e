"""Counts by day are what counting directly gives, whatever was folded, deleted or rebuilt."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, select

from service.models import AnswerRecord, Conversation, DailyConversations, DailyCount
from service.retention.deletion import delete_conversations
from service.statistics import jobs
from service.statistics.counts import Cells, Counts
from service.statistics.days import Period, begins, china_day, month_named, period_of
from tests.service.hall import START, Hall
from tests.service.office import at_once

KEYS = ("day", "channel", "outcome", "topic", "region", "hour")
WHOLE = Period("range", date(2026, 9, 1), date(2026, 12, 31))
SHANGHAI = ZoneInfo("Asia/Shanghai")


def fill(hall: Hall, n: int, seed: int) -> None:
    """Conversations with answers at random moments, some of them just around midnight."""
    chance = random.Random(seed)  # noqa: S311
    conversations, answers = [], []
    for number in range(n):
        started = START - timedelta(seconds=chance.randrange(60 * 86_400))
        if chance.random() < 0.2:
            day = chance.randrange(60)
            started = begins(china_day(START) - timedelta(days=day)) + timedelta(
                seconds=chance.choice((-1, 0, 1))
            )
        identity = f"c_{number}"
        channel = chance.choice(("web", "wechat"))
        conversations.append({"id": identity, "channel": channel, "started_at": started})
        for turn in range(chance.randrange(1, 4)):
            answers.append(
                {
                    "id": f"a_{number}_{turn}",
                    "conversation_id": identity,
                    "asked_at": min(started + timedelta(minutes=turn * 20), START),
                    "question": "问",
                    "outcome": chance.choice(
                        ("answered_faq", "unanswerable_unsure", "handover_urgent", "clarify_topic")
                    ),
                    "topic": chance.choice(("劳动人事", "继承遗嘱", None)),
                    "confidence": 0.5,
                    "region": chance.choice(("310107", "320000")),
                    "took_ms": 1.0,
                    "answer": {},
                    "trace": {},
                }
            )
    with hall.sessions.begin() as session:
        session.execute(insert(Conversation), conversations)
        session.execute(insert(AnswerRecord), answers)


def directly(hall: Hall) -> Counter[tuple[Any, ...]]:
    """By hand, in Python, from the rows themselves."""
    with hall.sessions() as session:
        rows = session.execute(
            select(
                AnswerRecord.asked_at,
                Conversation.channel,
                AnswerRecord.outcome,
                AnswerRecord.topic,
                AnswerRecord.region,
            ).join(Conversation, AnswerRecord.conversation_id == Conversation.id)
        ).all()
    counted: Counter[tuple[Any, ...]] = Counter()
    for at, channel, outcome, topic, region in rows:
        local = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(SHANGHAI)
        counted[local.date(), channel, outcome, topic or "", region, local.hour] += 1
    return counted


def counted(hall: Hall) -> Counter[tuple[Any, ...]]:
    """The same from the counts; the region by asking for each."""
    found: Counter[tuple[Any, ...]] = Counter()
    with hall.sessions() as session:
        for region in ("310107", "320000"):
            cells = Cells(session, WHOLE, region=region)
            for c in cells.by("day", "channel", "outcome", "topic", "hour"):
                found[c.day, c.channel, c.outcome, c.topic, region, c.hour] += c.n
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_folded_or_not_the_counts_are_those_of_the_rows(hall: Hall, seed: int) -> None:
    fill(hall, 150, seed)
    counts = Counts(hall.sessions, clock=hall.clock)
    expected = directly(hall)
    assert counted(hall) == expected  # nothing folded
    assert counts.fold() == date(2026, 11, 26)
    assert counted(hall) == expected
    with hall.sessions() as session:
        folded = session.scalars(select(DailyCount.n)).all()
    assert 0 < sum(folded) < sum(expected.values())  # and today as it is


def test_folding_again_changes_nothing(hall: Hall) -> None:
    fill(hall, 60, 4)
    counts = Counts(hall.sessions, clock=hall.clock)
    counts.fold()
    expected = directly(hall)
    for _ in range(3):
        counts.fold()
    hall.clock.at += timedelta(days=3)
    counts.fold()
    assert counted(hall) == expected


def test_processes_that_fold_at_once_fold_once(hall: Hall) -> None:
    fill(hall, 60, 5)
    results = at_once([lambda: Counts(hall.sessions, clock=hall.clock).fold()] * 5)
    assert results == [date(2026, 11, 26)] * 5
    assert counted(hall) == directly(hall)


def test_a_day_is_folded_only_when_it_has_settled(hall: Hall) -> None:
    counts = Counts(hall.sessions, clock=hall.clock)
    hall.clock.at = begins(date(2026, 11, 27)) + timedelta(minutes=59)
    assert counts.fold() == date(2026, 11, 25)
    hall.clock.at += timedelta(minutes=2)
    assert counts.fold() == date(2026, 11, 26)


@pytest.mark.parametrize("seed", [6, 7])
def test_what_is_deleted_stays_counted(hall: Hall, seed: int) -> None:
    fill(hall, 80, seed)
    expected, counts = directly(hall), Counts(hall.sessions, clock=hall.clock)
    chance = random.Random(seed)  # noqa: S311
    ids = [f"c_{n}" for n in range(80)]
    chance.shuffle(ids)

    def remove(some: list[str]) -> None:
        with hall.sessions.begin() as session:
            delete_conversations(session, counts, some, at=START)

    remove(ids[:20])  # before anything is folded
    assert counted(hall) == expected
    counts.fold()
    remove(ids[20:40])
    assert counted(hall) == expected
    counts.rebuild()
    assert counted(hall) == expected
    remove(ids[40:])
    counts.rebuild()
    assert counted(hall) == expected
    with hall.sessions() as session:
        started = Cells(session, WHOLE).conversations()
    assert sum(started.values()) == 80


def test_deleting_and_folding_at_once_loses_and_doubles_nothing(hall: Hall) -> None:
    fill(hall, 60, 8)
    expected = directly(hall)
    counts = Counts(hall.sessions, clock=hall.clock)

    def remove(first: int) -> None:
        with hall.sessions.begin() as session:
            some = [f"c_{n}" for n in range(first, first + 5)]
            delete_conversations(session, counts, some, at=START)

    tasks: list[Any] = [lambda n=n: remove(n) for n in range(0, 30, 5)]
    results = at_once([*tasks, counts.fold, counts.fold, counts.rebuild])
    assert [r for r in results if isinstance(r, Exception)] == []
    assert counted(hall) == expected
    counts.rebuild()
    assert counted(hall) == expected


def test_rebuilding_mends_what_was_put_wrong(hall: Hall) -> None:
    fill(hall, 40, 9)
    counts = Counts(hall.sessions, clock=hall.clock)
    counts.fold()
    with hall.sessions.begin() as session:
        for row in session.scalars(select(DailyCount).limit(5)):
            row.n += 7
    assert counted(hall) != directly(hall)
    counts.rebuild()
    assert counted(hall) == directly(hall)


def test_cells_add_up_and_can_be_limited(hall: Hall) -> None:
    fill(hall, 60, 10)
    counts = Counts(hall.sessions, clock=hall.clock)
    counts.fold()
    expected = directly(hall)
    with hall.sessions() as session:
        cells = Cells(session, WHOLE)
        [everything] = cells.by()
        by_hour = [c for c in cells.by("outcome", "hour") if c.outcome == "answered_faq"]
    assert everything.n == sum(expected.values())
    wanted = {k: n for k, n in expected.items() if k[2] == "answered_faq"}
    assert sum(c.n for c in by_hour) == sum(wanted.values())
    for cell in by_hour:
        assert cell.n == sum(n for k, n in wanted.items() if k[5] == cell.hour)


def test_days_that_are_not_folded_are_read_once(hall: Hall) -> None:
    fill(hall, 60, 11)
    read = []

    @event.listens_for(hall.engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "FROM answers" in statement:
            read.append(statement)

    with hall.sessions() as session:
        cells = Cells(session, WHOLE)
        assert cells.by("day", "outcome")
        assert cells.by("hour")
    assert len(read) == 1


def test_nothing_at_all(hall: Hall) -> None:
    counts = Counts(hall.sessions, clock=hall.clock)
    with hall.sessions() as session:
        assert Cells(session, WHOLE).by("day") == []
        assert Cells(session, WHOLE).conversations() == {}
    counts.fold()
    counts.rebuild()
    assert hall.count(DailyCount) == hall.count(DailyConversations) == 0
    with hall.sessions() as session:
        assert jobs.done_until(session, jobs.COUNTS) == date(2026, 11, 26)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001
)
def test_a_day_here_begins_at_four_in_the_afternoon_of_the_day_before(at: datetime) -> None:
    moment = at.replace(tzinfo=UTC)
    day = china_day(moment)
    assert begins(day) <= moment < begins(day + timedelta(days=1))


@pytest.mark.parametrize(
    ("kind", "first", "last", "before"),
    [
        ("day", "2026-11-27", "2026-11-27", "2026-11-26"),
        ("week", "2026-11-23", "2026-11-29", "2026-11-16"),
        ("month", "2026-11-01", "2026-11-30", "2026-10-01"),
    ],
)
def test_periods(kind: str, first: str, last: str, before: str) -> None:
    period = period_of(kind, date(2026, 11, 27))
    assert (str(period.first), str(period.last)) == (first, last)
    assert str(period.before().first) == before
    assert period.before().after() == period


def test_a_period_that_goes_on_is_compared_with_as_many_days() -> None:
    month = period_of("month", date(2026, 12, 3))
    compared = month.compared_with(date(2026, 12, 3))
    assert (compared.first, compared.last) == (date(2026, 11, 1), date(2026, 11, 3))
    assert month.compared_with(date(2027, 1, 1)) == month.before()
    long = period_of("month", date(2026, 3, 30))  # February has no 30th
    assert long.compared_with(date(2026, 3, 30)).last == date(2026, 2, 28)


def test_a_month_by_its_name() -> None:
    assert month_named("2024-02").days == 29
    assert month_named("2026-12").after().first == date(2027, 1, 1)
