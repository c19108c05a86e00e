"""Background work that one process does at a time: a row in the database is the lock."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from service.models import Job, now

COUNTS = "counts"  # whoever folds or deletes what is counted
RETENTION = "retention"
HELD = timedelta(minutes=10)  # after which a process that says nothing more counts as dead


def serialise(session: Session, name: str, at: datetime) -> date | None:
    """Until this transaction ends, let nobody else come this far; `done_until` of the job."""
    locked = update(Job).where(Job.name == name).values(touched_at=at).returning(Job.done_until)
    row = session.execute(locked).one_or_none()
    if row is None:
        _add(session, name, at)
        row = session.execute(locked).one()
    done: date | None = row.done_until
    return done


def take(session: Session, name: str, at: datetime, *, unless_done_on: date | None) -> str | None:
    """Hold the job for `HELD`; who holds it, or None when somebody else does, or it was done on
    that day."""
    if session.get(Job, name) is None:
        _add(session, name, at)
    holder = secrets.token_hex(8)
    free = [Job.name == name, or_(Job.held_until.is_(None), Job.held_until < at)]
    if unless_done_on is not None:
        free.append(or_(Job.done_until.is_(None), Job.done_until < unless_done_on))
    taken = session.scalar(
        update(Job)
        .where(*free)
        .values(holder=holder, held_until=at + HELD, touched_at=at)
        .returning(Job.name)
        .execution_options(synchronize_session=False)
    )
    return holder if taken else None


def keep(session: Session, name: str, holder: str, at: datetime) -> bool:
    """Go on holding it; False if it was taken over since."""
    kept = session.scalar(
        update(Job)
        .where(Job.name == name, Job.holder == holder)
        .values(held_until=at + HELD, touched_at=at)
        .returning(Job.name)
        .execution_options(synchronize_session=False)
    )
    return kept is not None


def release(session: Session, name: str, holder: str, at: datetime, *, done: date | None) -> None:
    """Let go of it, done with until that day (None: as before)."""
    values: dict[str, Any] = {"holder": None, "held_until": None, "touched_at": at}
    if done is not None:
        values["done_until"] = done
    session.execute(
        update(Job)
        .where(Job.name == name, Job.holder == holder)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def set_done(session: Session, name: str, day: date | None) -> None:
    """In a transaction that has `serialise`d the job."""
    session.execute(update(Job).where(Job.name == name).values(done_until=day))


def done_until(session: Session, name: str) -> date | None:
    return session.scalar(select(Job.done_until).where(Job.name == name))


def _add(session: Session, name: str, at: datetime) -> None:
    try:
        with session.begin_nested():
            session.add(Job(name=name, touched_at=at))
    except IntegrityError:
        pass  # another process was first


def is_held(sessions: sessionmaker[Session], name: str) -> bool:
    """Whether a process is at it now."""
    with sessions() as session:
        held = select(Job.name).where(Job.name == name, Job.held_until > now())
        return session.scalar(held) is not None
