"""What a callback is to us, and when two of them are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.wechat import text
from service.wechat.codec import CodecError, parse
from service.wechat.messages import Incoming, Kind, read, text_reply

BASE = {"ToUserName": "gh", "FromUserName": "o_1", "CreateTime": "1700000000"}


def message(**fields: str) -> Incoming:
    return read(BASE | fields)


def event(name: str, **fields: str) -> Incoming:
    return message(MsgType="event", Event=name, **fields)


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"MsgType": "text", "Content": "你好", "MsgId": "1"}, Kind.TEXT, "你好"),
        ({"MsgType": "voice", "Recognition": "欠薪怎么办", "MsgId": "1"}, Kind.VOICE, "欠薪怎么办"),
        ({"MsgType": "voice", "Recognition": "", "MsgId": "1"}, Kind.MEDIA, ""),
        ({"MsgType": "voice", "MsgId": "1"}, Kind.MEDIA, ""),
        ({"MsgType": "image", "MsgId": "1"}, Kind.MEDIA, ""),
        ({"MsgType": "video", "MsgId": "1"}, Kind.MEDIA, ""),
        ({"MsgType": "shortvideo", "MsgId": "1"}, Kind.MEDIA, ""),
        ({"MsgType": "location", "MsgId": "1"}, Kind.MEDIA, ""),
        ({"MsgType": "link", "MsgId": "1"}, Kind.MEDIA, ""),
        ({"MsgType": "brandnew", "MsgId": "1"}, Kind.MEDIA, ""),
        (
            {"MsgType": "text", "Content": "【收到不支持的消息类型，暂无法显示】", "MsgId": "1"},
            Kind.MEDIA,
            "",
        ),
        ({"MsgType": "event", "Event": "CLICK", "EventKey": "ask:公证"}, Kind.CLICK, "ask:公证"),
        ({"MsgType": "event", "Event": "VIEW", "EventKey": "https://x"}, Kind.OTHER, ""),
        ({"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH"}, Kind.OTHER, ""),
        ({"MsgType": "event", "Event": "subscribe"}, Kind.FOLLOW, ""),
        ({"MsgType": "event", "Event": "unsubscribe"}, Kind.UNFOLLOW, ""),
        ({"MsgType": "event"}, Kind.OTHER, ""),
    ],
)
def test_each_kind_is_told_apart(fields: dict[str, str], kind: Kind, words: str) -> None:
    incoming = read(BASE | fields)
    assert (incoming.kind, incoming.text) == (kind, words)


def test_a_parlour_is_known_by_its_code_when_following_and_when_scanning() -> None:
    assert event("subscribe", EventKey="qrscene_changfeng").scene == "changfeng"
    assert event("SCAN", EventKey="changfeng").scene == "changfeng"
    assert event("subscribe", EventKey="").scene == ""


def test_events_have_no_id_and_are_still_told_apart() -> None:
    """wechatpy gives each the id 0, so that the second is taken for the first."""
    keys = {
        event("CLICK", EventKey="ask:甲").key,
        event("CLICK", EventKey="ask:乙").key,
        event("VIEW", EventKey="ask:甲").key,
        event("CLICK", EventKey="ask:甲", CreateTime="1700000001").key,
        event("CLICK", EventKey="ask:甲", FromUserName="o_2").key,
    }
    assert len(keys) == 5
    assert event("CLICK", EventKey="ask:甲").key in keys


def test_a_message_is_the_same_by_its_id_alone() -> None:
    first = message(MsgType="text", Content="甲", MsgId="9")
    again = read(
        BASE | {"CreateTime": "1700000009", "MsgType": "text", "Content": "甲", "MsgId": "9"}
    )
    assert first.key == again.key
    assert first.key != message(MsgType="text", Content="甲", MsgId="10").key


def test_a_click_on_a_menu_message_opens_the_small_window() -> None:
    assert message(MsgType="text", Content="甲", MsgId="1", bizmsgmenuid="101").by_menu
    assert not message(MsgType="text", Content="甲", MsgId="1").by_menu


@pytest.mark.parametrize("fields", [{}, {"MsgType": "text"}, {"FromUserName": "o"}])
def test_what_has_no_sender_or_type_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(CodecError):
        read(fields)


def test_the_same_reply_has_the_same_bytes() -> None:
    incoming = message(MsgType="text", Content="甲", MsgId="1")
    reply = text_reply(incoming, "答]]>", 5)
    assert reply == text_reply(incoming, "答]]>", 5)
    assert parse(reply.encode()) == {
        "ToUserName": "o_1",
        "FromUserName": "gh",
        "CreateTime": "5",
        "MsgType": "text",
        "Content": "答]]>",
    }


PIECES = st.lists(
    st.sampled_from(
        [
            "请拨打电话",
            "。",
            "\n\n",
            "，",
            "021-52564588转8012",
            "12348",
            '<a href="https://sf.example.gov.cn/answer#abcdefgh0123456789">看完整回答</a>',
            "https://sf.example.gov.cn/legal-aid",
            "这是一句没有标点的话" * 9,
            "（一）",
            "😀",
        ]
    ),
    max_size=120,
)


@given(PIECES, st.integers(200, 2048))
def test_a_text_is_cut_into_whole_parts_that_fit(pieces: list[str], longest: int) -> None:
    whole = "".join(pieces)
    parts = text.split(whole, longest)
    assert all(0 < text.size(part) < longest for part in parts)
    assert "".join("".join(parts).split()) == "".join(whole.split())
    for part in parts:
        assert part.count("<a ") == part.count("</a>")
        for number in ("021-52564588转8012", "12348"):
            assert whole.count(number) == sum(p.count(number) for p in parts)
        assert part.count("https://") == part.count("#abcdefgh0123456789") + part.count(
            "/legal-aid"
        )


def test_it_is_cut_at_the_end_of_a_paragraph_before_that_of_a_sentence() -> None:
    words = "甲。" * 50 + "\n\n" + "乙。" * 50
    first, second = text.split(words, 400)
    assert first == "甲。" * 50
    assert second == "乙。" * 50


def test_what_fits_is_one_part_and_nothing_is_none() -> None:
    assert text.split("短") == ["短"]
    assert text.split(" \n ") == []
