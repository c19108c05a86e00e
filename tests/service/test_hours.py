"""Opening hours on real days of 2026, as the State Council arranged them (gov.cn, 2025-11-04)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.answering.hours import (
    ALWAYS,
    NOT_ANNOUNCED,
    SHANGHAI,
    Day,
    Opening,
    add_working_days,
    calendar_ends_on,
    day_of,
    describe,
    is_open,
    next_opening,
    working_minutes_after,
)

WINDOW = Opening.parse({"days": "workdays", "times": ["09:00-11:30", "13:30-16:30"]})
HOTLINE = Opening.parse({"days": "daily", "times": ["00:00-24:00"]})
EVENINGS = Opening.parse({"days": "daily", "times": ["18:00-24:00"]})
EMERGENCY = Opening.parse({"days": "always"})


def at(text: str) -> datetime:
    """2026-10-01 09:00[:30] in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


NOTICE_OF_2026 = {
    "元旦": ("2026-01-01", "2026-01-03", ["2026-01-04"]),
    "春节": ("2026-02-15", "2026-02-23", ["2026-02-14", "2026-02-28"]),
    "清明": ("2026-04-04", "2026-04-06", []),
    "劳动节": ("2026-05-01", "2026-05-05", ["2026-05-09"]),
    "端午": ("2026-06-19", "2026-06-21", []),
    "中秋": ("2026-09-25", "2026-09-27", []),
    "国庆": ("2026-10-01", "2026-10-07", ["2026-09-20", "2026-10-10"]),
}


def test_the_year_2026_is_as_the_state_council_announced_it() -> None:
    first = date(2026, 1, 1)
    of_year = {first + timedelta(days=i): day_of(first + timedelta(days=i)) for i in range(361)}
    off, make_up = set(), set()
    for begins, ends, works in NOTICE_OF_2026.values():
        start, length = date.fromisoformat(begins), date.fromisoformat(ends)
        off |= {start + timedelta(days=i) for i in range((length - start).days + 1)}
        make_up |= {date.fromisoformat(w) for w in works}
    assert {d for d, kind in of_year.items() if kind is Day.HOLIDAY} == off
    assert {d for d, kind in of_year.items() if kind is Day.MAKE_UP} == make_up
    assert len(make_up) == 6
    assert all(d.weekday() >= 5 for d in make_up)
    for name, (begins, _, _) in NOTICE_OF_2026.items():
        assert describe(WINDOW, at(f"{begins} 10:00")).startswith(f"{name}放假，")


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        # 国庆周
        ("2026-09-30 09:30", "现在开放，到11:30"),
        ("2026-09-30 16:30", "今天已下班，下次开放是10月8日（周四）9:00"),
        ("2026-10-01 09:30", "国庆放假，下次开放是10月8日（周四）9:00"),
        ("2026-10-05 14:00", "国庆放假，下次开放是10月8日（周四）9:00"),
        ("2026-10-07 23:59", "国庆放假，下次开放是明天（10月8日 周四）9:00"),
        ("2026-10-08 08:00", "现在还没开门，今天9:00开放"),
        # 调休的周六、周日
        ("2026-10-09 20:00", "今天已下班，下次开放是明天（10月10日 周六）9:00"),
        ("2026-10-10 10:00", "今天是调休上班日，现在开放，到11:30"),
        ("2026-10-10 12:00", "今天是调休上班日，现在是午休，13:30再开"),
        ("2026-09-20 14:00", "今天是调休上班日，现在开放，到16:30"),
        ("2026-02-14 08:59:59", "今天是调休上班日，现在还没开门，今天9:00开放"),
        ("2026-01-04 15:00", "今天是调休上班日，现在开放，到16:30"),
        # 没有调休的周末
        ("2026-10-11 10:00", "今天是周末，下次开放是明天（10月12日 周一）9:00"),
        ("2026-11-28 10:00", "今天是周末，下次开放是11月30日（周一）9:00"),
        # 春节
        ("2026-02-14 17:00", "今天已下班，下次开放是2月24日（周二）9:00"),
        ("2026-02-16 10:00", "春节放假，下次开放是2月24日（周二）9:00"),
        ("2026-02-27 17:00", "今天已下班，下次开放是明天（2月28日 周六）9:00"),
        # 平常日子
        ("2026-11-30 11:29:59", "现在开放，到11:30"),
        ("2026-11-30 11:30", "现在是午休，13:30再开"),
        ("2026-11-30 13:30", "现在开放，到16:30"),
        ("2026-11-30 18:00", "今天已下班，下次开放是明天（12月1日 周二）9:00"),
        ("2026-12-01 00:00", "现在还没开门，今天9:00开放"),
    ],
)
def test_people_read_whether_it_is_open_and_when_again(moment: str, said: str) -> None:
    assert describe(WINDOW, at(moment)) == said


def test_the_first_second_is_open_and_the_last_minute_ends_it() -> None:
    assert not is_open(WINDOW, at("2026-11-30 08:59:59"))
    assert is_open(WINDOW, at("2026-11-30 09:00:00"))
    assert is_open(WINDOW, at("2026-11-30 11:29:59"))
    assert is_open(WINDOW, at("2026-11-30 11:30:00")) is False
    assert is_open(EVENINGS, at("2026-11-30 23:59:59"))
    assert is_open(EVENINGS, at("2026-12-01 00:00:00")) is False


def test_an_open_place_is_open_from_this_very_moment() -> None:
    moment = at("2026-11-30 10:17:42")
    assert next_opening(WINDOW, moment) == moment
    assert next_opening(WINDOW, at("2026-11-30 11:30")) == at("2026-11-30 13:30")


def test_another_time_zone_is_read_in_shanghai() -> None:
    assert is_open(WINDOW, datetime(2026, 11, 30, 1, 0, tzinfo=UTC))
    new_york = timezone(timedelta(hours=-5))
    assert is_open(WINDOW, datetime(2026, 11, 29, 20, 30, tzinfo=new_york))
    assert not is_open(WINDOW, datetime(2026, 11, 30, 9, 30, tzinfo=new_york))


@pytest.mark.parametrize("ask", [is_open, next_opening, describe])
def test_a_time_without_its_zone_is_refused(ask: object) -> None:
    naive = datetime(2026, 11, 30, 10)  # noqa: DTZ001
    assert callable(ask)
    with pytest.raises(ValueError, match="时区"):
        ask(WINDOW, naive)
    with pytest.raises(ValueError, match="时区"):
        add_working_days(naive, 1)
    with pytest.raises(ValueError, match="时区"):
        working_minutes_after(naive, 1, WINDOW)


def the_year_after_the_last() -> int:
    return calendar_ends_on().year + 1


def test_a_year_not_announced_is_neither_open_nor_closed() -> None:
    new_year = at(f"{the_year_after_the_last()}-01-04 10:00")
    assert is_open(WINDOW, new_year) is None
    assert next_opening(WINDOW, new_year) is None
    assert describe(WINDOW, new_year) == NOT_ANNOUNCED
    assert "请先致电确认" in describe(WINDOW, new_year)


def test_at_night_it_is_closed_in_any_year() -> None:
    assert is_open(WINDOW, at(f"{the_year_after_the_last()}-01-04 22:00")) is False


def test_the_end_of_december_waits_for_the_next_years_notice() -> None:
    """The notice of 2019 made people work on Saturday, 29 December 2018."""
    assert day_of(date(2018, 12, 29)) is Day.MAKE_UP
    last = calendar_ends_on()
    assert (last.month, last.day) == (12, 28)
    assert day_of(last + timedelta(days=1)) is Day.UNKNOWN
    said = describe(WINDOW, datetime(last.year, 12, 28, 20, tzinfo=SHANGHAI))
    assert said.endswith(NOT_ANNOUNCED)
    assert "下次开放是" not in said


def test_a_day_before_the_calendar_begins_is_not_known_either() -> None:
    assert day_of(date(1999, 10, 1)) is Day.UNKNOWN


def test_a_hotline_of_every_day_needs_no_calendar() -> None:
    for moment in (at("2026-10-01 03:00"), at(f"{the_year_after_the_last()}-01-01 12:00")):
        assert is_open(HOTLINE, moment)
        assert describe(HOTLINE, moment) == "现在开放，全天不休"
    said = describe(EVENINGS, at("2026-10-01 03:00"))
    assert said == "现在还没开门，今天18:00开放"


def test_an_emergency_number_is_never_to_be_verified_first() -> None:
    unverified = Opening.parse({"days": "always"}, unverified=True)
    assert is_open(unverified, at("2026-10-01 03:00"))
    assert next_opening(unverified, at("2026-10-01 03:00")) == at("2026-10-01 03:00")
    assert describe(unverified, at("2026-10-01 03:00")) == ALWAYS


def test_hours_that_are_not_verified_say_so() -> None:
    unverified = Opening(WINDOW.days, WINDOW.spans, unverified=True)
    assert describe(unverified, at("2026-11-30 10:00")) == (
        "现在开放，到11:30（未核实，请先致电核实）"
    )


@pytest.mark.parametrize(
    "raw",
    [
        {"days": "sometimes", "times": ["09:00-11:30"]},
        {"days": "workdays"},
        {"days": "always", "times": ["09:00-11:30"]},
        {"days": "workdays", "times": ["9点到11点"]},
        {"days": "workdays", "times": ["11:30-09:00"]},
        {"days": "workdays", "times": ["09:00-24:30"]},
    ],
)
def test_hours_that_nobody_can_read_are_refused_in_chinese(raw: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="看不懂"):
        Opening.parse(raw)


OPENINGS = st.sampled_from([WINDOW, HOTLINE, EVENINGS, EMERGENCY])
MOMENTS = st.datetimes(
    datetime(2004, 1, 2),  # noqa: DTZ001
    datetime(2028, 12, 30),  # noqa: DTZ001
    timezones=st.sampled_from([SHANGHAI, UTC, timezone(timedelta(hours=-8))]),
)


@given(opening=OPENINGS, moment=MOMENTS)
def test_the_next_opening_is_open_and_never_earlier_than_now(
    opening: Opening, moment: datetime
) -> None:
    opens = next_opening(opening, moment)
    if opens is None:
        assert opening is WINDOW
        assert (moment + timedelta(days=20)).date() > calendar_ends_on()
    else:
        assert opens >= moment
        assert is_open(opening, opens) is True
        if is_open(opening, moment):
            assert opens == moment


@given(opening=OPENINGS, moment=MOMENTS)
def test_whatever_the_moment_something_is_said_and_open_is_said_only_when_open(
    opening: Opening, moment: datetime
) -> None:
    said = describe(opening, moment)
    assert said
    assert ("现在开放" in said) == (is_open(opening, moment) is True and opening is not EMERGENCY)


@pytest.mark.parametrize(
    ("moment", "n", "due"),
    [
        ("2026-11-30 10:00", 0, "2026-11-30 10:00"),
        ("2026-11-30 10:00", 1, "2026-12-01 10:00"),
        ("2026-11-27 16:00", 1, "2026-11-30 16:00"),  # 周五之后是周一
        ("2026-09-30 16:00", 1, "2026-10-08 16:00"),  # 隔着国庆
        ("2026-10-09 16:00", 1, "2026-10-10 16:00"),  # 调休的周六也算
        ("2026-09-30 16:00", 5, "2026-10-13 16:00"),
        ("2026-02-13 09:00", 2, "2026-02-24 09:00"),  # 春节前后
        ("2026-10-03 09:00", 1, "2026-10-08 09:00"),
    ],
)
def test_working_days_are_counted_by_the_calendar(moment: str, n: int, due: str) -> None:
    assert add_working_days(at(moment), n) == at(due)


def test_working_days_are_those_of_shanghai_and_keep_the_zone_of_the_moment() -> None:
    late_in_utc = datetime(2026, 11, 27, 17, 0, tzinfo=UTC)  # Saturday, 1:00 in Shanghai
    due = add_working_days(late_in_utc, 1)
    assert due == datetime(2026, 11, 29, 17, 0, tzinfo=UTC)  # Monday, 1:00 in Shanghai
    assert due.tzinfo is UTC


def test_a_deadline_of_our_own_has_a_time_even_in_a_year_not_announced() -> None:
    year = the_year_after_the_last()
    due = add_working_days(at(f"{year}-03-01 10:00"), 10)
    assert due > at(f"{year}-03-01 10:00")
    assert due.weekday() < 5
    assert working_minutes_after(at(f"{year}-03-01 10:00"), 600, WINDOW) > at(f"{year}-03-01 10:00")


def test_a_negative_time_is_refused() -> None:
    with pytest.raises(ValueError, match="负数"):
        add_working_days(at("2026-11-30 10:00"), -1)
    with pytest.raises(ValueError, match="负数"):
        working_minutes_after(at("2026-11-30 10:00"), -1, WINDOW)


@pytest.mark.parametrize(
    ("moment", "minutes", "due"),
    [
        ("2026-11-30 10:00", 0, "2026-11-30 10:00"),
        ("2026-11-30 10:00", 30, "2026-11-30 10:30"),
        ("2026-11-30 11:20", 10, "2026-11-30 11:30"),
        ("2026-11-30 11:20", 20, "2026-11-30 13:40"),  # 隔着午休
        ("2026-11-30 12:00", 15, "2026-11-30 13:45"),
        ("2026-11-30 16:20", 30, "2026-12-01 09:20"),
        ("2026-09-30 16:00", 60, "2026-10-08 09:30"),  # 隔着国庆
        ("2026-10-09 16:00", 60, "2026-10-10 09:30"),  # 调休的周六
        ("2026-11-28 10:00", 330, "2026-11-30 16:30"),  # 一整天开五个半小时
        ("2026-11-30 10:00:30", 1, "2026-11-30 10:01:30"),
    ],
)
def test_minutes_pass_only_while_it_is_open(moment: str, minutes: int, due: str) -> None:
    assert working_minutes_after(at(moment), minutes, WINDOW) == at(due)


def test_minutes_of_an_emergency_number_are_those_of_the_clock() -> None:
    due = working_minutes_after(at("2026-10-01 23:50"), 20, EMERGENCY)
    assert due == at("2026-10-02 00:10")


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 1)),  # noqa: DTZ001
    first=st.integers(0, 2000),
    second=st.integers(0, 2000),
)
def test_minutes_add_up(moment: datetime, first: int, second: int) -> None:
    moment = moment.replace(tzinfo=SHANGHAI)
    halfway = working_minutes_after(moment, first, WINDOW)
    assert halfway >= moment
    at_once = working_minutes_after(moment, first + second, WINDOW)
    assert working_minutes_after(halfway, second, WINDOW) == at_once
