"""The desk over HTTP: what changes as it changes, who is on duty, words to insert, colleagues."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from starlette.types import Receive, Scope, Send

from service.accounts.sessions import StaffSessions
from service.api.handovers import Desk, Id, IdGiven
from service.auth import Member, StaffRegister, member_of
from service.errors import NotFound
from service.handover import phrases
from service.handover.duty import Duty
from service.handover.live import Listener, Live
from service.handover.presence import windows
from service.models import Staff, now
from service.permits import require, signed_in_of

_DESK = "/staff/desk"


class DutyIn(BaseModel):
    """`still` says that the page is still there, and begins nothing."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["begin", "still"] = "begin"


class AssignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: IdGiven


class _Stream(StreamingResponse):
    """Gives the listener's place back however the stream ends."""

    def __init__(self, live: Live, listener: Listener, events: AsyncIterator[str]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._live, self._listener = live, listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._live.leave(self._listener)


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _register(request: Request) -> StaffRegister:
    register: StaffRegister = request.app.state.staff
    return register


Register = Annotated[StaffRegister, Depends(_register)]
router = APIRouter(prefix="/api/v1", tags=["desk"], dependencies=[Depends(_no_store)])


@router.get(_DESK + "/events", summary="实时事件（SSE）：queue、message、urgent")
async def listen(
    request: Request,
    member: Annotated[Member, Depends(require("handover:list"))],
    register: Register,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
) -> Response:
    """A stream of `text/event-stream`, of what this member may see: `queue` (counts, who is on
    duty, changed tickets; `reset` when there were too many), `message` (that something was said in
    a ticket one owns), `urgent` (how many, and new ones), `end`. No event holds a citizen's words.
    `Last-Event-ID` brings what was missed. At most five at once for one person in one process."""
    live: Live = request.app.state.live
    given = re.fullmatch(r"\d{1,18}", last_event_id or "", re.ASCII)
    last = int(given[0]) if given else None
    listener = live.join(member)
    still = _still(request, register, member)
    return _Stream(live, listener, live.stream(listener, last, still))


def _still(
    request: Request, register: StaffRegister, member: Member
) -> Callable[[], Member | None]:
    """Who the reader is now, or None once the account or the session has ended. To look does not
    keep a session alive: only what a person does, does."""
    signed_in = signed_in_of(request)
    token = request.headers.get("authorization", "").partition(" ")[2]

    def by_token() -> Member | None:
        return register.holder(token)

    def by_session() -> Member | None:
        open_now = StaffSessions(register.sessions).of(member.id)
        if signed_in is None or all(row.id != signed_in.session_id for row in open_now):
            return None
        with register.sessions() as session:
            row = session.get(Staff, member.id)
            return member_of(row) if row and row.disabled_at is None else None

    return by_session if signed_in else by_token


def _duty(register: Register) -> Duty:
    return Duty(register.sessions)


TheDuty = Annotated[Duty, Depends(_duty)]


@router.get(_DESK + "/duty", summary="谁在值班，窗口现在开不开")
def read_duty(
    request: Request,
    duty: TheDuty,
    member: Annotated[Member, Depends(require("handover:list"))],
) -> dict[str, Any]:
    library = request.app.state.serving.library
    return {**duty.state(member), "windows": windows(library, member.region, now())}


@router.put(_DESK + "/duty", summary="开始值班；页面还开着")
def be_on_duty(
    duty: TheDuty,
    member: Annotated[Member, Depends(require("duty:set"))],
    body: DutyIn | None = None,
) -> dict[str, Any]:
    """{on_duty, mine}. Without `still` for fifteen minutes it ends by itself."""
    return duty.still(member) if body and body.action == "still" else duty.begin(member)


@router.delete(_DESK + "/duty", summary="结束值班")
def leave_duty(
    duty: TheDuty, member: Annotated[Member, Depends(require("duty:set"))]
) -> dict[str, Any]:
    return duty.end(member)


@router.get(_DESK + "/snippets", summary="从知识库里找可以插入回复的话")
def find_snippets(
    request: Request,
    member: Annotated[Member, Depends(require("handover:reply"))],
    q: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, Any]:
    """{snippets}: of published answers and cards, with a text, and a line of number and place."""
    library = request.app.state.serving.library
    region = member.region or request.app.state.rooms.settings.region
    return {"snippets": phrases.search(library, q, region, now())}


@router.post("/staff/handovers/{handover}/assign", summary="转给另一位工作人员")
def assign_ticket(
    handover: Id,
    body: AssignIn,
    desk: Desk,
    register: Register,
    member: Annotated[Member, Depends(require("handover:reassign"))],
) -> dict[str, Any]:
    return desk.assign(member, handover, colleague_of(register, body.to))


def colleague_of(register: StaffRegister, staff_id: str) -> Member:
    """Somebody to give a ticket to. Raises NotFound."""
    with register.sessions() as session:
        row = session.get(Staff, staff_id)
        if row is None:
            raise NotFound("staff_unknown", "没有这位工作人员。")
        return member_of(row)
