"""A question that arrives twice under one key is answered once: the second gets the same answer.

A key is taken by an INSERT that a second one does not pass, and the answer is bound to it in the
transaction that stores the answer, so this holds between processes and through crashes: of one that
dies the key is free again after `lease`, and a slow one that lost it by then cannot store.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from service.channels.gate.limits import Limited
from service.models import now
from service.models.gate import AskedQuestion

LEASE = timedelta(seconds=30)  # no answer takes that long
_KEPT = timedelta(days=1)
_SWEEP_SECONDS = 600.0
_LONGEST_WAIT_SECONDS = 45.0
_FIRST_LOOK_SECONDS, _SLOWEST_LOOK_SECONDS = 0.05, 0.5
_MOST_WAITING = 8  # in one process: each holds a thread

Bind = Callable[[Session, str, str], None]


class _Lost(Exception):
    """Another has the key now."""


def digest_of(key: str, *parts: str | None) -> str:
    """What a question is known by: its key, and all that makes it this question."""
    return hashlib.sha256(json.dumps([key, *parts]).encode()).hexdigest()


class OnceOnly:
    """Safe to share between threads, and to use from several processes on one database."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        lease: timedelta = LEASE,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._lease, self._clock = sessions, lease, clock
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)
        self._swept = 0.0

    def known(self, digest: str) -> bool:
        """Whether it was asked before, and is answered or being answered."""
        return self._row(digest) is not None

    def answer(
        self,
        digest: str,
        ask: Callable[[Bind], dict[str, Any]],
        again: Callable[[str], dict[str, Any]],
    ) -> dict[str, Any]:
        """The answer: by `ask`, which has what it is given told of what it stores, or by `again`
        with the id of the one that is there. Waits for one that is being made."""
        holder = secrets.token_hex(16)
        if not self._taken(digest, holder):
            with _Place(self._waiting):
                answer_id = self._wait(digest, holder)
            if answer_id is not None:
                return again(answer_id)

        def bind(session: Session, _conversation: str, answer_id: str) -> None:
            bound = session.execute(
                update(AskedQuestion)
                .where(AskedQuestion.digest == digest, AskedQuestion.holder == holder)
                .values(answer_id=answer_id)
            )
            if bound.rowcount != 1:  # type: ignore[attr-defined]
                raise _Lost

        try:
            return ask(bind)
        except _Lost:
            return self.answer(digest, ask, again)
        except BaseException:
            self._give_up(digest, holder)
            raise

    def _taken(self, digest: str, holder: str) -> bool:
        self._sweep()
        row = {"digest": digest, "holder": holder, "taken_at": self._clock()}
        try:
            with self._sessions.begin() as session:
                session.execute(insert(AskedQuestion), row)
        except IntegrityError:
            return False
        return True

    def _wait(self, digest: str, holder: str) -> str | None:
        """The id of the answer, or None once it is ours to make."""
        until, pause = time.monotonic() + _LONGEST_WAIT_SECONDS, _FIRST_LOOK_SECONDS
        while time.monotonic() < until:
            row = self._row(digest)
            if row is None:
                if self._taken(digest, holder):  # whoever had it has failed
                    return None
                continue
            if row.answer_id is not None:
                return row.answer_id
            if self._clock() - _utc(row.taken_at) > self._lease and self._took_over(row, holder):
                return None
            time.sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_LOOK_SECONDS)
        raise Limited(10, code="still_answering", why="上一次发送的还在查找")

    def _took_over(self, row: AskedQuestion, holder: str) -> bool:
        with self._sessions.begin() as session:
            taken = session.execute(
                update(AskedQuestion)
                .where(
                    AskedQuestion.digest == row.digest,
                    AskedQuestion.holder == row.holder,
                    AskedQuestion.answer_id.is_(None),
                )
                .values(holder=holder, taken_at=self._clock())
            )
            return bool(taken.rowcount == 1)  # type: ignore[attr-defined]

    def _row(self, digest: str) -> AskedQuestion | None:
        with self._sessions() as session:
            return session.scalar(select(AskedQuestion).where(AskedQuestion.digest == digest))

    def _give_up(self, digest: str, holder: str) -> None:
        with self._sessions.begin() as session:
            session.execute(
                delete(AskedQuestion).where(
                    AskedQuestion.digest == digest,
                    AskedQuestion.holder == holder,
                    AskedQuestion.answer_id.is_(None),
                )
            )

    def _sweep(self) -> None:
        if time.monotonic() - self._swept < _SWEEP_SECONDS and self._swept:
            return
        self._swept = time.monotonic()
        with self._sessions.begin() as session:
            session.execute(
                delete(AskedQuestion).where(AskedQuestion.taken_at < self._clock() - _KEPT)
            )


class _Place:
    """One of the places for those who wait. Raises Limited when there is none."""

    def __init__(self, places: threading.BoundedSemaphore) -> None:
        self._places = places

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            raise Limited(5, code="still_answering", why="上一次发送的还在查找")

    def __exit__(self, *_: object) -> None:
        self._places.release()


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
