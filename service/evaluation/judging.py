"""A judge of answers, itself a model; where people have reviewed answers, its agreement with them
is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from knowledge.statutes import chinese_date
from knowledge.store import today_in_china
from service.model import prompts
from service.model.calling import ChatModel, words_of
from service.model.lines import objects
from service.models import AnswerRecord
from service.models.review import Review

MARKS = ("correct", "supported", "complete", "clear")


class Judge:
    """A model that judges answers; what it does not say is not counted as good."""

    def __init__(self, model: ChatModel, region_name: str) -> None:
        self._model, self._region_name = model, region_name

    def marks(self, answer: dict[str, Any], passages: Sequence[str]) -> list[str]:
        """The names of what is good about an answer, and `judged`; `unjudged` where it gave no
        verdict."""
        data = {
            "问题": answer["question"],
            "回答": answer["summary"],
            "提示": answer["notices"],
            "资料": list(passages),
        }
        values = {"day": chinese_date(today_in_china()), "region": self._region_name}
        messages = prompts.load("judge").messages(values, data)
        pieces = (words_of(chunk) for chunk in self._model.stream(messages))
        for said in objects(pieces):
            if isinstance(said, dict) and all(isinstance(said.get(m), bool) for m in MARKS):
                return ["judged", *(m for m in MARKS if said[m])]
        return ["unjudged"]

    def finds_good(self, answer: dict[str, Any], passages: Sequence[str]) -> bool:
        """Whether it finds an answer right in every way that people judge."""
        return {"correct", "supported", "complete"} <= set(self.marks(answer, passages))


def agreement(
    sessions: sessionmaker[Session], good: Callable[[dict[str, Any], list[str]], bool], most: int
) -> dict[str, Any]:
    """How the judge (`good`: of an answer as it was given, with its passages) agrees with people
    who reviewed the newest `most` answers: correct, against partial, wrong or unsafe."""
    with sessions() as session:
        rows = session.execute(
            select(AnswerRecord, Review.verdict)
            .join(Review, Review.answer_id == AnswerRecord.id)
            .where(Review.verdict != "cannot_judge", AnswerRecord.outcome.startswith("answered_"))
            .order_by(Review.reviewed_at.desc())
            .limit(most)
        ).all()
    pairs = []
    for record, verdict in rows:
        passages = [
            f"《{c['law']}》{c['article']}\n{c['text']}" for c in record.answer["citations"]
        ]
        passages += [f"{s['title']}\n{s['how']}" for s in record.answer["steps"]]
        original = (record.answer.get("model") or {}).get("original")
        passages += [original] if original else []
        pairs.append((verdict == "correct", good(record.answer, passages)))
    return {"n": len(pairs), **_agreement(pairs)}


def _agreement(pairs: Sequence[tuple[bool, bool]]) -> dict[str, Any]:
    """Share that agrees, and Cohen's kappa (none where chance alone would always agree)."""
    if not pairs:
        return {"agree": None, "kappa": None}
    n = len(pairs)
    agree = sum(a == b for a, b in pairs) / n
    people, judge = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    chance = people * judge + (1 - people) * (1 - judge)
    kappa = (agree - chance) / (1 - chance) if chance < 1 else None
    return {"agree": round(agree, 3), "kappa": None if kappa is None else round(kappa, 3)}
