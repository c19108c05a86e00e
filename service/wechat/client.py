"""The platform's API: send, show that we type, look at what was sent, the menu.

What a failure means for the message is told by the kind of exception; the tokens in addresses are
never logged.
"""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from service.wechat.accounts import Account
from service.wechat.tokens import NoToken, Tokens

_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
_TOKEN_CODES = frozenset({40001, 40014, 42001})  # refused, malformed, expired
_BUSY = -1
_TRIES_WHEN_BUSY, _BUSY_SECONDS = 3, 0.2

# What each code says about a message; the numbers are the platform's.
WINDOW_CLOSED = frozenset({45015, 43004})  # nothing within 48 hours, or not following any more
USED_UP = frozenset({45047})  # as many as are allowed were sent
NO_PERMISSION = frozenset({48001, 48004})
TOO_OFTEN = frozenset({45009, 45011})  # per day, per minute
NEVER = frozenset({40003, 45002})  # no such address, too long
IP_NOT_LISTED = 40164


class ApiError(Exception):
    """The platform has refused; `code` is its errcode."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(f"{code} {message}")
        self.code = code


class NotSent(Exception):
    """It certainly did not arrive: no connection was made, or no token was to be had."""


class Unclear(Exception):
    """It was sent, and what became of it is not known."""


class Client:
    """One account at the platform; safe to share between threads."""

    def __init__(
        self, key: str, account: Account, tokens: Tokens, *, api: str, http: httpx.Client
    ) -> None:
        self._key, self._account, self._tokens = key, account, tokens
        self._api, self._http = api, http

    def send(self, openid: str, text: str) -> None:
        """A customer-service text message. Raises ApiError, NotSent, Unclear."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        self._call("/cgi-bin/message/custom/send", body)

    def typing(self, openid: str) -> None:
        """Show for some seconds that somebody is typing. Raises ApiError, NotSent, Unclear."""
        self._call("/cgi-bin/message/custom/typing", {"touser": openid, "command": "Typing"})

    def sent_between(self, start: datetime, end: datetime) -> list[tuple[str, str]]:
        """(openid, text) of what went out, by the platform's own record.
        Raises ApiError, NotSent, Unclear."""
        found: list[tuple[str, str]] = []
        position = 1
        while True:
            page = self._call(
                "/customservice/msgrecord/getmsglist",
                {
                    "starttime": int(start.timestamp()),
                    "endtime": int(end.timestamp()) + 1,
                    "msgid": position,
                    "number": 10_000,
                },
            )
            records = page.get("recordlist", [])
            found += [(r["openid"], r["text"]) for r in records if r.get("opercode") == 2002]
            if len(records) < 10_000:
                return found
            position = int(page["msgid"])

    def push_menu(self) -> None:
        self.token()  # where there is none, the platform's word says why
        self._call("/cgi-bin/menu/create", self._account.menu_json())

    def probe(self) -> str:
        """Whether the account may send: `allowed`, `denied`, or what the platform said. To nobody:
        a refusal of the address means that the permission was there."""
        try:
            self.send("consult-probe", "probe")
        except ApiError as error:
            if error.code in NO_PERMISSION:
                return "denied"
            return "allowed" if error.code in (40003, *WINDOW_CLOSED) else f"errcode {error.code}"
        return "allowed"

    def token(self, *, refused: str | None = None) -> str:
        """Raises ApiError, NotSent."""
        try:
            return self._tokens.get(self._key, self._fetch, refused=refused)
        except (NoToken, Unclear) as error:  # unclear of the token, so nothing has been sent
            raise NotSent("no access token") from error

    def _token(self, refused: str | None = None) -> str:
        """For a message: whatever the platform says of the token, it says nothing of that."""
        try:
            return self.token(refused=refused)
        except ApiError as error:
            raise NotSent(f"no access token: {error}") from error

    def _fetch(self) -> tuple[str, int]:
        got = self._post(
            "/cgi-bin/stable_token",
            {
                "grant_type": "client_credential",
                "appid": self._account.appid,
                "secret": self._account.secret.get_secret_value(),
                "force_refresh": False,
            },
        )
        return str(got["access_token"]), int(got["expires_in"])

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        token = self._token()
        try:
            return self._patiently(path, body, token)
        except ApiError as error:
            if error.code not in _TOKEN_CODES:
                raise
        return self._patiently(path, body, self._token(refused=token))

    def _patiently(self, path: str, body: dict[str, Any], token: str) -> dict[str, Any]:
        post = partial(self._post, path, body, access_token=token)
        for wait in range(1, _TRIES_WHEN_BUSY):
            try:
                return post()
            except ApiError as error:
                if error.code != _BUSY:
                    raise
            time.sleep(_BUSY_SECONDS * wait)
        return post()

    def _post(self, path: str, body: dict[str, Any], **query: str) -> dict[str, Any]:
        try:
            response = self._http.post(self._api + path, params=query, json=body, timeout=_TIMEOUT)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise Unclear(type(error).__name__) from error
        try:
            answer = response.json()
            code = int(answer.get("errcode", 0))
        except (ValueError, AttributeError, TypeError) as error:
            raise Unclear(f"HTTP {response.status_code}, no JSON") from error
        if code:
            raise ApiError(code, str(answer.get("errmsg", ""))[:200])
        result: dict[str, Any] = answer
        return result
