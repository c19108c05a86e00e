"""What the person needs to know who takes over: the conversation so far, and why we stopped.

Everything in it is masked: questions were masked before they were stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.errors import NotFound
from service.handover.views import moment
from service.models import AnswerRecord, Conversation

_QUESTIONS = 20  # the newest; the first one is always among them
_SHORT = 120  # characters of a question in the summary
_URGENT = "handover_urgent"
_WITH_PERSON = "handover_with_person"

_REASONS = {
    "requested": "市民要求与人沟通。",
    "unsure": "没有足够把握回答，请人来答。",
    "urgent": "市民的话里有紧急情况。",
}


@dataclass(frozen=True, slots=True)
class Packet:
    """The content of a ticket, before there is one."""

    answer_id: str | None
    kind: str
    topic: str | None
    region: str | None
    reason: str
    content: dict[str, Any]


def build(session: Session, conversation: str, answer_id: str | None, note: str) -> Packet:
    """The packet about one answer, the last one if None.

    Raises NotFound for a conversation, or an answer in it, that is not there.
    """
    if session.get(Conversation, conversation) is None:
        raise NotFound("conversation_unknown", "这个会话不存在或已清除，请重新开始提问。")
    asked, total = _asked(session, conversation)
    if answer_id is None and asked:
        answer_id = asked[-1].id
    about = session.get(AnswerRecord, answer_id) if answer_id is not None else None
    if answer_id is not None and (about is None or about.conversation_id != conversation):
        raise NotFound("answer_unknown", "这个会话里没有您说的那个回答。")
    danger = _danger(session, conversation)
    kind = "urgent" if danger is not None else _kind(about)
    reason = _reason(kind, about)
    topic, region = (about.topic, about.region) if about else (None, None)
    content = {
        "summary": _summary([row.question for row in asked], total),
        "questions": [
            {"asked_at": moment(row.asked_at), "question": row.question, "outcome": row.outcome}
            for row in asked
        ],
        "topic": topic,
        "region": region,
        "urgent": danger,
        "shown": _shown(about.answer) if about else None,
        "reason": reason,
        "note": note,
    }
    return Packet(answer_id, kind, topic, region, reason, content)


def _asked(session: Session, conversation: str) -> tuple[list[Any], int]:
    """The first question and the newest ones, oldest first; and how many there are in all."""
    columns = (AnswerRecord.id, AnswerRecord.asked_at, AnswerRecord.question, AnswerRecord.outcome)
    mine = (AnswerRecord.conversation_id == conversation, AnswerRecord.outcome != _WITH_PERSON)
    total = session.scalar(select(func.count()).select_from(AnswerRecord).where(*mine)) or 0
    oldest_first = (AnswerRecord.asked_at, AnswerRecord.id)
    newest = (AnswerRecord.asked_at.desc(), AnswerRecord.id.desc())
    rows = list(session.execute(select(*columns).where(*mine).order_by(*newest).limit(_QUESTIONS)))[
        ::-1
    ]
    if total > len(rows):
        first = session.execute(select(*columns).where(*mine).order_by(*oldest_first).limit(1))
        rows[:1] = first
    return rows, total


def _danger(session: Session, conversation: str) -> str | None:
    """The kind of danger that the conversation last told of; it outweighs what was asked since."""
    return session.scalar(
        select(AnswerRecord.trace["urgent"].as_string())
        .where(AnswerRecord.conversation_id == conversation, AnswerRecord.outcome == _URGENT)
        .order_by(AnswerRecord.asked_at.desc())
        .limit(1)
    )


def _kind(about: AnswerRecord | None) -> str:
    prefix = about.outcome.partition("_")[0] if about else ""
    return "unsure" if prefix in ("unanswerable", "failed", "clarify") else "requested"


def _reason(kind: str, about: AnswerRecord | None) -> str:
    given = (about.answer.get("handover") or {}).get("reason") if about else None
    if given and (kind == "urgent") == (about is not None and about.outcome == _URGENT):
        return str(given)
    return _REASONS[kind]


def _summary(questions: list[str], total: int) -> str:
    if not questions:
        return "市民还没有提问。"
    lines = [f"{n}. {_shortened(question)}" for n, question in enumerate(questions, 1)]
    left_out = f"（中间略去{total - len(questions)}个）" if total > len(questions) else ""
    return f"市民问了{total}个问题{left_out}：\n" + "\n".join(lines)


def _shortened(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= _SHORT else line[:_SHORT] + "…"


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    """What the citizen has seen of one answer, by name only: the answer itself is kept."""
    handover = answer.get("handover") or {}
    return {
        "outcome": answer.get("outcome"),
        "caution": answer.get("caution"),
        "summary": answer.get("summary"),
        "citations": [
            {"law": c.get("law"), "article": c.get("article")} for c in answer.get("citations", ())
        ],
        "steps": [step.get("title") for step in answer.get("steps", ())],
        "notices": list(answer.get("notices", ())),
        "targets": [target.get("title") for target in handover.get("targets", ())],
    }
