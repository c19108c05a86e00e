"""Keeping up (decision 24). A callback that is cut off comes twice more, and then nobody catches
up: so who is behind notes what comes, which takes little, and answers it later."""

from __future__ import annotations

import time

_NOTED_IN, _HASTE = 0.1, 4  # seconds that a write may take, before callbacks are let go earlier
_BEHIND, _FORGOTTEN = 0.5, 1.0  # seconds that it took; in which half of that is forgotten


class Pace:
    """How long the writes of one process take; `took` is called by one thread only."""

    def __init__(self) -> None:
        self._slow = 0.0, time.monotonic()

    def took(self, seconds: float) -> None:
        """Remember what a write took."""
        self._slow = max(seconds, self.lag()), time.monotonic()

    def lag(self) -> float:
        """Seconds that writing took of late: the slowest, less with time."""
        seconds, at = self._slow
        return float(seconds * 0.5 ** ((time.monotonic() - at) / _FORGOTTEN))

    @property
    def behind(self) -> bool:
        """Whether to begin few answers, so that what comes is noted in time."""
        return self.lag() > _BEHIND

    def patience(self, most: float) -> float:
        """Seconds, up to `most`, for which a callback may wait for its answer: fewer where it takes
        a while to be let go, and as long before it is seen at all."""
        return max(0.0, most - _HASTE * max(0.0, self.lag() - _NOTED_IN))
