"""What an address asks for: parameters and domain objects that the API and the pages share."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Request
from pydantic import BeforeValidator, Field

from service.review.conversations import Conversations
from service.review.filters import Filters, HandoverFilter, RatingFilter
from service.review.followups import FollowUps
from service.review.judging import Reviews
from service.review.queue import ReviewQueue
from service.review.trace import Floors

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Cursor = Annotated[str, Query(pattern=r"^[A-Za-z0-9._-]{0,70}$")]
Code = Annotated[str, Query(pattern=r"^[a-z_]{0,40}$")]


def _absent(value: object) -> object:
    """A field of a form that was left empty."""
    return None if value == "" else value


Empty = BeforeValidator(_absent)
Confidence = Annotated[Annotated[float, Field(ge=0, le=1)] | None, Empty]
Days = Annotated[Annotated[int, Field(ge=1, le=3660)] | None, Empty]


def filters_of(
    since: Annotated[date | None, Empty] = None,
    until: Annotated[date | None, Empty] = None,
    days: Days = None,
    channel: Code = "",
    outcome: Code = "",
    topic: Annotated[str, Query(max_length=20)] = "",
    confidence_from: Confidence = None,
    confidence_to: Confidence = None,
    rating: Annotated[RatingFilter | None, Empty] = None,
    urgent: bool = False,
    unanswered: bool = False,
    handover: Annotated[HandoverFilter | None, Empty] = None,
    reviewed: Annotated[Literal["yes", "no"] | None, Empty] = None,
    reviewer: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,40}$")] = "",
    verdict: Code = "",
    text: Annotated[str, Query(max_length=30_000)] = "",
) -> Filters:
    """The filters of the list, as its address gives them."""
    return Filters(
        since=since,
        until=until,
        days=days,
        channel=channel,
        outcome=outcome,
        topic=topic.replace("\x00", ""),
        confidence_from=confidence_from,
        confidence_to=confidence_to,
        rating=rating,
        urgent=urgent,
        unanswered=unanswered,
        handover=handover,
        reviewed=reviewed,
        reviewer=reviewer,
        verdict=verdict,
        text=text,
    )


def conversations_of(request: Request) -> Conversations:
    return Conversations(request.app.state.rooms.sessions)


def floors_of(request: Request) -> Floors:
    return Floors.of_home(request.app.state.rooms.settings.home)


def queue_of(request: Request) -> ReviewQueue:
    return ReviewQueue(request.app.state.rooms.sessions)


def reviews_of(request: Request) -> Reviews:
    return Reviews(request.app.state.rooms.sessions)


def followups_of(request: Request) -> FollowUps:
    return FollowUps(request.app.state.rooms.sessions)


TheConversations = Annotated[Conversations, Depends(conversations_of)]
TheQueue = Annotated[ReviewQueue, Depends(queue_of)]
TheReviews = Annotated[Reviews, Depends(reviews_of)]
TheFollowUps = Annotated[FollowUps, Depends(followups_of)]
TheFloors = Annotated[Floors, Depends(floors_of)]
TheFilters = Annotated[Filters, Depends(filters_of)]
