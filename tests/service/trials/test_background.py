"""The thread that runs what was asked for."""

from __future__ import annotations

import threading
from functools import partial

from service.trials import background


def test_what_is_asked_for_meanwhile_is_done_afterwards_in_its_latest_form() -> None:
    done: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        go_on.wait(5)
        done.append("first")

    thread = background.start("test", first)
    assert begun.wait(5)
    for name in ("second", "third"):
        assert background.start("test", partial(done.append, name)) is thread
    go_on.set()
    thread.join(5)
    assert done == ["first", "third"]
