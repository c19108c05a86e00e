"""After some failures nothing is tried for a while, then one probe."""

from __future__ import annotations

from service.model.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    clock = Clock()
    breaker = Breaker(2, 30, clock=clock)
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    clock.now = 30
    assert breaker.allows()
    assert not breaker.allows()  # the probe is under way
    breaker.failed()
    assert not breaker.allows()
    clock.now = 60
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.allows()
    assert breaker.allows()


def test_a_probe_that_was_not_made_leaves_room_for_another() -> None:
    clock = Clock()
    breaker = Breaker(1, 30, clock=clock)
    breaker.failed()
    clock.now = 30
    assert breaker.allows()
    breaker.passed_over()
    assert breaker.allows()


def test_a_rate_limit_opens_it_at_once() -> None:
    breaker = Breaker(5, 30, clock=Clock())
    breaker.failed(at_once=True)
    assert not breaker.allows()
