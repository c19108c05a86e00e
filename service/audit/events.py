"""Events are chained: each carries the hash of the one before, and a hash over itself with that.

`service.audit.chain` therefore finds an event that was changed, removed, put in between or moved,
by whatever means. The number of events and the last hash stand in a row of their own, so that
cutting off the end is found too.

What the chain does not do: it is keyed with nothing secret, so somebody who may write to the whole
database and knows this code can forge the rest of the chain from any event on, head included. What
shows that is an anchor kept elsewhere: `consult doctor` and the audit page give the count and the
last hash, and `verify` compares with one that was written down earlier. Nor can it show what was
never appended. The triggers of migration 0004 only stop mistakes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, SessionTransaction

from service.models import now
from service.models.people import AuditEvent, AuditHead

SYSTEM = "system"  # the actor where no person did it
CITIZEN = "citizen"  # and where the holder of a conversation's code did
FIRST = "0" * 64  # what stands for the hash before the first
_PENDING = "service.audit"


def append(
    session: Session,
    *,
    actor: str,
    action: str,
    subject: str,
    subject_id: str,
    detail: Mapping[str, Any] | None = None,
    purpose: str = "",
    at: datetime | None = None,
) -> None:
    """Put an event on record in the caller's transaction: both happen, or neither.

    `actor` is a `member.id`, `SYSTEM` or `CITIZEN`; `action` is `resource.verb`; `detail` is JSON,
    and holds none of a citizen's words. The code of a conversation opens it, so that only its mark
    is kept (`mark_of`), as `subject_id` of a conversation and under "conversation" in `detail`.

    The event is written when the session commits, so that the lock which puts events in line is
    held for a moment only, and is always the last to be taken.
    """
    if not re.fullmatch(r"[a-z_]+(?:\.[a-z_]+)+", action):
        raise ValueError(f"an action is resource.verb, not {action!r}")
    if subject == "conversation":
        subject_id = mark_of(subject_id)
    kept = dict(detail or {})
    if "conversation" in kept:
        kept["conversation"] = mark_of(str(kept["conversation"]))
    transaction = session.get_nested_transaction() or session.get_transaction() or session.begin()
    values = {
        "at": (at or now()).astimezone(UTC),
        "actor": actor,
        "action": action,
        "subject": subject,
        "subject_id": subject_id,
        "purpose": purpose,
        # As it will be read again, so that its hash can be computed again.
        "detail": json.loads(json.dumps(kept, ensure_ascii=False, allow_nan=False)),
    }
    session.info.setdefault(_PENDING, []).append((transaction, values))


def mark_of(conversation: str) -> str:
    """What stands for a conversation in the log: whoever holds its code can find all that was done
    with it, and nobody can get from the mark to the code. A mark stays as it is."""
    if not conversation.startswith("c_"):
        return conversation
    return f"conv-{hashlib.sha256(conversation.encode()).hexdigest()[:12]}"


def digest(event: Mapping[str, Any]) -> str:
    """The hash of an event: over all its columns but `hash` in one canonical form."""
    at = event["at"]
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)  # SQLite has no zone
    form = [
        event["id"],
        at.isoformat(timespec="microseconds"),
        *(event[name] for name in ("actor", "action", "subject", "subject_id", "purpose")),
        event["detail"],
        event["previous_hash"],
    ]
    text = json.dumps(form, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    if session.in_nested_transaction() or not session.info.get(_PENDING):
        return
    session.flush()
    waiting = [values for _, values in session.info.pop(_PENDING)]
    number, previous = _take_head(session, len(waiting))
    for values in waiting:
        number += 1
        values |= {"id": number, "previous_hash": previous}
        previous = values["hash"] = digest(values)
    session.execute(insert(AuditEvent), waiting)
    session.execute(update(AuditHead).where(AuditHead.id == 1).values(hash=previous))


def _take_head(session: Session, more: int) -> tuple[int, str]:
    """Reserve so many numbers: the last number and hash before them, locked until the commit.

    The UPDATE comes first on purpose. SQLite takes its write lock with it, PostgreSQL the row's;
    whoever comes second reads what the first has written.
    """
    reserve = (
        update(AuditHead)
        .where(AuditHead.id == 1)
        .values(count=AuditHead.count + more)
        .returning(AuditHead.count, AuditHead.hash)
        .execution_options(synchronize_session=False)
    )
    head = session.execute(reserve).one_or_none()
    if head is None:
        _make_head(session)
        head = session.execute(reserve).one()
    count, last_hash = head
    return count - more, last_hash


def _make_head(session: Session) -> None:
    """The head of an empty log; of one whose head was removed, after the last event, so that work
    goes on (`verify` has compared them every time before that)."""
    last = session.execute(
        select(AuditEvent.id, AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1)
    ).one_or_none()
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {"id": 1, "count": last.id if last else 0, "hash": last.hash if last else FIRST}
    session.execute(dialect.insert(AuditHead).values(values).on_conflict_do_nothing())


@event.listens_for(Session, "after_soft_rollback")
def _forget_rolled_back(session: Session, previous_transaction: SessionTransaction) -> None:
    """What a savepoint took back did not happen."""

    def within(transaction: SessionTransaction | None) -> bool:
        while transaction is not None and transaction is not previous_transaction:
            transaction = transaction.parent
        return transaction is not None

    pending = session.info.get(_PENDING)
    if pending:
        session.info[_PENDING] = [entry for entry in pending if not within(entry[0])]


@event.listens_for(Session, "after_transaction_end")
def _forget_ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_PENDING, None)
