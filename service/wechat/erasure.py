"""What of a conversation stands in the tables of WeChat is erased with it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.models.wechat import WeChatMessage as Message
from service.models.wechat import WeChatOutgoing as Outgoing
from service.models.wechat import WeChatPerson as Person


def forget(session: Session, conversations: Collection[str], at: datetime) -> None:
    """Erase, in the caller's transaction, what waits to be sent in these conversations and the
    replies that are kept for the platform to fetch, and part their ids from whoever had them. What
    is under way to the platform at this moment may arrive, and is not tried again. Words that are
    being answered at this moment will begin a new conversation."""
    people = select(Person.id).where(Person.conversation_id.in_(conversations))
    waiting = Outgoing.state.in_(("queued", "sending", "held", "unknown", "failed"))
    for statement in (
        update(Outgoing)
        .where(Outgoing.person_id.in_(people), waiting)
        .values(state="expired", text=None, finished_at=at),
        update(Message).where(Message.person_id.in_(people)).values(parts=None),
        update(Person)
        .where(Person.conversation_id.in_(conversations))
        .values(conversation_id=None, conversation_at=None),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
