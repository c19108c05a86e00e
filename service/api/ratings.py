"""Ratings over HTTP: one a service event for citizens, counts for everybody, tickets for staff."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from service.auth import Member
from service.permits import require
from service.ratings import Ratings, RatingTickets, Recheck, TicketStatus, form

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _ratings(request: Request) -> Ratings:
    ratings: Ratings = request.app.state.ratings
    return ratings


def _tickets(request: Request) -> RatingTickets:
    return _ratings(request).tickets


TheRatings = Annotated[Ratings, Depends(_ratings)]
TheTickets = Annotated[RatingTickets, Depends(_tickets)]
router = APIRouter(prefix="/api/v1", tags=["ratings"], dependencies=[Depends(_no_store)])
_STAFF = "/staff/rating-tickets"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RatingIn(_Body):
    """Lengths are judged by `Ratings`, which says in Chinese what is wrong."""

    token: StrictStr
    level: StrictInt
    aspects: Annotated[list[StrictStr], Field(max_length=20)] = []
    comment: StrictStr = ""


class TokenIn(_Body):
    token: StrictStr


class ReplyIn(_Body):
    """`final` false: contact only, the mending goes on."""

    text: StrictStr
    final: StrictBool = True


class RecheckIn(_Body):
    result: Recheck
    note: StrictStr = ""


class CloseIn(_Body):
    note: StrictStr = ""


class AppealIn(_Body):
    reason: StrictStr


class DecisionIn(_Body):
    accepted: StrictBool
    reason: StrictStr


@router.post("/ratings", summary="评价一次服务")
def rate(body: RatingIn, ratings: TheRatings) -> dict[str, Any]:
    """Public: the token is the permission. The same level again gives what is stored."""
    return ratings.rate(body.token, body.level, body.aspects, body.comment)


@router.post("/ratings/mine", summary="查看自己的评价和办理情况")
def mine(body: TokenIn, ratings: TheRatings) -> dict[str, Any]:
    """Public, by the same token, which is sent in the body so that no log of addresses has it."""
    return ratings.read(body.token)


@router.get("/ratings/form", summary="评价的等级和方面")
def rating_form() -> dict[str, Any]:
    """Public."""
    return form()


@router.get("/ratings/summary", summary="评价公示")
def summary(ratings: TheRatings) -> dict[str, Any]:
    """Public: counts only."""
    return ratings.summary()


@router.get(_STAFF, summary="差评工单")
def queue(
    tickets: TheTickets,
    member: Annotated[Member, Depends(require("rating:read"))],
    status: TicketStatus | None = None,
    overdue: bool = False,
    mine: bool = False,
    order: Literal["newest", "due"] = "newest",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    before: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = None,
) -> dict[str, Any]:
    return tickets.queue(
        member,
        status=status,
        overdue=overdue,
        mine=mine,
        order=order,
        limit=limit,
        before=before,
    )


@router.get(_STAFF + "/{ticket}", summary="一张差评工单；查看会留下记录")
def read(
    ticket: Id,
    tickets: TheTickets,
    member: Annotated[Member, Depends(require("rating:read"))],
) -> dict[str, Any]:
    return tickets.read(member, ticket)


@router.post(_STAFF + "/{ticket}/reply", summary="联系或答复市民")
def reply(
    ticket: Id,
    body: ReplyIn,
    tickets: TheTickets,
    member: Annotated[Member, Depends(require("rating:reply"))],
) -> dict[str, Any]:
    return tickets.reply(member, ticket, body.text, final=body.final)


@router.post(_STAFF + "/{ticket}/recheck", summary="登记回访结果")
def recheck(
    ticket: Id,
    body: RecheckIn,
    tickets: TheTickets,
    member: Annotated[Member, Depends(require("rating:recheck"))],
) -> dict[str, Any]:
    return tickets.recheck(member, ticket, body.result, note=body.note)


@router.post(_STAFF + "/{ticket}/close", summary="办结")
def close(
    ticket: Id,
    body: CloseIn,
    tickets: TheTickets,
    member: Annotated[Member, Depends(require("rating:recheck"))],
) -> dict[str, Any]:
    """Who re-checks also closes: it is one duty."""
    return tickets.close(member, ticket, note=body.note)


@router.post(_STAFF + "/{ticket}/appeal", summary="对误评、恶意差评申诉")
def appeal(
    ticket: Id,
    body: AppealIn,
    tickets: TheTickets,
    member: Annotated[Member, Depends(require("rating:appeal"))],
) -> dict[str, Any]:
    return tickets.appeal(member, ticket, body.reason)


@router.post(_STAFF + "/{ticket}/decide", summary="裁定申诉")
def decide(
    ticket: Id,
    body: DecisionIn,
    tickets: TheTickets,
    member: Annotated[Member, Depends(require("rating:decide"))],
) -> dict[str, Any]:
    return tickets.decide(member, ticket, accepted=body.accepted, reason=body.reason)
