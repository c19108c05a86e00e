"""What should be looked at again."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from ingest.content import Topic
from service.auth import Member, Permission
from service.console.pages import render
from service.curation.stale import CHECKED_DAYS, EXPIRING_DAYS, REASONS, Stale, Wanted
from service.permits import require

router = APIRouter(include_in_schema=False)
_PER_PAGE = 50


@router.get("/console/stale")
def stale(
    request: Request,
    member: Annotated[Member, Depends(require("knowledge:read"))],
    reason: Annotated[str, Query(max_length=20)] = "",
    kind: Literal["", "faq", "service", "guide", "hotline", "outside", "rules", "policy"] = "",
    topic: Annotated[str, Query(max_length=20)] = "",
    checked_days: Annotated[int, Query(ge=1, le=3650)] = CHECKED_DAYS,
    expiring_days: Annotated[int, Query(ge=0, le=3650)] = EXPIRING_DAYS,
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    wanted = Wanted(
        reason if reason in REASONS else "", kind, topic.strip(), checked_days, expiring_days
    )
    listed = Stale.of(request.app.state.serving).find(member, wanted)
    items = listed["items"]
    return render(
        request,
        member,
        "stale.html",
        filters={
            "reason": wanted.reason,
            "kind": kind,
            "topic": wanted.topic,
            "checked_days": checked_days,
            "expiring_days": expiring_days,
        },
        reasons=REASONS,
        topics=[(topic, topic) for topic in get_args(Topic)],
        counts=listed["counts"],
        total=listed["total"],
        items=items[(page - 1) * _PER_PAGE : page * _PER_PAGE],
        page=page,
        pages=max(1, -(-len(items) // _PER_PAGE)),
        may_edit=member.may(Permission.KNOWLEDGE_EDIT),
    )
