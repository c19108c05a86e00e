"""Whom and what a rating is about: bound to a person, a matter and a handler (“三对应”).

The bureau's definition of 三对应 was not found; these three keys are ours, and what exactly is to
be bound is to be confirmed by the bureau (待区司法局确认口径).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from knowledge.models import Kind, digest
from knowledge.store import documents, passages, revisions
from service.errors import Conflict, NotFound
from service.models import AnswerRecord, HandoverTicket, Staff

_CLOSED = "closed"


class EventKind(StrEnum):
    """What can be rated."""

    ANSWER = "answer"
    HANDOVER = "handover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One service event as a rating needs it."""

    kind: EventKind
    id: str
    person: str
    region: str
    topic: str | None
    matter: dict[str, Any]
    handler_kind: str  # knowledge, staff, law, assistant
    handler_id: str
    handler: dict[str, Any]


def person_of(conversation: str) -> str:
    """The pseudonym of whoever held that conversation. Its id, which opens it, cannot be had from
    the pseudonym; who has the id (to erase what belongs to it) can find the ratings."""
    return digest("person", conversation)


def event(session: Session, kind: EventKind, event_id: str) -> Event:
    """The event with its three bonds. Raises NotFound when it is gone, and Conflict for a hand-over
    that is not finished."""
    if kind is EventKind.ANSWER:
        return _answer(session, event_id)
    return _handover(session, event_id)


def conversation_of(session: Session, kind: str, event_id: str) -> str | None:
    """The conversation of an event, or None when it has been erased."""
    table = AnswerRecord if kind == EventKind.ANSWER.value else HandoverTicket
    return session.scalar(select(table.conversation_id).where(table.id == event_id))


def shown_at(session: Session, kind: str, event_id: str) -> dict[str, Any] | None:
    """What the citizen had asked (masked) and seen, for who sees to a bad rating; None when it has
    been erased."""
    if kind == EventKind.HANDOVER.value:
        return _shown_in_handover(session, event_id)
    row = session.execute(
        select(AnswerRecord.question, AnswerRecord.outcome, AnswerRecord.answer).where(
            AnswerRecord.id == event_id
        )
    ).one_or_none()
    if row is None:
        return None
    return {
        "question": row.question,
        "outcome": row.outcome,
        "summary": row.answer.get("summary") or "",
        "citations": [
            {"law": c.get("law"), "article": c.get("article")}
            for c in row.answer.get("citations", ())
        ],
        "steps": [
            {"id": step.get("id"), "title": step.get("title")}
            for step in row.answer.get("steps", ())
        ],
    }


def _shown_in_handover(session: Session, ticket_id: str) -> dict[str, Any] | None:
    row = session.execute(
        select(HandoverTicket.packet, HandoverTicket.outcome, HandoverTicket.summary).where(
            HandoverTicket.id == ticket_id
        )
    ).one_or_none()
    if row is None:
        return None
    return {
        "question": row.packet.get("summary") or "",
        "outcome": row.outcome,
        "summary": row.summary or "",
        "citations": [],
        "steps": [],
    }


def _gone() -> NotFound:
    return NotFound("rating_event_unknown", "这次服务的记录不存在或已清除，无法评价。")


def _answer(session: Session, answer_id: str) -> Event:
    answer = session.execute(
        select(
            AnswerRecord.conversation_id,
            AnswerRecord.region,
            AnswerRecord.topic,
            AnswerRecord.outcome,
            AnswerRecord.answer,
            AnswerRecord.trace,
        ).where(AnswerRecord.id == answer_id)
    ).one_or_none()
    if answer is None:
        raise _gone()
    item = _knowledge_item(session, answer)
    shown = [step["id"] for step in answer.answer.get("steps", ()) if step.get("id")]
    if item is not None and item.document_id not in shown:
        shown.insert(0, item.document_id)
    cited = bool(answer.answer.get("citations"))
    kind = "knowledge" if item is not None else "law" if cited else "assistant"
    return Event(
        kind=EventKind.ANSWER,
        id=answer_id,
        person=person_of(answer.conversation_id),
        region=answer.region,
        topic=answer.topic,
        matter={"outcome": answer.outcome, "documents": shown},
        handler_kind=kind,
        handler_id=item.document_id if item is not None else kind,
        handler=(
            {
                "title": item.title,
                "revision": item.revision_id,
                "author": item.author,
                "approver": item.approver,
            }
            if item is not None
            else {}
        ),
    )


def _knowledge_item(
    session: Session, answer: Row[*tuple[Any, ...]]
) -> Row[*tuple[Any, ...]] | None:
    """The reviewed revision that the answer was given from, or None when it was given from the law
    or from fixed words: among what the search had found, the answer whose very text was given, or
    the card that was shown first."""
    found = [hit["passage"] for hit in answer.trace.get("hits", {}).get("guidance", ())]
    if not found or not answer.outcome.startswith("answered_"):
        return None
    rows = session.execute(
        select(
            revisions.c.id.label("revision_id"),
            revisions.c.document_id,
            revisions.c.author,
            revisions.c.approver,
            revisions.c.body,
            documents.c.kind,
            documents.c.title,
        )
        .join(documents, revisions.c.document_id == documents.c.id)
        .where(revisions.c.id.in_(select(passages.c.revision_id).where(passages.c.id.in_(found))))
    ).all()
    first_card = next((s.get("id") for s in answer.answer.get("steps", ())), None)
    summary = answer.answer.get("summary", "")
    for row in rows:
        if row.kind == Kind.FAQ:
            if answer.outcome == "answered_faq" and row.body.get("answer", "\x00") in summary:
                return row
        elif answer.outcome == "answered_service" and row.document_id == first_card:
            return row
    return None


def _handover(session: Session, ticket_id: str) -> Event:
    ticket = session.execute(
        select(
            HandoverTicket.conversation_id,
            HandoverTicket.answer_id,
            HandoverTicket.status,
            HandoverTicket.region,
            HandoverTicket.topic,
            HandoverTicket.kind,
            HandoverTicket.outcome,
            HandoverTicket.claimed_by,
            Staff.name,
        )
        .join(Staff, HandoverTicket.claimed_by == Staff.id, isouter=True)
        .where(HandoverTicket.id == ticket_id)
    ).one_or_none()
    if ticket is None:
        raise _gone()
    if ticket.status != _CLOSED:
        raise Conflict("rating_too_early", "这次人工服务还没有结束，结束后再请评价。")
    staff = ticket.claimed_by
    return Event(
        kind=EventKind.HANDOVER,
        id=ticket_id,
        person=person_of(ticket.conversation_id),
        region=ticket.region,
        topic=ticket.topic,
        matter={"outcome": ticket.outcome, "kind": ticket.kind, "answer": ticket.answer_id},
        handler_kind="staff" if staff else "assistant",
        handler_id=staff or "assistant",
        handler={"name": ticket.name} if staff else {},
    )
