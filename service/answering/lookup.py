"""A question that names articles of law gets exactly those, with what became of them."""

from __future__ import annotations

import re
from dataclasses import replace

from knowledge.citations import Checked, LawBook, Verdict
from service.answering import wording
from service.answering.draft import Citation, Draft, Outcome, Targets
from service.answering.switched_off import settle_switched_off

_FILLER = re.compile(
    r"\d{4}年版?|请问|我想(?:问一下|知道|查|看)?|麻烦|帮我|给我|告诉我|查一下|查询|查|看看|看一下|一下|中华人民共和国"
    r"|根据|按照|依照|依据|关于|的?(?:具体|详细|完整)?(?:内容|规定|条文|原文|全文|文本)|规定了?|具体|是什么意思|什么意思|是什么|是啥|写的|写了|说的|说了|讲的|讲了"
    r"|什么|啥|怎么|如何|呢|吗|吧|的|是|了|和|与|及|里|中|内|现在|还|有效|有用|废止|失效|施行|生效|适用|能用|算数|最新|哪年|什么时候|解释|解读"
    r"|[\s,，.。?？!！、;；:：《》“”\"'()（）]"
)
_PRIORITY = (
    Verdict.NO_SUCH_ARTICLE,
    Verdict.NO_SUCH_LAW,
    Verdict.NOT_IN_FORCE,
    Verdict.NOT_HELD,
)
_FALSE = (Verdict.NO_SUCH_LAW, Verdict.NO_SUCH_ARTICLE)
_SAID = (  # by Lookup, notes included; or nothing is to be said
    Outcome.ANSWERED_ARTICLE,
    Outcome.ANSWERED_REPEALED,
    Outcome.UNANSWERABLE_SWITCHED_OFF,
)
OUTCOMES = {
    Verdict.NO_SUCH_ARTICLE: Outcome.UNANSWERABLE_NO_SUCH_ARTICLE,
    Verdict.NO_SUCH_LAW: Outcome.UNANSWERABLE_NO_SUCH_LAW,
    Verdict.NOT_IN_FORCE: Outcome.UNANSWERABLE_NOT_IN_FORCE,
    Verdict.NOT_HELD: Outcome.UNANSWERABLE_NOT_HELD,
}
_MAX_SHOWN = 6
_REST = 3  # characters left besides the citation, up to which it is the whole question


class Lookup:
    """Verify every law that the question names; if that is all it asks, answer with the texts."""

    def __init__(self, laws: LawBook, targets: Targets) -> None:
        self._laws, self._targets = laws, targets

    def __call__(self, draft: Draft) -> None:
        draft.cited = self._laws.check_text(draft.query, draft.on)
        parts = [c.mention.text for c in draft.cited]
        if not draft.cited:
            parts = self._laws.named(draft.query)
            fates = (self._laws.fate(name, draft.on) for name in parts)
            draft.cited = [fate for fate in fates if fate]
        left_out = self._leave_out(draft) if draft.off.documents else []
        if not self._is_all(draft.query, parts):
            if left_out:
                draft.notices.append(wording.SOURCE_LEFT_OUT.format(names=_listed(left_out)))
        elif draft.cited:
            self._answer(draft)
            if left_out:
                draft.notices.append(wording.SOURCE_LEFT_OUT.format(names=_listed(left_out)))
        elif left_out:
            words = wording.SOURCE_OFF.format(names=_listed(left_out))
            settle_switched_off(draft, {"documents": _listed(left_out)}, words, self._targets)

    def _leave_out(self, draft: Draft) -> list[str]:
        """Forget the citations of documents that are switched off; the laws that they were of."""
        off, documents = draft.off.documents, self._laws.library.documents
        titles = {documents[i].title for i in off if i in documents}
        left_out = [c.law for c in draft.cited if c.law in titles]
        draft.cited = [_with_successors_on(c, off) for c in draft.cited if c.law not in titles]
        return list(dict.fromkeys(left_out))

    def _answer(self, draft: Draft) -> None:
        draft.confidence = 1.0
        draft.citations = named_sources(draft)[:_MAX_SHOWN]
        notes = list(dict.fromkeys(c.note for c in draft.cited if c.note))
        names = "、".join(c.source.name for c in draft.citations)
        draft.notices += _details(draft)
        verdicts = {c.verdict for c in draft.cited}
        if Verdict.VERIFIED in verdicts:
            lines = [f"{names}，{wording.ARTICLE_LEAD}", *notes]
            draft.settle(Outcome.ANSWERED_ARTICLE, "\n".join(lines))
        elif any(c.repealed for c in draft.cited) and verdicts == {Verdict.NOT_IN_FORCE}:
            if names:
                notes.append(wording.SUCCESSOR.format(names=names))
            draft.settle(Outcome.ANSWERED_REPEALED, "\n".join(notes))
        else:
            worst = next(v for v in _PRIORITY if v in verdicts)
            draft.settle(OUTCOMES[worst], "\n".join(notes))

    @staticmethod
    def _is_all(query: str, parts: list[str]) -> bool:
        for part in sorted(parts, key=len, reverse=True):
            query = query.replace(part, "")
        return len(_FILLER.sub("", query)) <= _REST


def _listed(laws: list[str]) -> str:
    return "".join(f"《{law}》" for law in laws)


def _with_successors_on(checked: Checked, off: frozenset[str]) -> Checked:
    if not any(s.document.id in off for s in checked.replaced_by):
        return checked
    kept = tuple(s for s in checked.replaced_by if s.document.id not in off)
    return replace(checked, replaced_by=kept)


def named_sources(draft: Draft) -> list[Citation]:
    """The articles that the question names: verified ones, and what took the place of others."""
    sources = []
    for checked in draft.cited:
        sources += [checked.source] if checked.source else list(checked.replaced_by)
    unique = {s.passage.id: s for s in sources}
    return [Citation(s) for s in unique.values()]


def _details(draft: Draft) -> list[str]:
    return list(dict.fromkeys(c.detail for c in draft.cited if c.detail))


class Premise:
    """A question may rest on a law that is gone or never was: whatever else the answer says, it
    says that first."""

    def __call__(self, draft: Draft) -> None:
        notes = list(dict.fromkeys(c.note for c in draft.cited if c.note))
        if not notes or draft.outcome is None:
            return
        if draft.outcome in OUTCOMES.values() or draft.outcome in _SAID:
            return
        false = next((v for v in _FALSE if any(c.verdict is v for c in draft.cited)), None)
        helped = draft.outcome.answered
        if false:
            outcome = OUTCOMES[false]
        elif helped and any(c.repealed for c in draft.cited):
            outcome = Outcome.ANSWERED_REPEALED
        else:
            draft.notices = [*notes, *draft.notices]
            return
        draft.notices = [*_details(draft), *draft.notices]
        rest = [wording.CURRENT_LAW, draft.summary] if helped else []
        draft.settle(outcome, "\n".join([*notes, *rest]))
