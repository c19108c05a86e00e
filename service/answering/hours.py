"""When a window or a telephone is open, in Asia/Shanghai, by the State Council's calendar.

Working days, legal holidays and 调休 come from `chinesecalendar`, which knows the years that have
been announced (decision 10). A day that it does not know is neither open nor closed: `is_open` and
`next_opening` say None, and `describe` asks people to call first.

A time belongs to the minute that it begins: 09:00-11:30 is open at 9:00:00 and closed at 11:30:00.
Every moment must carry its time zone; one that does not is refused with ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar

from service.answering import wording

SHANGHAI = ZoneInfo("Asia/Shanghai")
ALWAYS = "紧急号码，遇险请直接拨打"
NOT_ANNOUNCED = "节假日安排未公布或未收录，请先致电确认"

_SPAN = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_WHOLE_DAY = ((0, 24 * 60),)
_NOON = (11 * 60, 14 * 60)  # a break that begins then is called a lunch break
_FAR = 60  # days; no run of days off is nearly as long
_FRIDAY = 4
_WEEKDAYS = "一二三四五六日"
_HOLIDAYS = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午",
    "National Day": "国庆",
    "Mid-autumn Festival": "中秋",
}


class Day(Enum):
    """What the calendar says of a day."""

    WORKING = "工作日"
    MAKE_UP = "调休上班日"  # a Saturday or Sunday on which offices work
    WEEKEND = "周末"
    HOLIDAY = "放假"
    UNKNOWN = "未公布"


@dataclass(frozen=True, slots=True)
class Opening:
    """Opening hours of a card. `days` is workdays (the State Council's), daily (holidays too), or
    always (an emergency number); `spans` are minutes from midnight, in order, ends exclusive."""

    days: str
    spans: tuple[tuple[int, int], ...] = ()
    unverified: bool = False

    @classmethod
    def parse(cls, raw: Mapping[str, Any], *, unverified: bool = False) -> Opening:
        """From the field `opening` of a card. Raises ValueError in Chinese."""
        days, times = raw.get("days"), raw.get("times") or ()
        if days not in ("workdays", "daily", "always") or bool(times) == (days == "always"):
            raise ValueError(f"看不懂的开放时间：{dict(raw)}")
        return cls(str(days), tuple(map(_span, times)), unverified)

    @classmethod
    def of_card(cls, body: Mapping[str, Any]) -> Opening | None:
        """The hours of a card that says them in a form to reckon with; as sure as its `hours`."""
        if "opening" not in body:
            return None
        unverified = body["hours"]["certainty"] in ("C", "D")
        return cls.parse(body["opening"], unverified=unverified)


def _span(text: str) -> tuple[int, int]:
    match = _SPAN.fullmatch(text)
    start, end = (
        (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4]))
        if match
        else (0, 0)
    )
    if not start < end <= 24 * 60:
        raise ValueError(f"看不懂的时间段：{text}，要写成 09:00-11:30")
    return start, end


def calendar_ends_on() -> date:
    """The last day of which it is known whether people work. The notice for a year may move the
    last three days of the year before (as in 2007 and 2018), so those belong to the next one."""
    return date(_years()[1], 12, 28)


@cache
def _years() -> tuple[int, int]:
    years = {day.year for day in chinese_calendar.holidays}
    return min(years), max(years)


def day_of(on: date) -> Day:
    """What kind of day it is; UNKNOWN where no arrangement has been announced."""
    if not _years()[0] <= on.year or on > calendar_ends_on():
        return Day.UNKNOWN
    if on in chinese_calendar.workdays:
        return Day.MAKE_UP
    if on in chinese_calendar.holidays:
        return Day.HOLIDAY
    return Day.WORKING if on.weekday() <= _FRIDAY else Day.WEEKEND


def is_open(opening: Opening, at: datetime) -> bool | None:
    """Whether it is open at that moment; None where that depends on a day not announced."""
    local = _local(at)
    if opening.days == "always":
        return True
    minute = local.hour * 60 + local.minute
    if not any(start <= minute < end for start, end in opening.spans):
        return False
    return _opens_on(opening, local.date())


def next_opening(opening: Opening, at: datetime) -> datetime | None:
    """The first moment from `at` on at which it is open (`at` itself if it is open then), in
    Asia/Shanghai; None where that depends on a day not announced."""
    local = _local(at)
    if opening.days == "always":
        return local
    for day in _days_from(local.date()):
        left = [span for span in opening.spans if local < _moment(day, span[1])]
        opens = _opens_on(opening, day)
        if left and opens is None:
            return None
        if left and opens:
            return max(local, _moment(day, left[0][0]))
    return None


def describe(opening: Opening, at: datetime) -> str:
    """One line for people: open until when, or why not and from when again. Hours that are not
    verified say so; an emergency number is never to be verified first."""
    if opening.days == "always":
        return ALWAYS
    said = _describe(opening, _local(at))
    return said + wording.UNVERIFIED if opening.unverified else said


def _describe(opening: Opening, now: datetime) -> str:
    if opening.days == "daily" and opening.spans == _WHOLE_DAY:
        return "现在开放，全天不休"
    day = Day.WORKING if opening.days == "daily" else day_of(now.date())
    minute = now.hour * 60 + now.minute
    if day is Day.UNKNOWN:
        return NOT_ANNOUNCED
    if day is Day.HOLIDAY:
        return f"{_holiday(now.date())}放假，{_next(opening, now)}"
    if day is Day.WEEKEND:
        return f"今天是周末，{_next(opening, now)}"
    today = "今天是调休上班日，" if day is Day.MAKE_UP else ""
    for number, (start, end) in enumerate(opening.spans):
        if start <= minute < end:
            return f"{today}现在开放，到{_clock(end)}"
        if minute < start:
            ended = opening.spans[number - 1][1] if number else 0
            pause = "午休" if _NOON[0] <= ended <= _NOON[1] else "休息时间"
            closed = f"现在是{pause}，{_clock(start)}再开"
            return today + (closed if number else f"现在还没开门，今天{_clock(start)}开放")
    return f"今天已下班，{_next(opening, now)}"


def _next(opening: Opening, now: datetime) -> str:
    opens = next_opening(opening, now)
    if opens is None:
        return f"之后的{NOT_ANNOUNCED}"
    year = f"{opens.year}年" if opens.year != now.year else ""
    day = f"{year}{opens.month}月{opens.day}日"
    weekday = f"周{_WEEKDAYS[opens.weekday()]}"
    tomorrow = opens.date() == now.date() + timedelta(days=1)
    named = f"明天（{day} {weekday}）" if tomorrow else f"{day}（{weekday}）"
    return f"下次开放是{named}{_clock(opens.hour * 60 + opens.minute)}"


def add_working_days(moment: datetime, n: int) -> datetime:
    """The same time of day on the n-th working day after that of `moment`, in its time zone; with
    n = 0 the moment itself. For deadlines of our own, which must have a time: a day that is not
    announced counts as it falls in the week. Raises ValueError for n < 0."""
    if n < 0:
        raise ValueError("工作日天数不能是负数")
    local = _local(moment)
    while n:
        local += timedelta(days=1)
        n -= _probably_works(local.date())
    return local.astimezone(moment.tzinfo)


def working_minutes_after(moment: datetime, minutes: int, opening: Opening) -> datetime:
    """When that many minutes of opening hours will have passed after `moment`, in its time zone.
    Days that are not announced count as they fall in the week. Raises ValueError for less than
    none."""
    if minutes < 0:
        raise ValueError("分钟数不能是负数")
    local, left = _local(moment), timedelta(minutes=minutes)
    if opening.days == "always" or not left:
        return (local + left).astimezone(moment.tzinfo)
    day = local.date()
    while True:
        opens = _opens_on(opening, day)
        counts = _probably_works(day) if opens is None else opens
        for start, end in opening.spans if counts else ():
            begins, ends = max(local, _moment(day, start)), _moment(day, end)
            if begins + left <= ends:
                return (begins + left).astimezone(moment.tzinfo)
            left -= max(ends - begins, timedelta())
        day += timedelta(days=1)


def _local(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("时间必须带时区")
    return at.astimezone(SHANGHAI)


def _moment(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time(), SHANGHAI) + timedelta(minutes=minutes)


def _days_from(first: date) -> Iterator[date]:
    return (first + timedelta(days=i) for i in range(_FAR))


def _opens_on(opening: Opening, day: date) -> bool | None:
    if opening.days != "workdays":
        return True
    kind = day_of(day)
    return None if kind is Day.UNKNOWN else kind in (Day.WORKING, Day.MAKE_UP)


def _probably_works(day: date) -> bool:
    kind = day_of(day)
    if kind is Day.UNKNOWN:
        return day.weekday() <= _FRIDAY
    return kind in (Day.WORKING, Day.MAKE_UP)


def _holiday(day: date) -> str:
    return _HOLIDAYS.get(chinese_calendar.holidays[day], "节日")


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"
