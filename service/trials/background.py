"""The one thread of this process that runs sets; it ends when nothing waits any more."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()
PAUSE = 0.02  # seconds between two questions, so that citizens are never behind a whole set

_starting = threading.Lock()
_threads: dict[str, threading.Thread] = {}
_again: dict[str, Callable[[], object]] = {}


def start(name: str, work: Callable[[], object]) -> threading.Thread:
    """Have `work` done in the background; while that of the same name is going on, after it, so
    that nothing which was asked for meanwhile is left: the last that was given, once."""
    with _starting:
        running = _threads.get(name)
        if running is not None and running.is_alive():
            _again[name] = work
            return running
        thread = threading.Thread(target=_loop, args=(name, work), name=name, daemon=True)
        _threads[name] = thread
        thread.start()
        return thread


def _loop(name: str, work: Callable[[], object]) -> None:
    while True:
        try:
            work()
        except Exception:
            # The last line of a thread: nobody above would see it.
            log.exception("background.failed", task=name)
        with _starting:
            if name not in _again:
                _threads.pop(name, None)
                return
            work = _again.pop(name)
