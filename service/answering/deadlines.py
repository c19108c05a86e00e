"""A deadline of law that a question touches is said in time: what it is, from when it runs, what
interrupts it, and where only days are left, whom to ask at once.

The periods and all that is said of them are content (`rules-deadlines`); each figure stands in an
article that the row cites. Nothing is computed: no date, no promise that time remains or is over.
A row whose articles read differently on the day asked for is not shown for that day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from knowledge.citations import LawBook
from service.answering.deadline_table import TABLE, Row, Table
from service.answering.draft import Draft, Handover, Outcome, Targets

URGENT_HELP = "法律援助法第四十四条"
KIND = "deadline"
REASON = "期限可能只剩几天，请马上问人。"
FIRST_STEP = "service-legal-aid-apply"
HOTLINES = ("hotline-12348",)

LITTLE_TIME = (
    "期限快到的，今天就办，不要等。距法定时效或者期限届满不足七日，需要及时起诉、申请仲裁或者行政复议的，"
    "法律援助机构可以决定先行提供法律援助，手续之后补办（法律援助法第四十四条）。"
    "向法律援助机构申请时，请当面说清哪天到期。"
)
PASSED = (
    "听起来期限可能已经过了，但不一定：从哪天起算要看证据，有的期限会中止、中断、重新计算，"
    "有正当理由耽误的，有的还可以申请顺延。先别放弃，把催要、投诉、送达的证据找出来，尽快问人。"
)

_MOST = 2  # rows shown of one answer
_SCOPE = ("answered_", "clarify_")
_PAUSE = re.compile(r"[,.。，!！?？;；:：、~～…·“”\"'‘’()（）《》\[\]【】—-]+")


class Deadlines:
    """A step after the outcome is settled and before citations are verified."""

    def __init__(
        self, table: dict[str, Any], laws: LawBook, targets: Targets, checked_on: date
    ) -> None:
        """`checked_on` is the day on which the table was compared with the law. Raises ValueError
        in Chinese for a table that is not in order."""
        self._table = Table.read(table)
        self._laws, self._targets, self._checked_on = laws, targets, checked_on
        self._typos = sorted(self._table.typos.items(), key=lambda pair: -len(pair[0]))
        self._holding = lru_cache(maxsize=16)(self._find_holding)
        self._places = lru_cache(maxsize=16)(self._find_places)

    @classmethod
    def of(cls, laws: LawBook, targets: Targets, on: date) -> Deadlines | None:
        """With the table in force that day, or None where it was withdrawn."""
        revision = laws.library.revision_in_force(TABLE, on)
        if revision is None:
            return None
        return cls(revision.body["table"], laws, targets, revision.checked_on)

    def __call__(self, draft: Draft) -> None:
        if not _in_scope(draft.outcome) or TABLE in draft.off.documents:
            return
        plain = self.plain(draft.query)
        shown = {(c.source.document.id, c.source.passage.label) for c in draft.citations}
        rows = self.rows(plain, shown, draft.on)
        if draft.off.documents:
            rows = [row for row in rows if not self._rests_on(row, draft.off.documents, draft.on)]
        little = self.little_time(plain, rows)
        passed = not little and self.passed(plain, rows)
        if not (rows or little or passed):
            return
        draft.trace["deadlines"] = {
            "rows": [row.id for row in rows],
            "little_time": little,
            "passed": passed,
        }
        notices = [row.notice(little_time=little, passed=passed) for row in rows]
        if passed:
            notices.insert(0, PASSED)
        if little:
            self._hurry(draft)
            help_is_off = self._is_of(URGENT_HELP, draft.off.documents, draft.on)
            if self._stands(URGENT_HELP, draft.on) and not help_is_off:
                notices.insert(0, LITTLE_TIME)
        draft.notices = [*notices, *draft.notices] if little else [*draft.notices, *notices]

    def _hurry(self, draft: Draft) -> None:
        if draft.handover is None:
            draft.handover = Handover(KIND, REASON, self._targets(HOTLINES))
        others = [i for i in draft.step_ids if i != FIRST_STEP]
        draft.step_ids = [FIRST_STEP, *others]

    def plain(self, query: str) -> str:
        """A normalised question as the patterns read it: no spaces, every pause a comma, spelling
        mended."""
        plain = _PAUSE.sub("，", "".join(query.lower().split()))
        for wrong, right in self._typos:
            plain = plain.replace(wrong, right)
        return plain

    def little_time(self, plain: str, rows: Sequence[Row]) -> bool:
        """Whether a question says that a deadline is days away, or that the very period of a row it
        touches is nearly over."""
        plain = self._without_harmless(plain)
        return _any(self._table.little_time, plain) or any(
            row.names(period) and pattern.search(plain)
            for period, pattern in self._table.nearly.items()
            for row in rows
        )

    def passed(self, plain: str, rows: Sequence[Row]) -> bool:
        """Whether a question says that a deadline may be over: by its name, or, where it touches a
        row, by the years that have gone by."""
        plain = self._without_harmless(plain)
        return _any(self._table.passed, plain) or (bool(rows) and _any(self._table.long_ago, plain))

    def _without_harmless(self, plain: str) -> str:
        for harmless in self._table.harmless:
            plain = harmless.sub("□", plain)
        return plain

    def rows(self, plain: str, shown: Iterable[tuple[str, str]], on: date) -> list[Row]:
        """At most two rows that a question touches: first by its words, then by the articles shown
        (document id, label); the general one only where there is no other."""
        places = self._places(on)
        asks = _any(self._table.asks_about_time, self._without_harmless(plain))
        by_article = {row_id for place in shown for row_id in places.get(place, ())}
        worded, cited = [], []
        for row in self._holding(on):
            if _any(row.not_words, plain):
                continue
            if _any(row.words, plain):
                worded.append(row)
            elif row.id in by_article and (asks or not row.asks_about_time):
                cited.append(row)
        return [*_specific(worded), *(_specific(cited) if not worded else _special(cited))][:_MOST]

    def withheld(self, on: date) -> list[str]:
        """Ids of rows not shown on that day, because an article reads differently from the one that
        the row was written for, or is not in force."""
        holding = {row.id for row in self._holding(on)}
        return [row.id for row in self._table.rows if row.id not in holding]

    def _find_holding(self, on: date) -> list[Row]:
        return [
            row
            for row in self._table.rows
            if all(self._stands(citation, on) for citation in row.citations)
        ]

    def _find_places(self, on: date) -> dict[tuple[str, str], list[str]]:
        places: dict[tuple[str, str], list[str]] = {}
        for row in self._holding(on):
            for citation in row.articles:
                try:
                    source = self._laws.cite(citation, on)
                except LookupError:
                    continue
                places.setdefault((source.document.id, source.passage.label), []).append(row.id)
        return places

    def _rests_on(self, row: Row, documents: frozenset[str], on: date) -> bool:
        return any(self._is_of(citation, documents, on) for citation in row.citations)

    def _is_of(self, citation: str, documents: frozenset[str], on: date) -> bool:
        """Whether an article belongs to one of the documents."""
        try:
            return self._laws.cite(citation, on).document.id in documents
        except LookupError:
            return False

    def _stands(self, citation: str, on: date) -> bool:
        """Whether an article is in force that day and reads as when the table was written."""
        text = self._cite(citation, on)
        return text is not None and text == self._cite(citation, self._checked_on)

    def _cite(self, citation: str, on: date) -> str | None:
        """The text of an article on that day, or None."""
        try:
            return self._laws.cite(citation, on).passage.text
        except LookupError:
            return None


def _special(rows: list[Row]) -> list[Row]:
    return [row for row in rows if not row.general]


def _specific(rows: list[Row]) -> list[Row]:
    """Without the general row, unless there is no other."""
    return _special(rows) or rows


def _in_scope(outcome: Outcome | None) -> bool:
    if outcome is None or outcome is Outcome.ANSWERED_SMALLTALK:
        return False
    return outcome.startswith(_SCOPE) or outcome is Outcome.UNANSWERABLE_UNSURE


def _any(patterns: Iterable[re.Pattern[str]], plain: str) -> bool:
    return any(pattern.search(plain) for pattern in patterns)
