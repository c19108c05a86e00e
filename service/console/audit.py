"""The page of what was done here."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from service.assembly import Rooms
from service.audit import ACTIONS, AuditLog, Filters, head
from service.auth import Member
from service.console.pages import render
from service.errors import BadRequest
from service.permits import require
from service.review.words import LOG_WORDS

router = APIRouter(include_in_schema=False)
_A_PAGE = 50
# A form sends empty fields too, so dates and numbers come as text.
Words = Annotated[str, Query(max_length=280, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _day(given: str) -> date | None:
    if not given:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        day = date.min
    if not 2020 <= day.year <= 2100:
        raise BadRequest("date", "日期要写成2026-11-30这样。")
    return day


@router.get("/console/audit")
def audit(
    request: Request,
    member: Annotated[Member, Depends(require("audit:read"))],
    since: Words = "",
    until: Words = "",
    actor: Words = "",
    action: Words = "",
    subject: Words = "",
    subject_id: Words = "",
    text: Words = "",
    before: Annotated[str, Query(pattern=r"^\d{0,9}$")] = "",
) -> Response:
    rooms: Rooms = request.app.state.rooms
    filters = Filters(_day(since), _day(until), actor, action, subject, subject_id, text.strip())
    log = AuditLog(rooms.sessions, LOG_WORDS)
    with rooms.sessions() as session:
        newest = head(session)
    return render(
        request,
        member,
        "audit.html",
        page=log.page(filters, before=int(before) if before else None, limit=_A_PAGE),
        filters=filters.given(),
        before=before,
        actors=log.actors(),
        actions=ACTIONS,
        head=newest,
    )
