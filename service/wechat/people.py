"""Those who write to an account: how many messages may still be sent to them, and their talk."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import reading
from service.handover.views import utc
from service.models import AnswerRecord, HandoverTicket, now
from service.models.wechat import WeChatPerson as Person
from service.wechat import statements
from service.wechat.messages import Incoming, Kind
from service.wechat.rows import insert_or_update, writing

# The platform's quota: so many after the citizen's last message, so many after a click, a scan or
# following, each within its time. A little earlier than the platform, whose clock is not ours.
AFTER_MESSAGE, MESSAGE_WINDOW = 5, timedelta(hours=48) - timedelta(minutes=1)
AFTER_ACTION, ACTION_WINDOW = 3, timedelta(seconds=55)
TALK_ENDS_AFTER = timedelta(hours=24)  # of silence; then the next question begins a new one
_NOTED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Quota:
    """How many messages may be sent, and until when."""

    left: int
    until: datetime | None


def quota(person: Person | Row[Any], at: datetime) -> Quota:
    """What the platform allows at a moment. Two windows that are both open do not add up: of what
    the platform does then nothing is documented, and the larger one is what it allows at least."""
    found = Quota(0, None)
    for opened, sent, most, lasts in (
        (person.spoke_at, person.sent_since_spoke, AFTER_MESSAGE, MESSAGE_WINDOW),
        (person.acted_at, person.sent_since_acted, AFTER_ACTION, ACTION_WINDOW),
    ):
        if opened is not None and at < utc(opened) + lasts and most - sent > found.left:
            found = Quota(most - sent, utc(opened) + lasts)
    return found


def met(
    connection: Connection,
    person_id: str,
    account: str,
    incoming: Incoming,
    sealed: str,
    at: datetime,
) -> None:
    """Note that somebody has written or acted: a window opens, and the address is known anew."""
    values: dict[str, Any] = {}
    if incoming.kind is Kind.UNFOLLOW:
        values = {"sealed": None, "spoke_at": None, "acted_at": None}
    elif incoming.by_menu:
        values = {"sealed": sealed, "acted_at": at, "sent_since_acted": 0}
    elif incoming.kind is not Kind.OTHER:
        values = {"sealed": sealed, "spoke_at": at, "sent_since_spoke": 0}
    if incoming.scene:
        values["scene"] = incoming.scene
    values["changed_at"] = at
    unsent = {"sent_since_spoke": 0, "sent_since_acted": 0}
    row = {"id": person_id, "account": account, **unsent, **values}
    insert_or_update(connection, Person, row, values)


class Talks:
    """Which conversation somebody's next question belongs to."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def current(self, person_id: str, *, new: bool = False) -> tuple[str, str | None]:
        """The conversation that goes on, or a new one after a day of silence (unless a person is
        to answer in the old one) or if `new`; and the scene. It is there before the question is
        asked, so that after a crash it can be seen whether that was answered."""
        at = self._clock()
        with reading(self._sessions) as connection:
            person = connection.execute(statements.TALK, {"person": person_id}).one()
        current = person.conversation_id
        silent = at - utc(person.conversation_at) if person.conversation_at else TALK_ENDS_AFTER
        over = silent >= TALK_ENDS_AFTER and not self._is_handed_over(current)
        begins = new or current is None or over
        if not begins and silent < _NOTED_EVERY:
            return current, person.scene
        with writing(self._sessions) as connection:
            if begins:
                current = f"c_{secrets.token_urlsafe(16)}"
                started = {"id": current, "channel": "wechat", "started_at": at}
                connection.execute(statements.BEGIN, started)
            connection.execute(
                statements.GO_ON, {"person": person_id, "current": current, "at": at}
            )
        return current, person.scene

    def latest(self, person_id: str) -> str | None:
        """The conversation somebody had last, gone on with or not."""
        with reading(self._sessions) as connection:
            return connection.scalar(select(Person.conversation_id).where(Person.id == person_id))

    def _is_handed_over(self, conversation: str | None) -> bool:
        with reading(self._sessions) as connection:
            ticket = select(HandoverTicket.id).where(
                HandoverTicket.conversation_id == conversation, HandoverTicket.status != "closed"
            )
            return connection.scalar(ticket.limit(1)) is not None

    def last_answer(self, conversation: str) -> dict[str, Any] | None:
        """The JSON of the newest answer in a conversation."""
        with reading(self._sessions) as connection:
            return connection.scalar(
                select(AnswerRecord.answer)
                .where(AnswerRecord.conversation_id == conversation)
                .order_by(AnswerRecord.asked_at.desc(), AnswerRecord.id)
                .limit(1)
            )

    def answered_since(self, conversation: str, at: datetime) -> AnswerRecord | None:
        """The answer that was given in a conversation at or after a moment."""
        with self._sessions() as session:
            return session.scalar(
                select(AnswerRecord)
                .where(AnswerRecord.conversation_id == conversation, AnswerRecord.asked_at >= at)
                .order_by(AnswerRecord.asked_at)
                .limit(1)
            )
