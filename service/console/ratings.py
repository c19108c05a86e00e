"""The pages of bad ratings: which are due, and one with all that was done and may be done."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from service.auth import Member, Permission
from service.console.pages import render
from service.permits import require
from service.ratings import Ratings, RatingTickets, Recheck, TicketStatus
from service.ratings.circle import APPEAL, CLOSE, CONTACT, DECIDE, RECHECK, REPLY
from service.ratings.citizen import BINDING_NOTE, LEVELS

router = APIRouter(include_in_schema=False)
View = Literal["due", "mine", "overdue", "all"]
VIEWS: dict[str, tuple[str, dict[str, Any]]] = {
    "due": ("待办", {"order": "due"}),
    "mine": ("与我有关", {"mine": True}),
    "overdue": ("超时", {"overdue": True, "order": "due"}),
    "all": ("全部", {}),
}
ACTIONS = {move.action: move.name for move in (REPLY, CONTACT, RECHECK, CLOSE, APPEAL, DECIDE)}
RESULTS = {
    Recheck.SATISFIED.value: "市民满意",
    Recheck.STILL_UNSATISFIED.value: "市民仍不满意",
    Recheck.UNREACHABLE.value: "联系不上市民",
}
_ABOUT = {"answer": "助手的回答", "handover": "人工服务"}
_HANDLERS = {"law": "法律原文", "assistant": "助手（固定用语）"}
_A_PAGE = 50


@router.get("/console/ratings")
def queue(
    request: Request,
    member: Annotated[Member, Depends(require("rating:read"))],
    view: View = "due",
    status: TicketStatus | Literal[""] = "",
    before: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = None,
) -> Response:
    page = _tickets(request).queue(
        member, limit=_A_PAGE, before=before, status=status or None, **VIEWS[view][1]
    )
    return render(
        request,
        member,
        "ratings.html",
        page=page,
        views={key: name for key, (name, _) in VIEWS.items()},
        view=view,
        wanted=status,
        statuses={one.value: one.label for one in TicketStatus},
        before=before,
        handler=handler_of,
        about=_ABOUT,
        levels=LEVELS,
        settings=request.app.state.rooms.settings,
    )


@router.get("/console/ratings/{ticket}")
def ticket(
    ticket: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")],
    request: Request,
    member: Annotated[Member, Depends(require("rating:read"))],
) -> Response:
    tickets = _tickets(request)
    shown = tickets.read(member, ticket)
    documents = request.app.state.serving.library.documents
    return render(
        request,
        member,
        "rating.html",
        ticket=shown,
        may=moves_open_to(member, shown),
        stage=_stage(shown),
        answer=tickets.answer_of(member, ticket),
        titles={
            one: documents[one].title
            for one in shown["matter"].get("documents", ())
            if one in documents
        },
        handler=handler_of,
        about=_ABOUT,
        actions=ACTIONS,
        results=RESULTS,
        statuses={one.value: one.label for one in TicketStatus},
        levels=LEVELS,
        binding=BINDING_NOTE,
    )


def _tickets(request: Request) -> RatingTickets:
    ratings: Ratings = request.app.state.ratings
    return ratings.tickets


def handler_of(shown: dict[str, Any]) -> str:
    """Whose service it was, for people."""
    handler = shown["handler"]
    named = handler.get("name") or handler.get("title")
    return named or _HANDLERS.get(handler["kind"], "助手")


def moves_open_to(member: Member, shown: dict[str, Any]) -> frozenset[str]:
    """What a member may do with a ticket as it stands; the API has the last word."""
    status = TicketStatus(shown["status"])
    satisfied = shown["recheck_result"] == Recheck.SATISFIED.value
    appealed_by = {m["by"]["id"] for m in shown["moves"] if m["action"] == APPEAL.action}
    of_staff = shown["handler"]["kind"] == "staff"
    own = shown["handler"]["id"] == member.id
    found = {
        move.action
        for move, permission in (
            (REPLY, Permission.RATING_REPLY),
            (CONTACT, Permission.RATING_REPLY),
            (RECHECK, Permission.RATING_RECHECK),
            (CLOSE, Permission.RATING_RECHECK),
            (APPEAL, Permission.RATING_APPEAL),
            (DECIDE, Permission.RATING_DECIDE),
        )
        if status in move.allowed and member.may(permission)
    }
    if satisfied and status is TicketStatus.RECHECKED:
        found.discard(REPLY.action)  # nothing is left to answer
    if appealed_by or (of_staff and not own):
        found.discard(APPEAL.action)
    if member.id in appealed_by or own:
        found.discard(DECIDE.action)
    return frozenset(found)


def _stage(shown: dict[str, Any]) -> str:
    """Which of the three deadlines runs now; empty when it is finished."""
    if TicketStatus(shown["status"]).finished:
        return ""
    if shown["status"] in (TicketStatus.REPLIED.value, TicketStatus.RECHECKED.value):
        return "recheck_at"
    return "mend_at" if shown["contacted_at"] else "contact_at"
