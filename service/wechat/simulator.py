"""A WeChat platform of one's own, to test with and to try things by hand.

It sends signed callbacks, cuts them off at five seconds and tries three times; it gives out access
tokens that end, takes customer-service messages within the quotas, keeps a record of them, and
refuses with the platform's codes: 40001 and 42001 (token), 40003 (address), 45002 (length), 45009
(calls used up), 45015 (window closed), 45047 (count used up), 48001 (no permission). Two things no
document says are decided here: after a connection that fails it waits until the five seconds are
over before it tries again, and two windows that are open at once count separately.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.wechat.accounts import Account
from service.wechat.codec import decrypt, encrypt, key_bytes, parse, sign, to_xml

CUT, TRIES = 5.0, 3  # seconds, times
_MESSAGE_WINDOW, _AFTER_MESSAGE = 48 * 3600.0, 5
_ACTION_WINDOW, _AFTER_ACTION = 60.0, 3
_ACTIONS = frozenset({"subscribe", "SCAN", "CLICK"})
_LONGEST = 2048
_MESSAGES = {
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40125: "invalid appsecret",
    42001: "access_token expired",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    48001: "api unauthorized",
    -1: "system error",
}

Fault = int | Literal["hang", "lost answer"]


@dataclass
class Window:
    """How many messages may still be sent to somebody, and until when."""

    left: int = 0
    until: float = 0.0

    def take(self, at: float) -> bool:
        if at >= self.until or self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass
class Follower:
    message: Window = field(default_factory=Window)
    action: Window = field(default_factory=Window)
    following: bool = True


@dataclass(frozen=True)
class Delivered:
    """What a citizen sees in his chat."""

    openid: str
    text: str
    way: Literal["passive", "custom"]
    at: float


@dataclass(frozen=True)
class Callback:
    """What became of a callback: seconds of each try, and the reply (None: none or `success`)."""

    seconds: tuple[float, ...]
    reply: str | None
    accepted: bool


class Platform:
    """One account at the platform. `url` is the callback; `app` serves the API."""

    def __init__(
        self,
        account: Account,
        url: str,
        *,
        permission: bool = True,
        token_life: float = 7200.0,
        calls: int = 1_000_000,
    ) -> None:
        self._account, self._url = account, url
        self.permission, self.token_life, self.calls = permission, token_life, calls
        self.original_id = account.original_id or "gh_simulated"
        self.delivered: list[Delivered] = []
        self.typing: list[str] = []
        self.menu: dict[str, Any] | None = None
        self.faults: deque[Fault] = deque()  # what happens to the next messages sent
        self.tokens_given = 0
        self._tokens: dict[str, float] = {}  # token → when it ends
        self._followers: dict[str, Follower] = {}
        self._ids = itertools.count(int(time.time()) * 1_000_000)
        # Those that no callback is using. One for each callback under way, each with the connection
        # that it keeps: a pool is searched from end to end for each request, and with five hundred
        # in one the platform was slower than what it was to try.
        self._idle: list[httpx.AsyncClient] = []
        self.app = Starlette(
            routes=[
                Route("/cgi-bin/stable_token", self._stable_token, methods=["POST"]),
                Route("/cgi-bin/message/custom/send", self._send, methods=["POST"]),
                Route("/cgi-bin/message/custom/typing", self._typing, methods=["POST"]),
                Route("/cgi-bin/menu/create", self._menu, methods=["POST"]),
                Route("/customservice/msgrecord/getmsglist", self._records, methods=["POST"]),
            ]
        )

    # Citizens

    async def text(self, openid: str, content: str, **more: str) -> Callback:
        return await self.message(openid, {"MsgType": "text", "Content": content, **more})

    async def event(self, openid: str, event: str, key: str = "", **more: str) -> Callback:
        fields = {"MsgType": "event", "Event": event, "EventKey": key, **more}
        return await self.message(openid, fields)

    async def message(self, openid: str, fields: Mapping[str, str]) -> Callback:
        """A citizen sends something; it is tried until it is taken, or three times."""
        self._open_window(openid, fields)
        told: dict[str, str | int] = {
            "ToUserName": self.original_id,
            "FromUserName": openid,
            "CreateTime": int(time.time()),
            **fields,
        }
        if fields["MsgType"] != "event":
            told["MsgId"] = next(self._ids)
        xml, seconds = to_xml(told), []
        for _ in range(TRIES):
            began = time.monotonic()
            response = await self._post(xml)
            seconds.append(time.monotonic() - began)
            if response is not None and response.status_code == 200:
                reply = self._read(response.text)
                if reply is not None:
                    self.delivered.append(Delivered(openid, reply, "passive", time.time()))
                return Callback(tuple(seconds), reply, accepted=True)
            await asyncio.sleep(max(0.0, CUT - seconds[-1]))
        return Callback(tuple(seconds), None, accepted=False)

    async def verify(self) -> bool:
        """What the console does when the address is entered."""
        echo = secrets.token_hex(8)
        async with self._client() as http:
            params = {**self._signed(), "echostr": echo}
            response = await http.get(self._url, params=params, timeout=CUT)
        return response.status_code == 200 and response.text == echo

    def received(self, openid: str) -> list[str]:
        return [message.text for message in self.delivered if message.openid == openid]

    async def close(self) -> None:
        for client in self._idle:
            await client.aclose()
        self._idle.clear()

    def _open_window(self, openid: str, fields: Mapping[str, str]) -> None:
        follower, at = self._followers.setdefault(openid, Follower()), time.time()
        event = fields.get("Event", "")
        if event == "unsubscribe":
            self._followers[openid] = Follower(following=False)
        elif event in _ACTIONS or "bizmsgmenuid" in fields:
            follower.action, follower.following = Window(_AFTER_ACTION, at + _ACTION_WINDOW), True
        elif not event:
            follower.message, follower.following = (
                Window(_AFTER_MESSAGE, at + _MESSAGE_WINDOW),
                True,
            )

    def end_windows(self, openid: str) -> None:
        """As if 48 hours had gone by."""
        self._followers[openid] = Follower()

    async def _post(self, xml: str) -> httpx.Response | None:
        params, body = self._signed(), xml
        if self._account.mode != "plain":
            cipher = encrypt(xml, self._key(), self._account.appid)
            stamp, nonce = params["timestamp"], params["nonce"]
            params |= {"encrypt_type": "aes"}
            params |= {"msg_signature": sign(self._token(), stamp, nonce, cipher)}
            sealed = {"ToUserName": self.original_id, "Encrypt": cipher}
            plain = xml.removeprefix("<xml>").removesuffix("</xml>")
            body = to_xml(sealed)
            if self._account.mode == "compatible":
                body = body.replace("</xml>", plain + "</xml>")
        try:
            async with asyncio.timeout(CUT), self._client() as http:
                return await http.post(self._url, params=params, content=body.encode())
        except (httpx.HTTPError, TimeoutError):
            return None

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        if self._idle:
            client = self._idle.pop()
        else:  # without certificates, which take a while to read: it only speaks HTTP
            client = httpx.AsyncClient(timeout=CUT, trust_env=False, verify=False)  # noqa: S501
        try:
            yield client
        finally:
            self._idle.append(client)

    def _signed(self) -> dict[str, str]:
        stamp, nonce = str(int(time.time())), secrets.token_hex(5)
        return {
            "signature": sign(self._token(), stamp, nonce),
            "timestamp": stamp,
            "nonce": nonce,
        }

    def _read(self, body: str) -> str | None:
        """The text of a reply. Raises for what the platform would show as out of service."""
        if body in ("", "success"):
            return None
        fields = parse(body.encode())
        if "Encrypt" in fields:
            cipher = fields["Encrypt"]
            signed = sign(self._token(), fields["TimeStamp"], fields["Nonce"], cipher)
            if signed != fields["MsgSignature"]:
                raise ValueError("the reply is not signed")
            fields = parse(decrypt(cipher, self._key(), self._account.appid))
        elif self._account.mode == "safe":
            raise ValueError("a plain reply in safe mode")
        return fields["Content"]

    def _token(self) -> str:
        return self._account.token.get_secret_value()

    def _key(self) -> bytes:
        if self._account.aes_key is None:
            raise ValueError("no key")
        return key_bytes(self._account.aes_key.get_secret_value())

    # The API

    def end_tokens(self) -> None:
        """As if all had ended."""
        self._tokens = dict.fromkeys(self._tokens, 0.0)

    async def _stable_token(self, request: Request) -> Response:
        body = await request.json()
        right = (self._account.appid, self._account.secret.get_secret_value())
        if (body.get("appid"), body.get("secret")) != right:
            return _refusal(40125)
        at = time.time()
        good = [token for token, ends in self._tokens.items() if ends - 300 > at]
        if not good:
            self.tokens_given += 1
            good = [f"tok_{secrets.token_urlsafe(24)}"]
            self._tokens[good[0]] = at + self.token_life
        ends = self._tokens[good[0]]
        return JSONResponse({"access_token": good[0], "expires_in": int(ends - at)})

    def _refused_token(self, request: Request) -> int:
        ends = self._tokens.get(request.query_params.get("access_token", ""))
        return 40001 if ends is None else 42001 if ends <= time.time() else 0

    async def _send(self, request: Request) -> Response:
        body = json.loads(await request.body())
        fault = self.faults.popleft() if self.faults else 0
        if isinstance(fault, int):
            code = fault or self._refused_token(request) or self._refused_message(body)
        else:
            code = self._refused_token(request) or self._refused_message(body)
        if code:
            return _refusal(code)
        said = Delivered(body["touser"], body["text"]["content"], "custom", time.time())
        self.delivered.append(said)
        if fault == "hang":
            await asyncio.sleep(60)
        if fault == "lost answer":
            return Response(status_code=502)
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    def _refused_message(self, body: Mapping[str, Any]) -> int:
        if not self.permission:
            return 48001
        if self.calls < 1:
            return 45009
        self.calls -= 1
        follower, at = self._followers.get(str(body.get("touser"))), time.time()
        if follower is None:
            return 40003
        if len(body["text"]["content"].encode()) > _LONGEST:
            return 45002
        windows = (follower.message, follower.action)
        if not follower.following or all(at >= window.until for window in windows):
            return 45015
        return 0 if any(window.take(at) for window in windows) else 45047

    async def _typing(self, request: Request) -> Response:
        body = await request.json()
        if code := self._refused_token(request) or (0 if self.permission else 48001):
            return _refusal(code)
        self.typing.append(body["touser"])
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    async def _menu(self, request: Request) -> Response:
        if code := self._refused_token(request):
            return _refusal(code)
        self.menu = await request.json()
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    async def _records(self, request: Request) -> Response:
        if code := self._refused_token(request):
            return _refusal(code)
        body = await request.json()
        return JSONResponse(_records(self.delivered, **body))


def _records(
    delivered: Iterable[Delivered], *, starttime: int, endtime: int, msgid: int, number: int
) -> dict[str, Any]:
    custom = [m for m in delivered if m.way == "custom" and starttime <= m.at <= endtime]
    page = custom[msgid - 1 : msgid - 1 + number]
    return {
        "recordlist": [
            {"openid": m.openid, "opercode": 2002, "text": m.text, "time": int(m.at), "worker": ""}
            for m in page
        ],
        "number": len(page),
        "msgid": msgid + len(page),
    }


def _refusal(code: int) -> JSONResponse:
    return JSONResponse({"errcode": code, "errmsg": _MESSAGES.get(code, "error")})
