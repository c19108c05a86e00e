"""What goes wrong inside: nothing is lost, blocked, said twice, or said after it was erased."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from service.models import HandoverMessage, now
from service.models.wechat import WeChatMessage as Message
from service.models.wechat import WeChatOutgoing as Outgoing
from service.models.wechat import WeChatPerson as Person
from service.wechat import delivery, inbox, outbox
from service.wechat.desk import reach
from service.wechat.erasure import forget
from service.wechat.outbox import Item
from tests.service.wechat.stage import KEY, Stage
from tests.service.wechat.test_delivery import staff_says, staff_says_in, states

Start = Callable[..., Stage]


@pytest.fixture
def hurried(on_stage: Start, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Leases end soon, and are renewed much sooner."""
    monkeypatch.setattr(delivery, "_RENEW", 0.05)
    monkeypatch.setattr(inbox, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(outbox, "_LEASE", timedelta(seconds=1))
    return on_stage()


def failing_once(monkeypatch: pytest.MonkeyPatch, of: object, name: str) -> None:
    does, failures = getattr(of, name), [OSError("the database is away")]

    def fails_once(*given: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return does(*given, **named)

    monkeypatch.setattr(of, name, fails_once)


def test_an_answer_that_could_not_be_stored_is_taken_up_again(
    hurried: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_once(monkeypatch, hurried.channel.post.inbox, "finish")
    hurried.say("o_1", "甲")
    hurried.eventually(lambda: len(hurried.platform.received("o_1")) == 1)
    assert hurried.answers.asked == ["甲"]


def test_what_is_claimed_is_answered_though_the_next_look_fails(
    hurried: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = hurried.channel.post
    claim = post.inbox.claim

    def claims(*given: Any, take_over: bool = False) -> Any:
        if take_over:
            raise OSError("the database is away")
        return claim(*given)

    monkeypatch.setattr(post.inbox, "claim", claims)
    for words in "甲乙丙":
        hurried.say("o_1", words)
    hurried.eventually(lambda: len(hurried.platform.received("o_1")) == 3)


def test_a_message_whose_sending_was_not_noted_becomes_unclear(
    hurried: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_once(monkeypatch, hurried.channel.post.outbox, "sent")
    hurried.say("o_1", "slow 0.7")
    hurried.eventually(lambda: states(hurried) == ["unknown"])
    assert len(hurried.platform.received("o_1")) == 1


def test_what_a_thread_has_in_hand_is_kept(
    on_stage: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_RENEW", 0.05)
    service = on_stage()
    service.answers.gate.clear()
    service.say("o_1", "gated")

    def lease() -> datetime | None:
        with service.rooms.sessions() as session:
            return session.scalars(select(Message.lease_until)).one()

    first = lease()
    service.eventually(lambda: lease() != first)
    service.answers.gate.set()
    service.eventually(lambda: states(service) == ["sent"])


def test_an_account_that_is_configured_no_more_stops_no_other(service: Stage) -> None:
    service.say("o_1", "甲")
    with service.rooms.sessions.begin() as session:
        [gone] = session.scalars(select(Person.conversation_id))
        session.execute(update(Person).values(account="gone"))
        left = {"account": "gone", "delivery": "pending", "received_at": now() - timedelta(hours=1)}
        session.execute(update(Message).values(parts=["答"], **left))
        [person] = session.scalars(select(Person.id))
        old = {"account": "gone", "delivery": "pushed", "worker": "", "received_at": now()}
        session.add(Message(key="k", person_id=person, sealed="x", state="waiting", **old))
        row = {"account": "gone", "person_id": person, "source": "answer", "source_id": "k"}
        session.add(Outgoing(part=0, text="答", state="queued", not_before=now(), **row))
    assert gone is not None
    staff_says_in(service, gone, ["到不了"])
    service.say("o_2", "乙")
    staff_says(service, "o_2", ["您好"])
    service.eventually(lambda: service.platform.received("o_2")[-1:] == ["您好"])
    service.channel.post._sweep()
    assert not service.channel.post.can_push("gone")
    assert service.count(Outgoing, Outgoing.account == "gone", Outgoing.state == "queued") == 1
    assert service.count(Outgoing, Outgoing.account == "gone") == 1


def test_what_was_said_long_ago_in_an_open_ticket_is_not_said_again(service: Stage) -> None:
    service.say("o_1", "甲")
    staff_says(service, "o_1", ["您好"])
    service.eventually(lambda: states(service) == ["sent"] * 2)
    long_ago = now() - timedelta(days=31)
    with service.rooms.sessions.begin() as session:
        session.execute(update(HandoverMessage).values(sent_at=long_ago))
        session.execute(update(Outgoing).values(finished_at=long_ago, created_at=long_ago))
    service.channel.post._tidy()
    service.channel.post._feed()
    assert states(service) == []


def test_what_is_erased_while_it_is_sent_is_not_tried_again(service: Stage) -> None:
    service.say("o_1", "甲")
    at = now()
    with service.rooms.sessions.begin() as session:
        person = session.scalars(select(Person)).one()
        assert person.conversation_id is not None
        row = {"account": KEY, "person_id": person.id, "source": "answer", "source_id": "k"}
        lease = {"worker": "busy", "attempted_at": at, "lease_until": at + timedelta(hours=1)}
        sending = Outgoing(part=0, text="秘密", state="sending", not_before=at, **row, **lease)
        session.add(sending)
        session.execute(update(Message).values(delivery="pending", parts=["秘密"]))
        session.flush()
        forget(session, [person.conversation_id], at)
        item = Item(sending.id, KEY, person.id, "o_1", "秘密", 1, at)
    box = service.channel.post.outbox
    for ended in (box.later, box.unknown, lambda item: box.hold(item, 45015)):
        ended(item)
        with service.rooms.sessions() as session:
            assert session.execute(select(Outgoing.state, Outgoing.text)).one() == ("expired", None)
    assert service.count(Message, Message.parts.is_not(None)) == 0


def test_a_token_that_is_refused_fails_no_message(
    service: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_MOST_RETRIES", 1)
    right = service.platform._account
    wrong = {"secret": SecretStr("changed at the platform")}
    service.platform._account = right.model_copy(update=wrong)
    service.say("o_1", "slow 0.7")
    service.eventually(lambda: service.count(Outgoing, Outgoing.attempts == 1))
    service.platform._account = right
    service.eventually(lambda: states(service) == ["sent"])


def test_staff_are_told_of_what_the_platform_has_refused(service: Stage) -> None:
    service.platform.faults.append(45002)
    service.say("o_1", "slow 0.7")
    service.eventually(lambda: states(service) == ["failed"])
    with service.rooms.sessions() as session:
        conversation = session.scalars(select(Person.conversation_id)).one()
    assert conversation is not None
    told = reach(service.rooms.sessions, conversation, can_push=service.channel.post.can_push)
    assert told is not None
    assert told["failed"] == 1
