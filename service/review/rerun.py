"""A question asked again over what is published now, and whether that gave another answer."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from knowledge.store import today_in_china
from service.answering.draft import Off, Turn
from service.conversations import REMEMBERED, Answers, turn_of
from service.errors import NotFound
from service.models import AnswerRecord
from service.review.access import utc

# Of a step and of whom to call: what a citizen would act upon, not what depends on the hour.
_OF_STEP = ("title", "how", "where", "phone", "hours", "fee", "deadline")
_OF_TARGET = ("title", "phone", "where", "hours", "note")


def ask_again(
    session: Session, answers: Answers, answer_id: str, off: Off
) -> tuple[dict[str, Any], bool]:
    """The new answer's JSON, and whether it differs. The history is the one of then; the day is
    today, unless the citizen asked about another; what is switched off is not said. Raises NotFound
    for an answer that was erased."""
    record = session.get(AnswerRecord, answer_id)
    if record is None:
        raise NotFound("answer_erased", "原来的问答已按规定清除，不能重新提问。")
    earlier = session.scalars(
        select(AnswerRecord)
        .where(
            AnswerRecord.conversation_id == record.conversation_id,
            tuple_(AnswerRecord.asked_at, AnswerRecord.id) < tuple_(record.asked_at, record.id),
        )
        .order_by(AnswerRecord.asked_at.desc(), AnswerRecord.id.desc())
        .limit(REMEMBERED)
    )
    history: tuple[Turn, ...] = tuple(turn_of(turn) for turn in earlier)[::-1]
    answer = answers.answer(
        record.question, on=_day(record), region=record.region, history=history, off=off
    ).to_json()
    return answer, differs(record.answer, answer)


def _day(record: AnswerRecord) -> date:
    given = record.answer.get("as_of")
    if given and date.fromisoformat(given) != today_in_china(utc(record.asked_at)):
        return date.fromisoformat(given)  # asked about a day in the past
    return today_in_china()


def differs(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether a citizen is told something else: how sure we are and how long it took is not it."""
    return _told(before) != _told(after)


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    handover = answer.get("handover") or {}
    return {
        "outcome": answer.get("outcome"),
        "caution": answer.get("caution"),
        "summary": answer.get("summary"),
        "citations": [
            (c.get("law"), c.get("article"), c.get("text")) for c in answer.get("citations") or ()
        ],
        "steps": [tuple(s.get(key) for key in _OF_STEP) for s in answer.get("steps") or ()],
        "notices": list(answer.get("notices") or ()),
        "clarify": list(answer.get("clarify") or ()),
        "handover": (
            handover.get("kind"),
            handover.get("reason"),
            [tuple(t.get(key) for key in _OF_TARGET) for t in handover.get("targets") or ()],
        ),
    }
