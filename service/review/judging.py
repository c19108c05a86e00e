"""Judging answers, and seeing to it that what was wrong is answered better."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import documents
from service.audit import Purpose, append, record_reading
from service.auth import Member
from service.conversations import Answers
from service.errors import BadRequest, Conflict, NotAllowed, NotFound
from service.handover.words import clean, masked
from service.models import now
from service.models.review import Review
from service.review import seats, views
from service.review.access import refuse_own_work, seen
from service.review.rerun import ask_again
from service.review.words import LABELS, LONGEST_COMMENT, FollowUp, Verdict, better
from service.switches import Switches

_LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a reviewer says of an answer."""

    verdict: Verdict
    labels: tuple[str, ...] = ()
    comment: str = ""
    follow_up: FollowUp = FollowUp.NONE
    target: str = ""  # id of the document to mend


class Reviews:
    """Reviews from the first verdict to the end; each method is one transaction.

    A review with a follow-up is open until the question, asked again, is answered better: the new
    answer differs and a person gives it a better verdict; or a supervisor decides, with a reason.
    """

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def judge(self, member: Member, answer: str, judgement: Judgement) -> dict[str, Any]:
        """A new review. Raises BadRequest, NotFound, NotAllowed for one's own work, and Conflict
        while somebody else is at it or when one has judged it already."""
        try:
            with self._sessions.begin() as session:
                record = seen(session, member, answer)
                refuse_own_work(session, member, record.conversation_id)
                values = _checked(session, judgement)
                at = self._clock()
                seat = seats.take(session, member, answer, at)
                review = Review(
                    id=f"v_{secrets.token_urlsafe(12)}",
                    answer_id=answer,
                    conversation_id=record.conversation_id,
                    asked_at=record.asked_at,
                    topic=record.topic,
                    outcome=record.outcome,
                    region=record.region,
                    reviewer_id=member.id,
                    reviewed_at=at,
                    version=0,
                    **values,
                    **_state(member, judgement, at),
                )
                session.add(review)
                session.flush()
                seats.fill(session, answer, seat, review.id, at)
                self._record(session, member, review, "judge")
                return views.of_review(session, review)
        except IntegrityError:
            raise Conflict("review_done", "您已经评过这个回答，可以在原来的评价上修改。") from None

    def revise(
        self, member: Member, review: str, version: int, judgement: Judgement
    ) -> dict[str, Any]:
        """Change one's own review; what was asked again counts no more. Raises BadRequest,
        NotFound, NotAllowed for another's, Conflict when it was changed since `version`, or was
        brought to an end."""
        with self._sessions.begin() as session:
            row = _seen(session, member, review)
            if row.reviewer_id != member.id:
                raise NotAllowed("review_not_own", "只有评的人自己可以修改评价。")
            if row.closed_because in ("better", "decided"):
                raise Conflict("review_closed", "这条评价的跟进已经结束，不能再改。")
            values = _checked(session, judgement) | _state(member, judgement, self._clock())
            values |= {"rerun": None, "rerun_at": None, "rerun_by": None}
            values |= {"rerun_differs": None, "rerun_verdict": None}
            row = self._change(session, row, version, values)
            self._record(session, member, row, "revise")
            return views.of_review(session, row)

    def read(self, member: Member, review: str) -> dict[str, Any]:
        """All of a review with the question and both answers; that it was read goes on record.
        Raises NotFound."""
        with self._sessions.begin() as session:
            row = _seen(session, member, review)
            read = {row.answer_id: row.conversation_id}
            record_reading(session, member.id, "answer", read, Purpose.REVIEW, at=self._clock())
            return views.in_full(session, row)

    def rerun(self, member: Member, review: str, version: int, answers: Answers) -> dict[str, Any]:
        """Ask the question again and keep the answer in the review. Raises NotFound, and Conflict,
        also when the review was closed, or the question erased, while it was being answered."""
        off = Switches(self._sessions).off()
        with self._sessions() as session:
            row = _seen(session, member, review)
            _must_be_open(row, version)
            answer, differs = ask_again(session, answers, row.answer_id, off)
        with self._sessions.begin() as session:
            row = _seen(session, member, review)
            _must_be_open(row, version)
            values = {
                "rerun": answer,
                "rerun_at": self._clock(),
                "rerun_by": member.id,
                "rerun_differs": differs,
                "rerun_verdict": None,
            }
            row = self._change(session, row, version, values)
            self._record(session, member, row, "rerun", differs=differs)
            return views.in_full(session, row)

    def close(self, member: Member, review: str, version: int, verdict: Verdict) -> dict[str, Any]:
        """End a follow-up because the question asked again is answered better. Raises NotFound, and
        Conflict, saying why, where it is not."""
        with self._sessions.begin() as session:
            row = _seen(session, member, review)
            _must_be_open(row, version)
            if row.rerun is None:
                raise Conflict("rerun_missing", "还没有重新提问。请先重新提问，看现在怎么答。")
            if not row.rerun_differs:
                raise Conflict(
                    "rerun_same",
                    "重新提问得到的还是原来的回答，不能结束。请等内容修改并发布后再重新提问。",
                )
            if not better(Verdict(row.verdict), verdict):
                raise Conflict(
                    "rerun_not_better",
                    f"新回答被评为“{verdict.label}”，没有比原来的“{Verdict(row.verdict).label}”更好，"
                    "不能结束。",
                )
            values = self._closing(member, "better") | {"rerun_verdict": verdict.value}
            row = self._change(session, row, version, values)
            self._record(session, member, row, "close", after=verdict.value)
            return views.of_review(session, row)

    def decide(self, member: Member, review: str, version: int, reason: str) -> dict[str, Any]:
        """End a follow-up without a better answer, with a reason. Raises BadRequest, NotFound,
        Conflict."""
        reason = masked(reason, "理由", longest=_LONGEST_REASON)
        with self._sessions.begin() as session:
            row = _seen(session, member, review)
            _must_be_open(row, version)
            values = self._closing(member, "decided") | {"close_reason": reason}
            row = self._change(session, row, version, values)
            self._record(session, member, row, "decide")
            return views.of_review(session, row)

    def _closing(self, member: Member, because: str) -> dict[str, Any]:
        return {
            "status": "closed",
            "closed_at": self._clock(),
            "closed_by": member.id,
            "closed_because": because,
        }

    def _change(
        self, session: Session, row: Review, version: int, values: dict[str, Any]
    ) -> Review:
        """Of two who change a review at once one wins, and the other is told. Erasing raises no
        version: it takes the conversation out."""
        changed = session.execute(
            update(Review)
            .where(
                Review.id == row.id,
                Review.version == version,
                Review.conversation_id == row.conversation_id,
            )
            .values(version=version + 1, **({"changed_at": self._clock()} | values))
            .execution_options(synchronize_session=False)
        )
        if not changed.rowcount:  # type: ignore[attr-defined]
            _refuse_stale()
        session.expire_all()
        return session.get_one(Review, row.id)

    @staticmethod
    def _record(session: Session, member: Member, row: Review, verb: str, **detail: Any) -> None:
        append(
            session,
            actor=member.id,
            action=f"review.{verb}",
            subject="review",
            subject_id=row.id,
            detail={
                "answer": row.answer_id,
                "verdict": row.verdict,
                "follow_up": row.follow_up,
                "version": row.version,
                **detail,
            },
        )


def _checked(session: Session, judgement: Judgement) -> dict[str, Any]:
    """The columns of a judgement. Raises BadRequest."""
    unknown = set(judgement.labels) - set(LABELS)
    if unknown:
        raise BadRequest("label_unknown", f"标签只能是：{'、'.join(LABELS)}。")
    without_action = judgement.verdict.bad and judgement.follow_up is FollowUp.NONE
    comment = masked(
        judgement.comment,
        "评语（不对又不需要跟进，要写明为什么）" if without_action else "评语",
        longest=LONGEST_COMMENT,
        required=without_action,
    )
    target = clean(judgement.target, "要修改的内容", longest=200, required=False)
    if judgement.follow_up is FollowUp.MEND_ITEM:
        known = select(documents.c.id).where(documents.c.id == target)
        if not target or session.scalar(known) is None:
            raise BadRequest("target_unknown", "请选择要修改哪一条内容。")
    return {
        "verdict": judgement.verdict.value,
        "labels": [label for label in LABELS if label in judgement.labels],
        "comment": comment,
        "follow_up": judgement.follow_up.value,
        "target": target if judgement.follow_up is FollowUp.MEND_ITEM else "",
    }


def _state(member: Member, judgement: Judgement, at: datetime) -> dict[str, Any]:
    if judgement.follow_up is not FollowUp.NONE:
        nothing = {"closed_at": None, "closed_by": None, "closed_because": None}
        return {"status": "open", "changed_at": at, "close_reason": "", **nothing}
    return {
        "status": "closed",
        "changed_at": at,
        "close_reason": "",
        "closed_at": at,
        "closed_by": member.id,
        "closed_because": "nothing_due",
    }


def _seen(session: Session, member: Member, review: str) -> Review:
    row = session.get(Review, review)
    if row is None or not member.sees(row.region):
        raise NotFound("review_unknown", "没有这条评价，或者它不在您负责的地区。")
    return row


def _must_be_open(row: Review, version: int) -> None:
    if row.version != version:
        _refuse_stale()
    if row.status != "open":
        raise Conflict("review_closed", "这条评价没有待办的跟进。")


def _refuse_stale() -> NoReturn:
    raise Conflict("review_changed", "这条评价刚被别人改过，请刷新后再操作。")
