"""How often somebody may ask: token buckets, and who has a question under way.

In memory, so each process counts for itself: with n processes a limit is at most n times as wide.
Where that matters, put something with the methods of `Buckets` over a shared store in its place.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from service.errors import TooMany

_MOST_KEYS = 50_000  # of one kind; the longest unused are forgotten, when their buckets are full


class Limited(TooMany):
    """Too often: a kind word, who can be called meanwhile, and when to come again."""

    def __init__(self, wait_s: float, *, code: str = "too_many_questions", why: str = "") -> None:
        seconds = max(1, -int(-wait_s // 1))
        span = f"{seconds}秒" if seconds < 120 else f"{-(-seconds // 60)}分钟"
        super().__init__(
            code,
            f"{why or '现在问得太密了'}，请过{span}再问，您写的内容还在。"
            "着急可以拨打12348；有人身危险请立即拨打110，有人受伤拨打120。",
        )
        self.retry_after_s = seconds
        self.details: dict[str, Any] = {"retry_after_s": seconds}


class Buckets:
    """One bucket a key: `burst` at once, refilled with `rate` a second."""

    def __init__(
        self,
        rate: float,
        burst: float,
        *,
        most: int = _MOST_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate, self._burst, self._most, self._clock = rate, burst, most, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """Take one; 0, or how many seconds until there is one."""
        with self._lock:
            level = self._level(key)
            if level < 1:
                return (1 - level) / self._rate
            self._levels[key] = (level - 1, self._clock())
            self._levels.move_to_end(key)
            while len(self._levels) > self._most:
                self._levels.popitem(last=False)
            return 0.0

    def left(self, key: str) -> float:
        """How many there are now."""
        with self._lock:
            return self._level(key)

    def _level(self, key: str) -> float:
        level, at = self._levels.get(key, (self._burst, 0.0))
        return min(self._burst, level + (self._clock() - at) * self._rate)


class OneAtATime:
    """Who has a question under way in this process."""

    def __init__(self) -> None:
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def enter(self, key: str) -> bool:
        """False when there is one already."""
        with self._lock:
            if key in self._busy:
                return False
            self._busy.add(key)
            return True

    def leave(self, key: str) -> None:
        with self._lock:
            self._busy.discard(key)
