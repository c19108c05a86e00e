"""The log of what was done here, over HTTP: read, checked, taken away as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.assembly import Rooms
from service.audit import Anchor, AuditLog, Filters
from service.auth import Member
from service.errors import BadRequest
from service.permits import require
from service.review.words import LOG_WORDS

_CHINA = ZoneInfo("Asia/Shanghai")
_MOST_ROWS = 100_000  # of a file: more than a spreadsheet is read with
_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Day = Annotated[date | None, Query(ge=date(2020, 1, 1), le=date(2100, 1, 1))]
Words = Annotated[str, Query(max_length=280, pattern=_PLAIN)]

router = APIRouter(prefix="/api/v1/staff/audit", tags=["audit"])


def filters(
    since: Day = None,
    until: Day = None,
    actor: Words = "",
    action: Words = "",
    subject: Words = "",
    subject_id: Words = "",
    text: Words = "",
) -> Filters:
    return Filters(since, until, actor, action, subject, subject_id, text)


def _sessions(request: Request) -> sessionmaker[Session]:
    rooms: Rooms = request.app.state.rooms
    return rooms.sessions


Auditor = Annotated[Member, Depends(require("audit:read"))]
TheFilters = Annotated[Filters, Depends(filters)]
TheSessions = Annotated[sessionmaker[Session], Depends(_sessions)]


@router.get("", summary="操作记录，新的在前")
def page(
    wanted: TheFilters,
    sessions: TheSessions,
    _member: Auditor,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    return AuditLog(sessions, LOG_WORDS).page(wanted, before=before, limit=limit)


@router.get("/verify", summary="核验操作记录是否被改过")
def verify(
    sessions: TheSessions,
    member: Auditor,
    count: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    digest: Annotated[str, Query(alias="hash", max_length=100, pattern=_PLAIN)] = "",
) -> dict[str, Any]:
    """With a count and a hash that were written down earlier, also whether those still hold."""
    if (count is None) != (digest == ""):
        raise BadRequest("anchor", "留存的条数和校验值要一起填，或者都不填。")
    anchor = Anchor(count, digest.strip().lower()) if count else None
    with sessions() as session:
        chain = audit.verify(session, anchor)
    with sessions.begin() as session:
        audit.append(
            session,
            actor=member.id,
            action="audit.verify",
            subject="audit",
            subject_id="",
            detail={"count": chain.count, "problems": len(chain.problems)},
        )
    return {
        "whole": chain.whole,
        "count": chain.count,
        "hash": chain.hash,
        "problems": chain.problems,
    }


@router.get("/export", summary="把筛选出的操作记录下载为表格（CSV），下载会留下记录")
def export(wanted: TheFilters, sessions: TheSessions, member: Auditor) -> StreamingResponse:
    with sessions.begin() as session:
        audit.append(
            session,
            actor=member.id,
            action="audit.export",
            subject="audit",
            subject_id="",
            detail={"format": "CSV", "filters": wanted.given()},
        )
    events = AuditLog(sessions, LOG_WORDS).everything(wanted, limit=_MOST_ROWS)
    name = f"audit-{datetime.now(_CHINA):%Y%m%d-%H%M}.csv"
    return StreamingResponse(
        _csv(events),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def _csv(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield "\ufeff"  # without which a spreadsheet takes Chinese for something else
    yield _line(
        ("序号", "时间（北京时间）", "操作人", "做了什么", "目的", "详情", "操作代码", "校验值")
    )
    for event in events:
        at = datetime.fromisoformat(event["at"]).astimezone(_CHINA)
        facts = "；".join(f"{name}：{value}" for name, value in event["facts"])
        yield _line(
            (
                str(event["id"]),
                f"{at:%Y-%m-%d %H:%M:%S}",
                event["actor"]["name"],
                event["sentence"],
                event["reason"],
                facts,
                event["action"],
                event["hash"],
            )
        )


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    # What begins like a formula would be run by a spreadsheet; an apostrophe makes it text.
    csv.writer(out).writerow(
        f"'{c}" if c[:1] in ("=", "+", "-", "@", "\t", "\r") else c for c in cells
    )
    return out.getvalue()
