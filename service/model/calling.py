"""One call of the model: admitted or not, streamed, ended in time whatever the endpoint does."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import structlog

from service.model.breaker import Breaker
from service.model.budget import TOKENS, Budget

log = structlog.get_logger()
Messages = Sequence[tuple[str, str]]  # ("system" or "human", words), as LangChain takes them


class ChatModel(Protocol):
    """The part of LangChain's `BaseChatModel` that is used."""

    def stream(self, input: Any) -> Iterator[Any]: ...


class Failure(StrEnum):
    """Why the model wrote nothing; counted as failed.<it>."""

    OFF = "off"  # the kill switch
    BUDGET = "budget"
    BUSY = "busy"  # as many calls at once as are allowed
    RESTING = "resting"  # the circuit breaker is open
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    SLOW = "slow"  # no first word, or no end, in time
    ERROR = "error"
    TOO_LONG = "too_long"


class ModelFailed(Exception):
    """The model cannot be asked, or did not answer."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds: to the first word, and in all; how many calls may be under way."""

    first: float
    total: float
    at_once: int
    characters: int = 8000  # of what it writes


class _End:
    """The stream is over."""


@dataclass
class Usage:
    """What one answer has cost."""

    calls: int = 0
    tokens: int = 0
    first_ms: float | None = None


class Caller:
    """Calls one endpoint; safe to share between threads."""

    def __init__(self, model: ChatModel, limits: Limits, budget: Budget, breaker: Breaker) -> None:
        self._model, self.limits, self.budget, self._breaker = model, limits, budget, breaker
        self._free = threading.BoundedSemaphore(limits.at_once)

    def stream(
        self, messages: Messages, *, until: float, usage: Usage, conversation: str | None = None
    ) -> Generator[str]:
        """What the model writes, piece by piece; over by `until` (monotonic). Raises ModelFailed,
        before or amid it. Close it to stop early."""
        self._admit(conversation)
        began, written = time.monotonic(), 0
        usage.calls += 1
        heard: queue.SimpleQueue[str | int | Exception | _End] = queue.SimpleQueue()
        stop = threading.Event()
        # Not of a pool: one that hangs must not hold the process when it ends.
        threading.Thread(
            target=self._run, args=(messages, heard, stop), name="model", daemon=True
        ).start()
        tokens, well = 0, True
        try:
            first = True
            while True:
                limit = min(until, began + self.limits.first) if first else until
                try:
                    item = heard.get(timeout=max(0.0, limit - time.monotonic()))
                except queue.Empty:
                    raise ModelFailed(Failure.SLOW) from None
                if isinstance(item, Exception):
                    raise ModelFailed(failure_of(item)) from item
                if isinstance(item, _End):
                    return
                if isinstance(item, int):
                    tokens = max(tokens, item)
                    continue
                if first:
                    first = False
                    usage.first_ms = usage.first_ms or round((time.monotonic() - began) * 1000, 1)
                written += len(item)
                if written > self.limits.characters:
                    raise ModelFailed(Failure.TOO_LONG)
                yield item
        except ModelFailed as failed:
            well = failed.failure is Failure.TOO_LONG
            self._report(failed.failure)
            raise
        finally:
            stop.set()
            if well:
                self._breaker.succeeded()
            # A token a character is what Chinese costs at most, where the endpoint does not say.
            spent = tokens or sum(len(words) for _, words in messages) + written
            usage.tokens += spent
            self.budget.count({TOKENS: spent})

    def _admit(self, conversation: str | None) -> None:
        if not self._free.acquire(blocking=False):
            raise ModelFailed(Failure.BUSY)
        allowed = False
        try:
            allowed = self._breaker.allows()
            if not allowed:
                raise ModelFailed(Failure.RESTING)
            if not self.budget.take(conversation):
                raise ModelFailed(Failure.BUDGET)
        except BaseException:
            if allowed:
                self._breaker.passed_over()
            self._free.release()
            raise

    def _report(self, failure: Failure) -> None:
        if failure is not Failure.TOO_LONG:
            self._breaker.failed(at_once=failure is Failure.RATE_LIMITED)

    def _run(
        self,
        messages: Messages,
        heard: queue.SimpleQueue[str | int | Exception | _End],
        stop: threading.Event,
    ) -> None:
        """In a thread of its own: whoever waits may stop waiting, this ends when the endpoint
        lets it, and only then is its place free again."""
        try:
            chunks = self._model.stream(list(messages))
            for chunk in chunks:
                if stop.is_set():
                    break
                words = words_of(chunk)
                if words:
                    heard.put(words)
                usage = getattr(chunk, "usage_metadata", None) or {}
                if usage.get("total_tokens"):
                    heard.put(int(usage["total_tokens"]))
            with suppress(AttributeError):
                chunks.close()  # type: ignore[attr-defined]
            heard.put(_End())
        except Exception as error:  # noqa: BLE001 — the edge of what is not ours
            log.warning("model.failed", error=type(error).__name__)
            heard.put(error)
        finally:
            self._free.release()


def words_of(chunk: Any) -> str:
    """The text of a piece, whether plain or in parts; what it only thinks is left out."""
    content = getattr(chunk, "content", chunk)
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(
        part if isinstance(part, str) else str(part.get("text", ""))
        for part in parts
        if isinstance(part, str) or (isinstance(part, dict) and part.get("type") == "text")
    )


def failure_of(error: Exception) -> Failure:
    """What went wrong, by what the clients of endpoints have in common: a status, and a name."""
    status = getattr(error, "status_code", None)
    name = " ".join(c.__name__ for c in type(error).__mro__)
    if status == 429 or "RateLimit" in name:
        return Failure.RATE_LIMITED
    if "Timeout" in name:
        return Failure.SLOW
    return Failure.UNREACHABLE if "Connect" in name else Failure.ERROR
