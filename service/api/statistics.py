"""Figures over HTTP: as JSON for those who read them, as files for those who may export."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response

from service import audit
from service.answering.outcomes import OUTCOME_NAMES
from service.auth import Member
from service.permits import require
from service.statistics.board import Board
from service.statistics.days import Period, period_of
from service.statistics.export import (
    HEAD,
    MOST_ROWS,
    answers_of,
    as_csv,
    as_xlsx,
    tables_of,
)

router = APIRouter(prefix="/api/v1/staff/statistics", tags=["statistics"])
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Format = Literal["csv", "xlsx"]
Short = Annotated[str, Query(max_length=40)]


def board(request: Request) -> Board:
    return Board(request.app.state.rooms.sessions)


TheBoard = Annotated[Board, Depends(board)]


def chosen(
    board: TheBoard,
    period: Literal["day", "week", "month", "range"] = "week",
    on: date | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Period:
    """The period that a query asks for: the one that today, or `on`, is in, or the range."""
    return period_of(period, on or board.today, since, until)


Chosen = Annotated[Period, Depends(chosen)]
Exporter = Annotated[Member, Depends(require("statistics:export"))]


@router.get("", summary="一段时间的统计")
def figures(
    board: TheBoard,
    period: Chosen,
    member: Annotated[Member, Depends(require("statistics:read"))],
    response: Response,
) -> dict[str, Any]:
    response.headers["Cache-Control"] = "no-store"
    shown = board.of(period, region=member.region)
    before = period.compared_with(board.today)
    return {"period": _named(period), "before": _named(before), **shown}


@router.get("/figures.{format}", summary="导出统计表")
def export_figures(format: Format, board: TheBoard, period: Chosen, member: Exporter) -> Response:
    """All tables of the period, one after the other (CSV) or one a sheet (XLSX)."""
    tables = tables_of(board.of(period, region=member.region)["figures"], OUTCOME_NAMES)
    if format == "csv":
        rows: list[tuple[Any, ...]] = []
        for name, (head, body) in tables:
            rows += [(), (name,), tuple(head), *map(tuple, body)]
        content = as_csv(("统计", period.label), rows)
    else:
        content = as_xlsx((name, head, body) for name, (head, body) in tables)
    _record(board, member, period, format, rows=sum(len(t[1][1]) for t in tables), what="统计表")
    return _file(content, f"统计 {period.label}", format)


@router.get("/questions.{format}", summary="导出问题清单（已隐去个人信息）")
def export_questions(
    format: Format,
    board: TheBoard,
    period: Chosen,
    member: Exporter,
    channel: Short = "",
    outcome: Short = "",
    topic: Short = "",
) -> Response:
    """The newest questions of the period, at most 50,000; a last line says if there are more."""
    with board.sessions() as session:
        rows, total = answers_of(
            session,
            period,
            region=member.region,
            channel=channel,
            outcome=outcome,
            topic=topic,
        )
    shown = [(*row[:4], OUTCOME_NAMES.get(row[4], row[4]), *row[5:]) for row in rows]
    if total > len(rows):
        note = f"共{total}条，只导出最近的{MOST_ROWS}条；请缩短时间或加筛选后分几次导出。"
        shown.append((note,))
    content = as_csv(HEAD, shown) if format == "csv" else as_xlsx([("问题清单", HEAD, shown)])
    filters = {"channel": channel, "outcome": outcome, "topic": topic}
    _record(board, member, period, format, rows=len(rows), what="问题清单", **filters)
    response = _file(content, f"问题清单 {period.label}", format)
    response.headers["X-Rows"], response.headers["X-Rows-Total"] = str(len(rows)), str(total)
    return response


def _named(period: Period) -> dict[str, Any]:
    return {
        "kind": period.kind,
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
        "label": period.label,
    }


def _record(
    board: Board,
    member: Member,
    period: Period,
    format: str,
    *,
    rows: int,
    what: str,
    **filters: str,
) -> None:
    with board.sessions.begin() as session:
        audit.append(
            session,
            actor=member.id,
            action="statistics.export",
            subject="statistics",
            subject_id=period.label,
            detail={
                "name": what,
                "format": format,
                "rows": rows,
                "filters": {k: v for k, v in filters.items() if v} | {"region": member.region},
            },
        )


def _file(content: bytes, name: str, format: str) -> Response:
    return Response(
        content,
        media_type=_MEDIA[format],
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.{format}')}",
            "Cache-Control": "no-store",
        },
    )
