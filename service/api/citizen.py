"""What a citizen may see and erase, by the code of the conversation."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from service.accounts.limits import network_of
from service.errors import NotFound, TooMany
from service.retention import MyConversation

Code = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class Guesses:
    """Codes that were not there, by network: who tries many has to wait before being told of the
    next that it is not there. In memory: a code has 128 random bits, so this is against noise and
    not what keeps a conversation private."""

    def __init__(
        self,
        *,
        most: int = 10,
        seconds: float = 600.0,
        addresses: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._addresses, self._clock = most, seconds, addresses, clock
        self._misses: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def missed(self, address: str) -> None:
        """Raises TooMany after too many misses; those of the time of waiting are not counted."""
        network = network_of(address)
        with self._lock:
            misses = self._misses.setdefault(network, deque())
            self._misses.move_to_end(network)
            while misses and misses[0] < self._clock() - self._seconds:
                misses.popleft()
            if len(misses) >= self._most:
                raise TooMany("too_many_guesses", "这个网络上输错的次数太多，请过十分钟再试。")
            misses.append(self._clock())
            while len(self._misses) > self._addresses:
                self._misses.popitem(last=False)


_guesses = Guesses()


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _mine(request: Request) -> MyConversation:
    return MyConversation(request.app.state.rooms.sessions)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


Mine = Annotated[MyConversation, Depends(_mine)]
Address = Annotated[str, Depends(_address)]
router = APIRouter(prefix="/api/v1", tags=["citizen"], dependencies=[Depends(_no_store)])


@router.get("/conversations/{conversation}", summary="查看自己的会话")
def read_conversation(conversation: Code, mine: Mine, address: Address) -> dict[str, Any]:
    """Public: whoever holds the code."""
    try:
        return mine.read(conversation)
    except NotFound:
        _guesses.missed(address)
        raise


@router.delete("/conversations/{conversation}", summary="删除自己的会话")
def erase_conversation(conversation: Code, mine: Mine, address: Address) -> dict[str, Any]:
    """Public, for good; asking again says when it was."""
    try:
        return mine.erase(conversation)
    except NotFound:
        _guesses.missed(address)
        raise
