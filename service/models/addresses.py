"""How a page's address names a conversation, whose own id is the citizen's key."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models.core import AnswerRecord


def answer_in(
    session: Session, conversation: str, *, region: str = "", rather: str | None = None
) -> str | None:
    """The id of an answer of a conversation: of `rather`, or the newest; only of that region, if
    one is given. None where there is none."""
    theirs = [AnswerRecord.region == region] if region else []
    return session.scalar(
        select(AnswerRecord.id)
        .where(AnswerRecord.conversation_id == conversation, *theirs)
        .order_by(
            (AnswerRecord.id == (rather or "")).desc(),
            AnswerRecord.asked_at.desc(),
            AnswerRecord.id.desc(),
        )
        .limit(1)
    )
