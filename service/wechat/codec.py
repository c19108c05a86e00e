"""The envelope of a callback: signature, encryption, and XML that cannot hurt.

Formats and both official signature vectors: decision 18. The same scheme carries 企业微信 and
微信客服, with the corporation's id in place of the appid (decision 19).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import ParseError, TreeBuilder

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

Mode = Literal["plain", "compatible", "safe"]

MAX_BODY = 64 * 1024  # bytes; the longest real callback has about 6 KB
_MAX_DEPTH, _MAX_ELEMENTS = 6, 200
_BLOCK = 32  # bytes; PKCS#7 over the length of the key, not of the cipher's block
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class CodecError(Exception):
    """A callback that is not taken; `status` is what the sender gets."""

    status = 400


class BadSignature(CodecError):
    """Not signed with our token, encrypted with another key, or meant for another account."""

    status = 403


class TooLarge(CodecError):
    status = 413


@dataclass(frozen=True, slots=True)
class Query:
    """What stands in the address of a callback."""

    signature: str = ""
    timestamp: str = ""
    nonce: str = ""
    msg_signature: str = ""
    encrypt_type: str = ""

    @property
    def encrypted(self) -> bool:
        return self.encrypt_type == "aes"


@dataclass(frozen=True, slots=True)
class Lock:
    """The pair of token and key with which a body was opened: the reply is locked with the same."""

    token: str
    key: bytes


def sign(*parts: str) -> str:
    """SHA-1 over the sorted parts, as the platform does it."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def key_bytes(encoding_aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9+/]{43}", encoding_aes_key):
        raise ValueError("EncodingAESKey has 43 letters and digits")
    return base64.b64decode(encoding_aes_key + "=")


class Codec:
    """Opens the callbacks of one account and makes its replies; safe to share between threads.

    Tokens and keys are tried in the order given: the current one, then the one before, so that
    changing them in the platform's console loses no message.
    """

    def __init__(
        self, appid: str, tokens: Sequence[str], keys: Sequence[bytes] = (), mode: Mode = "plain"
    ) -> None:
        if mode != "plain" and not keys:
            raise ValueError("this mode needs an EncodingAESKey")
        self._appid, self._tokens, self._keys, self._mode = appid, tuple(tokens), tuple(keys), mode

    def check(self, query: Query) -> None:
        """Raise BadSignature unless the address is signed with one of our tokens."""
        self._token(query.signature, query.timestamp, query.nonce)

    def open(self, body: bytes, query: Query) -> tuple[dict[str, str], Lock | None]:
        """The fields of a callback, and with what to lock the reply (None: plain).
        Raises CodecError."""
        if len(body) > MAX_BODY:
            raise TooLarge
        if not query.encrypted:
            if self._mode == "safe":
                raise BadSignature("plain text although the account is in safe mode")
            self.check(query)
            return parse(body), None
        if not self._keys:
            raise BadSignature("encrypted, and no EncodingAESKey is configured")
        cipher = parse(body).get("Encrypt", "")
        token = self._token(query.msg_signature, query.timestamp, query.nonce, cipher)
        text, key = self._decrypt(cipher)
        return parse(text), Lock(token, key)

    def reply(self, xml: str, lock: Lock | None) -> str:
        """The body of a response: the XML, or the envelope around it."""
        if lock is None:
            return xml
        cipher = encrypt(xml, lock.key, self._appid)
        stamp, nonce = str(int(time.time())), secrets.token_hex(8)
        return to_xml(
            {
                "Encrypt": cipher,
                "MsgSignature": sign(lock.token, stamp, nonce, cipher),
                "TimeStamp": int(stamp),
                "Nonce": nonce,
            }
        )

    def _token(self, signature: str, *signed: str) -> str:
        # All are compared, each in constant time: how long it takes tells nothing.
        right = [
            token
            for token in self._tokens
            if hmac.compare_digest(sign(token, *signed).encode(), signature.encode())
        ]
        if not right:
            raise BadSignature("the signature is not ours")
        return right[0]

    def _decrypt(self, cipher: str) -> tuple[bytes, bytes]:
        """The plain text, and the key that opened it."""
        for key in self._keys:
            try:
                return decrypt(cipher, key, self._appid), key
            except BadSignature:
                continue
        raise BadSignature("none of our keys opens it for our appid")


def encrypt(text: str, key: bytes, receiver: str) -> str:
    """16 random bytes, the length, the text, the receiver's id; AES-256-CBC, base64."""
    content = text.encode()
    plain = secrets.token_bytes(16) + len(content).to_bytes(4, "big") + content + receiver.encode()
    padding = _BLOCK - len(plain) % _BLOCK
    encryptor = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).encryptor()
    sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def decrypt(cipher: str, key: bytes, receiver: str) -> bytes:
    """The text. Raises BadSignature for whatever was not made with this key for this receiver:
    why is not told, so that nobody can feel his way along the padding."""
    try:
        sealed = base64.b64decode(cipher, validate=True)
    except ValueError as error:
        raise BadSignature("no base64") from error
    if not sealed or len(sealed) % 16:
        raise BadSignature("not whole blocks")
    decryptor = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).decryptor()
    plain = decryptor.update(sealed) + decryptor.finalize()
    padding = plain[-1]
    if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise BadSignature("another key")
    content = plain[:-padding]
    length = int.from_bytes(content[16:20], "big")
    text, named = content[20 : 20 + length], content[20 + length :]
    if len(content) < 20 or len(text) != length:
        raise BadSignature("another key")
    if not hmac.compare_digest(named, receiver.encode()):
        raise BadSignature("for another account")
    return text


class _Bounded(TreeBuilder):
    """Builds the tree, but none that is deep or large."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._count = 0

    def start(self, tag: str, attrs: Mapping[str, str], /) -> object:  # type: ignore[override]
        self._depth += 1
        self._count += 1
        if self._depth > _MAX_DEPTH or self._count > _MAX_ELEMENTS:
            raise CodecError("the XML is too deep or has too many elements")
        return super().start(tag, dict(attrs))

    def end(self, tag: str, /) -> object:  # type: ignore[override]
        self._depth -= 1
        return super().end(tag)


def parse(body: bytes) -> dict[str, str]:
    """The fields directly below the root, as text; what is nested is left out.
    Raises CodecError for what is no XML in UTF-8, has a DTD or entities, or is too deep."""
    parser = DefusedXMLParser(target=_Bounded(), encoding="utf-8", forbid_dtd=True)
    try:
        body.decode()  # so that no other encoding is guessed
        parser.feed(body)
        root = parser.close()
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise CodecError("not the XML of a callback") from error
    if root is None or root.tag != "xml":
        raise CodecError("not the XML of a callback")
    return {child.tag: (child.text or "").strip() for child in root}


def clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


def cdata(text: str) -> str:
    return "<![CDATA[" + clean(text).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def to_xml(fields: Mapping[str, str | int]) -> str:
    """Fields below a root `xml`; numbers bare, text as CDATA. Names must be our own."""
    inside = "".join(
        f"<{name}>{value if isinstance(value, int) else cdata(value)}</{name}>"
        for name, value in fields.items()
    )
    return f"<xml>{inside}</xml>"
