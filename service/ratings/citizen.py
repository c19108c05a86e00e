"""What citizens do: rate an event once, read what came of it; and the counts for everybody."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from knowledge.text import normalise
from service import privacy
from service.answering.hours import add_working_days as working_days_in_china
from service.errors import BadRequest, Conflict, NotFound
from service.models import Rating, RatingMove, RatingTicket, now
from service.ratings import views
from service.ratings.binding import EventKind, event
from service.ratings.circle import SHANGHAI, TO_CITIZEN, Deadlines, TicketStatus, WorkCalendar
from service.ratings.tickets import RatingTickets
from service.settings import Settings
from service.signing import BadToken, ExpiredToken, Signer, signing_key

# 国办发〔2019〕51号: five levels, of which the lower two are 差评.
LEVELS = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
SATISFIED_FROM, BAD_UP_TO = 3, 2

# 二级指标, online and at a window; the bureau may use other words (待区司法局确认口径).
_ONLINE = ("办事效率", "办事指南精确度", "便捷度", "平台操作性")
_IN_PERSON = ("服务效率", "服务水平", "服务态度")
ASPECTS = {EventKind.ANSWER: _ONLINE, EventKind.HANDOVER: (*_ONLINE, *_IN_PERSON)}
LONGEST_COMMENT = 500  # characters

BINDING_NOTE = (
    "评价对应到人（会话）、事（主题和所示内容）、承办（知识条目或工作人员）；待区司法局确认口径。"
)


class Ratings:
    """Ratings of one installation; safe to share between threads and processes."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        key: str,
        *,
        days: int = 30,
        deadlines: Deadlines | None = None,
        add_working_days: WorkCalendar = working_days_in_china,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._clock = sessions, clock
        self._signer = Signer(key, "rating", clock=clock)
        self._valid = timedelta(days=days)
        self.tickets = RatingTickets(
            sessions, deadlines=deadlines, add_working_days=add_working_days, clock=clock
        )

    @classmethod
    def of(
        cls,
        sessions: sessionmaker[Session],
        settings: Settings,
        *,
        add_working_days: WorkCalendar = working_days_in_china,
    ) -> Ratings:
        """As the settings say. Raises NotReady when the signing key is unusable."""
        return cls(
            sessions,
            signing_key(settings),
            days=settings.rating_days,
            deadlines=Deadlines(
                settings.rating_contact_days,
                settings.rating_mend_days,
                settings.rating_recheck_days,
            ),
            add_working_days=add_working_days,
        )

    def token_for(self, kind: str, event_id: str) -> str:
        """What lets its bearer rate that event once; `kind` is `answer` or `handover`."""
        return self._signer.sign(EventKind(kind).value, event_id)

    def rate(
        self, token: str, level: int, aspects: Sequence[str] = (), comment: str = ""
    ) -> dict[str, Any]:
        """Store the rating, and for a bad one its ticket, all or nothing; then `read` it.

        The same level again changes nothing and gives what is stored. Raises BadRequest for what is
        no rating, NotFound when the event is gone, Conflict for another level than the stored one
        or for a service that goes on.
        """
        kind, event_id = self._event_of(token, no_older_than=self._valid)
        if level not in LEVELS:
            raise BadRequest("rating_level_unknown", "请在五个等级（1至5）里选一个。")
        chosen = self._aspects(kind, aspects)
        words = _masked(comment)
        stored = self._stored(kind, event_id) or self._store(kind, event_id, level, chosen, words)
        if stored.level != level:
            raise Conflict(
                "rating_given",
                f"这次服务您已经评价为“{LEVELS[stored.level]}”，一次服务只能评价一次，不能更改。",
            )
        return self._shown(stored)

    def read(self, token: str) -> dict[str, Any]:
        """The rating given with that token, however old, and what came of it. Raises BadRequest for
        a token that is not ours, NotFound when nothing was rated."""
        kind, event_id = self._event_of(token, no_older_than=None)
        stored = self._stored(kind, event_id)
        if stored is None:
            raise NotFound("rating_unknown", "这次服务还没有评价。")
        return self._shown(stored)

    def summary(self) -> dict[str, Any]:
        """Counts for everybody, without anything personal; excluded ratings are counted apart.

        `satisfied` are levels 3 to 5: their number, and their share of all that count (None when
        there are none).
        """
        with self._sessions() as session:
            rows = session.execute(
                select(
                    Rating.month,
                    Rating.level,
                    Rating.excluded_at.is_not(None).label("excluded"),
                    func.count().label("n"),
                ).group_by(Rating.month, Rating.level, Rating.excluded_at.is_not(None))
            ).all()
            tickets = session.execute(
                select(RatingTicket.status, func.count().label("n")).group_by(RatingTicket.status)
            ).all()
        counted = [row for row in rows if not row.excluded]
        months = sorted({row.month for row in counted})
        unfinished = sum(t.n for t in tickets if not TicketStatus(t.status).finished)
        closed = sum(t.n for t in tickets if t.status == TicketStatus.CLOSED)
        return _counts(counted) | {
            "excluded": sum(row.n for row in rows if row.excluded),
            "tickets": {"open": unfinished, "closed": closed},
            "months": [
                {"month": month} | _counts([row for row in counted if row.month == month])
                for month in months
            ],
            "note": BINDING_NOTE,
        }

    def _event_of(self, token: str, *, no_older_than: timedelta | None) -> tuple[EventKind, str]:
        try:
            kind, event_id = self._signer.read(token, no_older_than=no_older_than)
            return EventKind(kind), event_id
        except ExpiredToken as error:
            raise BadRequest(
                "rating_token_expired", f"评价已截止：服务后{self._valid.days}天内可以评价。"
            ) from error
        except (BadToken, ValueError) as error:
            raise BadRequest(
                "rating_token_invalid", "评价凭证无效，请从回答页面或服务结束页面重新评价。"
            ) from error

    def _stored(self, kind: EventKind, event_id: str) -> Row[*tuple[Any, ...]] | None:
        """The rating of an event with its ticket, if it has one."""
        with self._sessions() as session:
            return session.execute(
                select(
                    Rating.level,
                    Rating.rated_at,
                    Rating.excluded_at,
                    RatingTicket.id.label("ticket"),
                    RatingTicket.status,
                    RatingTicket.due_at,
                    RatingTicket.version,
                )
                .join(RatingTicket, RatingTicket.rating_id == Rating.id, isouter=True)
                .where(Rating.event_kind == kind.value, Rating.event_id == event_id)
            ).one_or_none()

    def _store(
        self, kind: EventKind, event_id: str, level: int, aspects: list[str], comment: str
    ) -> Row[*tuple[Any, ...]]:
        with self._sessions() as session:
            about = event(session, kind, event_id)
        at, rating_id = self._clock(), f"r_{secrets.token_urlsafe(12)}"
        rating = {
            "id": rating_id,
            "event_kind": kind.value,
            "event_id": event_id,
            "level": level,
            "aspects": aspects,
            "comment": comment,
            "rated_at": at,
            "month": at.astimezone(SHANGHAI).strftime("%Y-%m"),
            "person": about.person,
            "region": about.region,
            "topic": about.topic,
            "matter": about.matter,
            "handler_kind": about.handler_kind,
            "handler_id": about.handler_id,
            "handler": about.handler,
        }
        taken: IntegrityError | None = None
        try:
            with self._sessions.begin() as session:
                session.execute(insert(Rating), rating)
                if level <= BAD_UP_TO:
                    self.tickets.open(session, rating_id, at)
        except IntegrityError as error:
            taken = error  # rated at the same time: whoever comes second reads the first
        stored = self._stored(kind, event_id)
        if stored is None:
            raise taken or RuntimeError("a rating was stored and is not there")
        return stored

    def _shown(self, stored: Row[*tuple[Any, ...]]) -> dict[str, Any]:
        return {
            "level": stored.level,
            "label": LEVELS[stored.level],
            "rated_at": views.iso(stored.rated_at),
            "counted": stored.excluded_at is None,
            "ticket": views.for_citizen(stored, self._told(stored)) if stored.ticket else None,
        }

    def _told(self, stored: Row[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
        if not stored.version:
            return ()  # nothing was done yet
        with self._sessions() as session:
            return session.execute(
                select(RatingMove.text, RatingMove.moved_at)
                .where(RatingMove.ticket_id == stored.ticket, RatingMove.action.in_(TO_CITIZEN))
                .order_by(RatingMove.version)
            ).all()

    @staticmethod
    def _aspects(kind: EventKind, aspects: Sequence[str]) -> list[str]:
        unknown = [a for a in aspects if a not in ASPECTS[kind]]
        if unknown:
            raise BadRequest(
                "rating_aspect_unknown", f"评价方面只能选：{'、'.join(ASPECTS[kind])}。"
            )
        return list(dict.fromkeys(aspects))


def form() -> dict[str, Any]:
    """What a page needs to ask for a rating: levels, aspects for each kind of event, limits."""
    return {
        "levels": [{"level": level, "label": label} for level, label in LEVELS.items()],
        "aspects": {kind.value: list(names) for kind, names in ASPECTS.items()},
        "max_comment_chars": LONGEST_COMMENT,
    }


def _masked(comment: str) -> str:
    text = comment.replace("\x00", "").strip()
    if len(text) > LONGEST_COMMENT:
        raise BadRequest(
            "rating_comment_too_long",
            f"意见太长了（{len(text)}字），请控制在{LONGEST_COMMENT}字以内。",
        )
    return privacy.mask(normalise(text.encode("utf-8", "replace").decode("utf-8"))).text


def _counts(rows: Sequence[Row[*tuple[Any, ...]]]) -> dict[str, Any]:
    total = sum(row.n for row in rows)
    satisfied = sum(row.n for row in rows if row.level >= SATISFIED_FROM)
    return {
        "total": total,
        "levels": [
            {"level": level, "label": label, "n": sum(r.n for r in rows if r.level == level)}
            for level, label in LEVELS.items()
        ],
        "satisfied": {"n": satisfied, "share": round(satisfied / total, 4) if total else None},
    }
