"""Receive a question, answer it, and keep the answer with its evidence, all or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Protocol

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import reading
from service.answering.draft import NO_HINTS, NOTHING_OFF, Answer, Hints, Off, Outcome, Turn
from service.errors import BadQuestion, NotFound
from service.model.writing import Hear, Writer
from service.models import AnswerRecord, CitedPassage, Conversation, now, table_of
from service.switches import Switches

REMEMBERED = 6  # turns of a conversation that a question is read in the light of


def clean_question(question: str, *, longest: int) -> str:
    """The question as text that can be stored. Raises BadQuestion with what is wrong."""
    text = question.replace("\x00", "").strip()
    if not text:
        raise BadQuestion("question_empty", "请先写下您的问题。")
    if len(text) > longest:
        raise BadQuestion(
            "question_too_long",
            f"问题太长了（{len(text)}字），请控制在{longest}字以内，先写最要紧的。",
        )
    unreadable = sum(not c.isprintable() and c not in "\n\t\r" for c in text)
    if unreadable > max(3, len(text) // 10):
        raise BadQuestion("question_unreadable", "这段内容不像文字，请用文字写下您的问题。")
    return text.encode("utf-8", "replace").decode("utf-8")


_conversations, _answers = table_of(Conversation), table_of(AnswerRecord)
# Made once: each question takes all of them.
_KEEP, _COPY, _BEGIN = insert(_answers), insert(table_of(CitedPassage)), insert(_conversations)
# Locks the conversation until the commit. A write that changes nothing, since a read takes no lock
# on SQLite.
_HOLD = (
    update(_conversations)
    .where(_conversations.c.id == bindparam("conversation"))
    .values(channel=_conversations.c.channel)
)
_HISTORY = (  # one row without an answer where nothing has been asked yet
    select(
        _answers.c.question,
        _answers.c.outcome,
        _answers.c.trace,
        _answers.c.topic,
        _answers.c.region,
        _answers.c.answer,
    )
    .select_from(_conversations.outerjoin(_answers))
    .where(_conversations.c.id == bindparam("conversation"))
    .order_by(_answers.c.asked_at.desc(), _answers.c.id)
    .limit(REMEMBERED)
)


def _deaf(_event: str, _data: dict[str, Any]) -> None: ...


# Told of the conversation and the answer in the transaction that stores them.
Beside = Callable[[Session, str, str], None]


class People(Protocol):
    """Those who may own a conversation (`service.handover.Handovers`)."""

    def citizen_says(self, conversation: str, text: str) -> dict[str, Any] | None:
        """Pass the words on, or None when nobody owns the conversation."""
        ...


class Answers(Protocol):
    """What answers (`service.serving.Serving`, `service.answering.pipeline.Pipeline`)."""

    def answer(
        self,
        question: str,
        *,
        on: date | None = None,
        region: str | None = None,
        history: Sequence[Turn] = (),
        with_person: bool = False,
        channel: str = "",
        off: Off = NOTHING_OFF,
        hints: Hints = NO_HINTS,
    ) -> Answer: ...


class Desk:
    """Answers questions for one channel and records them; safe to share between threads.

    `people`: who takes over conversations, and before whom the assistant is silent.
    `rating_token`: what lets its bearer rate an answer, by the answer's id.
    `switches`: what is switched off (those of the database, looked at every two seconds).
    `writer`: what makes answers more fluent, where a language model is configured.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        pipeline: Answers,
        *,
        channel: str,
        longest: int,
        people: People | None = None,
        rating_token: Callable[[str], str] | None = None,
        switches: Switches | None = None,
        writer: Writer | None = None,
    ) -> None:
        self._sessions, self._pipeline = sessions, pipeline
        self._channel, self._longest = channel, longest
        self._people, self._rating_token = people, rating_token
        self._switches = switches or Switches(sessions)
        self._writer = writer

    @property
    def streams(self) -> bool:
        """Whether `ask` may have something to be heard before the answer."""
        return self._writer is not None and not self._switches.model_off()

    def ask(
        self,
        question: str,
        *,
        conversation: str | None = None,
        on: date | None = None,
        region: str | None = None,
        hear: Hear = _deaf,
        beside: Beside | None = None,
    ) -> dict[str, Any]:
        """The JSON of the answer, committed before it is returned. `hear` is told, while a language
        model writes, each verified sentence. `beside` stores what belongs to it, all or nothing.

        Raises BadQuestion, or NotFound for a conversation that is not there.
        """
        text = clean_question(question, longest=self._longest)
        history = self._history(conversation) if conversation is not None else ()
        with_person = bool(
            conversation and self._people and self._people.citizen_says(conversation, text)
        )
        off = self._switches.off()

        def answered(hints: Hints = NO_HINTS) -> Answer:
            return self._pipeline.answer(
                text,
                on=on,
                region=region,
                history=history,
                with_person=with_person,
                channel=self._channel,
                off=off,
                hints=hints,
            )

        answer = answered()
        if self._writer:
            answer = self._writer.improve(
                answer,
                answered,
                off=self._switches.model_off,
                conversation=conversation,
                hear=hear,
            )
        with self._sessions.begin() as session:
            if conversation is None:
                conversation = f"c_{secrets.token_urlsafe(16)}"
                started = {"id": conversation, "channel": self._channel, "started_at": now()}
                session.execute(_BEGIN, started)
            elif not session.execute(_HOLD, {"conversation": conversation}).rowcount:  # type: ignore[attr-defined]
                raise _gone()  # erased by the citizen while the answer was made
            shown = _record(session, conversation, answer)
            if beside:
                beside(session, conversation, shown["id"])
        return self._with_token(shown)

    def again(self, answer_id: str) -> dict[str, Any]:
        """The JSON of an answer that was given. Raises NotFound once it is erased."""
        with self._sessions() as session:
            record = session.get(AnswerRecord, answer_id)
        if record is None:
            raise NotFound("answer_unknown", "没有这个回答，它已经删除。")
        return self._with_token(record.answer)

    def _with_token(self, shown: dict[str, Any]) -> dict[str, Any]:
        """With what lets whoever got it rate it. Not stored: a record must not rate."""
        if self._rating_token is None or shown["outcome"] == Outcome.HANDOVER_WITH_PERSON:
            return shown
        return shown | {"rating_token": self._rating_token(shown["id"])}

    def _history(self, conversation: str) -> tuple[Turn, ...]:
        """The last turns of a conversation, oldest first. Raises NotFound."""
        with reading(self._sessions) as connection:
            newest = connection.execute(_HISTORY, {"conversation": conversation}).all()
        if not newest:
            raise _gone()
        return tuple(turn_of(row) for row in newest if row.question is not None)[::-1]


def _gone() -> NotFound:
    return NotFound("conversation_unknown", "这个会话不存在或已清除，请重新开始提问。")


def turn_of(record: AnswerRecord | Row[*tuple[Any, ...]]) -> Turn:
    """What a later question of the conversation needs to know of an earlier one."""
    return Turn(
        question=record.question,
        outcome=record.outcome,
        root=record.trace.get("root", ""),
        topic=record.topic,
        region=record.region,
        clarify=tuple(record.answer.get("clarify") or ()),
        documents=tuple(record.trace.get("documents", ())),
        answered_by=record.trace.get("answered_by", ""),
        flow=record.trace.get("flow"),
    )


def _record(session: Session, conversation: str, answer: Answer) -> dict[str, Any]:
    """Store the answer, its trace, and copies of what it cites; return its JSON."""
    answer_id = f"a_{secrets.token_urlsafe(12)}"
    draft = answer.draft
    shown = {"conversation": conversation, "id": answer_id, **answer.to_json()}
    session.execute(
        _KEEP,
        {
            "id": answer_id,
            "conversation_id": conversation,
            "asked_at": now(),
            "question": draft.question,
            "outcome": answer.outcome.value,
            "topic": draft.topic,
            "confidence": draft.confidence,
            "region": draft.region,
            "took_ms": answer.took_ms,
            "answer": shown,
            "trace": draft.trace,
        },
    )
    copies = [
        {
            "answer_id": answer_id,
            "position": position,
            "passage_id": citation.source.passage.id,
            "title": citation.source.document.title,
            "label": citation.source.passage.label,
            "text": citation.source.passage.text,
        }
        for position, citation in enumerate(draft.citations)
    ]
    if copies:
        session.execute(_COPY, copies)
    return shown
