"""Switches, notices and retention."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from service.answering.hours import SHANGHAI
from service.auth import Member, Permission
from service.console.pages import render
from service.models import now
from service.notices import LEVELS, LONGEST_TEXT, PLACES, Notices
from service.permits import require
from service.retention import Retention
from service.switches import KIND_NAMES, LONGEST_COMMENT, Kind, Switches

router = APIRouter(include_in_schema=False)
COUNTED = {
    "conversations": "会话",
    "answers": "回答",
    "citations": "条文副本",
    "messages": "留言",
    "tickets": "工单",
    "contents": "工单内容",
    "comments": "评价内容",
    "access": "查看记录",
    "imports": "导入文件",
    "trials": "题集运行",
}


@router.get("/console/switches")
def switches(
    request: Request,
    member: Annotated[Member, Depends(require("switch:read"))],
    q: Annotated[str, Query(max_length=100)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> HTMLResponse:
    known = Switches(request.app.state.rooms.sessions)
    states = known.states()
    return render(
        request,
        member,
        "switches.html",
        of={kind: [s for s in states if s["kind"] == kind] for kind in Kind},
        off=[s for s in states if s["off"]],
        kinds=KIND_NAMES,
        q=q,
        found=known.find_documents(q),
        history=known.history(limit=30, before=before),
        may_set=member.may(Permission.SWITCH_SET),
        longest=LONGEST_COMMENT,
        model=writer.name if (writer := request.app.state.writer) else "",
    )


@router.get("/console/notices")
def notices(
    request: Request,
    member: Annotated[Member, Depends(require("notice:read"))],
    edit: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    known = Notices(request.app.state.rooms.sessions)
    at = now().astimezone(SHANGHAI).replace(second=0, microsecond=0, tzinfo=None)
    edited = known.one(edit) if edit else None
    return render(
        request,
        member,
        "notices.html",
        notices=known.all(),
        ended=known.all(ended=True, limit=20),
        edited=edited,
        starts=_field(edited["starts_at"]) if edited else at.isoformat(timespec="minutes"),
        ends=_field(edited["ends_at"])
        if edited
        else (at + timedelta(days=7)).isoformat(timespec="minutes"),
        levels={level.value: name for level, name in LEVELS.items()},
        places={place.value: name for place, name in PLACES.items()},
        longest=LONGEST_TEXT,
        may_edit=member.may(Permission.NOTICE_EDIT),
    )


@router.get("/console/retention")
def retention(
    request: Request, member: Annotated[Member, Depends(require("retention:read"))]
) -> HTMLResponse:
    known = Retention(request.app.state.rooms.sessions)
    return render(
        request,
        member,
        "retention.html",
        rules=known.rules(),
        runs=known.runs(limit=10),
        counted=COUNTED,
        may_set=member.may(Permission.RETENTION_SET),
    )


def _field(at: str) -> str:
    """A moment as an input of type datetime-local wants it, in Shanghai."""
    local = datetime.fromisoformat(at).astimezone(SHANGHAI)
    return local.replace(tzinfo=None).isoformat(timespec="minutes")
