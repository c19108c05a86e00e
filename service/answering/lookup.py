"""A question that names articles of law gets exactly those, with what became of them."""

from __future__ import annotations

import re

from knowledge.citations import Checked, LawBook, Verdict
from service.answering import wording
from service.answering.draft import Citation, Draft, Outcome

_FILLER = re.compile(
    r"请问|我想(?:问一下|知道|查|看)?|麻烦|帮我|给我|告诉我|查一下|查询|查|看看|看一下|一下|中华人民共和国"
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
_OUTCOMES = {
    Verdict.NO_SUCH_ARTICLE: Outcome.UNANSWERABLE_NO_SUCH_ARTICLE,
    Verdict.NO_SUCH_LAW: Outcome.UNANSWERABLE_NO_SUCH_LAW,
    Verdict.NOT_IN_FORCE: Outcome.UNANSWERABLE_NOT_IN_FORCE,
    Verdict.NOT_HELD: Outcome.UNANSWERABLE_NOT_HELD,
}
_MAX_SHOWN = 6
_REST = 3  # characters left besides the citation, up to which it is the whole question


class Lookup:
    """Verify every citation in the question; if that is all it asks, answer with the texts."""

    def __init__(self, laws: LawBook) -> None:
        self._laws = laws

    def __call__(self, draft: Draft) -> None:
        draft.cited = self._laws.check_text(draft.query, draft.on)
        if not draft.cited:
            self._law_by_name(draft)
            return
        for checked in draft.cited:
            if checked.note:
                draft.notices.append(checked.note)
        if self._is_all(draft.query, [c.mention.text for c in draft.cited]):
            self._answer(draft)

    def _answer(self, draft: Draft) -> None:
        verdicts = {c.verdict for c in draft.cited}
        draft.confidence = 1.0
        shown = _sources(draft.cited)
        draft.citations = shown[:_MAX_SHOWN]
        notes = [c.note for c in draft.cited if c.note]
        draft.notices = [n for n in draft.notices if n not in notes]
        if Verdict.VERIFIED in verdicts:
            names = "、".join(c.source.name for c in draft.citations)
            draft.settle(
                Outcome.ANSWERED_ARTICLE, "\n".join([f"{names}，{wording.ARTICLE_LEAD}", *notes])
            )
        elif draft.citations:
            names = "、".join(c.source.name for c in draft.citations)
            lines = [*notes, f"取代它的现行规定是{names}，条文见下。"]
            draft.settle(Outcome.ANSWERED_REPEALED, "\n".join(lines))
        else:
            worst = next(v for v in _PRIORITY if v in verdicts)
            draft.settle(_OUTCOMES[worst], "\n".join(dict.fromkeys(notes)))

    def _law_by_name(self, draft: Draft) -> None:
        """婚姻法还有效吗: a law that is named without an article, and is law no longer."""
        names = self._laws.named(draft.query)
        fates = [fate for name in names if (fate := self._laws.fate(name, draft.on))]
        if not fates:
            return
        draft.notices += fates
        if self._is_all(draft.query, names):
            draft.confidence = 1.0
            draft.notices = [n for n in draft.notices if n not in fates]
            draft.settle(Outcome.ANSWERED_REPEALED, "\n".join(fates))

    @staticmethod
    def _is_all(query: str, parts: list[str]) -> bool:
        for part in sorted(parts, key=len, reverse=True):
            query = query.replace(part, "")
        return len(_FILLER.sub("", query)) <= _REST


def _sources(cited: list[Checked]) -> list[Citation]:
    """The articles to show: verified ones, and those that took the place of repealed ones."""
    sources = []
    for checked in cited:
        sources += [checked.source] if checked.source else list(checked.replaced_by)
    unique = {s.passage.id: s for s in sources}
    return [Citation(s) for s in unique.values()]
