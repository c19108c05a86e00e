"""Urgent conversations, for a supervisor to see at once, until somebody has seen to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.audit import Purpose, record_reading
from service.auth import Member
from service.errors import NotFound
from service.handover import words
from service.handover.views import moment
from service.models import AnswerRecord, HandoverTicket, Staff, UrgentAcknowledgement, now

LONGEST_NOTE = 500
URGENT = "handover_urgent"


class UrgentWatch:
    """The urgent answers that nobody has seen to; each method is one transaction."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def waiting(
        self, member: Member, *, limit: int = 50, before: str | None = None
    ) -> dict[str, Any]:
        """Those not acknowledged, newest first, with question (masked) and kind of danger; that the
        member read them goes on record. `before` is the last answer of the page before, seen to or
        not. Raises NotFound for one that is not there."""
        unseen = [*_urgent(member), UrgentAcknowledgement.answer_id.is_(None)]
        with self._sessions.begin() as session:
            query = _listed().where(*unseen)
            total = session.scalar(
                select(func.count(AnswerRecord.id)).outerjoin(UrgentAcknowledgement).where(*unseen)
            )
            if before is not None:
                last = self._seen(session, member, before)
                place = tuple_(AnswerRecord.asked_at, AnswerRecord.id)
                query = query.where(place < tuple_(last.asked_at, last.id))
            rows = session.execute(query.limit(limit + 1)).all()
            shown = rows[:limit]
            read = {row.id: row.conversation_id for row in shown}
            record_reading(session, member.id, "answer", read, Purpose.URGENT, at=self._clock())
            return {
                "urgent": [_shown(row) for row in shown],
                "next": shown[-1].id if len(rows) > limit else None,
                "total": total or 0,
            }

    def acknowledged(self, member: Member, *, limit: int = 20) -> list[dict[str, Any]]:
        """The last that somebody has seen to, newest first, without a word of the citizens."""
        with self._sessions() as session:
            rows = session.execute(
                select(
                    UrgentAcknowledgement,
                    AnswerRecord.asked_at,
                    AnswerRecord.trace["urgent"].as_string().label("kind"),
                    Staff.name,
                )
                .join(AnswerRecord, UrgentAcknowledgement.answer_id == AnswerRecord.id)
                .join(Staff, UrgentAcknowledgement.staff_id == Staff.id)
                .where(*_urgent(member))
                .order_by(UrgentAcknowledgement.acknowledged_at.desc())
                .limit(limit)
            ).all()
        return [
            {
                "answer": row.UrgentAcknowledgement.answer_id,
                "kind": row.kind,
                "asked_at": moment(row.asked_at),
                "acknowledged_at": moment(row.UrgentAcknowledgement.acknowledged_at),
                "by": row.name,
                "note": row.UrgentAcknowledgement.note,
            }
            for row in rows
        ]

    def acknowledge(self, member: Member, answer: str, note: str = "") -> dict[str, Any]:
        """Say that one has seen to it. The first counts: later ones are told who that was.
        Raises BadRequest, NotFound."""
        note = words.masked(note, "备注", longest=LONGEST_NOTE, required=False)
        try:
            with self._sessions.begin() as session:
                self._seen(session, member, answer)
                if session.get(UrgentAcknowledgement, answer) is None:
                    session.add(
                        UrgentAcknowledgement(
                            answer_id=answer,
                            staff_id=member.id,
                            acknowledged_at=self._clock(),
                            note=note,
                        )
                    )
                    audit.append(
                        session,
                        actor=member.id,
                        action="urgent.acknowledge",
                        subject="answer",
                        subject_id=answer,
                        purpose=Purpose.URGENT.value,
                    )
        except IntegrityError:
            pass  # somebody else did at the same moment, and is named below
        with self._sessions() as session:
            row = session.execute(
                select(UrgentAcknowledgement, Staff.name)
                .join(Staff)
                .where(UrgentAcknowledgement.answer_id == answer)
            ).one()
        first = row.UrgentAcknowledgement
        return {
            "answer": answer,
            "acknowledged_at": moment(first.acknowledged_at),
            "by": {"id": first.staff_id, "name": row.name},
            "note": first.note,
        }

    def _seen(self, session: Session, member: Member, answer: str) -> AnswerRecord:
        found = session.scalar(
            select(AnswerRecord).where(AnswerRecord.id == answer, *_urgent(member))
        )
        if found is None:
            raise NotFound("urgent_unknown", "没有这条紧急情况，或者它不在您负责的地区。")
        return found


def _urgent(member: Member) -> list[ColumnElement[bool]]:
    theirs = [AnswerRecord.region == member.region] if member.region else []
    return [AnswerRecord.outcome == URGENT, *theirs]


def _listed() -> Select[Any]:
    """Only what a line needs, and the ticket by which a person is on it already."""
    still_open = and_(
        HandoverTicket.conversation_id == AnswerRecord.conversation_id,
        HandoverTicket.status != "closed",
    )
    return (
        select(
            AnswerRecord.id,
            AnswerRecord.conversation_id,
            AnswerRecord.asked_at,
            AnswerRecord.question,
            AnswerRecord.region,
            AnswerRecord.topic,
            AnswerRecord.answer.label("told"),
            AnswerRecord.trace["urgent"].as_string().label("kind"),
            HandoverTicket.id.label("handover"),
            HandoverTicket.status.label("handover_status"),
        )
        .outerjoin(UrgentAcknowledgement, UrgentAcknowledgement.answer_id == AnswerRecord.id)
        .outerjoin(HandoverTicket, still_open)
        .order_by(AnswerRecord.asked_at.desc(), AnswerRecord.id.desc())
    )


def _shown(row: Any) -> dict[str, Any]:
    handover = {"id": row.handover, "status": row.handover_status} if row.handover else None
    return {
        "answer": row.id,
        "asked_at": moment(row.asked_at),
        "kind": row.kind,
        "question": row.question,
        "region": row.region,
        "topic": row.topic,
        "told": _told(row.told),
        "handover": handover,
    }


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    """What the citizen was shown: the words, and whom to call."""
    handover = answer.get("handover") or {}
    return {
        "summary": answer.get("summary") or handover.get("reason") or "",
        "targets": [
            {"title": target.get("title"), "phone": target.get("phone")}
            for target in handover.get("targets", ())
        ],
    }
