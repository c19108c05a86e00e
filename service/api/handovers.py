"""The hand-over desk over HTTP: for the citizen by conversation, for staff by permission."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from service.audit import Purpose
from service.auth import Member
from service.handover import Handovers, Referral, UrgentWatch
from service.permits import require

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
IdGiven = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Before = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
After = Annotated[int, Query(ge=0, le=2**31 - 1)]
Limit = Annotated[int, Query(ge=1, le=100)]


class HandoverIn(BaseModel):
    """Consent to be handed over, and what the citizen wants to add."""

    model_config = ConfigDict(extra="forbid")

    consent: StrictBool = False
    answer: IdGiven | None = None
    note: StrictStr = ""
    contact: StrictStr = ""


class TextIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: StrictStr


class ReferralIn(BaseModel):
    """首问负责: all of it must be said."""

    model_config = ConfigDict(extra="forbid")

    to: StrictStr
    contact: StrictStr
    passed_on: StrictBool


class CloseIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    outcome: StrictStr
    summary: StrictStr
    referral: ReferralIn | None = None


class AcknowledgeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: StrictStr = ""


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _handovers(request: Request) -> Handovers:
    handovers: Handovers = request.app.state.handovers
    return handovers


def _urgent(request: Request) -> UrgentWatch:
    watch: UrgentWatch = request.app.state.urgent
    return watch


Desk = Annotated[Handovers, Depends(_handovers)]
Watch = Annotated[UrgentWatch, Depends(_urgent)]
router = APIRouter(prefix="/api/v1", tags=["handover"], dependencies=[Depends(_no_store)])

_CITIZEN = "/conversations/{conversation}/handover"
_STAFF = "/staff/handovers"


@router.post(_CITIZEN, status_code=201, summary="转人工（需同意）")
def open_handover(
    conversation: Id, body: HandoverIn, desk: Desk, response: Response
) -> dict[str, Any]:
    """The ticket: 201 if it is new, 200 if the conversation has an open one already."""
    ticket, is_new = desk.open(
        conversation,
        consent=body.consent,
        answer=body.answer,
        note=body.note,
        contact=body.contact,
    )
    response.status_code = 201 if is_new else 200
    return ticket


@router.get(_CITIZEN, summary="转人工的进展和消息")
def read_handover(conversation: Id, desk: Desk, after: After = 0) -> dict[str, Any]:
    """The newest ticket, with at most 200 messages after number `after`."""
    return desk.of_conversation(conversation, after=after)


@router.delete(_CITIZEN, summary="撤回转人工")
def withdraw_handover(conversation: Id, desk: Desk) -> dict[str, Any]:
    return desk.withdraw(conversation)


@router.get(_STAFF, summary="工单列表")
def list_tickets(
    desk: Desk,
    member: Annotated[Member, Depends(require("handover:list"))],
    status: Literal["waiting", "claimed", "closed"] | None = None,
    mine: bool = False,
    order: Literal["newest", "due"] = "newest",
    limit: Limit = 50,
    before: Before = None,
) -> dict[str, Any]:
    """{tickets, next, counts}; `next` as `before` gives the page after this one."""
    return desk.queue(member, status=status, mine=mine, order=order, limit=limit, before=before)


@router.get(_STAFF + "/{handover}", summary="工单内容（读取留痕）")
def read_ticket(
    handover: Id,
    desk: Desk,
    member: Annotated[Member, Depends(require("handover:read"))],
    purpose: Purpose = Purpose.HANDLE,
    after: After = 0,
) -> dict[str, Any]:
    return desk.read(member, handover, purpose=purpose, after=after)


@router.post(_STAFF + "/{handover}/claim", summary="接手")
def claim_ticket(
    handover: Id, desk: Desk, member: Annotated[Member, Depends(require("handover:claim"))]
) -> dict[str, Any]:
    return desk.claim(member, handover)


@router.post(_STAFF + "/{handover}/release", summary="退回排队")
def release_ticket(
    handover: Id, desk: Desk, member: Annotated[Member, Depends(require("handover:release"))]
) -> dict[str, Any]:
    return desk.release(member, handover)


@router.post(_STAFF + "/{handover}/reply", status_code=201, summary="回复市民")
def reply_to_citizen(
    handover: Id,
    body: TextIn,
    desk: Desk,
    member: Annotated[Member, Depends(require("handover:reply"))],
) -> dict[str, Any]:
    return desk.reply(member, handover, body.text)


@router.post(_STAFF + "/{handover}/note", status_code=201, summary="内部备注")
def note_on_ticket(
    handover: Id,
    body: TextIn,
    desk: Desk,
    member: Annotated[Member, Depends(require("handover:note"))],
) -> dict[str, Any]:
    return desk.note(member, handover, body.text)


@router.post(_STAFF + "/{handover}/close", summary="结束并写明结果")
def close_ticket(
    handover: Id,
    body: CloseIn,
    desk: Desk,
    member: Annotated[Member, Depends(require("handover:close"))],
) -> dict[str, Any]:
    referral = Referral(**body.referral.model_dump()) if body.referral else None
    return desk.close(
        member, handover, outcome=body.outcome, summary=body.summary, referral=referral
    )


@router.get("/staff/urgent", summary="未处置的紧急情况（读取留痕）")
def list_urgent(
    watch: Watch,
    member: Annotated[Member, Depends(require("urgent:list"))],
    limit: Limit = 50,
    before: Before = None,
) -> dict[str, Any]:
    """{urgent, next, total}, newest first."""
    return watch.waiting(member, limit=limit, before=before)


@router.post("/staff/urgent/{answer}/acknowledge", summary="确认已处置紧急情况")
def acknowledge_urgent(
    answer: Id,
    watch: Watch,
    member: Annotated[Member, Depends(require("urgent:acknowledge"))],
    body: AcknowledgeIn | None = None,
) -> dict[str, Any]:
    return watch.acknowledge(member, answer, body.note if body else "")
