"""The legal-aid pre-check as published: the table in force on a day, every article of it verified,
and results with exact articles and cards, as pages and printers need them."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from typing import Any

from knowledge.citations import LawBook
from knowledge.library import Library
from service.answering.cards import Cards
from service.answering.draft import NOTHING_OFF, Citation, NextStep, Off
from service.answering.precheck import HEADINGS, LegalAidCheck, Reason, Reasons, Result
from service.answering.precheck_flow import LegalAidFlow
from service.answering.precheck_table import Question, RulesError
from service.answering.precheck_text import summary_text
from service.errors import NotReady

RULES = "rules-legal-aid"
_CLOSED = "法律援助预检暂时不能用：{why}。请打12348，或者到公共法律服务窗口问。"


class LegalAid:
    """The pre-check over a library. Its methods raise NotReady when there is no table to decide by,
    or when the law has moved on and an article that it rests on cannot be verified any more."""

    def __init__(self, library: Library, laws: LawBook, region: str) -> None:
        self._library, self._laws, self._region = library, laws, region
        self._cards = Cards(library)
        self._opened: tuple[tuple[str, date], LegalAidCheck] | None = None

    def check(self, on: date) -> LegalAidCheck:
        """The check by the table in force on a day."""
        revision = self._library.revision_in_force(RULES, on)
        if revision is None:
            raise NotReady("rules_not_ready", _CLOSED.format(why="没有发布的规则"))
        opened = self._opened
        if opened is None or opened[0] != (revision.id, on):
            try:
                check = LegalAidCheck(
                    revision.body.get("table", {}),
                    version=revision.id,
                    source=revision.source,
                    checked_on=revision.checked_on.isoformat(),
                )
                for cite in check.cites():
                    self._laws.cite(cite, on)
            except (RulesError, LookupError) as error:
                why = _CLOSED.format(why="规则需要更新")
                raise NotReady("rules_not_ready", why) from error
            opened = self._opened = (revision.id, on), check
        return opened[1]

    def flow(self, on: date, off: Off = NOTHING_OFF) -> LegalAidFlow:
        """The check as a conversation."""
        self.require_on(on, off)
        return LegalAidFlow(self.check(on))

    def require_on(self, on: date, off: Off) -> None:
        """Raise NotReady when the rules, or law that they rest on, are switched off."""
        if not off.documents:
            return
        rests_on = {self._laws.cite(cite, on).document.id for cite in self.check(on).cites()}
        if off.documents & {RULES, *rests_on}:
            raise NotReady("rules_switched_off", _CLOSED.format(why="规则正在核对"))

    def opening(self, on: date) -> dict[str, Any]:
        """What the page starts with: what this is, by which rules, and the first question."""
        check = self.check(on)
        table = check.table
        first = check.next_question({})
        return {
            "title": table.title,
            "intro": table.intro,
            "disclaimer": table.disclaimer,
            "rules": _rules(check),
            "question": question_json(first, 0) if first else None,
        }

    def answer(self, answers: Any, on: date) -> dict[str, Any]:
        """The next question, or the result. Raises BadRequest for answers that cannot be."""
        check = self.check(on)
        question = check.next_question(answers)
        if question:
            asked = len(check.asked(answers))
            return {"rules": _rules(check), "question": question_json(question, asked)}
        return {"rules": _rules(check), "result": self.result_json(check.evaluate(answers), on)}

    def result_json(self, result: Result, on: date) -> dict[str, Any]:
        """All that a page needs to show and print a result."""
        check = self.check(on)
        cards = self.cards_of(result, on)
        result = replace(result, helps=_leading_somewhere(result.helps, cards))
        return {
            "verdict": result.verdict.value,
            "label": result.label,
            "lead": result.lead,
            **{name: [_reason_json(r, cards) for r in part] for name, part in result.parts()},
            "headings": HEADINGS,
            "citations": [c.to_json() | {"cite": cite} for cite, c in self._cited(result, on)],
            "cards": {card_id: asdict(card) for card_id, card in cards.items()},
            "answers": [{"question": q, "chosen": list(chosen)} for q, chosen in result.answers],
            "disclaimer": result.disclaimer,
            "summary": summary_text(result, cards, version=check.version, day=on.isoformat()),
            "as_of": on.isoformat(),
        }

    def cards_of(self, result: Result, on: date) -> dict[str, NextStep]:
        """The cards that a result points to, each once: only those that hold where the matter is,
        so that another city's case never gets this district's window."""
        found: dict[str, NextStep] = {}
        for card_id in dict.fromkeys(r.card for _, part in result.parts() for r in part if r.card):
            document = self._library.documents.get(card_id)
            if document is None:
                continue
            if result.regions is not None and document.region not in result.regions:
                continue
            if card := self._cards.step(card_id, on, self._region):
                found[card_id] = card
        return found

    def citations(self, result: Result, on: date) -> list[Citation]:
        """The articles that a result rests on, in their exact words."""
        return [citation for _, citation in self._cited(result, on)]

    def _cited(self, result: Result, on: date) -> list[tuple[str, Citation]]:
        return [(cite, Citation(self._laws.cite(cite, on))) for cite in result.cites()]


def question_json(question: Question, asked: int) -> dict[str, Any]:
    """A question as a page shows it; `number` counts from 1."""
    return {
        "id": question.id,
        "number": asked + 1,
        "text": question.text,
        "help": question.help,
        "many": question.many,
        "options": [{"id": o.id, "label": o.label, "alone": o.alone} for o in question.options],
    }


def _rules(check: LegalAidCheck) -> dict[str, str]:
    return {"version": check.version, "source": check.source, "checked_on": check.checked_on}


def _leading_somewhere(helps: Reasons, cards: dict[str, NextStep]) -> Reasons:
    """Without those that only point to a card which does not hold where the matter is."""
    return tuple(r for r in helps if r.cites or r.card in cards)


def _reason_json(reason: Reason, cards: dict[str, NextStep]) -> dict[str, Any]:
    return {
        "text": reason.text,
        "cites": list(reason.cites),
        "source": reason.source,
        "card": reason.card if reason.card in cards else None,
    }
