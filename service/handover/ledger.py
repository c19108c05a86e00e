"""Reading and changing tickets inside a caller's transaction.

A change begins with an UPDATE of the ticket under the condition that allows it: of two that race
one wins, and as that locks the row, its messages are numbered in the order in which they commit.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update
from sqlalchemy.orm import Session

from service.auth import Member
from service.errors import Conflict, NotFound
from service.handover import words
from service.handover.packet import Packet
from service.handover.presence import Presence
from service.models import HandoverMessage, HandoverTicket, Staff, table_of

MESSAGES = 200  # at most so many at once; ask again after the last one

Condition = ColumnElement[bool]


def visible(member: Member) -> list[Condition]:
    """The tickets of the member's region, or all of them."""
    return [HandoverTicket.region == member.region] if member.region else []


_tickets = table_of(HandoverTicket)
_OWNED = (
    select(_tickets.c.id)
    .where(_tickets.c.conversation_id == bindparam("conversation"), _tickets.c.status == "claimed")
    .limit(1)
)


def latest(session: Session, conversation: str, *conditions: Condition) -> HandoverTicket | None:
    """The newest ticket of a conversation that is as the conditions say."""
    return session.scalar(
        select(HandoverTicket)
        .where(HandoverTicket.conversation_id == conversation, *conditions)
        # The open one first, should another have been closed at the same moment.
        .order_by(HandoverTicket.created_at.desc(), HandoverTicket.status == "closed")
        .limit(1)
    )


def is_owned(connection: Connection, conversation: str) -> bool:
    """Whether somebody has claimed a ticket of the conversation; asked with every question."""
    return connection.scalar(_OWNED, {"conversation": conversation}) is not None


def required(session: Session, conversation: str) -> HandoverTicket:
    """The newest ticket of a conversation. Raises NotFound."""
    ticket = latest(session, conversation)
    if ticket is None:
        raise NotFound("handover_unknown", "这个会话没有转人工的记录。")
    return ticket


def seen(session: Session, member: Member, handover: str) -> HandoverTicket:
    """A ticket that the member may see. Raises NotFound: of another's it is not told that it is."""
    ticket = session.scalar(
        select(HandoverTicket).where(HandoverTicket.id == handover, *visible(member))
    )
    if ticket is None:
        raise NotFound("handover_unknown", "没有这个工单，或者它不在您负责的地区。")
    return ticket


def refuse(ticket: HandoverTicket) -> NoReturn:
    """Say why a change was not possible, from what the ticket is like now."""
    if ticket.status == "closed":
        raise Conflict("handover_closed", "这个工单已经结束。")
    if ticket.status == "waiting":
        raise Conflict("handover_not_claimed", "这个工单还没有人接手，请先接手。")
    raise Conflict("handover_taken", "这个工单已由其他工作人员接手。")


def messages(
    session: Session, handover: str, after: int, *, private: bool
) -> Sequence[HandoverMessage]:
    """The first `MESSAGES` after number `after`, those that only staff see if `private`."""
    wanted = [HandoverMessage.handover_id == handover, HandoverMessage.seq > after]
    if not private:
        wanted.append(HandoverMessage.private.is_(False))
    return session.scalars(
        select(HandoverMessage).where(*wanted).order_by(HandoverMessage.seq).limit(MESSAGES)
    ).all()


def names(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """Names of staff by id."""
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(set(ids) - {None})))
    return {row.id: row.name for row in rows}


class Ledger:
    """The writes; each stamps what it writes with the clock."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock

    def create(
        self,
        session: Session,
        conversation: str,
        packet: Packet,
        *,
        note: str,
        contact: str,
        region: str,
        due: Callable[[datetime], datetime],
        presence: Presence | None = None,
    ) -> HandoverTicket:
        """A waiting ticket with its first messages. Raises IntegrityError if one is open."""
        at = self.clock()
        ticket = HandoverTicket(
            id=f"h_{secrets.token_urlsafe(16)}",
            conversation_id=conversation,
            answer_id=packet.answer_id,
            kind=packet.kind,
            status="waiting",
            topic=packet.topic,
            region=packet.region or region,
            reason=packet.reason,
            packet=packet.content,
            contact=contact or None,
            consented_at=at,
            created_at=at,
            changed_at=at,
            due_at=at if packet.kind == "urgent" else due(at),  # danger waits for no office hours
        )
        session.add(ticket)
        session.flush()
        if note:
            self.say(session, ticket.id, "citizen", note)
        who = presence(session, ticket.region, at)["text"] if presence else ""
        self.say(session, ticket.id, "system", words.SUBMITTED + who)
        return ticket

    def add(self, session: Session, ticket: HandoverTicket, note: str, contact: str) -> bool:
        """Add what is new to an open ticket; False if it has been closed since."""
        if not note and contact in ("", ticket.contact):
            return True
        values = {"contact": contact} if contact else {}
        if not self.change(session, [*_of(ticket.id), HandoverTicket.status != "closed"], **values):
            return False
        known = select(HandoverMessage.seq).where(
            HandoverMessage.handover_id == ticket.id,
            HandoverMessage.sender == "citizen",
            HandoverMessage.text == note,
        )
        if note and session.scalar(known.limit(1)) is None:
            self.say(session, ticket.id, "citizen", note)
        return True

    def change(self, session: Session, conditions: list[Condition], **values: Any) -> list[str]:
        """Change the tickets that are as the conditions say, and lock them; their ids."""
        changed = session.scalars(
            update(HandoverTicket)
            .where(*conditions)
            .values(changed_at=self.clock(), **values)
            .returning(HandoverTicket.id)
            .execution_options(synchronize_session=False)
        ).all()
        session.expire_all()
        return list(changed)

    def release(self, session: Session, conditions: list[Condition]) -> list[str]:
        """Put the claimed tickets that are as the conditions say back into the queue."""
        claimed = [HandoverTicket.status == "claimed", *conditions]
        released = self.change(session, claimed, status="waiting", claimed_by=None, claimed_at=None)
        for handover in released:
            self.say(session, handover, "system", words.RELEASED)
        return released

    def claim(
        self, session: Session, conditions: list[Condition], staff_id: str, told: str
    ) -> list[str]:
        """Give the tickets that are as the conditions say to somebody, and tell the citizen."""
        at = self.clock()
        claimed = self.change(
            session,
            conditions,
            status="claimed",
            claimed_by=staff_id,
            claimed_at=at,
            first_claimed_at=func.coalesce(HandoverTicket.first_claimed_at, at),
        )
        for handover in claimed:
            self.say(session, handover, "system", told)
        return claimed

    def hold(self, session: Session, member: Member, handover: str, **values: Any) -> None:
        """Change a ticket that the member has claimed. Raises NotFound, Conflict."""
        own = [HandoverTicket.status == "claimed", HandoverTicket.claimed_by == member.id]
        if not self.change(session, [*_of(handover), *own, *visible(member)], **values):
            refuse(seen(session, member, handover))

    def answering(self) -> dict[str, Any]:
        """What the first words from staff set, and later ones leave as it is."""
        return {"first_replied_at": func.coalesce(HandoverTicket.first_replied_at, self.clock())}

    def closing(self, outcome: str) -> dict[str, Any]:
        """What closing sets. The number to call back has served its purpose and is erased."""
        closed = {"status": "closed", "closed_at": self.clock(), "outcome": outcome}
        return closed | {"contact": None}

    def say(
        self,
        session: Session,
        handover: str,
        sender: str,
        text: str,
        *,
        staff_id: str | None = None,
        private: bool = False,
    ) -> HandoverMessage:
        """Add a message to a ticket that this transaction has created or changed."""
        said = HandoverMessage(
            handover_id=handover,
            sender=sender,
            staff_id=staff_id,
            text=text,
            sent_at=self.clock(),
            private=private,
        )
        session.add(said)
        session.flush()
        return said


def _of(handover: str) -> list[Condition]:
    return [HandoverTicket.id == handover]
