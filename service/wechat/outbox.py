"""What goes out, one row a message: queued → sending → sent, or held until the citizen writes.

An attempt is written down before it is made. What a dead worker has left in `sending`, or what
ended in a time-out, may have arrived: it becomes `unknown` and is never blindly sent again. Where
the account lets us look at the platform's own record, that decides; else the citizen is told with
his next message that something may be missing (decision 18).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    cast,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import reading
from service.handover import words
from service.handover.views import utc
from service.models import HandoverMessage, HandoverTicket, now
from service.models.wechat import WeChatOutgoing as Outgoing
from service.models.wechat import WeChatPerson as Person
from service.wechat import statements, text
from service.wechat.people import AFTER_ACTION, AFTER_MESSAGE, quota
from service.wechat.rows import insert_or_ignore, renew, writing, written
from service.wechat.vault import Vault

_LEASE = timedelta(seconds=30)  # renewed while the worker lives
_APART = timedelta(seconds=0.5)  # so that parts arrive in their order
_HELD_FOR, _KEPT = timedelta(days=7), timedelta(days=30)
_SLOWEST_RETRY = timedelta(minutes=1)
_HANDOVERS_SINCE = timedelta(days=3)
_FED_FOR = _KEPT - timedelta(days=1)  # older words may have been sent, and their row forgotten
_CLOSED = {"spoke_at": None, "acted_at": None}
_USED_UP = {"sent_since_spoke": AFTER_MESSAGE, "sent_since_acted": AFTER_ACTION}


@dataclass(frozen=True, slots=True)
class Item:
    """A message that this worker is about to send, or may have been sent."""

    id: int
    account: str
    person_id: str
    openid: str
    text: str
    attempts: int
    attempted_at: datetime


def put(
    connection: Connection,
    *,
    account: str,
    person_id: str,
    source: str,
    source_id: str,
    parts: Sequence[str],
    at: datetime,
    can_push: bool,
    start: int = 0,
) -> None:
    """Queue parts from number `start` on, once, or hold them where nothing can be pushed."""
    rows = [
        {
            "account": account,
            "person_id": person_id,
            "source": source,
            "source_id": source_id,
            "part": number,
            "text": part,
            "state": "queued" if can_push else "held",
            "attempts": 0,
            "worker": "",
            "not_before": at + _APART * number,
            "created_at": at,
        }
        for number, part in enumerate(parts)
        if number >= start
    ]
    if rows:
        insert_or_ignore(connection, Outgoing, rows)


def release(connection: Connection, person_id: str, at: datetime) -> None:
    """Send what was held: the citizen has written, and there is a quota again."""
    connection.execute(statements.RELEASE, {"to": person_id, "at": at})


def give_up(connection: Connection, person_id: str, at: datetime) -> None:
    """Somebody follows no more: nothing can reach him."""
    waiting = ["queued", "held", "unknown"]
    _move(
        connection, waiting, "expired", Outgoing.person_id == person_id, text=None, finished_at=at
    )


def _move(
    connection: Connection, states: list[str], state: str, which: ColumnElement[bool], **values: Any
) -> None:
    connection.execute(
        update(Outgoing).where(which, Outgoing.state.in_(states)).values(state=state, **values)
    )


class Outbox:
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

    def lease(self, most: int, accounts: Collection[str]) -> list[Item]:
        """Up to so many messages of these accounts to send now, one of a person at a time, oldest
        first; the attempt is on record. What the quota does not allow is held."""
        if most < 1:
            return []
        at = self._clock()
        given = {"accounts": list(accounts), "at": at}
        with reading(self._sessions) as connection:  # most looks find nothing, and need no lock
            if connection.scalar(statements.DUE, given | {"most": 1}) is None:
                return []
        with writing(self._sessions) as connection:
            more = {"most": most, "own": self._worker, "lease": at + _LEASE}
            rows = connection.execute(statements.TAKE, given | more).all()
            wanted = {"people": [row.person_id for row in rows]}
            by_id = {person.id: person for person in connection.execute(statements.THEM, wanted)}
            items = []
            for row in sorted(rows, key=lambda row: row.id):
                person = by_id[row.person_id]
                openid = self._vault.unseal(person.sealed)
                if openid is None or quota(person, at).left < 1:
                    which = Outgoing.id == row.id
                    _move(connection, ["sending"], "held", which, attempts=row.attempts - 1)
                else:
                    items.append(
                        Item(row.id, person.account, person.id, openid, row.text, row.attempts, at)
                    )
        return items

    def renew(self, ids: Collection[int]) -> None:
        """Keep these, which this process is sending; what it has lost hold of becomes unclear."""
        until = self._clock() + _LEASE
        renew(self._sessions, Outgoing, ids, state="sending", worker=self._worker, until=until)

    def sent(self, item: Item) -> None:
        at = self._clock()

        def note(connection: Connection) -> None:
            connection.execute(statements.SENT, {"item": item.id, "at": at})
            connection.execute(statements.COUNT, {"to": item.person_id})

        written(self._sessions, item.person_id, note)

    def unknown(self, item: Item) -> None:
        """It may have arrived, and may count."""
        with writing(self._sessions) as connection:
            self._end(connection, item, "unknown", lease_until=None)
            connection.execute(statements.COUNT, {"to": item.person_id})

    def hold(self, item: Item, code: int, *, closed: bool = False, used_up: bool = False) -> None:
        """The platform has refused; it waits until the citizen writes again."""
        with writing(self._sessions) as connection:
            self._end(connection, item, "held", code=code)
            values: dict[str, Any] = _CLOSED if closed else _USED_UP if used_up else {}
            if values:
                connection.execute(
                    update(Person).where(Person.id == item.person_id).values(**values)
                )

    def hold_all(self, account: str) -> None:
        """The account cannot send by itself (any more): what is queued waits to be asked for."""
        with writing(self._sessions) as connection:
            _move(connection, ["queued"], "held", Outgoing.account == account)

    def later(self, item: Item, code: int | None = None, wait: timedelta | None = None) -> None:
        """It was not sent; try again after a while, longer each time."""
        wait = wait or min(timedelta(seconds=2 ** min(item.attempts, 6)), _SLOWEST_RETRY)
        with writing(self._sessions) as connection:
            self._end(connection, item, "queued", code=code, not_before=self._clock() + wait)

    def fail(self, item: Item, code: int) -> None:
        """It can never be sent as it is. The text stays, for who looks into it."""
        with writing(self._sessions) as connection:
            self._end(connection, item, "failed", code=code, finished_at=self._clock())

    def lost_sight_of(self) -> int:
        """Turn what dead workers were sending into `unknown`; how many."""
        at = self._clock()
        with writing(self._sessions) as connection:
            return len(
                connection.scalars(
                    update(Outgoing)
                    .where(Outgoing.state == "sending", Outgoing.lease_until < at)
                    .values(state="unknown", lease_until=None)
                    .returning(Outgoing.id)
                ).all()
            )

    def unclear(self, account: str, *, settled: timedelta) -> list[Item]:
        """What may have arrived at somebody of an account, some time ago."""
        before = self._clock() - settled
        with reading(self._sessions) as connection:
            rows = connection.execute(
                select(
                    Outgoing.id,
                    Outgoing.person_id,
                    Outgoing.text,
                    Outgoing.attempts,
                    Outgoing.attempted_at,
                    Person.sealed,
                )
                .join(Person, Person.id == Outgoing.person_id)
                .where(
                    Outgoing.account == account,
                    Outgoing.state == "unknown",
                    Outgoing.attempted_at < before,
                )
                .order_by(Outgoing.id)
                .limit(500)
            ).all()
        found = []
        for row in rows:
            openid = self._vault.unseal(row.sealed)
            if openid is not None and row.text is not None and row.attempted_at is not None:
                at = utc(row.attempted_at)
                found.append(
                    Item(row.id, account, row.person_id, openid, row.text, row.attempts, at)
                )
        return found

    def decide(self, item: Item, *, arrived: bool) -> None:
        """What was unclear is clear now."""
        values: dict[str, Any] = {}
        if arrived:
            values = {"text": None, "finished_at": self._clock()}
        with writing(self._sessions) as connection:
            state = "sent" if arrived else "queued"
            _move(connection, ["unknown"], state, Outgoing.id == item.id, **values)

    def feed(self, accounts: Collection[str], can_push: Callable[[str], bool]) -> int:
        """Queue what staff have said to citizens who came by these accounts, each message once; how
        many.

        Looked for by what is not in the outbox, not by a last number: of two that are written at
        once the smaller number may be seen later.
        """
        at = self._clock()
        queued = exists().where(
            Outgoing.source == "handover",
            Outgoing.source_id == cast(HandoverMessage.seq, String),
        )
        wanted = (
            select(HandoverMessage.seq, HandoverMessage.text, Person.id, Person.account)
            .join(HandoverTicket, HandoverTicket.id == HandoverMessage.handover_id)
            .join(Person, Person.conversation_id == HandoverTicket.conversation_id)
            .where(
                Person.account.in_(accounts),
                HandoverTicket.changed_at > at - _HANDOVERS_SINCE,
                HandoverMessage.sent_at > at - _FED_FOR,
                HandoverMessage.sender != "citizen",
                HandoverMessage.private.is_(False),
                # What the citizen has just caused himself is said in the reply to him.
                ~HandoverMessage.text.startswith(words.SUBMITTED, autoescape=True),
                HandoverMessage.text != words.WITHDRAWN,
                ~queued,
            )
            .order_by(HandoverMessage.seq)
        )
        with reading(self._sessions) as connection:
            rows = connection.execute(wanted).all()
        for row in rows:
            with writing(self._sessions) as connection:
                put(
                    connection,
                    account=row.account,
                    person_id=row.id,
                    source="handover",
                    source_id=str(row.seq),
                    parts=text.split(row.text),
                    at=at,
                    can_push=can_push(row.account),
                )
        return len(rows)

    def take_held(self, person_id: str, *, also_unknown: bool = False) -> tuple[str | None, int]:
        """Take the oldest text that waits for somebody, to be said in a reply; how many stay."""
        states = ["held", "unknown"] if also_unknown else ["held"]
        mine = (Outgoing.person_id == person_id, Outgoing.state.in_(states))
        oldest = select(Outgoing.id).where(*mine).order_by(Outgoing.id).limit(1).scalar_subquery()
        with writing(self._sessions) as connection:
            taken = connection.execute(
                update(Outgoing)
                .where(Outgoing.id == oldest, Outgoing.state.in_(states))
                .values(state="sent", finished_at=self._clock())
                .returning(Outgoing.id, Outgoing.text)
            ).one_or_none()
            if taken is None:
                return None, 0
            _move(connection, ["sent"], "sent", Outgoing.id == taken.id, text=None)
            return taken.text, connection.scalar(select(func.count(Outgoing.id)).where(*mine)) or 0

    def waiting_for(self, person_id: str, *states: str) -> int:
        """How many texts of somebody are in these states."""
        with reading(self._sessions) as connection:
            counted = select(func.count(Outgoing.id)).where(
                Outgoing.person_id == person_id, Outgoing.state.in_(states)
            )
            return connection.scalar(counted) or 0

    def counts(self) -> dict[str, dict[str, int]]:
        """How many messages of each account are in each state."""
        with reading(self._sessions) as connection:
            rows = connection.execute(
                select(Outgoing.account, Outgoing.state, func.count(Outgoing.id))
                .group_by(Outgoing.account, Outgoing.state)
                .order_by(Outgoing.account, Outgoing.state)
            ).all()
        found: dict[str, dict[str, int]] = {}
        for account, state, count in rows:
            found.setdefault(account, {})[state] = count
        return found

    def tidy(self) -> None:
        """Give up what was held too long, and forget what ended long ago."""
        at = self._clock()
        with writing(self._sessions) as connection:
            waiting, old = ["queued", "held", "unknown"], Outgoing.created_at < at - _HELD_FOR
            _move(connection, waiting, "expired", old, text=None, finished_at=at)
            connection.execute(delete(Outgoing).where(Outgoing.finished_at < at - _KEPT))

    @staticmethod
    def _end(connection: Connection, item: Item, state: str, **values: Any) -> None:
        """What became of an attempt, unless its text was erased meanwhile."""
        _move(connection, ["sending"], state, Outgoing.id == item.id, **values)
