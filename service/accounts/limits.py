"""Guessing is made slow: for an account by its row, for an address in memory."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from service.errors import TooMany
from service.models import now

FREE_FAILURES = 5  # of an account, before it waits
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
ACCOUNT_FORGOTTEN_AFTER = timedelta(hours=6)  # an account's failures
_FREE_OF_ADDRESS = 20  # a whole office may come from one address
_FORGOTTEN_AFTER = timedelta(minutes=15)
_MOST_ADDRESSES = 10_000


def wait_after(failures: int, free: int = FREE_FAILURES) -> timedelta:
    """Nothing for the first few, then half a minute, doubled with each, at most a quarter hour."""
    if failures < free:
        return timedelta(0)
    doubled: int = 2 ** min(failures - free, 10)
    return min(_FIRST_WAIT * doubled, _LONGEST_WAIT)


@dataclass(slots=True)
class _Seen:
    failures: int
    last_at: datetime
    until: datetime


class AddressLimit:
    """How often each address has failed of late. Of many addresses the oldest are forgotten."""

    def __init__(self, *, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._lock = Lock()

    def check(self, address: str) -> None:
        """Raise TooMany for one that has to wait."""
        at = self._clock()
        with self._lock:
            seen = self._seen.get(network_of(address))
            if seen and seen.until > at:
                minutes = -int((at - seen.until).total_seconds() // 60)
                raise TooMany(
                    "sign_in_too_often", f"从这个网络登录失败的次数太多，请{minutes}分钟后再试。"
                )

    def succeeded(self, address: str) -> None:
        """Somebody who belongs here: what went wrong there before was mistyped."""
        with self._lock:
            self._seen.pop(network_of(address), None)

    def failed(self, address: str) -> None:
        at, network = self._clock(), network_of(address)
        with self._lock:
            seen = self._seen.pop(network, None)
            if seen is None or at - seen.last_at > _FORGOTTEN_AFTER:
                seen = _Seen(0, at, at)
            seen.failures += 1
            seen.last_at, seen.until = at, at + wait_after(seen.failures, _FREE_OF_ADDRESS)
            self._seen[network] = seen
            while len(self._seen) > _MOST_ADDRESSES:
                self._seen.popitem(last=False)


def network_of(address: str) -> str:
    """Whoever has one IPv6 address has 2^64 of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
