"""Which answers somebody may see, and which of them he may judge; reading is on record."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.audit import append
from service.auth import Member
from service.errors import NotAllowed, NotFound
from service.models import AnswerRecord, HandoverMessage, HandoverTicket


def utc(at: datetime) -> datetime:
    """SQLite gives times back without their zone; all of ours are UTC."""
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def iso(at: datetime | None) -> str | None:
    return None if at is None else utc(at).isoformat()


def seen(session: Session, member: Member, answer: str) -> AnswerRecord:
    """An answer that the member may see. Raises NotFound, for another's as for none at all."""
    found = session.get(AnswerRecord, answer)
    if found is None or not member.sees(found.region):
        raise NotFound("answer_unknown", "没有这个回答，或者它不在您负责的地区。")
    return found


def handled(member: Member, conversation: InstrumentedAttribute[str] | str) -> ColumnElement[bool]:
    """Whether the member has claimed a hand-over of the conversation or spoken in one: his own work
    is judged by others."""
    spoken = (
        select(HandoverMessage.seq)
        .where(
            HandoverMessage.handover_id == HandoverTicket.id,
            HandoverMessage.staff_id == member.id,
            HandoverMessage.private.is_(False),
        )
        .exists()
    )
    return exists().where(
        HandoverTicket.conversation_id == conversation,
        or_(HandoverTicket.claimed_by == member.id, spoken),
    )


def refuse_own_work(session: Session, member: Member, conversation: str) -> None:
    """Raises NotAllowed for a conversation in which the member himself served."""
    if session.scalar(select(handled(member, conversation))):
        raise NotAllowed("review_own_work", "这个会话是您接待过的，请由其他人来评。")


def record_listing(
    session: Session, member: Member, subject: str, filters: dict[str, object], shown: int
) -> None:
    """Lines show what citizens asked, shortened: that they were looked through is on record too."""
    detail = {"filters": filters, "shown": shown}
    append(
        session,
        actor=member.id,
        action="conversation.list",
        subject=subject,
        subject_id="",
        detail=detail,
    )
