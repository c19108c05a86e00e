"""The answers that wait to be judged, what is due first at the top."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session, sessionmaker

from service.audit import append
from service.auth import Member
from service.errors import BadRequest, Conflict, NotFound
from service.handover.words import clean
from service.models import AnswerRecord, Staff, now
from service.models.review import Review, ReviewSeat, ReviewSettings, ReviewSkip, ReviewTask
from service.review import seats
from service.review.access import handled, iso, record_listing, refuse_own_work, seen, utc
from service.review.listing import COUNTED, shortened
from service.review.sampling import sample, settings_of
from service.review.words import REASONS

_TRIED = 20  # tasks that `next` offers itself before it says that all are taken
_LONGEST_REASON = 500

Condition = ColumnElement[bool]


class ReviewQueue:
    """What is to be judged, by whom it is taken; each method is one transaction."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def sample(self) -> int:
        """Look for answers that are to be judged; see `sampling.sample`."""
        with self._sessions.begin() as session:
            return sample(session, self._clock())

    def page(
        self, member: Member, *, reason: str = "", limit: int = 30, after: str = ""
    ) -> dict[str, Any]:
        """{tasks, next, waiting, overdue, counted_all}: those that the member may judge, due first;
        `after` is the last answer of the page before. Raises BadRequest, NotFound."""
        if reason and reason not in REASONS:
            raise BadRequest("reason_unknown", "没有这种待评原因。")
        with self._sessions.begin() as session:
            at = self._clock()
            sample(session, at)
            mine = _for(member)
            if reason:
                mine.append(getattr(ReviewTask, reason).is_(True))
            due_first = (
                select(ReviewTask.due_at)
                .where(*mine)
                .order_by(ReviewTask.due_at, ReviewTask.answer_id)
                .limit(COUNTED + 1)
                .subquery()
            )
            overdue_ones = func.count().filter(due_first.c.due_at < at)
            total, overdue = session.execute(
                select(func.count(), overdue_ones).select_from(due_first)
            ).one()
            if after:
                last = _task(session, member, after)
                mine.append(
                    tuple_(ReviewTask.due_at, ReviewTask.answer_id)
                    > tuple_(last.due_at, last.answer_id)
                )
            rows = _listed(session, mine, limit + 1)
            shown = rows[:limit]
            record_listing(session, member, "review_queue", {"reason": reason}, len(shown))
            return {
                "tasks": _views(session, shown, at),
                "next": shown[-1].ReviewTask.answer_id if len(rows) > limit else None,
                "waiting": min(total, COUNTED),
                "overdue": min(overdue, COUNTED),
                "counted_all": total <= COUNTED,
            }

    def take(self, member: Member, answer: str) -> dict[str, Any]:
        """Hold an answer for half an hour, so that nobody else judges it at the same time.
        Raises NotFound, NotAllowed for one's own work, Conflict when it is taken or done."""
        with self._sessions.begin() as session:
            found = seen(session, member, answer)
            refuse_own_work(session, member, found.conversation_id)
            at = self._clock()
            seats.take(session, member, answer, at)
            return {"answer": answer, "until": iso(at + seats.HELD)}

    def next(self, member: Member, *, reason: str = "") -> dict[str, Any]:
        """Take what is due first and free. Raises NotFound when nothing is left."""
        if reason and reason not in REASONS:
            raise BadRequest("reason_unknown", "没有这种待评原因。")
        self.sample()
        with self._sessions() as session:
            mine = _for(member)
            if reason:
                mine.append(getattr(ReviewTask, reason).is_(True))
            ids = [row.ReviewTask.answer_id for row in _listed(session, mine, _TRIED)]
        for answer in ids:
            try:
                return self.take(member, answer)
            except Conflict:
                continue
        raise NotFound("queue_empty", "眼下没有您可以评的回答了。")

    def release(self, member: Member, answer: str) -> dict[str, Any]:
        """Give back what one holds. Raises NotFound."""
        with self._sessions.begin() as session:
            seen(session, member, answer)
            seats.give_back(session, member, answer, self._clock())
            return {"answer": answer}

    def skip(self, member: Member, answer: str, reason: str = "") -> dict[str, Any]:
        """Pass over an answer for good: it waits for others. Raises BadRequest, NotFound."""
        reason = clean(reason, "跳过的原因", longest=_LONGEST_REASON, required=False)
        with self._sessions.begin() as session:
            _task(session, member, answer)
            at = self._clock()
            seats.give_back(session, member, answer, at)
            session.merge(
                ReviewSkip(answer_id=answer, staff_id=member.id, skipped_at=at, reason=reason)
            )
            append(
                session, actor=member.id, action="review.skip", subject="answer", subject_id=answer
            )
            return {"answer": answer}

    def settings(self) -> dict[str, Any]:
        """What is sampled."""
        with self._sessions.begin() as session:
            return _settings_view(settings_of(session))

    def set(
        self,
        member: Member,
        *,
        version: int,
        random_share: float,
        double_share: float,
        low_confidence: float,
    ) -> dict[str, Any]:
        """Change what will be sampled from now on; what is on the list stays. Raises Conflict when
        somebody has changed it since `version`."""
        values = {
            "random_share": random_share,
            "double_share": double_share,
            "low_confidence": low_confidence,
        }
        with self._sessions.begin() as session:
            row = settings_of(session)
            session.refresh(row, with_for_update=True)
            if row.version != version:
                raise Conflict("settings_changed", "设置刚被别人改过，请刷新后再改。")
            before = {name: getattr(row, name) for name in values}
            for name, value in values.items():
                setattr(row, name, value)
            row.version = version + 1
            append(
                session,
                actor=member.id,
                action="review.settings",
                subject="review_settings",
                subject_id="1",
                detail={"before": before, "after": values},
            )
            session.flush()
            return _settings_view(row)


def _for(member: Member) -> list[Condition]:
    """Tasks that are not done and that the member may judge."""
    own = select(Review.id).where(
        Review.answer_id == ReviewTask.answer_id, Review.reviewer_id == member.id
    )
    skipped = select(ReviewSkip.staff_id).where(
        ReviewSkip.answer_id == ReviewTask.answer_id, ReviewSkip.staff_id == member.id
    )
    mine = [
        ReviewTask.done_at.is_(None),
        ~own.exists(),
        ~skipped.exists(),
        ~handled(member, ReviewTask.conversation_id),
    ]
    return [*mine, *([ReviewTask.region == member.region] if member.region else [])]


def _task(session: Session, member: Member, answer: str) -> ReviewTask:
    task = session.get(ReviewTask, answer)
    if task is None or not member.sees(task.region):
        raise NotFound("task_unknown", "待评清单里没有这个回答。")
    return task


def _listed(session: Session, conditions: list[Condition], limit: int) -> list[Any]:
    rows = session.execute(
        select(
            ReviewTask,
            func.substr(AnswerRecord.question, 1, 120).label("question"),
            AnswerRecord.outcome,
            AnswerRecord.topic,
        )
        .join(AnswerRecord, AnswerRecord.id == ReviewTask.answer_id)  # one erased is none
        .where(*conditions)
        .order_by(ReviewTask.due_at, ReviewTask.answer_id)
        .limit(limit)
    )
    return list(rows)


def _views(session: Session, rows: list[Any], at: datetime) -> list[dict[str, Any]]:
    ids = [row.ReviewTask.answer_id for row in rows]
    held: dict[str, list[Any]] = {}
    for seat in session.execute(
        select(ReviewSeat.answer_id, ReviewSeat.until, ReviewSeat.review_id, Staff.name)
        .join(Staff, Staff.id == ReviewSeat.staff_id)
        .where(ReviewSeat.answer_id.in_(ids))
    ):
        held.setdefault(seat.answer_id, []).append(seat)
    return [_view(row, held.get(row.ReviewTask.answer_id, []), at) for row in rows]


def _view(row: Any, held: list[Any], at: datetime) -> dict[str, Any]:
    task: ReviewTask = row.ReviewTask
    return {
        "answer": task.answer_id,
        "asked_at": iso(task.asked_at),
        "question": shortened(row.question),
        "outcome": row.outcome,
        "topic": row.topic,
        "reasons": [reason for reason in REASONS if getattr(task, reason)],
        "due_at": iso(task.due_at),
        "overdue": utc(task.due_at) < at,
        "needed": task.needed,
        "done": sum(seat.review_id is not None for seat in held),
        "taken_by": [
            {"name": seat.name, "until": iso(seat.until)}
            for seat in held
            if seat.review_id is None and utc(seat.until) >= at
        ],
    }


def _settings_view(row: ReviewSettings) -> dict[str, Any]:
    return {
        "random_share": row.random_share,
        "double_share": row.double_share,
        "low_confidence": row.low_confidence,
        "version": row.version,
    }
