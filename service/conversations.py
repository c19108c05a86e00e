"""Receive a question, answer it, and keep the answer with its evidence, all or nothing."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session, sessionmaker

from service.answering.draft import Answer
from service.answering.pipeline import Pipeline
from service.errors import BadQuestion, NotFound
from service.models import AnswerRecord, CitedPassage, Conversation, now


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


class Desk:
    """Answers questions for one channel and records them; safe to share between threads."""

    def __init__(
        self, sessions: sessionmaker[Session], pipeline: Pipeline, *, channel: str, longest: int
    ) -> None:
        self._sessions, self._pipeline = sessions, pipeline
        self._channel, self._longest = channel, longest

    def ask(
        self,
        question: str,
        *,
        conversation: str | None = None,
        on: date | None = None,
        region: str | None = None,
    ) -> dict[str, Any]:
        """The JSON of the answer, committed before it is returned.

        Raises BadQuestion, or NotFound for a conversation that is not there.
        """
        text = clean_question(question, longest=self._longest)
        if conversation is not None:
            self._require(conversation)
        answer = self._pipeline.answer(text, on=on, region=region)
        with self._sessions.begin() as session:
            if conversation is None:
                conversation = f"c_{secrets.token_urlsafe(16)}"
                started = {"id": conversation, "channel": self._channel, "started_at": now()}
                session.execute(insert(Conversation), started)
            return _record(session, conversation, answer)

    def _require(self, conversation: str) -> None:
        with self._sessions() as session:
            if session.get(Conversation, conversation) is None:
                raise NotFound("conversation_unknown", "这个会话不存在或已清除，请重新开始提问。")


def _record(session: Session, conversation: str, answer: Answer) -> dict[str, Any]:
    """Store the answer, its trace, and copies of what it cites; return its JSON."""
    answer_id = f"a_{secrets.token_urlsafe(12)}"
    draft = answer.draft
    shown = {"conversation": conversation, "id": answer_id, **answer.to_json()}
    session.execute(
        insert(AnswerRecord),
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
        session.execute(insert(CitedPassage), copies)
    return shown
