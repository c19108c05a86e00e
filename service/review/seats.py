"""Who judges an answer: as many seats as it needs, each held for half an hour, then free again.

Of two who take the last seat at once one wins: a new seat by its primary key, a lapsed one by an
UPDATE under the condition that it has not changed hands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.auth import Member
from service.errors import Conflict
from service.models import Staff
from service.models.review import Review, ReviewSeat, ReviewTask
from service.review.access import utc

HELD = timedelta(minutes=30)


def of(session: Session, answer: str) -> Sequence[ReviewSeat]:
    return session.scalars(
        select(ReviewSeat).where(ReviewSeat.answer_id == answer).order_by(ReviewSeat.seat)
    ).all()


def take(session: Session, member: Member, answer: str, at: datetime) -> int:
    """The seat that the member now holds; one's own is held for longer. When all that an answer
    needs have judged it, whoever wants may give a further opinion. Raises Conflict."""
    needed = session.scalar(select(ReviewTask.needed).where(ReviewTask.answer_id == answer)) or 1
    seats = of(session, answer)
    for mine in seats:
        if mine.staff_id == member.id and mine.review_id is not None:
            raise Conflict("review_done", "您已经评过这个回答，可以在原来的评价上修改。")
        if mine.staff_id == member.id and _pass_on(session, mine, member, at):
            return mine.seat
    taken = {seat.seat: seat for seat in seats}
    complete = sum(seat.review_id is not None for seat in seats) >= needed
    for number in range(len(seats) + 1 if complete else max(needed, len(seats))):
        seat = taken.get(number)
        if seat is None and _sit_down(session, member, answer, number, at):
            return number
        lapsed = seat is not None and seat.review_id is None and utc(seat.until) < at
        if seat is not None and lapsed and _pass_on(session, seat, member, at):
            return number
    raise Conflict("review_taken", f"{_holders(session, answer, at)}正在评这个回答，请先评别的。")


def give_back(session: Session, member: Member, answer: str, at: datetime) -> None:
    """Free one's own seat, if one holds it without having judged."""
    session.execute(
        update(ReviewSeat)
        .where(
            ReviewSeat.answer_id == answer,
            ReviewSeat.staff_id == member.id,
            ReviewSeat.review_id.is_(None),
        )
        .values(until=at - timedelta(seconds=1))
    )


def fill(session: Session, answer: str, seat: int, review: str, at: datetime) -> None:
    """The seat is used for good; the task is done once as many have judged as it needs."""
    session.execute(
        update(ReviewSeat)
        .where(ReviewSeat.answer_id == answer, ReviewSeat.seat == seat)
        .values(review_id=review)
    )
    given = select(func.count()).select_from(Review).where(Review.answer_id == answer)
    session.execute(
        update(ReviewTask)
        .where(
            ReviewTask.answer_id == answer,
            ReviewTask.done_at.is_(None),
            ReviewTask.needed <= given.scalar_subquery(),
        )
        .values(done_at=at)
    )


def _sit_down(session: Session, member: Member, answer: str, number: int, at: datetime) -> bool:
    seat = ReviewSeat(answer_id=answer, seat=number, staff_id=member.id, until=at + HELD)
    try:
        with session.begin_nested():
            session.add(seat)
    except IntegrityError:
        return False
    return True


def _pass_on(session: Session, seat: ReviewSeat, member: Member, at: datetime) -> bool:
    changed = session.execute(
        update(ReviewSeat)
        .where(
            ReviewSeat.answer_id == seat.answer_id,
            ReviewSeat.seat == seat.seat,
            ReviewSeat.staff_id == seat.staff_id,
            ReviewSeat.until == seat.until,
            ReviewSeat.review_id.is_(None),
        )
        .values(staff_id=member.id, until=at + HELD)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def _holders(session: Session, answer: str, at: datetime) -> str:
    session.expire_all()
    names = session.scalars(
        select(Staff.name)
        .join(ReviewSeat, ReviewSeat.staff_id == Staff.id)
        .where(ReviewSeat.answer_id == answer, ReviewSeat.review_id.is_(None))
        .where(ReviewSeat.until >= at)
        .order_by(ReviewSeat.seat)
    )
    return "、".join(names) or "另一位同事"
