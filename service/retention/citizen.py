"""A citizen sees, and has erased, what is stored of a conversation. Its code is the permission."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.errors import Conflict, NotFound
from service.models import (
    AnswerRecord,
    Conversation,
    Erasure,
    HandoverMessage,
    HandoverTicket,
    now,
)
from service.retention.deletion import delete_conversations
from service.statistics.counts import Counts
from service.statistics.days import china_day

_MOST = 500  # of answers, and of messages, that are shown at once
_WITH_PERSON = "handover_with_person"


class MyConversation:
    """What whoever holds the code may do; each method is one transaction."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock
        self._counts = Counts(sessions, clock=clock)

    def read(self, code: str) -> dict[str, Any]:
        """Everything that is stored of it and that the citizen may see. Raises NotFound."""
        with self._sessions() as session:
            conversation = self._required(session, code)
            answers = session.scalars(
                select(AnswerRecord)
                .where(AnswerRecord.conversation_id == code)
                .order_by(AnswerRecord.asked_at, AnswerRecord.id)
                .limit(_MOST)
            ).all()
            tickets = session.scalars(
                select(HandoverTicket)
                .where(HandoverTicket.conversation_id == code)
                .order_by(HandoverTicket.created_at)
            ).all()
            said = session.scalars(
                select(HandoverMessage)
                .where(
                    HandoverMessage.handover_id.in_([t.id for t in tickets]),
                    HandoverMessage.private.is_(False),
                )
                .order_by(HandoverMessage.seq)
                .limit(_MOST)
            ).all()
        of = {t.id: [m for m in said if m.handover_id == t.id] for t in tickets}
        return {
            "conversation": code,
            "started_at": _iso(conversation.started_at),
            "answers": [_answer(row) for row in answers if row.outcome != _WITH_PERSON],
            "handovers": [_ticket(t, of[t.id]) for t in tickets],
            "can_erase": all(t.status == "closed" for t in tickets),
        }

    def erase(self, code: str) -> dict[str, Any]:
        """Delete it for good; once it is gone, asking again says so. Raises NotFound for a code
        that never was, Conflict while a person is still asked for."""
        at, digest = self._clock(), _digest(code)
        try:
            with self._sessions.begin() as session:
                gone = session.get(Erasure, digest)
                if gone is not None:
                    return _erased(gone.erased_at)
                self._required(session, code)
                open_ticket = select(HandoverTicket.id).where(
                    HandoverTicket.conversation_id == code, HandoverTicket.status != "closed"
                )
                if session.scalar(open_ticket.limit(1)):
                    raise Conflict(
                        "handover_open",
                        "转人工还没有结束，现在不能删除。请先在对话里点“撤回”或“结束”，"
                        "或者等工作人员办结，再来删除。",
                    )
                counted = delete_conversations(
                    session, self._counts, [code], at=at, by_citizen=True
                )
                session.add(Erasure(digest=digest, erased_at=at))
                audit.append(
                    session,
                    actor=audit.CITIZEN,
                    action="conversation.erase",
                    subject="conversation",
                    subject_id=code,  # of which the log keeps the mark
                    detail=counted,
                )
        except IntegrityError as error:
            with self._sessions() as session:
                gone = session.get(Erasure, digest)
            if gone is not None:  # asked for twice at the same moment
                return _erased(gone.erased_at)
            raise Conflict("conversation_busy", "会话里刚有新的内容，请稍后再试一次。") from error
        return _erased(at)

    @staticmethod
    def _required(session: Session, code: str) -> Conversation:
        found = session.get(Conversation, code)
        if found is not None:
            return found
        gone = session.get(Erasure, _digest(code))
        if gone is not None:
            day = china_day(gone.erased_at)
            raise NotFound("conversation_erased", f"这个会话已经在{day}按您的要求删除。")
        raise NotFound(
            "conversation_unknown", "没有这个会话：会话编号不对，或者已过保存期限删除了。"
        )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def _erased(at: datetime) -> dict[str, Any]:
    return {
        "erased_at": _iso(at),
        "message": "已删除。提问、回答、所引条文的副本和与工作人员的对话都不再保存；"
        "评价只留下星级和月份。",
    }


def _answer(row: AnswerRecord) -> dict[str, Any]:
    shown = row.answer
    return {
        "asked_at": _iso(row.asked_at),
        "question": row.question,
        "outcome": row.outcome,
        "caution": shown.get("caution"),
        "summary": shown.get("summary", ""),
        "citations": [
            {"law": c.get("law"), "article": c.get("article"), "text": c.get("text")}
            for c in shown.get("citations", ())
        ],
        "steps": [
            {"title": s.get("title"), "phone": s.get("phone")} for s in shown.get("steps", ())
        ],
        "notices": list(shown.get("notices", ())),
    }


def _ticket(row: HandoverTicket, said: list[HandoverMessage]) -> dict[str, Any]:
    return {
        "created_at": _iso(row.created_at),
        "status": row.status,
        "summary": row.summary,
        "messages": [{"from": m.sender, "text": m.text, "sent_at": _iso(m.sent_at)} for m in said],
    }


def _iso(at: datetime) -> str:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
