"""The legal-aid pre-check inside a conversation: started by asking for it, carried on by replies.

Where it stands is in the trace of the last answer, so that it survives a restart and works in
every channel. Danger and a wish for a person are looked for before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from service.answering.draft import Draft, Off, Outcome
from service.answering.legal_aid import LegalAid
from service.answering.precheck_flow import FlowStep, LegalAidFlow
from service.errors import NotReady

_FLOW = "legal_aid"
_MARKS = re.compile(r"[\s，。？！,.?!“”\"]")
_START = re.compile(
    r"(?:我想做|我要做|帮我做|做一?下?|开始)?(?:法律援助|法援)(?:资格)?(?:预检|预审|自测|自查|自检|预查).{0,16}|"
    r"(?:请问|你好|您好)?(?:帮我看看|看看|想知道)?(?:我|我们|我家|他|她|我[爸妈儿女]\S?)?(?:这种情况|这样的?|的?情况)?"
    r"(?:能不能|能否|可不可以|可以|能|够不够|够|符合不符合|符不符合|是否符合|符合)"
    r"(?:申请|办|拿到|享受)?(?:到|得到)?的?(?:法律援助|法援)(?:的?(?:条件|资格|标准))?(?:吗|么|呢|伐|不|嘛)?"
)


class PreCheck:
    """Start the pre-check, or take the reply to its last question."""

    def __init__(self, legal_aid: LegalAid, clock: Callable[[], date]) -> None:
        self._legal_aid, self._clock = legal_aid, clock

    def __call__(self, draft: Draft) -> None:
        last = draft.history[-1] if draft.history else None
        going_on = last.flow if last else None
        starts = _START.fullmatch(_MARKS.sub("", draft.query))
        try:
            if going_on and going_on.get("name") == _FLOW:
                step = self._flow(draft.off).advance(going_on["state"], draft.query)
            elif starts:
                step = self._flow(draft.off).start()
            else:
                return
        except NotReady as closed:
            draft.notices.append(closed.message)
            return
        if step is not None:
            self._say(draft, step)

    def _flow(self, off: Off) -> LegalAidFlow:
        return self._legal_aid.flow(self._clock(), off)

    def _say(self, draft: Draft, step: FlowStep) -> None:
        draft.confidence, draft.topic = 1.0, "法律援助"
        if step.state is not None:
            draft.trace["flow"] = {"name": _FLOW, "state": step.state}
            draft.clarify = list(step.options)
            draft.settle(Outcome.CLARIFY_LEGAL_AID, step.text)
            return
        if step.result is not None:
            on = self._clock()
            draft.citations = self._legal_aid.citations(step.result, on)
            draft.steps = list(self._legal_aid.cards_of(step.result, on).values())
            draft.trace["precheck"] = step.result.verdict.value
        draft.settle(Outcome.ANSWERED_LEGAL_AID, step.text)
