"""Whether a question is let through, and what keeps it from being answered twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import structlog
from sqlalchemy.orm import Session, sessionmaker

from knowledge import text
from service import privacy
from service.answering.danger import urgent_kind
from service.channels.gate.callers import Caller
from service.channels.gate.challenge import Challenges
from service.channels.gate.limits import Buckets, Limited, OneAtATime
from service.channels.gate.once import Bind, OnceOnly, digest_of
from service.channels.gate.sessions import WebSession, WebSessions
from service.channels.gate.sites import OWN_SITE, Site, Sites
from service.errors import BadRequest
from service.models.gate import Consent
from service.settings import Settings
from service.signing import signing_key

log = structlog.get_logger()
CONSENT_VERSION = "2026-12-01"  # of the words in web/widget/consent.js
_CONSENTS = (CONSENT_VERSION,)
_BURST_MINUTES = 2  # a pre-check is eleven quick questions, and no machine
_SOFT_SHARE = 3  # a machine is suspected when less than a third of a session's bucket is left
_HARD = 4  # times an address's soft limit: a thousand phones may share one address
_URGENT_PER_MINUTE = 20  # refused questions of an address that are still read for danger
_SITE_BURST_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came in."""

    question: str
    conversation: str | None = None
    on: str | None = None
    region: str | None = None
    key: str | None = None
    consent: str | None = None


@dataclass
class Admission:
    """A question that was let through; `answer` runs it once. `renewed` is the session's new
    token."""

    site: str
    renewed: str | None
    _once: OnceOnly
    _digest: str | None
    _consent: str | None
    _leave: Callable[[], None] = field(default=lambda: None)

    def answer(
        self,
        ask: Callable[[Bind], dict[str, Any]],
        again: Callable[[str], dict[str, Any]],
    ) -> dict[str, Any]:
        """See `OnceOnly.answer`; without a key it is simply asked."""
        try:
            if self._digest is None:
                return ask(self._agreed)
            return self._once.answer(
                self._digest, lambda bind: ask(lambda *stored: self._both(bind, *stored)), again
            )
        finally:
            self._leave()

    def _both(self, bind: Bind, session: Session, conversation: str, answer: str) -> None:
        bind(session, conversation, answer)
        self._agreed(session, conversation, answer)

    def _agreed(self, session: Session, conversation: str, _answer: str) -> None:
        version = self._consent
        if version and session.get(Consent, (conversation, version)) is None:
            session.add(Consent(conversation_id=conversation, version=version, site=self.site))
            session.flush()


class Gate:
    """One for a process; safe to share between threads."""

    def __init__(self, settings: Settings, sessions: Callable[[], sessionmaker[Session]]) -> None:
        self.sites = Sites.load(settings.home)
        self._settings, self._sessions = settings, sessions
        minute, day = settings.session_per_minute, settings.session_per_day
        self._session_minute = Buckets(minute / 60, _BURST_MINUTES * minute)
        self._session_soft = _BURST_MINUTES * minute / _SOFT_SHARE
        self._session_day = Buckets(day / 86_400, day)
        soft = settings.address_per_minute
        self._address_soft = Buckets(soft / 60, soft)
        self._address_hard = Buckets(_HARD * soft / 60, _HARD * soft)
        self._starts = Buckets(_HARD * soft / 60, _HARD * soft)
        self._programs = Buckets(settings.api_per_minute / 60, settings.api_per_minute)
        second = settings.site_per_second
        self._site = Buckets(second, second * _SITE_BURST_SECONDS)
        self._urgent = Buckets(_URGENT_PER_MINUTE / 60, _URGENT_PER_MINUTE)
        self._under_way = OneAtATime()

    @cached_property
    def _key(self) -> str:
        return signing_key(self._settings)

    @cached_property
    def web_sessions(self) -> WebSessions:
        return WebSessions(self._key)

    @cached_property
    def _challenges(self) -> Challenges:
        return Challenges(self._key)

    @cached_property
    def _once(self) -> OnceOnly:
        return OnceOnly(self._sessions())

    def start(self, site: str, caller: Caller) -> tuple[str, Site]:
        """A session's token for a site. Raises NotFound, NotAllowed, or Limited."""
        known = self.sites.required(site)
        token = self.web_sessions.start(known, caller)
        if wait := self._starts.take(caller.address):
            raise Limited(wait)
        return token, known

    def admit(self, asked: Asked, caller: Caller) -> Admission:
        """Let a question through. A browser needs a session; a program that names no page needs
        none. Raises NotSignedIn, NotAllowed, Limited, ChallengeNeeded or BadRequest."""
        if asked.consent is not None and asked.consent not in _CONSENTS:
            raise BadRequest("consent_unknown", "使用说明已经更新，请刷新页面后再发送。")
        digest = asked.key and digest_of(
            asked.key, asked.conversation, asked.question, asked.on, asked.region
        )
        if not caller.browser:
            return self._program(asked, caller, digest)
        session = self.web_sessions.read(caller)
        leave = self._passed(asked, caller, session, digest)
        renewed = self.web_sessions.renewed(session, caller)
        return Admission(session.site, renewed, self._once, digest, asked.consent, leave)

    def _program(self, asked: Asked, caller: Caller, digest: str | None) -> Admission:
        if wait := self._programs.take(caller.address):
            self._refuse(Limited(wait), asked, caller, digest)
        return Admission(OWN_SITE.id, None, self._once, digest, asked.consent)

    def _passed(
        self, asked: Asked, caller: Caller, session: WebSession, digest: str | None
    ) -> Callable[[], None]:
        """What is to be called when the question is answered."""
        # One that comes back with its puzzle solved was counted when the puzzle was set. Without a
        # key it could come again and again, and counts each time.
        counted = digest is not None and self._challenges.solved(caller.proof, session.id, digest)
        if not counted:
            wait = max(
                self._session_minute.take(session.id),
                self._session_day.take(session.id),
                self._address_hard.take(caller.address),
                self._site.take(session.site),
            )
            if wait:
                self._refuse(Limited(wait), asked, caller, digest)
                return _nothing
            self._suspect(asked, caller, session, digest)
        if not self._under_way.enter(session.id):
            self._refuse(
                Limited(3, code="one_at_a_time", why="上一个问题还在查找"), asked, caller, digest
            )
            return _nothing
        return lambda: self._under_way.leave(session.id)

    def _suspect(
        self, asked: Asked, caller: Caller, session: WebSession, digest: str | None
    ) -> None:
        """Raise ChallengeNeeded for one that looks like a machine, until it has done the work."""
        crowded = self._address_soft.take(caller.address) > 0
        if not crowded and self._session_minute.left(session.id) >= self._session_soft:
            return
        about = digest or digest_of("", asked.conversation, asked.question)
        if self._challenges.solved(caller.proof, session.id, about):
            return
        if not self._excused(asked, caller, digest):
            raise self._challenges.set(session.id, about)

    def _refuse(self, limited: Limited, asked: Asked, caller: Caller, digest: str | None) -> None:
        """Raise it, unless there is a reason to answer all the same."""
        if not self._excused(asked, caller, digest):
            log.info("gate.limited", code=limited.code, retry_after_s=limited.retry_after_s)
            raise limited

    def _excused(self, asked: Asked, caller: Caller, digest: str | None) -> bool:
        """Danger is always answered; so is what was asked already, and costs nothing."""
        if digest and self._once.known(digest):
            return True
        if self._urgent.take(caller.address):
            return False
        question = asked.question[: self._settings.max_question_chars]
        return urgent_kind(privacy.mask(text.normalise(question)).text) is not None


def _nothing() -> None: ...
