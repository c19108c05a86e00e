"""What came in: taken once, answered by one worker at a time, and handed back in exactly one way.

A message is waiting → answering → answered. Its `delivery` is pending until one way wins, each by
an UPDATE under that condition: the reply to the callback (passive), or the outbox, with nothing
said meanwhile (pushed) or a word where nothing can be pushed (later).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    delete,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import reading
from service.handover.views import utc
from service.models import now
from service.models.wechat import WeChatMessage as Message
from service.models.wechat import WeChatOutgoing as Outgoing
from service.models.wechat import WeChatPerson as Person
from service.wechat import outbox, people, statements
from service.wechat.messages import Incoming, Kind
from service.wechat.rows import insert_or_ignore, renew, writing, written
from service.wechat.vault import Vault

LEASE = timedelta(seconds=30)  # renewed while the worker lives
OWN_FIRST = timedelta(seconds=3)  # then any process may answer what another has received
LAST_TRY = timedelta(seconds=20)  # after which the platform asks no more
_KEPT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it stands. `reply` is what a passive one says: None for nothing."""

    id: int
    person_id: str
    new: bool
    delivery: str
    reply: str | None
    tries: int
    at: datetime  # the same for each try


@dataclass(frozen=True, slots=True)
class Job:
    """Words to be answered by one worker. `again_since`: an earlier worker began then, and died."""

    id: int
    account: str
    person_id: str
    text: str | None  # None: cannot be read any more
    attempts: int
    again_since: datetime | None


class Inbox:
    """Safe to share between threads, and between processes; `worker` is this process."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        vault: Vault,
        *,
        worker: str,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._vault = sessions, vault
        self._worker, self._clock = worker, clock

    def receive(
        self, account: str, incoming: Incoming, *, reply: Sequence[str] | None, can_push: bool
    ) -> Received:
        """Take a callback, once: each further try finds what the first has left.

        `reply` is what is said at once; None leaves the words to be answered. What was held back
        for lack of quota goes out now, where the account can push.
        """
        at = self._clock()
        person_id = self._vault.pseudonym(account, incoming.openid)
        row = {
            "account": account,
            "key": incoming.key,
            "person_id": person_id,
            "sealed": self._vault.seal(incoming.text) if reply is None else None,
            "state": "waiting" if reply is None else "answered",
            "delivery": "pending" if reply is None else "passive",
            "worker": self._worker,
            "attempts": 0,
            "tries": 1,
            "received_at": at,
            "answered_at": None if reply is None else at,
            "parts": None if reply is None else list(reply),
        }

        def take(connection: Connection) -> Any:
            new = insert_or_ignore(connection, Message, [row], "id")
            if new:
                sealed = self._vault.seal(incoming.openid)
                people.met(connection, person_id, account, incoming, sealed, at)
                if incoming.kind is Kind.UNFOLLOW:
                    outbox.give_up(connection, person_id, at)
                elif can_push and incoming.kind is not Kind.OTHER:
                    outbox.release(connection, person_id, at)
            return new

        new = written(self._sessions, person_id, take)
        if not new:
            return self._again(account, incoming.key, person_id)
        first = reply[0] if reply else None
        return Received(new.id, person_id, True, str(row["delivery"]), first, 1, at)

    def _again(self, account: str, key: str, person_id: str) -> Received:
        """What an earlier try has left."""
        given = {"of": account, "named": key}
        row = written(self._sessions, person_id, lambda c: c.execute(statements.AGAIN, given).one())
        said = row.parts[0] if row.parts and row.delivery in ("passive", "later") else None
        at = utc(row.received_at)
        return Received(row.id, person_id, False, row.delivery, said, row.tries, at)

    def claim(self, most: int, accounts: Collection[str], *, take_over: bool = False) -> list[Job]:
        """Up to so many messages to answer of these accounts, oldest first, one of a person at a
        time. What another process has received is left to it for a moment. With `take_over`, only
        what nobody is answering any more."""
        if most < 1:
            return []
        at = self._clock()
        look, claim = statements.TAKE_OVER if take_over else statements.CLAIM
        given: dict[str, Any] = {"accounts": list(accounts), "at": at, "own": self._worker}
        if not take_over:
            given["old"] = at - OWN_FIRST
        with reading(self._sessions) as connection:  # most looks find nothing, and need no lock
            if connection.scalar(look, given | {"most": 1}) is None:
                return []
        with writing(self._sessions) as connection:
            rows = connection.execute(claim, given | {"most": most, "lease": at + LEASE}).all()
        return [
            Job(
                row.id,
                row.account,
                row.person_id,
                self._vault.unseal(row.sealed),
                row.attempts,
                utc(row.began_at) if row.attempts > 1 else None,
            )
            for row in sorted(rows, key=lambda row: row.id)
        ]

    def renew(self, ids: Collection[int]) -> None:
        """Keep these, which this process is answering; what it has lost hold of becomes free."""
        until = self._clock() + LEASE
        renew(self._sessions, Message, ids, state="answering", worker=self._worker, until=until)

    def finish(
        self, job: Job, parts: Sequence[str], *, can_push: bool, said: bool = False
    ) -> str | None:
        """Store the reply, and how it is delivered. Where `said`, a callback waits to say it: that
        is decided with it. Where the callback is over, it is queued. None when another worker has
        taken the message over: then nothing is stored."""
        at = self._clock()
        given = {"message": job.id, "own": self._worker, "at": at, "reply": list(parts)}

        def store(connection: Connection) -> str | None:
            delivery: str | None = connection.scalar(statements.FINISH[said], given)
            if delivery not in (None, "pending"):
                first = 1 if delivery == "passive" else 0
                self._queue(connection, job, parts, first, at, can_push=can_push)
            return delivery

        return written(self._sessions, job.person_id, store)

    def settle(
        self, received: Received, *, can_push: bool, prefer_push: bool, later: str | None
    ) -> str | None:
        """Decide how the message is handed back, unless that is decided; what to say passively.

        An answer that is there is said (with `prefer_push` it is queued); one that is not will be
        queued when it comes, and `later` is said meanwhile. Of an answer in parts the first is said
        and the others are queued.
        """
        at = self._clock()
        answered = {"message": received.id, "by": "pushed" if prefer_push else "passive"}
        waits = {
            "message": received.id,
            "by": "pushed" if later is None else "later",
            "reply": None if later is None else [later],
        }

        def decide(connection: Connection) -> tuple[bool, str | None]:
            """Whether it was for us to decide, and what is said."""
            row = connection.execute(statements.SETTLE_ANSWERED, answered).one_or_none()
            if row is not None:
                job = Job(received.id, row.account, row.person_id, None, 0, None)
                parts = row.parts or []
                self._queue(connection, job, parts, 0 if prefer_push else 1, at, can_push=can_push)
                return True, parts[0] if parts and not prefer_push else None
            found = connection.execute(statements.SETTLE_WAITING, waits).one_or_none()
            return found is not None, later

        ours, said = written(self._sessions, received.person_id, decide)
        if ours:
            return said
        with reading(self._sessions) as connection:
            settled = connection.execute(statements.HOW, {"message": received.id}).one()
        if settled.delivery == "pending":  # answered between the two: once more
            return self.settle(received, can_push=can_push, prefer_push=prefer_push, later=later)
        return settled.parts[0] if settled.parts and settled.delivery != "pushed" else None

    def abandoned(self, accounts: Collection[str], can_push: Callable[[str], bool]) -> int:
        """Queue the answers of these accounts that no callback has fetched and none will any more;
        how many."""
        at = self._clock()
        old = and_(
            Message.account.in_(accounts),
            Message.delivery == "pending",
            Message.state == "answered",
            Message.received_at < at - LAST_TRY,
        )
        with reading(self._sessions) as connection:
            if connection.scalar(select(Message.id).where(old).limit(1)) is None:
                return 0
        with writing(self._sessions) as connection:
            rows = connection.execute(
                update(Message)
                .where(old)
                .values(delivery="pushed")
                .returning(Message.id, Message.account, Message.person_id, Message.parts)
            ).all()
            for row in rows:
                job = Job(row.id, row.account, row.person_id, None, 0, None)
                self._queue(connection, job, row.parts or [], 0, at, can_push=can_push(row.account))
        return len(rows)

    def answered(self, ids: Collection[int]) -> list[int]:
        """Which of these are answered by now, by whatever process."""
        with reading(self._sessions) as connection:
            return list(
                connection.scalars(
                    select(Message.id).where(Message.id.in_(ids), Message.state == "answered")
                )
            )

    def unfinished(self, person_id: str) -> int | None:
        """The oldest message of somebody that is not answered yet."""
        with reading(self._sessions) as connection:
            return connection.scalar(
                select(Message.id)
                .where(Message.person_id == person_id, Message.state.in_(("waiting", "answering")))
                .order_by(Message.id)
                .limit(1)
            )

    def tidy(self) -> None:
        """Forget what nobody will ask for: old messages, replies, and addresses of no more use."""
        at = self._clock()
        with writing(self._sessions) as connection:
            connection.execute(
                update(Message)
                .where(
                    Message.parts.is_not(None),
                    Message.delivery != "pending",
                    Message.received_at < at - timedelta(minutes=10),
                )
                .values(parts=None)
            )
            connection.execute(
                delete(Message).where(Message.received_at < at - _KEPT, Message.state == "answered")
            )
            nothing_to_send = ~exists().where(
                Outgoing.person_id == Person.id, Outgoing.state.in_(("queued", "sending"))
            )
            connection.execute(
                update(Person)
                .where(
                    Person.sealed.is_not(None),
                    or_(Person.spoke_at.is_(None), Person.spoke_at < at - people.MESSAGE_WINDOW),
                    or_(Person.acted_at.is_(None), Person.acted_at < at - people.ACTION_WINDOW),
                    nothing_to_send,
                )
                .values(sealed=None)
            )

    @staticmethod
    def _queue(
        connection: Connection,
        job: Job,
        parts: Sequence[str],
        start: int,
        at: datetime,
        *,
        can_push: bool,
    ) -> None:
        outbox.put(
            connection,
            account=job.account,
            person_id=job.person_id,
            source="answer",
            source_id=str(job.id),
            parts=parts,
            start=start,
            at=at,
            can_push=can_push,
        )
