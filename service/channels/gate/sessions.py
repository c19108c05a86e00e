"""Sessions of the web channel: half an hour, signed, good for one site on one origin."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.channels.gate.callers import Caller
from service.channels.gate.sites import Site
from service.errors import NotAllowed, NotSignedIn
from service.models import now
from service.signing import BadToken, ExpiredToken, Signer

LASTS = timedelta(minutes=30)
_OWN = "own"  # in place of the origin, for pages that we serve ourselves


@dataclass(frozen=True, slots=True)
class WebSession:
    """`id` stays the same however often the token is renewed."""

    id: str
    site: str


class WebSessions:
    """Gives out sessions, and reads them again; they are stored nowhere."""

    def __init__(self, key: str, *, clock: Callable[[], datetime] = now) -> None:
        self._signer = Signer(key, "web-session", clock=clock)

    def start(self, site: Site, caller: Caller) -> str:
        """A token for a site. Our own pages may be of any site (`/embed`), others of theirs only.
        Raises NotAllowed."""
        if not caller.own and caller.origin not in site.origins:
            raise NotAllowed(
                "origin_not_allowed", "这个网站没有登记使用本服务。您可以直接拨打12348咨询。"
            )
        return self._signed(WebSession(secrets.token_urlsafe(12), site.id), caller)

    def read(self, caller: Caller) -> WebSession:
        """The session that the caller shows. Raises NotSignedIn when there is none or it is over,
        NotAllowed when it was given to another origin."""
        if not caller.session:
            raise NotSignedIn("session_needed", "请刷新页面再试。")
        try:
            session, site, origin = self._signer.read(caller.session, no_older_than=LASTS)
        except ExpiredToken as error:
            raise NotSignedIn("session_expired", "页面放得太久了，请再发一次。") from error
        except (BadToken, ValueError) as error:
            raise NotSignedIn("session_invalid", "请刷新页面再试。") from error
        if origin != _origin(caller):
            raise NotAllowed("session_foreign", "这个会话不是在本网站开始的，请刷新页面再试。")
        return WebSession(session, site)

    def renewed(self, session: WebSession, caller: Caller) -> str:
        """The same session, good for another half hour."""
        return self._signed(session, caller)

    def _signed(self, session: WebSession, caller: Caller) -> str:
        return self._signer.sign(session.id, session.site, _origin(caller))


def _origin(caller: Caller) -> str:
    return _OWN if caller.own else caller.origin
