"""Figures and lists of conversations as CSV and XLSX. What is stored is masked, so what leaves is.

A cell that a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from service.answering.hours import SHANGHAI
from service.models import AnswerRecord, Conversation, Rating
from service.statistics.days import Period
from service.switches import CHANNELS

MOST_ROWS = 50_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_XLSX_CELL = 32_767  # characters
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # none of XML's, so none of a sheet's
Table = tuple[Sequence[str], list[Sequence[Any]]]  # head and rows
HEAD = (
    "时间", "会话", "渠道", "问题（已隐去个人信息）", "结果", "主题", "把握", "回答摘要", "评价",
)  # fmt: skip


def safe(value: Any) -> Any:
    """A cell that no spreadsheet runs; numbers stay numbers."""
    if isinstance(value, str):
        text = _UNPRINTABLE.sub("", value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    return "" if value is None else value


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """UTF-8 with a byte order mark, without which Excel reads Chinese as something else."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def as_xlsx(sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]) -> bytes:
    """A workbook with one sheet a table: name, head, rows."""
    from openpyxl import Workbook  # a fifth of a second of every start, for one export a month

    book = Workbook(write_only=True)
    for name, head, rows in sheets:
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        sheet.append(list(head))
        for row in rows:
            cells = (safe(cell) for cell in row)
            sheet.append([c[:_XLSX_CELL] if isinstance(c, str) else c for c in cells])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def answers_of(
    session: Session,
    period: Period,
    *,
    region: str = "",
    channel: str = "",
    outcome: str = "",
    topic: str = "",
) -> tuple[list[Sequence[Any]], int]:
    """The newest questions of a period with what became of them, at most `MOST_ROWS`; and how many
    there are. `outcome` may be a prefix such as `unanswerable_`. The conversation's id is the
    citizen's key: only its last characters are given."""
    wanted: list[ColumnElement[bool]] = [
        AnswerRecord.asked_at >= period.since,
        AnswerRecord.asked_at < period.until,
    ]
    if region:
        wanted.append(AnswerRecord.region == region)
    if channel:
        wanted.append(Conversation.channel == channel)
    if outcome:
        wanted.append(AnswerRecord.outcome.startswith(outcome, autoescape=True))
    if topic:
        wanted.append(AnswerRecord.topic == topic)
    joined = select(func.count()).select_from(AnswerRecord).join(Conversation).where(*wanted)
    total = session.scalar(joined) or 0
    rated = and_(
        Rating.event_kind == "answer",
        Rating.event_id == AnswerRecord.id,
        Rating.excluded_at.is_(None),
    )
    rows = session.execute(
        select(
            AnswerRecord.asked_at,
            AnswerRecord.conversation_id,
            Conversation.channel,
            AnswerRecord.question,
            AnswerRecord.outcome,
            AnswerRecord.topic,
            AnswerRecord.confidence,
            AnswerRecord.answer["summary"].as_string().label("summary"),
            Rating.level,
        )
        .join(Conversation, AnswerRecord.conversation_id == Conversation.id)
        .outerjoin(Rating, rated)
        .where(*wanted)
        .order_by(AnswerRecord.asked_at.desc(), AnswerRecord.id)
        .limit(MOST_ROWS)
    )
    return [
        (
            clock(row.asked_at),
            f"…{row.conversation_id[-6:]}",
            CHANNELS.get(row.channel, row.channel),
            row.question,
            row.outcome,
            row.topic or "",
            round(row.confidence, 3),
            row.summary or "",
            row.level,
        )
        for row in rows
    ], total


def tables_of(figures: dict[str, Any], names: dict[str, str]) -> list[tuple[str, Table]]:
    """The tables of a period's figures; `names` are the words for outcomes."""
    totals = figures["totals"]
    waits = {"urgent_waits": "紧急情况", "handover_waits": "转人工"}
    weekly = any(row["first"] != row["last"] for row in figures["days"])
    each, since = ("每周", "从哪天起的一周") if weekly else ("每天", "日期")
    return [
        ("总数", (("项目", "数"), [
            ("提问", totals["questions"]),
            ("会话", totals["conversations"]),
            ("给出回答", totals["answered"]),
            ("回答率", _share(totals["answered_share"])),
            ("覆盖率", _share(totals["coverage"])),
            ("没把握", totals["unsure"]),
            ("故障", totals["failed"]),
            ("紧急", totals["urgent"]),
            ("转人工", totals["handovers"]),
            ("评价", figures["ratings"]["total"]),
            ("满意率", _share(figures["ratings"]["satisfaction"])),
        ])),
        (each, ((since, "提问", "给出回答", "没把握", "紧急"), [
            (row["first"].isoformat(), row["n"], row["answered"], row["unsure"], row["urgent"])
            for row in figures["days"]
        ])),
        ("结果", (("结果", "数", "比例"), [
            (names.get(row["key"], row["key"]), row["n"], _share(row["share"]))
            for row in figures["outcomes"]
        ])),
        ("主题", (("主题", "提问", "给出回答", "没把握", "覆盖率"), [
            (row["topic"] or "未归类", row["n"], row["answered"], row["unsure"],
             _share(row["coverage"]))
            for row in figures["topics"]
        ])),
        ("渠道", (("渠道", "提问", "比例"), [
            (CHANNELS.get(row["key"], row["key"]), row["n"], _share(row["share"]))
            for row in figures["channels"]
        ])),
        ("时段", (("几点", "提问"), [(f"{h}:00", n) for h, n in enumerate(figures["hours"])])),
        ("等待", (("项目", "次数", "已有人处理", "一半人等了（秒）", "九成人等了（秒）"), [
            (name, totals[key]["asked"], totals[key]["seen"], totals[key]["median_s"],
             totals[key]["p90_s"])
            for key, name in waits.items()
        ])),
        ("评价", (("等级", "数"), [(r["label"], r["n"]) for r in figures["ratings"]["levels"]])),
    ]  # fmt: skip


def clock(at: datetime) -> str:
    """A moment as the clock here shows it."""
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
