"""The legal-aid pre-check as a conversation, for channels that have only text.

Pure functions over a state that is JSON: the caller keeps it and hands it back with the reply.
Danger and a wish for a person come first: the caller looks for them before it asks here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from knowledge import text
from service.answering.choices import Choice, choose
from service.answering.precheck import LegalAidCheck, Result
from service.answering.precheck_table import Question
from service.answering.precheck_text import chat_text
from service.errors import BadRequest

ENDED = "好的，先不查了。想再查，说“法律援助预检”；着急的请打12348。"
NOT_UNDERSTOOD = "没有听懂您选哪一项。请回复前面的数字，或者点一个选项。"
CHANGED = "预检的规则刚刚更新过，请从头再答一遍。"
SEVERAL = "可以选几项，用空格隔开，例如：1 3"
HINT = "回复数字就行；选错了回复“上一步”，不查了回复“退出”。"

_TAIL = r"(?:了|吧|啦|谢谢|谢谢您|谢谢你)*"
_LEAVE = re.compile(
    rf"(?:退出|算了|取消|结束|停止|停|再见|不用了?|(?:我?不想?再?(?:查|问|做|填|答|弄|继续)了?)){_TAIL}"
)
_BACK = re.compile(rf"(?:上一步|上一题|上一个|返回|后退|退回|选错了?|点错了?|改一下){_TAIL}")
_AGAIN = re.compile(rf"(?:重新?开始|重来|重新来|从头(?:再?来|开始)?|重新选){_TAIL}")
_PERSON = re.compile(r"人工|真人|客服|找个?人")
_MARKS = re.compile(r"[\s,，.。!！~～、;；:：]+")

State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FlowStep:
    """What to say next. `state` is None when the flow is over: with a result, or left."""

    state: dict[str, Any] | None
    text: str
    options: tuple[str, ...] = ()
    result: Result | None = None


class LegalAidFlow:
    """The conversation over one version of the table."""

    def __init__(self, check: LegalAidCheck) -> None:
        self._check = check

    def start(self) -> FlowStep:
        """The first question, with what this is."""
        return self._ask({}, before=f"{self._check.table.title}：{self._check.table.intro}")

    def advance(self, state: State, reply: str) -> FlowStep | None:
        """The step after a reply. None when the reply belongs to the normal way of answering: it
        asks for a person, or was not understood twice."""
        words = _MARKS.sub("", text.normalise(reply))
        if _LEAVE.fullmatch(words):
            return FlowStep(None, ENDED)
        if _AGAIN.fullmatch(words):
            return self.start()
        if _PERSON.search(words) and len(words) <= 8:
            return None
        answers = dict(state.get("answers") or {})
        try:
            question = self._check.next_question(answers)
        except BadRequest:
            question = None
        if question is None:  # the table has changed since, or the state is not ours
            return self._ask({}, before=CHANGED)
        if _BACK.fullmatch(words):
            return self._ask(self._without_last(answers))
        picked = choose(reply, choices_of(question), many=question.many)
        if picked is None:
            return self._again(state, answers, NOT_UNDERSTOOD)
        answers[question.id] = picked if question.many else picked[0]
        try:
            return self._ask(answers)
        except BadRequest as error:
            del answers[question.id]
            return self._again(state, answers, error.message)

    def _ask(self, answers: dict[str, Any], *, before: str = "", missed: int = 0) -> FlowStep:
        question = self._check.next_question(answers)
        if question is None:
            result = self._check.evaluate(answers)
            return FlowStep(None, chat_text(result), result=result)
        said = [*([before] if before else []), _wording(question)]
        return FlowStep(
            {"answers": answers, "missed": missed},
            "\n".join(said),
            tuple(o.label for o in question.options),
        )

    def _again(self, state: State, answers: dict[str, Any], why: str) -> FlowStep | None:
        if state.get("missed"):
            return None
        return self._ask(answers, before=why, missed=1)

    def _without_last(self, answers: dict[str, Any]) -> dict[str, Any]:
        asked = self._check.asked(answers)
        return {q.id: answers[q.id] for q in asked[:-1]}


def choices_of(question: Question) -> list[Choice]:
    """The options of a question as people may say them."""
    return [Choice(o.id, o.label, tuple(o.also), o.alone) for o in question.options]


def _wording(question: Question) -> str:
    numbered = [f"{i}. {o.label}" for i, o in enumerate(question.options, start=1)]
    help_lines = [question.help] if question.help else []
    return "\n".join(
        [question.text, *help_lines, *numbered, *([SEVERAL] if question.many else []), HINT]
    )
