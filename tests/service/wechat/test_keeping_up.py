"""More comes than can be answered: all of it is noted in time, and answered later."""

from __future__ import annotations

import time
from typing import Any

import pytest

from service.wechat import delivery, pace
from tests.service.wechat.stage import Stage
from tests.service.wechat.test_delivery import states


def test_who_is_behind_lets_a_callback_go_early_and_answers_later(
    service: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "ANSWER_WITHIN", 20.0)
    monkeypatch.setattr(pace, "_NOTED_IN", 0.1)
    post = service.channel.post
    assert post._pace.patience(delivery.ANSWER_WITHIN) > 19
    post._pace.took(5.2)
    assert post._pace.patience(delivery.ANSWER_WITHIN) < 1
    callback = service.say("o_1", "slow 1.5")
    assert callback.accepted
    assert callback.reply is None
    service.eventually(lambda: states(service) == ["sent"])
    assert len(service.platform.received("o_1")) == 1


def test_what_writing_took_is_forgotten_in_seconds() -> None:
    slow = pace.Pace()
    slow.took(4.0)
    slow.took(0.1)
    assert 3.5 < slow.lag() <= 4.0  # the slowest of late
    slow._slow = 4.0, time.monotonic() - 3 * pace._FORGOTTEN
    assert 0.4 < slow.lag() <= 0.5


def test_who_is_behind_begins_few_answers_at_a_time(
    service: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, asked = service.channel.post, []
    claim = post.inbox.claim

    def claims(most: int, *given: Any, **named: Any) -> Any:
        asked.append(most)
        return claim(most, *given, **named)

    monkeypatch.setattr(post.inbox, "claim", claims)
    service.eventually(lambda: max(asked, default=0) > delivery._FEW)
    monkeypatch.setattr(pace, "_FORGOTTEN", 3600.0)
    post._pace.took(10.0)
    time.sleep(3 * delivery._LOOK)
    asked.clear()
    service.eventually(lambda: len(asked) > 5)
    assert max(asked) == delivery._FEW
