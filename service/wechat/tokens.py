"""The access token of an account: one for all processes, fetched by one of them at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import reading
from service.handover.views import utc
from service.models import now
from service.models.wechat import WeChatToken
from service.wechat.rows import insert_or_ignore, writing
from service.wechat.vault import Vault

# Within these last minutes the platform gives out the next token, and honours both.
_EARLY = timedelta(minutes=5)
_FETCHING = timedelta(seconds=15)  # after which whoever fetches is taken for dead
_WAIT_SECONDS, _LOOK_SECONDS = 20.0, 0.05
_DENIED = timedelta(hours=1)  # then it is tried again: permissions can be granted


class NoToken(Exception):
    """Nobody could fetch one in time."""


class Fetch(Protocol):
    """Asks the platform; gives the token and for how many seconds it is good."""

    def __call__(self) -> tuple[str, int]: ...


class Tokens:
    """Safe to share between threads; processes share through the database."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        vault: Vault,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._vault, self._clock = sessions, vault, clock
        # What was read last of each account, and until when it is good: each message needs it.
        self._seen: dict[str, tuple[str, datetime]] = {}

    def get(self, account: str, fetch: Fetch, *, refused: str | None = None) -> str:
        """A token that is good, fetched with `fetch` if need be. `refused` is one that the platform
        has just refused: whoever else has replaced it already is believed.
        Raises NoToken, and whatever `fetch` raises."""
        give_up = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < give_up:
            held = self._held(account, refused)
            if held is not None and held != refused:
                return held
            if self._lock(account):
                return self._fetched(account, fetch)
            time.sleep(_LOOK_SECONDS)
        raise NoToken

    def denied(self, account: str) -> bool:
        """Whether the platform has said lately that the account may not send."""
        with reading(self._sessions) as connection:
            at = connection.scalar(
                select(WeChatToken.denied_at).where(WeChatToken.account == account)
            )
        return at is not None and utc(at) > self._clock() - _DENIED

    def deny(self, account: str) -> None:
        with writing(self._sessions) as connection:
            insert_or_ignore(connection, WeChatToken, [{"account": account}])
            connection.execute(
                update(WeChatToken)
                .where(WeChatToken.account == account)
                .values(denied_at=self._clock())
            )

    def _held(self, account: str, refused: str | None) -> str | None:
        seen, until = self._seen.get(account, ("", self._clock()))
        if seen != (refused or "") and until > self._clock():
            return seen
        with reading(self._sessions) as connection:
            row = connection.execute(
                select(WeChatToken.sealed, WeChatToken.expires_at).where(
                    WeChatToken.account == account
                )
            ).one_or_none()
        if row is None or row.expires_at is None or utc(row.expires_at) - _EARLY <= self._clock():
            return None
        token = self._vault.unseal(row.sealed)
        if token is not None:
            self._seen[account] = token, utc(row.expires_at) - _EARLY
        return token

    def _lock(self, account: str) -> bool:
        at = self._clock()
        with writing(self._sessions) as connection:
            insert_or_ignore(connection, WeChatToken, [{"account": account}])
            locked = connection.scalars(
                update(WeChatToken)
                .where(
                    WeChatToken.account == account,
                    or_(WeChatToken.fetching_until.is_(None), WeChatToken.fetching_until < at),
                )
                .values(fetching_until=at + _FETCHING)
                .returning(WeChatToken.account)
            ).all()
        return bool(locked)

    def _fetched(self, account: str, fetch: Fetch) -> str:
        token, values = "", {}
        try:
            token, seconds = fetch()
            ends = self._clock() + timedelta(seconds=seconds)
            values = {"sealed": self._vault.seal(token), "expires_at": ends}
            self._seen[account] = token, ends - _EARLY
        finally:
            with writing(self._sessions) as connection:
                connection.execute(
                    update(WeChatToken)
                    .where(WeChatToken.account == account)
                    .values(fetching_until=None, **values)
                )
        return token
