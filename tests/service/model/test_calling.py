"""A call ends in time whatever the endpoint does, and is not made when it should not be."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import today_in_china
from service.evaluation.characters import RateLimitError
from service.model.breaker import Breaker
from service.model.budget import Budget
from service.model.calling import Caller, Failure, Limits, ModelFailed, Usage, words_of
from tests.fakes_model import Scripted

ASKED = [("system", "规则"), ("human", "问")]
Sessions = sessionmaker[Session]


class Timeout(Exception):
    """As httpx calls it."""


def caller_of(
    sessions: Sessions, *pieces: Any, tokens: int = 0, calls: int = 0, **limits: Any
) -> Caller:
    chosen = Limits(**({"first": 0.3, "total": 0.6, "at_once": 2} | limits))
    budget = Budget(sessions, calls=calls, tokens=0, of_conversation=0)
    return Caller(Scripted(pieces=pieces, tokens=tokens), chosen, budget, Breaker(2, 60))


def ask(caller: Caller, usage: Usage | None = None) -> str:
    until = time.monotonic() + caller.limits.total
    return "".join(caller.stream(ASKED, until=until, usage=usage or Usage()))


def failure(caller: Caller) -> Failure:
    with pytest.raises(ModelFailed) as failed:
        ask(caller)
    return failed.value.failure


def test_pieces_come_as_they_are_said_and_tokens_are_counted(counted: Sessions) -> None:
    caller, usage = caller_of(counted, "甲", "乙", tokens=42), Usage()
    assert ask(caller, usage) == "甲乙"
    assert (usage.calls, usage.tokens) == (1, 42)
    assert usage.first_ms is not None
    assert caller.budget.counts(today_in_china()) == {"calls": 1, "tokens": 42}


def test_without_a_count_a_token_a_character_is_assumed(counted: Sessions) -> None:
    usage = Usage()
    ask(caller_of(counted, "甲乙丙"), usage)
    assert usage.tokens == len("规则问甲乙丙")


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([1.0, "甲"], Failure.SLOW),
        (["甲", 1.0, "乙"], Failure.SLOW),
        ([ConnectionError("refused")], Failure.UNREACHABLE),
        ([Timeout()], Failure.SLOW),
        ([RateLimitError()], Failure.RATE_LIMITED),
        (["甲", ValueError("odd")], Failure.ERROR),
        (["甲" * 9000], Failure.TOO_LONG),
    ],
)
def test_what_goes_wrong_has_a_name_and_takes_no_longer_than_allowed(
    counted: Sessions, pieces: list[Any], expected: Failure
) -> None:
    began = time.monotonic()
    assert failure(caller_of(counted, *pieces)) is expected
    assert time.monotonic() - began < 0.9


def test_after_failures_it_rests_without_a_call(counted: Sessions) -> None:
    caller = caller_of(counted, ConnectionError())
    assert [failure(caller) for _ in range(3)] == [
        Failure.UNREACHABLE,
        Failure.UNREACHABLE,
        Failure.RESTING,
    ]
    assert len(caller._model.history) == 2  # type: ignore[attr-defined]
    assert caller.budget.counts(today_in_china())["calls"] == 2  # rest costs nothing


def test_a_rate_limit_is_not_tried_again(counted: Sessions) -> None:
    caller = caller_of(counted, RateLimitError())
    assert [failure(caller), failure(caller)] == [Failure.RATE_LIMITED, Failure.RESTING]
    assert len(caller._model.history) == 1  # type: ignore[attr-defined]


def test_a_call_that_hangs_keeps_its_place_until_it_ends(counted: Sessions) -> None:
    held = threading.Event()
    caller = caller_of(counted, held, "甲", at_once=1)
    assert failure(caller) is Failure.SLOW
    assert failure(caller) is Failure.BUSY
    held.set()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with suppress(ModelFailed):
            assert ask(caller) == "甲"
            return
        time.sleep(0.01)
    pytest.fail("its place was never free again")


def test_a_budget_that_is_used_up_makes_no_call(counted: Sessions) -> None:
    caller = caller_of(counted, "甲", calls=1)
    assert ask(caller) == "甲"
    assert failure(caller) is Failure.BUDGET


def test_thoughts_of_a_model_are_not_its_words() -> None:
    class Chunk:
        content: ClassVar = [
            {"type": "reasoning", "text": "想"},
            {"type": "text", "text": "说"},
            "话",
        ]

    assert words_of(Chunk()) == "说话"
