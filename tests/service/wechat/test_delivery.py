"""From a callback to what the citizen sees: once, in time, within the platform's quotas."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import httpx
from sqlalchemy import event, select, text, update

from service.channels.wechat import wording
from service.models import AnswerRecord, Conversation, now
from service.models.wechat import WeChatMessage as Message
from service.models.wechat import WeChatOutgoing as Outgoing
from service.models.wechat import WeChatPerson as Person
from service.wechat import codec
from service.wechat.codec import key_bytes
from service.wechat.erasure import forget
from tests.service.wechat.stage import AES, KEY, Stage

Start = Callable[..., Stage]


def states(service: Stage) -> list[str]:
    with service.rooms.sessions() as session:
        return list(session.scalars(select(Outgoing.state).order_by(Outgoing.id)))


def test_a_quick_answer_is_the_reply(service: Stage) -> None:
    told = service.say("o_1", "工资被拖欠怎么办")
    assert told.reply is not None
    assert told.reply.startswith("答：工资被拖欠怎么办")
    assert len(told.seconds) == 1
    assert service.count(Outgoing) == 0
    assert service.count(AnswerRecord) == 1
    assert service.count(Conversation, Conversation.channel == "wechat") == 1


def test_a_slow_answer_comes_later_as_one_message(service: Stage) -> None:
    told = service.say("o_1", "slow 1.5")
    assert (told.reply, told.accepted) == (None, True)
    assert 0.4 < told.seconds[0] < 1.4
    service.eventually(lambda: states(service) == ["sent"])
    [said] = service.platform.received("o_1")
    assert said.startswith("答：slow 1.5")
    assert service.count(Outgoing, Outgoing.text.is_not(None)) == 0


def test_an_answer_in_parts_is_a_reply_and_then_messages_in_order(service: Stage) -> None:
    service.say("o_1", "long 200")
    service.eventually(lambda: states(service) == ["sent"] * (len(states(service)) or 9))
    first, *rest = service.platform.delivered
    assert first.way == "passive"
    assert [m.way for m in rest] == ["custom"] * len(rest)
    said = "".join(service.platform.received("o_1"))
    assert said.count("这是一句很长的回答。") == 200
    assert all(len(m.text.encode()) <= 2048 for m in service.platform.delivered)


async def _same_thrice(service: Stage, words: str, pause: float) -> list[httpx.Response]:
    """The same callback three times, as the platform sends it when it hears nothing."""
    xml = codec.to_xml(
        {
            "ToUserName": "gh_test",
            "FromUserName": "o_1",
            "CreateTime": 1700000000,
            "MsgType": "text",
            "Content": words,
            "MsgId": 4711,
        }
    )
    platform = service.platform
    platform._open_window("o_1", {"MsgType": "text"})
    async with httpx.AsyncClient(trust_env=False) as http:

        async def post() -> httpx.Response:
            params = platform._signed()
            cipher = codec.encrypt(xml, key_bytes(AES), "wxtest00000000")
            signed = codec.sign("abcdefgh", params["timestamp"], params["nonce"], cipher)
            params |= {"encrypt_type": "aes", "msg_signature": signed}
            body = codec.to_xml({"Encrypt": cipher}).encode()
            return await http.post(service.url, params=params, content=body, timeout=20)

        tasks = []
        for _ in range(3):
            tasks.append(asyncio.create_task(post()))
            await asyncio.sleep(pause)
        return list(await asyncio.gather(*tasks))


def test_three_tries_at_the_same_moment_are_one_question_with_one_answer(service: Stage) -> None:
    answers = service.run(_same_thrice(service, "甲", 0.0))
    said = {service.platform._read(response.text) for response in answers}
    assert service.answers.asked == ["甲"]
    # Whichever try came as the third would be answered by a message; here all came at once.
    assert len(said - {None}) <= 1
    service.eventually(lambda: said - {None} or service.platform.received("o_1"))
    assert service.count(Message) == 1
    assert service.count(AnswerRecord) == 1


def test_a_try_after_the_reply_gets_the_same_reply(service: Stage) -> None:
    answers = service.run(_same_thrice(service, "甲", 0.4))
    said = [service.platform._read(response.text) for response in answers]
    assert said[0] is not None
    assert said == [said[0]] * 3
    assert service.answers.asked == ["甲"]


def test_an_answer_whose_callback_is_over_is_never_also_a_reply(service: Stage) -> None:
    answers = service.run(_same_thrice(service, "slow 1", 0.7))
    assert [response.text for response in answers] == ["success"] * 3
    service.eventually(lambda: service.platform.received("o_1"))
    assert len(service.platform.received("o_1")) == 1


def test_two_questions_of_one_person_are_answered_in_their_order(service: Stage) -> None:
    service.say("o_1", "slow 1")
    service.say("o_1", "乙")
    service.eventually(lambda: len(service.platform.received("o_1")) == 2)
    assert service.answers.asked == ["slow 1", "乙"]
    assert [turn.question for turn in service.answers.histories[1]] == ["slow 1"]


def test_somebody_else_does_not_wait_for_them(service: Stage) -> None:
    service.say("o_1", "slow 1")
    told = service.say("o_2", "乙")
    assert told.reply is not None


def test_a_conversation_goes_on_for_a_day_and_numbers_pick_what_was_shown(service: Stage) -> None:
    told = service.say("o_1", "choices")
    assert told.reply is not None
    assert "1. 甲事怎么办\n2. 乙事怎么办\n" + wording.CHOOSE in told.reply
    service.say("o_1", "2。")
    assert service.answers.asked[-1] == "乙事怎么办"
    assert service.answers.histories[-1][-1].clarify == ("甲事怎么办", "乙事怎么办")
    with service.rooms.sessions.begin() as session:
        session.execute(update(Person).values(conversation_at=now() - timedelta(hours=25)))
    service.say("o_1", "又来了")
    assert service.answers.histories[-1] == ()
    assert service.count(Conversation) == 2


def test_a_conversation_that_a_person_is_to_answer_does_not_end(service: Stage) -> None:
    service.say("o_1", "甲")
    staff_says(service, "o_1", ["您好"])
    with service.rooms.sessions.begin() as session:
        session.execute(update(Person).values(conversation_at=now() - timedelta(hours=25)))
    assert service.say("o_1", "我回来了").reply is None
    assert service.count(Conversation) == 1


def test_an_erased_conversation_is_begun_anew(service: Stage) -> None:
    service.say("o_1", "甲")
    with service.rooms.sessions.begin() as session:
        session.execute(update(Person).values(conversation_id="c_gone"))
    assert service.say("o_1", "乙").reply is not None


def test_the_quota_is_kept_and_the_rest_comes_with_the_next_message(service: Stage) -> None:
    service.say("o_1", "甲")
    staff_says(service, "o_1", [f"第{n}句" for n in range(7)])
    service.eventually(lambda: states(service) == ["sent"] * 5 + ["held"] * 3)
    assert len(service.platform.received("o_1")) == 1 + 5
    service.say("o_1", "还在吗")
    service.eventually(lambda: states(service) == ["sent"] * 8)
    assert service.platform.received("o_1")[-1] == "第6句"


def test_after_a_click_three_messages_may_be_sent(service: Stage) -> None:
    told = service.event("o_1", "CLICK", "ask:怎么申请法律援助")
    assert told.reply is not None
    assert told.reply.startswith("答：怎么申请法律援助")
    staff_says(service, "o_1", ["一", "二", "三"])
    service.eventually(lambda: states(service) == ["sent"] * 3 + ["held"])


def staff_says(service: Stage, openid: str, said: list[str]) -> str:
    """Somebody takes over the conversation of a citizen and says that; gives the ticket."""
    with service.rooms.sessions() as session:
        mine = select(Person.conversation_id).where(Person.account == KEY)
        conversation = session.scalars(mine).one()
    assert conversation is not None
    return staff_says_in(service, conversation, said)


def staff_says_in(service: Stage, conversation: str, said: list[str]) -> str:
    ticket, _ = service.handovers.open(conversation, consent=True)
    staff = service.app.state.staff
    member, _token = staff.add(f"坐席{conversation}", ["agent"])
    service.handovers.claim(member, ticket["id"])
    for words in said:
        service.handovers.reply(member, ticket["id"], words)
    return str(ticket["id"])


def test_what_the_platform_says_of_the_quota_is_believed(service: Stage) -> None:
    service.platform.faults.append(45047)
    service.say("o_1", "slow 1")
    service.eventually(lambda: states(service) == ["held"])
    with service.rooms.sessions() as session:
        assert session.scalars(select(Person.sent_since_spoke)).one() == 5
        assert session.scalars(select(Outgoing.code)).one() == 45047
    service.say("o_1", "乙")
    service.eventually(lambda: states(service) == ["sent"])
    assert len(service.platform.received("o_1")) == 2


def test_a_closed_window_holds_the_message(service: Stage) -> None:
    service.say("o_1", "gated")
    service.answers.gate.clear()
    service.say("o_2", "gated")
    service.platform.end_windows("o_2")
    service.answers.gate.set()
    service.eventually(lambda: "held" in states(service))
    with service.rooms.sessions() as session:
        assert session.scalars(select(Outgoing.code)).all()[-1] == 45015


def test_a_platform_that_is_busy_is_asked_again(service: Stage) -> None:
    service.platform.faults.extend([-1, -1])
    service.say("o_1", "slow 1")
    service.eventually(lambda: states(service) == ["sent"])
    assert len(service.platform.received("o_1")) == 1


def test_a_token_that_was_replaced_or_has_ended_is_fetched_anew(service: Stage) -> None:
    service.say("o_1", "slow 0.8")
    service.eventually(lambda: states(service) == ["sent"])
    service.platform.end_tokens()
    service.say("o_1", "slow 0.9")
    service.eventually(lambda: states(service) == ["sent"] * 2)
    service.platform._tokens.clear()
    service.say("o_1", "slow 1")
    service.eventually(lambda: states(service) == ["sent"] * 3)
    assert service.platform.tokens_given == 3


def test_one_token_serves_all_who_send_at_once(service: Stage) -> None:
    async def ask() -> None:
        asked = (service.platform.text(f"o_{n}", "slow 0.7") for n in range(8))
        await asyncio.gather(*asked)

    service.run(ask())
    service.eventually(lambda: states(service) == ["sent"] * 8)
    assert service.platform.tokens_given == 1


def test_a_token_is_read_once_and_again_when_it_is_refused(service: Stage) -> None:
    post, reads = service.channel.post, []

    @event.listens_for(service.rooms.sessions.kw["bind"], "before_cursor_execute")
    def _note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if "SELECT wechat_tokens.sealed" in statement:
            reads.append(statement)

    client = post._clients[KEY]
    first = client.token()
    reads.clear()
    assert [client.token() for _ in range(3)] == [first] * 3
    assert reads == []
    service.platform._tokens.clear()
    assert client.token(refused=first) != first
    assert reads != []


def test_when_the_calls_are_used_up_the_account_pauses(service: Stage) -> None:
    service.platform.calls = 0
    service.say("o_1", "slow 1")
    service.eventually(lambda: service.count(Outgoing, Outgoing.code == 45009) == 1)
    assert states(service) == ["queued"]
    with service.rooms.sessions() as session:
        due = session.scalars(select(Outgoing.not_before)).one()
    assert due.replace(tzinfo=now().tzinfo) > now() + timedelta(minutes=4)


def test_what_may_have_arrived_is_not_sent_again_but_told_of(service: Stage) -> None:
    service.platform.faults.append("lost answer")
    service.say("o_1", "slow 1")
    service.eventually(lambda: states(service) == ["unknown"])
    told = service.say("o_1", "甲")
    assert told.reply is not None
    assert told.reply.endswith(wording.MAYBE_LOST)
    assert len(service.platform.received("o_1")) == 2
    again = service.say("o_1", "重发")
    assert again.reply is not None
    assert again.reply.startswith("答：slow 1")
    assert states(service) == ["sent"]


def test_where_the_record_can_be_read_it_decides(on_stage: Start) -> None:
    service = on_stage(reconcile=True)
    service.platform.faults.append("lost answer")
    service.say("o_1", "slow 0.8")
    service.eventually(lambda: states(service) == ["unknown"])
    with service.rooms.sessions.begin() as session:
        session.execute(update(Outgoing).values(attempted_at=now() - timedelta(seconds=11)))
    service.eventually(lambda: states(service) == ["sent"])
    assert len(service.platform.received("o_1")) == 1
    _as_if_killed_while_sending(service)
    service.eventually(lambda: states(service) == ["sent", "sent"])
    assert service.platform.received("o_1")[1:] == ["没有发出去的话"]


def _as_if_killed_while_sending(service: Stage) -> None:
    """What a worker leaves that died before it sent."""
    with service.rooms.sessions.begin() as session:
        person = session.scalars(select(Person.id)).one()
        at = now() - timedelta(minutes=2)
        session.add(
            Outgoing(
                account=KEY,
                person_id=person,
                source="answer",
                source_id="killed",
                part=0,
                text="没有发出去的话",
                state="sending",
                attempts=1,
                worker="dead",
                attempted_at=at,
                lease_until=at,
                not_before=at,
            )
        )


def test_what_a_dead_worker_has_begun_is_answered_once_by_another(service: Stage) -> None:
    service.say("o_1", "甲")
    with service.rooms.sessions.begin() as session:
        # As if it had died after the answer was stored, before the message was: see `Talks`.
        session.execute(
            update(Message).values(
                state="answering",
                delivery="pending",
                worker="dead",
                parts=None,
                lease_until=now() - timedelta(seconds=1),
                received_at=now() - timedelta(seconds=30),
            )
        )
    service.eventually(lambda: states(service) == ["sent"])
    assert service.answers.asked == ["甲"]
    assert service.count(AnswerRecord) == 1
    assert len(service.platform.received("o_1")) == 2


def test_a_message_that_kills_its_workers_is_not_tried_for_ever(service: Stage) -> None:
    service.say("o_1", "甲")
    with service.rooms.sessions.begin() as session:
        dead = {"state": "answering", "delivery": "pushed", "worker": "dead", "attempts": 3}
        session.execute(update(Message).values(lease_until=now() - timedelta(seconds=1), **dead))
    service.eventually(lambda: states(service) == ["sent"])
    assert service.platform.received("o_1")[-1] == wording.FAILED


def test_an_answer_that_fails_is_said_to_have_failed(service: Stage) -> None:
    service.answers.broken = True
    service.say("o_1", "甲")
    service.eventually(lambda: service.platform.received("o_1") == [wording.FAILED])


def test_following_no_more_erases_the_address_and_what_was_to_be_sent(service: Stage) -> None:
    service.platform.faults.append(45047)
    service.say("o_1", "slow 1")
    service.eventually(lambda: states(service) == ["held"])
    assert service.event("o_1", "unsubscribe").reply is None
    with service.rooms.sessions() as session:
        assert session.scalars(select(Person.sealed)).one() is None
        assert session.execute(select(Outgoing.state, Outgoing.text)).one() == ("expired", None)


def test_neither_openid_nor_words_are_anywhere_in_clear(service: Stage) -> None:
    service.answers.gate.clear()
    service.say("o_secret_person", "gated 我的秘密")
    tables = ("wechat_people", "wechat_messages", "wechat_outbox", "wechat_tokens")
    with service.rooms.sessions() as session:
        dump = "".join(str(session.execute(text(f"SELECT * FROM {t}")).all()) for t in tables)  # noqa: S608
    service.answers.gate.set()
    assert "o_secret_person" not in dump
    assert "秘密" not in dump
    service.eventually(lambda: states(service) == ["sent"])


def test_the_address_is_forgotten_when_nothing_may_be_sent_any_more(service: Stage) -> None:
    service.say("o_1", "甲")
    service.channel.post._tidy()
    with service.rooms.sessions.begin() as session:
        assert session.scalars(select(Person.sealed)).one() is not None
        session.execute(update(Person).values(spoke_at=now() - timedelta(hours=49)))
        session.execute(update(Message).values(received_at=now() - timedelta(days=4)))
    service.channel.post._tidy()
    with service.rooms.sessions() as session:
        assert session.scalars(select(Person.sealed)).one() is None
    assert service.count(Message) == 0


def test_what_waits_is_erased_with_the_conversation(service: Stage) -> None:
    service.platform.faults.append(45047)
    service.say("o_1", "slow 1")
    service.eventually(lambda: states(service) == ["held"])
    with service.rooms.sessions.begin() as session:
        conversation = session.scalars(select(Person.conversation_id)).one()
        assert conversation is not None
        forget(session, [conversation], now())
    with service.rooms.sessions() as session:
        assert session.execute(select(Outgoing.state, Outgoing.text)).one() == ("expired", None)
        assert session.scalars(select(Person.conversation_id)).one() is None
    assert service.say("o_1", "乙").reply is not None
    assert service.answers.histories[-1] == ()


def test_typing_is_shown_where_it_is_wanted(on_stage: Start) -> None:
    service = on_stage(typing=True)
    service.say("o_1", "甲")
    service.eventually(lambda: service.platform.typing == ["o_1"])
