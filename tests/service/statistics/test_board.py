"""The dashboard, the report and the exports, with figures that are checked by hand."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import insert, select, update

from knowledge.store import documents, revisions
from service.auth import ROLES
from service.models import AuditEvent, Rating, UrgentAcknowledgement, now
from service.ratings import Ratings
from service.statistics import export, jobs, waits
from service.statistics.board import Board, better_and_worse
from service.statistics.counts import Counts
from service.statistics.days import Period, china_day, period_of
from service.statistics.figures import freshness
from tests.service.hall import START, Hall

DAY = timedelta(days=1)
WEEK = period_of("week", START.date())
KEY = "a key of the tests, long enough for everybody"
QUESTIONS = "/api/v1/staff/statistics/questions"


@pytest.fixture
def board(hall: Hall) -> Board:
    return Board(hall.sessions, clock=hall.clock)


def some_days(hall: Hall) -> None:
    """Two questions answered, one unsure, one urgent, one asked back; and one a week before."""
    hall.asked("c_1", at=START)
    hall.asked("c_1", outcome="unanswerable_unsure", at=START, topic="继承遗嘱")
    hall.asked("c_2", outcome="answered_law", at=START - DAY, channel="wechat", topic="继承遗嘱")
    hall.asked("c_2", outcome="handover_urgent", at=START - DAY, topic=None)
    hall.asked("c_3", outcome="clarify_topic", at=START - 2 * DAY)
    hall.asked("c_3", "你好", "answered_smalltalk", at=START - 2 * DAY, topic=None)
    hall.asked("c_3", "好", "handover_with_person", at=START - 2 * DAY, topic=None)
    hall.asked("c_4", outcome="unanswerable_unsure", at=START - 7 * DAY)


def test_the_figures_of_a_week(hall: Hall, board: Board) -> None:
    some_days(hall)
    shown = board.of(WEEK)
    totals = shown["figures"]["totals"]
    assert (totals["questions"], totals["conversations"]) == (5, 3)
    assert (totals["answered"], totals["unsure"], totals["urgent"]) == (2, 1, 1)
    assert totals["answered_share"] == 2 / 5
    assert totals["coverage"] == 2 / 3
    assert shown["compared"]["questions"] == {"before": 1, "change": 4.0}
    outcomes = {o["key"]: o["n"] for o in shown["figures"]["outcomes"]}
    assert outcomes["answered_smalltalk"] == outcomes["handover_with_person"] == 1
    topics = {t["topic"]: t for t in shown["figures"]["topics"]}
    assert (topics["继承遗嘱"]["n"], topics["继承遗嘱"]["coverage"]) == (2, 0.5)
    assert topics["交通事故"]["n"] == 0
    assert {c["key"]: c["n"] for c in shown["figures"]["channels"]} == {"web": 3, "wechat": 2}
    assert [d["n"] for d in shown["figures"]["days"]] == [0, 0, 1, 2, 2]
    assert shown["figures"]["hours"][16] == 5


def test_a_day_folded_meanwhile_is_not_counted_twice(
    hall: Hall, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_days(hall)
    expected = board.of(WEEK)["figures"]
    read, folded = jobs.done_until, list[bool]()

    def folding_after(session: Any, name: str) -> Any:
        done = read(session, name)
        if not folded:
            folded.append(True)
            Counts(hall.sessions, clock=hall.clock).fold()
        return done

    monkeypatch.setattr(jobs, "done_until", folding_after)
    assert board.of(WEEK)["figures"] == expected
    assert folded
    assert board.of(WEEK)["figures"] == expected


def test_nothing_happened(board: Board) -> None:
    shown = board.of(WEEK)
    assert shown["figures"]["totals"]["questions"] == 0
    assert shown["figures"]["totals"]["answered_share"] is None
    assert shown["compared"]["questions"] == {"before": 0, "change": None}
    assert better_and_worse(shown) == {"better": [], "worse": []}


def test_who_has_a_region_sees_what_belongs_to_it(hall: Hall, board: Board) -> None:
    some_days(hall)
    hall.asked("c_9", region="320000")
    shown = board.of(WEEK, region="320000")["figures"]
    assert (shown["totals"]["questions"], shown["totals"]["conversations"]) == (1, None)


def test_waits_are_those_of_the_people_who_waited(hall: Hall, board: Board) -> None:
    member, _ = hall.hire()
    for n, minutes in enumerate((1, 2, 30)):
        answer = hall.asked(f"c_{n}", outcome="handover_urgent")
        with hall.sessions.begin() as session:
            session.add(
                UrgentAcknowledgement(
                    answer_id=answer,
                    staff_id=member.id,
                    acknowledged_at=START + timedelta(minutes=minutes),
                )
            )
    hall.asked("c_unseen", outcome="handover_urgent")
    told = board.of(WEEK)["figures"]["totals"]["urgent_waits"]
    assert told == {
        "asked": 4, "seen": 3, "median_s": 120.0, "p90_s": 1800.0, "longest_s": 1800.0,
    }  # fmt: skip
    hall.asked("c_h")
    ticket, _ = hall.handovers.open("c_h", consent=True)
    hall.clock.at += timedelta(minutes=5)
    hall.handovers.claim(member, ticket["id"])
    figures = board.of(WEEK)["figures"]
    assert figures["totals"]["handover_waits"]["median_s"] == 300.0
    assert figures["handover_outcomes"] == {"open": 1}


def test_shares_of_waits() -> None:
    assert waits.summary([]) == waits.Waits()
    assert waits.summary([None, None]).unseen == 2
    told = waits.summary([*map(float, range(1, 11)), None])
    assert (told.asked, told.seen, told.median_s, told.p90_s) == (11, 10, 5.0, 9.0)


def test_ratings_and_satisfaction(hall: Hall, board: Board) -> None:
    ratings = Ratings(hall.sessions, KEY, clock=hall.clock)
    for n, level in enumerate((5, 4, 3, 1)):
        answer = hall.asked(f"c_{n}")
        ratings.rate(ratings.token_for("answer", answer), level)
    rated = board.of(WEEK)["figures"]["ratings"]
    assert (rated["total"], rated["satisfaction"]) == (4, 0.75)
    assert [row["n"] for row in rated["levels"]] == [1, 1, 1, 0, 1]


def test_freshness_is_by_the_last_check_of_what_is_published(hall: Hall) -> None:
    today = START.date()
    with hall.sessions.begin() as session:
        for n, (kind, status, age) in enumerate(
            (
                ("faq", "published", 10), ("faq", "published", 31), ("faq", "withdrawn", 5),
                ("statute", "published", 400), ("service", "in_review", 1), ("faq", "draft", 1),
            )
        ):  # fmt: skip
            add_document(session, f"d{n}", kind, status, today - timedelta(days=age))
        told = freshness(session, today)
    ages = {row["label"]: (row["content"], row["laws"]) for row in told["ages"]}
    assert ages == {
        "30 天内": (1, 0), "31–90 天": (1, 0), "91–180 天": (0, 0), "181–365 天": (0, 0),
        "超过一年": (0, 1),
    }  # fmt: skip
    assert (told["content"], told["laws"], told["drafts"], told["in_review"]) == (2, 1, 1, 1)


def add_document(session: Any, name: str, kind: str, status: str, checked_on: date) -> None:
    session.execute(
        insert(documents),
        {
            "id": name,
            "kind": kind,
            "title": name,
            "origin": "content",
            "region": "000000",
            "level": "",
            "issuer": "",
            "topic": "",
            "aliases": [],
        },
    )
    session.execute(
        insert(revisions),
        {
            "id": f"{name}@1",
            "document_id": name,
            "status": status,
            "source": "s",
            "checked_on": checked_on,
            "document_number": "",
            "date_basis": "source",
            "author": "a",
            "approver": "",
            "body": {},
        },
    )


def test_what_got_better_and_worse_is_said_of_what_can_be(hall: Hall, board: Board) -> None:
    for n in range(10):
        hall.asked(f"c_{n}", outcome="answered_faq" if n < 8 else "failed_search")
        outcome = "answered_faq" if n < 4 else "unanswerable_unsure"
        hall.asked(f"c_b{n}", outcome=outcome, at=START - 7 * DAY)
    told = better_and_worse(board.of(WEEK))
    assert [i["name"] for i in told["better"]] == ["回答率", "覆盖率"]
    assert [i["name"] for i in told["worse"]] == ["故障"]


def test_long_periods_are_told_by_the_week(hall: Hall, board: Board) -> None:
    hall.asked("c_1")
    period = Period("range", START.date() - 100 * DAY, START.date())
    days = board.of(period)["figures"]["days"]
    assert len(days) == 15
    assert sum(d["n"] for d in days) == 1


# Over HTTP


def yesterday_and_today(hall: Hall) -> tuple[str, str]:
    today = now().astimezone(UTC).date()
    return str(today - DAY), str(today + DAY)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_read_and_export(hall: Hall, role: str) -> None:
    _, headers = hall.hire("某人", role)
    reads = 200 if role in ("supervisor", "auditor", "administrator") else 403
    exports = 200 if role == "supervisor" else 403
    for url in ("/api/v1/staff/statistics", "/console/dashboard", "/console/report"):
        assert hall.client.get(url, headers=headers).status_code == reads, url
    for url in (f"{QUESTIONS}.csv", "/api/v1/staff/statistics/figures.xlsx"):
        assert hall.client.get(url, headers=headers).status_code == exports, url


def test_the_pages_show_the_figures(hall: Hall) -> None:
    _, headers = hall.hire()
    for n in range(3):
        hall.asked(f"c_{n}", at=now())
    hall.asked("c_x", outcome="unanswerable_unsure", at=now(), topic="继承遗嘱")
    page = hall.client.get("/console/dashboard?period=day", headers=headers).text
    assert re.search(r"<b>4</b><span>提问</span>", page)
    assert "75.0%" in page
    assert '<svg viewBox="0 0 720 220" role="img"' in page
    assert not re.search(r"<style|\sstyle=|<script(?![^>]* src=)", page)
    this_month = f"{china_day(now()):%Y-%m}"
    month = hall.client.get(f"/console/report?month={this_month}", headers=headers).text
    assert "继承遗嘱：没把握 1 次" in month
    assert "这些数说明不了什么" in month
    range_ = hall.client.get(
        "/console/dashboard?period=range&since=2026-01-01&until=2026-03-31", headers=headers
    )
    assert "2026-01-01 至 2026-03-31" in range_.text


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/console/dashboard?period=year", 422),
        ("/console/dashboard?period=range", 400),
        ("/console/dashboard?period=range&since=2026-02-01&until=2026-01-01", 400),
        ("/console/dashboard?period=range&since=1900-01-01&until=2026-01-01", 400),
        ("/console/dashboard?on=gestern", 200),
        ("/console/report?month=2026-13", 400),
        ("/console/report?month=abc", 400),
        ("/console/report?month=0001-01", 400),
        ("/console/report?month=9999-12", 400),
        ("/console/dashboard?period=day&on=0001-01-01", 400),
        ("/console/dashboard?period=week&on=9999-12-31", 400),
        ("/console/dashboard?period=range&since=9999-12-30&until=9999-12-31", 400),
        ("/api/v1/staff/statistics?period=month&on=0001-01-01", 400),
        (f"{QUESTIONS}.csv?period=day&on=9999-12-31", 400),
        ("/console/dashboard?period=month&on=2000-01-01", 200),
        ("/console/dashboard?period=month&on=2100-12-31", 200),
        ("/api/v1/staff/statistics?period=range&since=x", 422),
        (f"{QUESTIONS}.pdf", 422),
        (f"{QUESTIONS}.csv?topic={'长' * 41}", 422),
    ],
)
def test_bad_queries(hall: Hall, url: str, status: int) -> None:
    _, headers = hall.hire()
    assert hall.client.get(url, headers=headers).status_code == status


def test_a_list_of_questions_as_a_file(hall: Hall) -> None:
    _, headers = hall.hire()
    hall.asked("c_abcdef", '=HYPERLINK("http://x")', at=now())
    hall.asked("c_2", "+8613 是谁", at=now() - timedelta(hours=1), channel="wechat")
    hall.asked("c_3", "离婚", at=now(), outcome="unanswerable_unsure")
    since, until = yesterday_and_today(hall)
    asked = {"period": "range", "since": since, "until": until}
    response = hall.client.get(f"{QUESTIONS}.csv", params=asked, headers=headers)
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["时间", "会话", "渠道"]
    cells = {cell for row in rows[1:] for cell in row}
    assert '\'=HYPERLINK("http://x")' in cells
    assert "'+8613 是谁" in cells
    assert "c_abcdef" not in response.text
    assert "…abcdef" in cells
    few = hall.client.get(
        f"{QUESTIONS}.csv", params=asked | {"outcome": "unanswerable_"}, headers=headers
    )
    assert len(list(csv.reader(io.StringIO(few.text)))) == 2
    book = load_workbook(
        io.BytesIO(hall.client.get(f"{QUESTIONS}.xlsx", params=asked, headers=headers).content)
    )
    values = [cell.value for row in book.active.iter_rows() for cell in row]
    assert '\'=HYPERLINK("http://x")' in values
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)
    with hall.sessions() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [e.action for e in events] == ["statistics.export"] * 3
    assert [e.detail["rows"] for e in events] == [3, 1, 3]
    assert events[1].detail["filters"]["outcome"] == "unanswerable_"
    assert "离婚" not in str([e.detail for e in events])


def test_an_export_is_limited_to_the_region_and_in_length(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, headers = hall.hire(region="320000")
    for n in range(4):
        hall.asked(f"c_{n}", f"问{n}", at=now(), region="320000")
    hall.asked("c_other", "别区的", at=now())
    monkeypatch.setattr(export, "MOST_ROWS", 3)
    since, until = yesterday_and_today(hall)
    asked = {"period": "range", "since": since, "until": until}
    response = hall.client.get(f"{QUESTIONS}.csv", params=asked, headers=headers)
    assert "别区的" not in response.text
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert len(rows) == 1 + 3 + 1
    assert rows[-1][0].startswith("共4条，只导出最近的")
    assert response.headers["X-Rows-Total"] == "4"


def test_the_tables_as_files(hall: Hall) -> None:
    _, headers = hall.hire()
    hall.asked("c_1", at=now())
    text = hall.client.get("/api/v1/staff/statistics/figures.csv", headers=headers).content
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    assert ["提问", "1"] in rows
    assert ["答了：常见问题", "1", "1.0"] in rows
    content = hall.client.get("/api/v1/staff/statistics/figures.xlsx", headers=headers).content
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames[:3] == ["总数", "每天", "结果"]
    assert ["网页", "1", "1.0"] in rows


def test_a_table_of_a_long_time_is_by_the_week_and_says_of_which_year(hall: Hall) -> None:
    _, headers = hall.hire()
    asked = {"period": "range", "since": "2025-12-01", "until": "2026-03-01"}
    url = "/api/v1/staff/statistics/figures.csv"
    text = hall.client.get(url, params=asked, headers=headers).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    start = rows.index(["每周"])
    assert rows[start + 1][0] == "从哪天起的一周"
    assert [row[0] for row in rows[start + 2 : start + 4]] == ["2025-12-01", "2025-12-08"]
    days = asked | {"until": "2025-12-02"}
    text = hall.client.get(url, params=days, headers=headers).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    start = rows.index(["每天"])
    assert [row[0] for row in rows[start + 1 : start + 3]] == ["日期", "2025-12-01"]


def test_a_rating_that_does_not_count_is_not_in_the_list(hall: Hall) -> None:
    _, headers = hall.hire()
    ratings = Ratings(hall.sessions, KEY)
    for n, level in enumerate((1, 4)):
        answer = hall.asked(f"c_{n}", f"问{n}", at=now())
        ratings.rate(ratings.token_for("answer", answer), level)
    with hall.sessions.begin() as session:
        session.execute(update(Rating).where(Rating.level == 1).values(excluded_at=now()))
    since, until = yesterday_and_today(hall)
    asked = {"period": "range", "since": since, "until": until}
    text = hall.client.get(f"{QUESTIONS}.csv", params=asked, headers=headers).content
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    assert {row[3]: row[-1] for row in rows[1:]} == {"问0": "", "问1": "4"}


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"),
        ("1=1", "1=1"), ("工资", "工资"), ("", ""), (None, ""), (-3, -3), (0.5, 0.5),
        ("a\x00b\x07", "ab"),
    ],
)  # fmt: skip
def test_no_spreadsheet_runs_a_cell(cell: Any, safe: Any) -> None:
    assert export.safe(cell) == safe
