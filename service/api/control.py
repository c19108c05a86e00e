"""Switches, notices and retention over HTTP; what citizens may see of notices, for everybody."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from service.auth import Member
from service.errors import Conflict
from service.notices import Draft, Level, Notices, Place
from service.permits import require
from service.retention import Retention
from service.statistics import jobs
from service.switches import Kind, Switches

router = APIRouter(prefix="/api/v1", tags=["control"])
log = structlog.get_logger()
_SECONDS = 30  # for which a page may keep the notices


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SwitchIn(_Body):
    kind: Kind
    key: Annotated[StrictStr, Field(max_length=200)]
    off: StrictBool
    comment: Annotated[StrictStr, Field(max_length=20_000)]


class NoticeIn(_Body):
    """Times without a zone are those of Shanghai, as a form gives them."""

    text: Annotated[StrictStr, Field(max_length=20_000)]
    level: Level = Level.INFO
    place: Place = Place.BOTH
    starts_at: datetime
    ends_at: datetime

    def draft(self) -> Draft:
        return Draft(self.text, self.level, self.place, self.starts_at, self.ends_at)


class NoticeEditIn(NoticeIn):
    version: StrictInt


class RuleIn(_Body):
    """`deletes` is what the preview said would go."""

    days: StrictInt
    comment: Annotated[StrictStr, Field(max_length=20_000)]
    deletes: Annotated[StrictInt, Field(ge=0)]


NoticeId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
KindKey = Annotated[str, Path(pattern=r"^[a-z_]{1,20}$")]


def _switches(request: Request) -> Switches:
    return Switches(request.app.state.rooms.sessions)


def _notices(request: Request) -> Notices:
    return Notices(request.app.state.rooms.sessions)


def _retention(request: Request) -> Retention:
    return Retention(request.app.state.rooms.sessions)


TheSwitches = Annotated[Switches, Depends(_switches)]
TheNotices = Annotated[Notices, Depends(_notices)]
TheRetention = Annotated[Retention, Depends(_retention)]
_READS_SWITCHES = [Depends(require("switch:read"))]
_READS_RETENTION = [Depends(require("retention:read"))]
_Editor = Annotated[Member, Depends(require("notice:edit"))]


@router.get("/staff/switches", summary="开关", dependencies=_READS_SWITCHES)
def switches(switches: TheSwitches) -> dict[str, Any]:
    return {"switches": switches.states()}


@router.post("/staff/switches", summary="关停或恢复")
def set_switch(
    body: SwitchIn,
    switches: TheSwitches,
    member: Annotated[Member, Depends(require("switch:set"))],
) -> dict[str, Any]:
    """Heeded by every process within two seconds."""
    states = switches.set(member, body.kind, body.key, off=body.off, comment=body.comment)
    return {"switches": states}


@router.get("/staff/switches/history", summary="开关的变更记录", dependencies=_READS_SWITCHES)
def switch_history(
    switches: TheSwitches,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> dict[str, Any]:
    return switches.history(limit=limit, before=before)


@router.get("/notices", summary="现在有效的公告")
def valid_notices(
    notices: TheNotices,
    place: Place = Place.WEB,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Public."""
    shown = {"notices": notices.valid(place)}
    tag = f'"{hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={_SECONDS}"}
    if tag in if_none_match:
        return Response(status_code=304, headers=headers)
    return JSONResponse(shown, headers=headers)


@router.get("/staff/notices", summary="全部公告", dependencies=[Depends(require("notice:read"))])
def all_notices(notices: TheNotices, ended: bool = False) -> dict[str, Any]:
    return {"notices": notices.all(ended=ended)}


@router.post("/staff/notices", status_code=201, summary="发公告")
def create_notice(body: NoticeIn, notices: TheNotices, member: _Editor) -> dict[str, Any]:
    return notices.create(member, body.draft())


@router.put("/staff/notices/{notice}", summary="改公告")
def edit_notice(
    notice: NoticeId, body: NoticeEditIn, notices: TheNotices, member: _Editor
) -> dict[str, Any]:
    return notices.edit(member, notice, body.version, body.draft())


@router.post("/staff/notices/{notice}/end", summary="提前结束公告")
def end_notice(notice: NoticeId, notices: TheNotices, member: _Editor) -> dict[str, Any]:
    return notices.end(member, notice)


@router.get("/staff/retention", summary="各类数据保存多久", dependencies=_READS_RETENTION)
def rules(retention: TheRetention) -> dict[str, Any]:
    return {"rules": retention.rules(), "runs": retention.runs()}


@router.get(
    "/staff/retention/{kind}/preview",
    summary="改成这么多天会删掉什么",
    dependencies=_READS_RETENTION,
)
def preview(
    kind: KindKey,
    retention: TheRetention,
    days: Annotated[int, Query(ge=0, le=100_000)],
) -> dict[str, Any]:
    return retention.preview(kind, days)


@router.put("/staff/retention/{kind}", summary="设置保存天数")
def set_rule(
    kind: KindKey,
    body: RuleIn,
    retention: TheRetention,
    member: Annotated[Member, Depends(require("retention:set"))],
) -> dict[str, Any]:
    return retention.set(member, kind, body.days, comment=body.comment, deletes=body.deletes)


@router.post("/staff/retention/run", status_code=202, summary="现在就清理到期的数据")
def run_now(
    request: Request,
    retention: TheRetention,
    member: Annotated[Member, Depends(require("retention:set"))],
) -> dict[str, Any]:
    """In the background; `runs` says what came of it. Conflict while one is going on."""
    if jobs.is_held(request.app.state.rooms.sessions, jobs.RETENTION):
        raise Conflict("retention_running", "正在清理，请稍后看结果。")
    threading.Thread(target=_purge, args=(retention, member), name="retention", daemon=True).start()
    return {"started": True}


def _purge(retention: Retention, member: Member) -> None:
    try:
        retention.run(member)
    except Exception:
        # The last line of a thread: nobody above would see it.
        log.exception("retention.failed")
