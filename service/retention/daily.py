"""The housekeeping of a running process: finished days are folded, what is due goes at night."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy.orm import Session, sessionmaker

from service.answering.hours import SHANGHAI
from service.models import now
from service.retention.files import forget_files
from service.retention.rules import Retention
from service.statistics.counts import Counts

log = structlog.get_logger()
_FIRST_SECONDS = 10.0  # after the start, when there is more to do
_LOOK_SECONDS = 300.0
_FROM_HOUR = 2  # in Shanghai: when fewest people ask


class Housekeeping:
    """A thread that looks every few minutes. Each process has one; the database lets one work.

    `files`: where the bytes of imports are kept.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        files: Path | None = None,
        clock: Callable[[], datetime] = now,
        seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._sessions, self._clock, self._seconds = sessions, clock, seconds
        self._files = files
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Wait for the batch that is being deleted, no longer."""
        self._ended.set()
        self._thread.join(timeout=5)

    def once(self) -> None:
        """What is to be done now; what goes wrong with one thing stops no other."""
        self._try(Counts(self._sessions, clock=self._clock).fold)
        if self._clock().astimezone(SHANGHAI).hour >= _FROM_HOUR:
            retention = Retention(self._sessions, clock=self._clock)
            self._try(partial(retention.run, daily=True))
            if self._files:
                self._try(partial(forget_files, self._sessions, self._files))

    def _work(self) -> None:
        if not self._ended.wait(_FIRST_SECONDS):
            self._try(Counts(self._sessions, clock=self._clock).fold)
        while not self._ended.wait(self._seconds):
            self.once()

    @staticmethod
    def _try(work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:
            # It is tried again; nobody waits for it.
            log.exception("housekeeping.failed")
