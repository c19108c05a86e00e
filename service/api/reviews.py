"""Conversations, the queue of what is to be judged, and reviews over HTTP. All of it for staff."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from service.audit import Purpose
from service.auth import Member
from service.permits import require
from service.review.agreement import agreement
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
from service.review.judging import Judgement
from service.review.words import FollowUp, Verdict

Limit = Annotated[int, Query(ge=1, le=100)]
Share = Annotated[StrictFloat | StrictInt, Field(ge=0, le=1)]
Version = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JudgementIn(_Body):
    """Lengths are judged by `Reviews`, which says in Chinese what is wrong."""

    verdict: Verdict
    labels: Annotated[list[StrictStr], Field(max_length=20)] = []
    comment: StrictStr = ""
    follow_up: FollowUp = FollowUp.NONE
    target: StrictStr = ""

    def judgement(self) -> Judgement:
        return Judgement(
            verdict=self.verdict,
            labels=tuple(self.labels),
            comment=self.comment,
            follow_up=self.follow_up,
            target=self.target,
        )


class RevisionIn(JudgementIn):
    version: Version


class VersionIn(_Body):
    version: Version


class CloseIn(VersionIn):
    verdict: Verdict


class DecisionIn(VersionIn):
    reason: StrictStr


class SkipIn(_Body):
    reason: StrictStr = ""


class SettingsIn(VersionIn):
    random_share: Share
    double_share: Share
    low_confidence: Share


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


Reader = Annotated[Member, Depends(require("conversation:read"))]
Reviewer = Annotated[Member, Depends(require("conversation:review"))]
Decider = Annotated[Member, Depends(require("review:decide"))]
router = APIRouter(prefix="/api/v1", tags=["reviews"], dependencies=[Depends(_no_store)])
_CONVERSATIONS, _REVIEWS = "/staff/conversations", "/staff/reviews"


@router.get(_CONVERSATIONS, summary="会话列表（浏览留痕）")
def list_conversations(
    conversations: TheConversations,
    member: Reader,
    filters: TheFilters,
    before: Cursor = "",
    as_at: Annotated[int | None, Query(ge=0, le=10**17)] = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    return conversations.page(member, filters, before=before, as_at=as_at, limit=limit)


@router.get(_CONVERSATIONS + "/{name}", summary="一个会话（查看留痕，须写明目的）")
def read_conversation(
    name: Id,
    purpose: Purpose,
    conversations: TheConversations,
    floors: TheFloors,
    member: Reader,
) -> dict[str, Any]:
    """`name` is the id of any answer of it."""
    return conversations.read(member, name, purpose, floors)


@router.get(_REVIEWS + "/queue", summary="待评的回答")
def list_queue(
    queue: TheQueue, member: Reviewer, reason: Code = "", limit: Limit = 30, after: Cursor = ""
) -> dict[str, Any]:
    return queue.page(member, reason=reason, limit=limit, after=after)


@router.post(_REVIEWS + "/queue/next", summary="取下一个待评的回答")
def take_next(queue: TheQueue, member: Reviewer, reason: Code = "") -> dict[str, Any]:
    return queue.next(member, reason=reason)


@router.post(_REVIEWS + "/queue/{answer}/take", summary="占住一个待评的回答30分钟")
def take(answer: Id, queue: TheQueue, member: Reviewer) -> dict[str, Any]:
    return queue.take(member, answer)


@router.post(_REVIEWS + "/queue/{answer}/release", summary="放回待评")
def release(answer: Id, queue: TheQueue, member: Reviewer) -> dict[str, Any]:
    return queue.release(member, answer)


@router.post(_REVIEWS + "/queue/{answer}/skip", summary="跳过，留给别人评")
def skip(
    answer: Id, queue: TheQueue, member: Reviewer, body: SkipIn | None = None
) -> dict[str, Any]:
    return queue.skip(member, answer, body.reason if body else "")


@router.get(_REVIEWS + "/settings", summary="抽查设置")
def read_settings(queue: TheQueue, _member: Reviewer) -> dict[str, Any]:
    return queue.settings()


@router.put(_REVIEWS + "/settings", summary="修改抽查设置")
def set_settings(body: SettingsIn, queue: TheQueue, member: Decider) -> dict[str, Any]:
    return queue.set(
        member,
        version=body.version,
        random_share=float(body.random_share),
        double_share=float(body.double_share),
        low_confidence=float(body.low_confidence),
    )


@router.get(_REVIEWS + "/agreement", summary="评价一致性")
def read_agreement(request: Request, member: Reviewer) -> dict[str, Any]:
    with request.app.state.rooms.sessions() as session:
        return agreement(session, region=member.region)


@router.get(_REVIEWS, summary="评价和跟进")
def list_reviews(
    followups: TheFollowUps,
    member: Reviewer,
    status: Literal["open", "closed"] = "open",
    limit: Limit = 50,
    after: Cursor = "",
) -> dict[str, Any]:
    return followups.page(member, status=status, limit=limit, after=after)


@router.get("/staff/follow-ups", summary="待改进的内容（给知识编辑）")
def list_follow_ups(
    followups: TheFollowUps,
    member: Annotated[Member, Depends(require("knowledge:edit"))],
    limit: Limit = 50,
    after: Cursor = "",
) -> dict[str, Any]:
    return followups.page(member, content_only=True, limit=limit, after=after)


@router.post("/staff/answers/{answer}/reviews", status_code=201, summary="评一个回答")
def judge(answer: Id, body: JudgementIn, reviews: TheReviews, member: Reviewer) -> dict[str, Any]:
    return reviews.judge(member, answer, body.judgement())


@router.get(_REVIEWS + "/{review}", summary="一条评价（查看留痕）")
def read_review(review: Id, reviews: TheReviews, member: Reviewer) -> dict[str, Any]:
    return reviews.read(member, review)


@router.put(_REVIEWS + "/{review}", summary="修改自己的评价")
def revise(review: Id, body: RevisionIn, reviews: TheReviews, member: Reviewer) -> dict[str, Any]:
    return reviews.revise(member, review, body.version, body.judgement())


@router.post(_REVIEWS + "/{review}/rerun", summary="按现在发布的内容重新提问")
def rerun(
    review: Id, body: VersionIn, request: Request, reviews: TheReviews, member: Reviewer
) -> dict[str, Any]:
    return reviews.rerun(member, review, body.version, request.app.state.serving)


@router.post(_REVIEWS + "/{review}/close", summary="答得更好了，结束跟进")
def close(review: Id, body: CloseIn, reviews: TheReviews, member: Reviewer) -> dict[str, Any]:
    return reviews.close(member, review, body.version, body.verdict)


@router.post(_REVIEWS + "/{review}/decide", summary="督导决定结束跟进，须写明理由")
def decide(review: Id, body: DecisionIn, reviews: TheReviews, member: Decider) -> dict[str, Any]:
    return reviews.decide(member, review, body.version, body.reason)
