"""What is still to be done about answers: for reviewers all of it, for curators what they mend."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, sessionmaker

from service.audit import Purpose, record_reading
from service.auth import Member
from service.errors import NotFound
from service.models import AnswerRecord, now
from service.models.review import Review
from service.review import views

_OF_CONTENT = ("new_faq", "mend_item")


class FollowUps:
    """Open reviews, longest untouched first."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def page(
        self,
        member: Member,
        *,
        content_only: bool = False,
        status: str = "open",
        limit: int = 50,
        after: str = "",
    ) -> dict[str, Any]:
        """{reviews, next, total}, each with its question; that they were read goes on record.
        `content_only`: those that an editor of the knowledge base can do something about.
        Raises NotFound for an `after` that is not there."""
        with self._sessions.begin() as session:
            wanted = [Review.status == status]
            if member.region:
                wanted.append(Review.region == member.region)
            if content_only:
                wanted.append(Review.follow_up.in_(_OF_CONTENT))
            total = session.scalar(select(func.count()).select_from(Review).where(*wanted))
            place = tuple_(Review.changed_at, Review.id)
            order = (Review.changed_at, Review.id)
            if status == "closed":
                order = (Review.changed_at.desc(), Review.id.desc())  # type: ignore[assignment]
            if after:
                last = session.get(Review, after)
                if last is None or not member.sees(last.region):
                    raise NotFound("review_unknown", "没有这条评价，或者它不在您负责的地区。")
                there = tuple_(last.changed_at, last.id)
                wanted.append(place < there if status == "closed" else place > there)
            rows = list(
                session.scalars(select(Review).where(*wanted).order_by(*order).limit(limit + 1))
            )
            shown = rows[:limit]
            questions = dict(
                session.execute(
                    select(AnswerRecord.id, AnswerRecord.question).where(
                        AnswerRecord.id.in_([row.answer_id for row in shown])
                    )
                ).all()
            )
            read = {r.answer_id: r.conversation_id for r in shown if r.answer_id in questions}
            record_reading(session, member.id, "answer", read, Purpose.REVIEW, at=self._clock())
            return {
                "reviews": [
                    {**view, "question": questions.get(view["answer"])}
                    for view in views.of_reviews(session, shown)
                ],
                "next": shown[-1].id if len(rows) > limit else None,
                "total": total or 0,
            }
