"""Telling everybody at the desk what has changed, as it changes.

In each process one poller looks at the database every second while somebody listens, and hands what
it found to the listeners: so it works with several processes and on both databases, and a listener
costs a queue and no thread. A stream ends when its reader may read no more, falls too far behind,
or the server stops; the reader comes back with the number of the last event it had.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

import structlog
from sqlalchemy.orm import Session, sessionmaker

from service.auth import Member, Permission
from service.errors import TooMany
from service.handover.changes import Changes, Look, Told, encoded, events

log = structlog.get_logger()
T = TypeVar("T")
_BEHIND = 100  # looks that may wait for one listener
_WAKE_S = 1.0  # how often a stream asks whether it must end
_RETRY = "retry: 3000\n\n"  # ms after which a browser comes back
_ALIVE = ": alive\n\n"
_SIGNED_OUT = 'event: end\ndata: {"reason":"signed_out"}\n\n'


def server_is_stopping() -> bool:
    """Whether this process's uvicorn was told to stop. It waits for open responses without a word
    to them; all that can be seen of it is the flag on the server that handles the signal."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return bool(getattr(server, "should_exit", False))


@dataclass(eq=False, slots=True)
class Listener:
    """One open stream."""

    member: Member
    told: Told = field(default_factory=Told)
    looks: asyncio.Queue[Look] = field(default_factory=lambda: asyncio.Queue(_BEHIND))
    lost: bool = False


class Live:
    """The streams of one process; used from one event loop at a time.

    `still` of a stream tells, in a thread, who its reader is now, or None when that has ended.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        stopping: Callable[[], bool] = server_is_stopping,
        every_s: float = 1.0,
        alive_s: float = 15.0,
        recheck_s: float = 30.0,
        per_person: int = 5,
    ) -> None:
        self._sessions, self._stopping = sessions, stopping
        self._every_s, self._alive_s, self._recheck_s = every_s, alive_s, recheck_s
        self._per_person = per_person
        self._listeners: set[Listener] = set()
        self._poller: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def listening(self) -> int:
        return len(self._listeners)

    @property
    def polling(self) -> bool:
        return self._poller is not None

    def join(self, member: Member) -> Listener:
        """A place for one stream, to be given back with `leave`. Raises TooMany."""
        open_now = sum(one.member.id == member.id for one in self._listeners)
        if open_now >= self._per_person:
            raise TooMany(
                "live_too_many",
                f"同一账号最多同时打开{self._per_person}个实时页面，请关掉不用的。",
            )
        listener = Listener(member)
        self._listeners.add(listener)
        if self._poller is None:
            self._ready = asyncio.Event()
            self._poller = asyncio.get_running_loop().create_task(self._poll(self._ready))
        return listener

    def leave(self, listener: Listener) -> None:
        """The last one out ends the poller."""
        self._listeners.discard(listener)
        if not self._listeners and self._poller is not None:
            self._poller.cancel()
            self._poller = None

    async def stream(
        self, listener: Listener, last: int | None, still: Callable[[], Member | None]
    ) -> AsyncIterator[str]:
        """The stream as text: first how things stand with what was missed after message number
        `last`, then what changes."""
        yield _RETRY
        while not self._ready.is_set():  # else what happens in between would be nobody's
            if listener.lost or self._stopping():
                return
            await self._wait(self._ready.wait())
        missed = await asyncio.to_thread(Changes(self._sessions).since, listener.member, last)
        yield encoded(events(missed, listener.member, listener.told), missed.seq)
        had = {one.seq for one in missed.said}
        wrote = checked = monotonic()
        while not (listener.lost or self._stopping()):
            look = await self._wait(listener.looks.get())
            if monotonic() - checked >= self._recheck_s:
                member = await asyncio.to_thread(still)
                if member is None or not member.may(Permission.HANDOVER_LIST):
                    yield _SIGNED_OUT
                    return
                listener.member, checked = member, monotonic()
            news = events(look, listener.member, listener.told) if look else []
            news = [event for event in news if event.data.get("seq") not in had]
            if news and look:
                wrote = monotonic()
                yield encoded(news, look.seq)
            elif monotonic() - wrote >= self._alive_s:
                wrote = monotonic()
                yield _ALIVE

    @staticmethod
    async def _wait(awaited: Coroutine[Any, Any, T]) -> T | None:
        """What is awaited, or None when it is time to look whether the stream must end."""
        try:
            return await asyncio.wait_for(awaited, _WAKE_S)
        except TimeoutError:
            return None

    async def _poll(self, ready: asyncio.Event) -> None:
        changes = Changes(self._sessions)
        while True:
            try:
                look = await asyncio.to_thread(changes.look)
            except Exception:  # a database that is away comes back; streams stay open
                log.exception("live.look_failed")
                await asyncio.sleep(5 * self._every_s)
                continue
            ready.set()
            for listener in self._listeners:
                try:
                    listener.looks.put_nowait(look)
                except asyncio.QueueFull:
                    listener.lost = True
            await asyncio.sleep(self._every_s)
