"""Pages of those who judge answers: conversations, what waits, follow-ups, agreement."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.answering.routing import routes
from service.audit import Purpose
from service.auth import Member
from service.console.pages import render
from service.models import Staff
from service.models.review import Review
from service.permits import require
from service.review import words
from service.review.agreement import ENOUGH, agreement
from service.review.http import (
    Code,
    Cursor,
    Id,
    TheConversations,
    TheFilters,
    TheFloors,
    TheFollowUps,
    TheQueue,
    TheReviews,
)
from service.review.seats import HELD

Reader = Annotated[Member, Depends(require("conversation:read"))]
Reviewer = Annotated[Member, Depends(require("conversation:review"))]
router = APIRouter(include_in_schema=False)
_WORDS: dict[str, Any] = {
    name: getattr(words, name)
    for name in (
        "VERDICTS", "VERDICT_HINTS", "LABELS", "FOLLOW_UPS", "REASONS", "CLOSED_BECAUSE",
        "PURPOSES", "CHANNELS", "TICKET_STATES", "TICKET_OUTCOMES",
    )
}  # fmt: skip
_DAYS = {"1": "今天", "7": "近7天", "30": "近30天", "90": "近90天"}
_GROUPS = {
    "answered_": "答了（全部）",
    "clarify_": "反问（全部）",
    "unanswerable_": "没答上（全部）",
    "handover_": "转人工（全部）",
    "refused_": "拒答（全部）",
    "failed_": "故障（全部）",
}
_NOT_FILTERS = {"before", "as_at"}


@router.get("/console/conversations")
def conversations(
    request: Request,
    found: TheConversations,
    member: Reader,
    filters: TheFilters,
    before: Cursor = "",
    as_at: Annotated[int | None, Query(ge=0, le=10**17)] = None,
) -> Response:
    page = found.page(member, filters, before=before, as_at=as_at)
    with request.app.state.rooms.sessions() as session:
        reviewers = _reviewers(session)
    current = {k: v for k, v in request.query_params.items() if v and k not in _NOT_FILTERS}
    return render(
        request,
        member,
        "conversations.html",
        page=page,
        current=current,
        topics=list(routes()),
        groups=_GROUPS,
        days=_DAYS,
        reviewers=reviewers,
        first=not before,
        **_WORDS,
    )


@router.get("/console/conversations/{name}")
def conversation(
    request: Request,
    name: Id,
    found: TheConversations,
    floors: TheFloors,
    member: Reader,
    purpose: Purpose | None = None,
    answer: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,40}$")] = "",
) -> Response:
    """Without a purpose, only the question what it is for."""
    if purpose is None or purpose.value not in words.PURPOSES:
        found.exists(member, name)
        return render(
            request, member, "conversation_purpose.html", name=name, answer=answer, **_WORDS
        )
    shown = found.read(member, name, purpose, floors)
    ids = [one["id"] for one in shown["answers"]]
    chosen = answer if answer in ids else name if name in ids else ids[-1]
    return render(
        request,
        member,
        "conversation.html",
        conversation=shown,
        name=name,
        purpose=purpose.value,
        chosen=chosen,
        may_review=member.may(_REVIEW) and not shown["own_work"],
        **_WORDS,
    )


@router.get("/console/reviews")
def reviews(
    request: Request, queue: TheQueue, member: Reviewer, reason: Code = "", after: Cursor = ""
) -> Response:
    return render(
        request,
        member,
        "reviews.html",
        page=queue.page(member, reason=reason, after=after),
        reason=reason,
        settings=queue.settings(),
        may_set=member.may(_DECIDE),
        held_minutes=HELD.seconds // 60,
        **_WORDS,
    )


@router.get("/console/reviews/open")
def open_reviews(
    request: Request,
    followups: TheFollowUps,
    member: Reviewer,
    status: Literal["open", "closed"] = "open",
    after: Cursor = "",
) -> Response:
    page = followups.page(member, status=status, after=after)
    return render(request, member, "reviews_open.html", page=page, shown=status, **_WORDS)


@router.get("/console/reviews/agreement")
def reviewers_agreement(request: Request, member: Reviewer) -> Response:
    with request.app.state.rooms.sessions() as session:
        figures = agreement(session, region=member.region)
    return render(request, member, "agreement.html", figures=figures, enough=ENOUGH, **_WORDS)


@router.get("/console/reviews/{review}")
def one_review(request: Request, review: Id, found: TheReviews, member: Reviewer) -> Response:
    return render(
        request,
        member,
        "review.html",
        review=found.read(member, review),
        may_edit=member.may(_EDIT),
        may_decide=member.may(_DECIDE),
        **_WORDS,
    )


@router.get("/console/follow-ups")
def follow_ups(
    request: Request,
    followups: TheFollowUps,
    member: Annotated[Member, Depends(require("knowledge:edit"))],
    after: Cursor = "",
) -> Response:
    page = followups.page(member, content_only=True, after=after)
    return render(request, member, "follow_ups.html", page=page, **_WORDS)


_REVIEW = require("conversation:review").permission
_DECIDE = require("review:decide").permission
_EDIT = require("knowledge:edit").permission


def _reviewers(session: Session) -> dict[str, str]:
    """Whoever has judged something."""
    judged = select(Review.reviewer_id).distinct()
    rows = session.execute(
        select(Staff.id, Staff.name).where(Staff.id.in_(judged)).order_by(Staff.name)
    )
    return {row.id: row.name for row in rows}
