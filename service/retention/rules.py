"""How long each kind of data is kept, what would go, and the run that deletes it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.auth import Member
from service.errors import BadRequest, Conflict, NotFound
from service.models import RetentionRule, RetentionRun, Staff, now
from service.retention.kinds import KINDS, Cutoffs, Kind
from service.statistics import jobs
from service.statistics.counts import Counts
from service.statistics.days import china_day

log = structlog.get_logger()
LONGEST_DAYS = 3650
LONGEST_COMMENT = 300
_BATCH = 100
_BREATH = 0.05  # seconds between batches, in which those who answer get their turn
RULES = KINDS


class Retention:
    """Retention over one database; safe with several processes: one of them deletes."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        clock: Callable[[], datetime] = now,
        batch: int = _BATCH,
        breath: float = _BREATH,
    ) -> None:
        self._sessions, self._clock = sessions, clock
        self._counts = Counts(sessions, clock=clock)
        self._batch, self._breath = batch, breath

    def rules(self) -> list[dict[str, Any]]:
        """Each kind with its days, who set them and why, and what would go now."""
        with self._sessions() as session:
            newest = _newest(session)
            cutoffs = self._cutoffs(session)
            return [
                {
                    "kind": kind.key,
                    "title": kind.title,
                    "unit": kind.unit,
                    "days": newest[key].RetentionRule.days if key in newest else kind.days,
                    "default": kind.days,
                    "least": kind.least,
                    "why": kind.why,
                    "comment": newest[key].RetentionRule.comment if key in newest else "",
                    "by": newest[key].name if key in newest else "",
                    "set_at": _iso(newest[key].RetentionRule.set_at) if key in newest else None,
                    "due": _due(session, kind, cutoffs),
                }
                for key, kind in KINDS.items()
            ]

    def preview(self, key: str, days: int) -> dict[str, Any]:
        """{n, oldest, unit, days}: what would go if this kind were kept so many days. Raises
        BadRequest, NotFound."""
        kind = _kind(key)
        _check_days(kind, days)
        with self._sessions() as session:
            due = _due(session, kind, self._cutoffs(session, {key: days}))
            return due | {"unit": kind.unit, "days": days, "title": kind.title}

    def set(
        self, member: Member, key: str, days: int, *, comment: str, deletes: int
    ) -> dict[str, Any]:
        """Keep a kind so many days from now on. `deletes` is what the preview said would go: should
        it be more by now, Conflict says how many, and nothing is set. Raises BadRequest, NotFound.
        """
        kind, comment = _kind(key), comment.replace("\x00", "").strip()
        if not comment:
            raise BadRequest("comment_missing", "请写明依据或原因。")
        if len(comment) > LONGEST_COMMENT:
            raise BadRequest("comment_too_long", f"说明请控制在{LONGEST_COMMENT}字以内。")
        shown = self.preview(key, days)
        if shown["n"] > deletes:
            raise Conflict("retention_preview", f"{said(shown)}请先看清再保存。")
        with self._sessions.begin() as session:
            session.add(
                RetentionRule(
                    kind=key,
                    days=days,
                    comment=comment,
                    staff_id=member.id,
                    set_at=self._clock(),
                )
            )
            audit.append(
                session,
                actor=member.id,
                action="retention.set",
                subject="retention",
                subject_id=key,
                detail={"name": kind.title, "days": days, "comment": comment},
            )
        return shown

    def runs(self, *, limit: int = 20) -> list[dict[str, Any]]:
        """The last runs, the newest first."""
        with self._sessions() as session:
            rows = session.execute(
                select(RetentionRun, Staff.name)
                .outerjoin(Staff, RetentionRun.staff_id == Staff.id)
                .order_by(RetentionRun.started_at.desc(), RetentionRun.id)
                .limit(limit)
            )
            return [
                {
                    "started_at": _iso(row.RetentionRun.started_at),
                    "finished_at": _iso(row.RetentionRun.finished_at),
                    "by": row.name,
                    "counts": row.RetentionRun.counts,
                }
                for row in rows
            ]

    def run(self, member: Member | None = None, *, daily: bool = False) -> dict[str, int] | None:
        """Delete all that is due, a batch a transaction; how many of what. One that was cut off is
        gone on with. None when another process is at it or, with `daily`, it was done today."""
        today = china_day(self._clock())
        with self._sessions.begin() as session:
            holder = jobs.take(
                session, jobs.RETENTION, self._clock(), unless_done_on=today if daily else None
            )
            if holder is None:
                return None
            run = self._begin(session, member)
        try:
            counted = self._delete(run, holder)
        except BaseException:
            self._end(run, holder, done=None)
            raise
        if counted is not None:
            self._end(run, holder, done=today, member=member)
        return counted

    def _begin(self, session: Session, member: Member | None) -> str:
        unfinished = session.scalar(
            select(RetentionRun.id)
            .where(RetentionRun.finished_at.is_(None))
            .order_by(RetentionRun.started_at.desc())
            .limit(1)
        )
        if unfinished:
            return unfinished
        run = RetentionRun(
            id=f"run_{secrets.token_hex(6)}",
            started_at=self._clock(),
            staff_id=member.id if member else None,
            counts={},
        )
        session.add(run)
        session.flush()
        return run.id

    def _delete(self, run: str, holder: str) -> dict[str, int] | None:
        """None when the job was taken over."""
        with self._sessions() as session:
            counted: dict[str, int] = dict(
                session.scalar(select(RetentionRun.counts).where(RetentionRun.id == run)) or {}
            )
            cutoffs = self._cutoffs(session)
        for kind in KINDS.values():
            missed: set[Any] = set()  # what somebody has written to meanwhile: tomorrow
            while True:
                with self._sessions() as session:
                    due = kind.due(cutoffs).limit(self._batch + len(missed))
                    ids = [row[0] for row in session.execute(due) if row[0] not in missed]
                if not ids:
                    break
                try:
                    after = self._remove(run, holder, kind, ids, counted)
                except IntegrityError:
                    # One of them stays: the others are not to stay with it.
                    after = counted
                    for one in ids:
                        try:
                            after = self._remove(run, holder, kind, [one], after)
                        except IntegrityError:
                            log.warning("retention.left", kind=kind.key)
                            missed.add(one)
                        if after is None:
                            break
                if after is None:
                    return None
                counted = after
                time.sleep(self._breath)
        return counted

    def _remove(
        self, run: str, holder: str, kind: Kind, ids: Sequence[Any], counted: dict[str, int]
    ) -> dict[str, int] | None:
        """What was counted with these; None when the job was taken over."""
        with self._sessions.begin() as session:
            if not jobs.keep(session, jobs.RETENTION, holder, self._clock()):
                return None
            removed = kind.remove(session, self._counts, ids, self._clock())
            after = counted | {name: counted.get(name, 0) + n for name, n in removed.items()}
            session.execute(update(RetentionRun).where(RetentionRun.id == run).values(counts=after))
        return after

    def _end(
        self, run: str, holder: str, *, done: date | None, member: Member | None = None
    ) -> None:
        with self._sessions.begin() as session:
            jobs.release(session, jobs.RETENTION, holder, self._clock(), done=done)
            if done is None:
                return
            session.execute(
                update(RetentionRun).where(RetentionRun.id == run).values(finished_at=self._clock())
            )
            counts = session.scalar(select(RetentionRun.counts).where(RetentionRun.id == run))
            if not counts:
                return  # nothing went: nothing to put on record
            audit.append(
                session,
                actor=member.id if member else audit.SYSTEM,
                action="retention.purge",
                subject="retention",
                subject_id=run,
                detail=counts,
            )

    def _cutoffs(self, session: Session, other: dict[str, int] | None = None) -> Cutoffs:
        newest, at = _newest(session), self._clock()
        days = {key: kind.days for key, kind in KINDS.items()}
        days |= {key: row.RetentionRule.days for key, row in newest.items() if key in KINDS}
        days |= other or {}
        return Cutoffs({key: at - timedelta(days=n) for key, n in days.items()})


def said(shown: dict[str, Any]) -> str:
    """What a preview tells people."""
    if not shown["n"]:
        return "现在没有到期的数据。"
    oldest = china_day(datetime.fromisoformat(shown["oldest"]))
    return f"将删除 {shown['n']:,} {shown['unit']}，最早的是 {oldest}。"


def _due(session: Session, kind: Kind, cutoffs: Cutoffs) -> dict[str, Any]:
    rows = kind.due(cutoffs).subquery()
    n, oldest = session.execute(select(func.count(), func.min(rows.c[1])).select_from(rows)).one()
    return {"n": n, "oldest": _iso(oldest)}


def _newest(session: Session) -> dict[str, Any]:
    newest = select(func.max(RetentionRule.id)).group_by(RetentionRule.kind)
    rows = session.execute(
        select(RetentionRule, Staff.name)
        .join(Staff, RetentionRule.staff_id == Staff.id)
        .where(RetentionRule.id.in_(newest))
    )
    return {row.RetentionRule.kind: row for row in rows}


def _kind(key: str) -> Kind:
    if key not in KINDS:
        raise NotFound("retention_unknown", "没有这种数据。")
    return KINDS[key]


def _check_days(kind: Kind, days: int) -> None:
    if not kind.least <= days <= LONGEST_DAYS:
        raise BadRequest(
            "retention_days", f"“{kind.title}”的保存天数要在{kind.least}到{LONGEST_DAYS}之间。"
        )


def _iso(at: datetime | None) -> str | None:
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
