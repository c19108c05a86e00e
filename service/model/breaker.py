"""A circuit breaker: after some failures in a row nothing is tried for a while, then one probe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Breaker:
    """Closed, open, or half open; of one process, safe to share between threads."""

    def __init__(
        self, failures: int, rest_seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._rest, self._clock = failures, rest_seconds, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    def allows(self) -> bool:
        """Whether to try. When half open only one may: it must report
        `succeeded`, `failed` or `passed_over`."""
        with self._lock:
            if self._opened_at is None:
                return True
            if self._probing or self._clock() - self._opened_at < self._rest:
                return False
            self._probing = True
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._opened_at, self._probing = 0, None, False

    def passed_over(self) -> None:
        """What was allowed was not tried after all."""
        with self._lock:
            self._probing = False

    def failed(self, *, at_once: bool = False) -> None:
        """Count a failure; `at_once` opens whatever the count (the endpoint asked for rest)."""
        with self._lock:
            self._failures += 1
            if at_once or self._probing or self._failures >= self._limit:
                self._opened_at, self._probing = self._clock(), False
