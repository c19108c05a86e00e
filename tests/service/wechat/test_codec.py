"""The envelope: signature, encryption, and XML, with wechatpy as the other side."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from service.wechat import codec
from service.wechat.codec import BadSignature, Codec, CodecError, Query, TooLarge, key_bytes
from tests.service.wechat.stage import AES, OLD_AES

APPID, TOKEN = "wxtest00000000", "abcdefgh"
_LETTERS = "工资拖欠，怎么办？😀<xml>&amp;]]>\n\t\"'abc０１２\u2028é"


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311


def random_text(rng: random.Random) -> str:
    return "".join(rng.choices(_LETTERS, k=rng.randint(0, 300)))


def safe(*, tokens: tuple[str, ...] = (TOKEN,), keys: tuple[str, ...] = (AES,)) -> Codec:
    return Codec(APPID, tokens, [key_bytes(key) for key in keys], "safe")


def sealed(
    xml: str, *, token: str = TOKEN, key: str = AES, appid: str = APPID
) -> tuple[bytes, Query]:
    cipher = codec.encrypt(xml, key_bytes(key), appid)
    body = codec.to_xml({"ToUserName": "gh_test", "Encrypt": cipher}).encode()
    signature = codec.sign(token, "1700000000", "nonce", cipher)
    return body, Query("", "1700000000", "nonce", signature, "aes")


@pytest.mark.parametrize(
    ("token", "timestamp", "nonce", "signature"),
    [
        ("AAAAA", "1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        ("AAAAA", "1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
    ],
)
def test_the_official_vectors(token: str, timestamp: str, nonce: str, signature: str) -> None:
    assert codec.sign(token, timestamp, nonce) == signature
    Codec("wx1", [token]).check(Query(signature, timestamp, nonce))


def test_two_thousand_messages_of_ours_are_read_by_wechatpy() -> None:
    rng, ours = seeded(1), safe()
    theirs = WeChatCrypto(TOKEN, AES, APPID)
    _, lock = ours.open(*sealed("<xml></xml>"))
    for _ in range(2000):
        xml = codec.to_xml({"Content": random_text(rng), "CreateTime": rng.randint(1, 10**9)})
        envelope = ours.reply(xml, lock)
        told = codec.parse(envelope.encode())
        read = theirs.decrypt_message(
            envelope, told["MsgSignature"], told["TimeStamp"], told["Nonce"]
        )
        assert (read if isinstance(read, str) else read.decode()) == xml


def test_two_thousand_messages_of_wechatpy_are_read_by_us() -> None:
    rng, ours = seeded(2), safe()
    theirs = WeChatCrypto(TOKEN, AES, APPID)
    for number in range(2000):
        words = random_text(rng)
        xml = codec.to_xml({"FromUserName": "o", "MsgType": "text", "Content": words, "MsgId": 7})
        envelope = codec.parse(theirs.encrypt_message(xml, f"n{number}", "1700000000").encode())
        query = Query("", "1700000000", f"n{number}", envelope["MsgSignature"], "aes")
        body = codec.to_xml({"Encrypt": envelope["Encrypt"]}).encode()
        fields, lock = ours.open(body, query)
        assert fields["Content"] == words.strip()
        assert lock is not None


def test_plain_messages_are_read_alike() -> None:
    rng = seeded(3)
    for number in range(200):
        words = random_text(rng).replace("]]>", "")
        sender: dict[str, str | int] = {"ToUserName": "gh", "FromUserName": "o", "CreateTime": 1}
        xml = codec.to_xml(sender | {"MsgType": "text", "Content": words, "MsgId": number})
        assert codec.parse(xml.encode())["Content"] == (parse_message(xml).content or "").strip()


def test_a_signature_of_ours_satisfies_wechatpy() -> None:
    check_signature(TOKEN, codec.sign(TOKEN, "1", "2"), "1", "2")


def test_the_token_and_key_before_the_current_ones_still_open_and_lock_the_reply() -> None:
    both = safe(tokens=("newtoken", TOKEN), keys=(OLD_AES, AES))
    body, query = sealed("<xml><A>1</A></xml>")
    fields, lock = both.open(body, query)
    assert fields == {"A": "1"}
    assert lock is not None
    assert (lock.token, lock.key) == (TOKEN, key_bytes(AES))
    reply = codec.parse(both.reply("<xml><B>2</B></xml>", lock).encode())
    assert codec.decrypt(reply["Encrypt"], key_bytes(AES), APPID) == b"<xml><B>2</B></xml>"


@pytest.mark.parametrize(
    "change", ["token", "key", "appid", "body", "signature", "empty signature", "not ascii"]
)
def test_whatever_is_not_ours_is_refused(change: str) -> None:
    body, query = sealed("<xml><A>1</A></xml>")
    if change == "token":
        body, query = sealed("<xml/>", token="another0")
    if change == "key":
        body, query = sealed("<xml/>", key=OLD_AES)
    if change == "appid":
        body, query = sealed("<xml/>", appid="wxother")
    if change == "body":
        body = body.replace(b"<Encrypt><![CDATA[", b"<Encrypt><![CDATA[AAAA")
    if change == "signature":
        query = Query("", "1700000001", "nonce", query.msg_signature, "aes")
    if change == "empty signature":
        query = Query("", "", "", "", "aes")
    if change == "not ascii":
        query = Query("", "1700000000", "nonce", "签名", "aes")
    with pytest.raises(BadSignature):
        safe().open(body, query)


def test_a_cipher_that_is_cut_or_has_a_wrong_length_inside_is_refused() -> None:
    key = key_bytes(AES)
    good = codec.encrypt("<xml/>", key, APPID)
    for cipher in ("", "A", "!!!!", good[:20], good[: len(good) // 2], "A" * 64):
        with pytest.raises(BadSignature):
            codec.decrypt(cipher, key, APPID)


def test_safe_mode_takes_no_plain_text_and_plain_mode_no_cipher() -> None:
    plain = Query(codec.sign(TOKEN, "1", "2"), "1", "2")
    with pytest.raises(BadSignature):
        safe().open(b"<xml><A>1</A></xml>", plain)
    with pytest.raises(BadSignature):
        Codec(APPID, [TOKEN]).open(*sealed("<xml/>"))
    assert Codec(APPID, [TOKEN]).open(b"<xml><A>1</A></xml>", plain) == ({"A": "1"}, None)


def test_compatible_mode_believes_the_cipher_and_not_what_stands_beside_it() -> None:
    both = Codec(APPID, [TOKEN], [key_bytes(AES)], "compatible")
    body, query = sealed("<xml><Content>真</Content></xml>")
    forged = body.replace(b"</xml>", "<Content>假</Content></xml>".encode())
    assert both.open(forged, query)[0] == {"Content": "真"}


BOMB = b"""<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<xml><Content>&b;</Content></xml>"""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<xml>",
        b"<html></html>",
        b"<xml><A>1</A></xml><xml/>",
        BOMB,
        b'<!DOCTYPE xml SYSTEM "http://evil/x.dtd"><xml/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><A>&e;</A></xml>',
        b"<xml>" + b"<a>" * 50 + b"</a>" * 50 + b"</xml>",
        b"<xml>" + b"<a/>" * 300 + b"</xml>",
        b"<xml><A>\x01</A></xml>",
        "<xml><A>甲</A></xml>".encode("gbk"),
        '<?xml version="1.0" encoding="utf-16"?><xml/>'.encode("utf-16"),
    ],
)
def test_xml_that_could_hurt_is_refused_with_one_kind_of_error(body: bytes) -> None:
    with pytest.raises(CodecError):
        codec.parse(body)


def test_what_is_too_large_is_refused_before_it_is_parsed() -> None:
    body, taker = b"<xml>" + b"x" * 10_000_000, safe()
    tracemalloc.start()
    with pytest.raises(TooLarge):
        taker.open(body, Query(encrypt_type="aes"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


def test_an_empty_root_is_no_bug() -> None:
    """wechatpy raises TypeError here."""
    assert codec.parse(b"<xml></xml>") == {}


def test_the_end_of_cdata_inside_a_text_survives() -> None:
    """wechatpy writes XML here that nobody can parse."""
    words = "前]]>后]]>]]"
    assert codec.parse(codec.to_xml({"Content": words}).encode())["Content"] == words


def test_control_characters_and_lone_surrogates_are_left_out() -> None:
    xml = codec.to_xml({"Content": "甲\x00\x08\x0b\ufffe\ud800乙\n丙"})
    assert codec.parse(xml.encode())["Content"] == "甲乙\n丙"


def test_a_key_that_is_no_key_is_refused() -> None:
    for wrong in ("", AES[:-1], AES + "A", "!" * 43):
        with pytest.raises(ValueError, match="43"):
            key_bytes(wrong)
    with pytest.raises(ValueError, match="EncodingAESKey"):
        Codec("wx1", ["t"], [], "safe")
