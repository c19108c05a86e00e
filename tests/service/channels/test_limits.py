"""Token buckets."""

from __future__ import annotations

from service.channels.gate import Buckets, Limited


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_bucket_gives_its_burst_and_then_by_its_rate() -> None:
    clock = Clock()
    buckets = Buckets(0.5, 3, clock=clock)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 2]
    clock.at += 1
    assert buckets.take("a") == 1
    clock.at += 1
    assert buckets.take("a") == 0
    assert buckets.take("b") == 0


def test_waiting_long_fills_it_no_further_than_its_burst() -> None:
    clock = Clock()
    buckets = Buckets(1, 2, clock=clock)
    buckets.take("a")
    clock.at += 3600
    assert buckets.left("a") == 2


def test_of_too_many_keys_the_longest_unused_is_forgotten() -> None:
    buckets = Buckets(0.001, 1, most=2, clock=Clock())
    for key in ("a", "b", "c"):
        assert buckets.take(key) == 0
    assert buckets.take("c") > 0
    assert buckets.take("a") == 0


def test_a_refusal_says_when_to_come_again() -> None:
    assert Limited(0.2).retry_after_s == 1
    assert "请过1秒再问" in Limited(0.2).message
    assert "请过10分钟再问" in Limited(600).message
