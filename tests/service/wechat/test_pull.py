"""An account without the permission to send: the citizen fetches what waits for him."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.channels.wechat import wording
from tests.service.wechat.stage import KEY, Stage
from tests.service.wechat.test_delivery import states

Start = Callable[..., Stage]


def test_an_account_that_cannot_send_lets_the_citizen_fetch(on_stage: Start) -> None:
    service = on_stage(permission=False, customer_service=False)
    assert service.say("o_1", "slow 1").reply == wording.LATER
    service.eventually(lambda: states(service) == ["held"])
    told = service.say("o_1", "1")
    assert told.reply is not None
    assert told.reply.startswith("答：slow 1")
    assert states(service) == ["sent"]
    assert service.answers.asked == ["slow 1"]


@pytest.mark.parametrize("patience", [2.0])  # wide enough for a machine that does other work
def test_who_fetches_too_early_waits_and_then_gets_it(on_stage: Start) -> None:
    service = on_stage(permission=False, customer_service=False)
    assert service.say("o_1", "slow 2.5").reply == wording.LATER
    told = service.say("o_1", "1")
    assert told.reply is not None
    assert told.reply.startswith("答：slow 2.5")


def test_parts_are_fetched_one_by_one(on_stage: Start) -> None:
    service = on_stage(permission=False, customer_service=False)
    first = service.say("o_1", "long 200").reply
    assert first is not None
    assert first.endswith(wording.MORE)
    said = [first]
    while said[-1].endswith(wording.MORE):
        reply = service.say("o_1", "1").reply
        assert reply is not None
        said.append(reply)
    assert "".join(said).count("这是一句很长的回答。") == 200
    assert service.say("o_1", "别的事").reply == "答：别的事\n\n" + wording.NOTE


def test_a_permission_that_is_not_there_is_noticed(on_stage: Start) -> None:
    """Others answer with a push that never arrives (bot-on-anything 11 and 144)."""
    service = on_stage(permission=False)
    assert service.say("o_1", "slow 1").reply is None
    service.eventually(lambda: states(service) == ["held"])
    assert not service.channel.post.can_push(KEY)
    told = service.say("o_1", "乙")
    assert told.reply is not None
    assert told.reply.endswith(wording.UNSEEN)
    fetched = service.say("o_1", "1").reply
    assert fetched is not None
    assert fetched.startswith("答：slow 1")
