"""Ask as a citizen would, and keep nothing: the answer, and beside it why it is what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Protocol

from ingest.pipeline import Incoming
from knowledge.library import Library
from knowledge.store import today_in_china
from service.answering.confidence import Calibration
from service.answering.draft import NOTHING_OFF, Answer, Off, Turn
from service.conversations import Answers, clean_question
from service.curation import difference
from service.errors import BadRequest
from service.trials.expectation import shown_by
from service.trials.explain import explain

MOST_EARLIER = 5
_CHANNEL = "web"


class Answering(Answers, Protocol):
    """What answers now, and what would answer with changes (`service.serving.Serving`)."""

    @property
    def library(self) -> Library: ...

    @property
    def versions(self) -> dict[str, str]: ...

    def candidate(self, changes: Sequence[Incoming]) -> AbstractContextManager[Answers]: ...


DraftSource = Callable[[str], Incoming]  # a revision's id → it, with its passages
DraftsOf = Callable[[str], DraftSource]  # the id of a member of staff → what they may see


def turn_after(answer: Answer) -> Turn:
    """An answer as the next question of its conversation is read in the light of it."""
    draft = answer.draft
    return Turn(
        question=draft.question,
        outcome=answer.outcome.value,
        root=draft.trace.get("root", ""),
        topic=draft.topic,
        region=draft.region,
        clarify=tuple(draft.clarify or ()),
        documents=tuple(draft.trace.get("documents", ())),
        answered_by=draft.trace.get("answered_by", ""),
        flow=draft.trace.get("flow"),
    )


def converse(
    answers: Answers,
    question: str,
    *,
    earlier: Sequence[str] = (),
    on: date | None = None,
    region: str | None = None,
    off: Off = NOTHING_OFF,
) -> tuple[Answer, list[Answer]]:
    """The answer to the last question of a conversation, and those to the earlier ones."""

    def ask(words: str) -> Answer:
        return answers.answer(
            words, on=on, region=region, history=tuple(turns), channel=_CHANNEL, off=off
        )

    turns: list[Turn] = []
    before = []
    for words in earlier:
        answer = ask(words)
        before.append(answer)
        turns.append(turn_after(answer))
    return ask(question), before


class Trials:
    """Build one a request: `Trials(serving, lambda: rooms.calibration, longest=…)`."""

    def __init__(
        self,
        answering: Answering,
        calibration: Callable[[], Calibration],
        *,
        longest: int,
        draft_of: DraftSource | None = None,
        off: Callable[[], Off] = lambda: NOTHING_OFF,
        clock: Callable[[], date] = today_in_china,
    ) -> None:
        """`off` tells what is switched off now: whoever tries sees what the citizen would."""
        self._answering, self._calibration = answering, calibration
        self._longest, self._draft_of = longest, draft_of
        self._off, self._clock = off, clock

    def ask(
        self,
        question: str,
        *,
        earlier: Sequence[str] = (),
        on: date | None = None,
        region: str | None = None,
        revision: str | None = None,
    ) -> dict[str, Any]:
        """{answer, why, shown, earlier, with_draft}; `with_draft` is the same with a draft in
        place of what its document says now. Raises BadQuestion, BadRequest, NotFound."""
        question = clean_question(question, longest=self._longest)
        earlier = [clean_question(q, longest=self._longest) for q in earlier]
        if len(earlier) > MOST_EARLIER:
            raise BadRequest("earlier_many", f"前面的问题最多写{MOST_EARLIER}个。")
        draft = self._draft(revision) if revision else None
        view = self._view(self._answering, question, earlier, on, region)
        view["with_draft"] = None
        if draft is not None:
            with self._answering.candidate([draft]) as candidate:
                after = self._view(candidate, question, earlier, on, region)
            after["shown"] |= {
                d: draft.document.title for d in after["shown"] if d == draft.document.id
            }
            view["with_draft"] = after | {
                "revision": draft.revision.id,
                "title": draft.document.title,
                "differs": _said(view) != _said(after),
                "summary_diff": words_between(
                    view["answer"]["summary"], after["answer"]["summary"]
                ),
            }
        return view

    def _draft(self, revision: str) -> Incoming:
        if self._draft_of is None:
            raise BadRequest("drafts_unknown", "这里不能和草稿比较。")
        return self._draft_of(revision)

    def _view(
        self,
        answers: Answers,
        question: str,
        earlier: Sequence[str],
        on: date | None,
        region: str | None,
    ) -> dict[str, Any]:
        answer, before = converse(
            answers, question, earlier=earlier, on=on, region=region, off=self._off()
        )
        return {
            "answer": answer.to_json(),
            "why": explain(answer, self._calibration(), today=self._clock()),
            "shown": shown_by(answer, self._answering.library),
            "earlier": [a.to_json() for a in before],
        }


def _said(view: dict[str, Any]) -> tuple[Any, ...]:
    """What of an answer a citizen would notice."""
    answer = view["answer"]
    return (
        answer["outcome"],
        answer["summary"],
        [(c["law"], c["article"]) for c in answer["citations"]],
        [s["title"] for s in answer["steps"]],
    )


def words_between(before: str, after: str) -> list[list[dict[str, str]]]:
    """Two texts word by word, line by line: runs of {op: same | del | ins, text}."""
    changes = difference.between({"summary": before}, {"summary": after})
    if not changes:
        return [[{"op": "same", "text": line}] for line in before.splitlines()]
    lines: list[list[dict[str, str]]] = changes[0].as_dict()["lines"]
    return lines
