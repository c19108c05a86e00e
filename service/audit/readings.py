"""What staff read of citizens is itself on record, with the purpose. Only ever added to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from service.audit.events import append
from service.models import AccessRecord

# A page that looks every few seconds for new messages is one reading, not hundreds.
ONE_READING = timedelta(minutes=10)


class Purpose(StrEnum):
    """Why somebody reads what a citizen wrote."""

    HANDLE = "handle"  # 办理
    URGENT = "urgent"  # 紧急情况处置
    SUPERVISE = "supervise"  # 督办
    REVIEW = "review"  # 质量检查
    COMPLAINT = "complaint"  # 核查差评、投诉


def record_reading(
    session: Session,
    staff_id: str,
    subject: str,
    read: Mapping[str, str],
    purpose: Purpose,
    *,
    at: datetime,
) -> None:
    """Record that somebody read these subjects (id → conversation), in the caller's transaction.

    The same person reading the same for the same purpose within `ONE_READING` is on record once.
    """
    known = session.scalars(
        select(AccessRecord.subject_id).where(
            AccessRecord.staff_id == staff_id,
            AccessRecord.subject == subject,
            AccessRecord.purpose == purpose.value,
            AccessRecord.subject_id.in_(read),
            AccessRecord.accessed_at > at - ONE_READING,
        )
    ).all()
    rows = [
        {
            "staff_id": staff_id,
            "subject": subject,
            "subject_id": subject_id,
            "conversation_id": conversation,
            "purpose": purpose.value,
            "accessed_at": at,
        }
        for subject_id, conversation in read.items()
        if subject_id not in known
    ]
    if not rows:
        return
    session.execute(insert(AccessRecord), rows)
    for row in rows:
        append(
            session,
            actor=staff_id,
            action="conversation.read",
            subject=subject,
            subject_id=str(row["subject_id"]),
            detail={"conversation": row["conversation_id"]},
            purpose=purpose.value,
            at=at,
        )
