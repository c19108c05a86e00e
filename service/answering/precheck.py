"""The legal-aid pre-check: which question comes next, and what a citizen's answers may mean.

Stateless and total over a reviewed table (`precheck_table`): the same answers give the same result,
every path ends, and no result says more than that somebody may qualify.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.answering.conditions import IS, Chosen
from service.answering.precheck_table import VERDICT, Line, Question, Table, Verdict
from service.errors import BadRequest

Answers = Mapping[str, object]  # question id → id of an option, or a list of them


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence with what carries it: `cites` are articles, `source` is anything else."""

    text: str
    cites: tuple[str, ...] = ()
    source: str = ""
    card: str | None = None
    rule: str = ""


Reasons = tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the pre-check says, in the order in which it is printed."""

    verdict: Verdict
    label: str
    lead: str
    disclaimer: str
    answers: tuple[tuple[str, tuple[str, ...]], ...] = ()  # as asked and chosen, in words
    regions: frozenset[str] | None = None  # whose cards may be shown; None: those of this place
    urgent: Reasons = ()
    reasons: Reasons = ()
    missing: Reasons = ()
    where: Reasons = ()
    papers: Reasons = ()
    deadlines: Reasons = ()
    after: Reasons = ()
    remedies: Reasons = ()
    helps: Reasons = ()
    unknowns: Reasons = ()

    def parts(self) -> Iterator[tuple[str, Reasons]]:
        """The lists of sentences by name, in the order in which they are printed."""
        for name in HEADINGS:
            yield name, getattr(self, name)

    def cites(self) -> tuple[str, ...]:
        """Every article that some sentence rests on, once, in order of appearance."""
        return tuple(dict.fromkeys(c for _, part in self.parts() for r in part for c in r.cites))


HEADINGS = {
    "urgent": "先办急事",
    "reasons": "为什么这样说",
    "missing": "还要弄清",
    "where": "去哪里",
    "papers": "要带什么",
    "deadlines": "多久有答复",
    "after": "得到援助以后",
    "remedies": "不服怎么办",
    "helps": "还可以找谁",
    "unknowns": "我们没有查到的",
}


class LegalAidCheck:
    """The pre-check by one version of the table. Raises RulesError when the table is not usable.

    `version`, `source` and `checked_on` say where the table is from, and are printed.
    """

    def __init__(
        self, table: Mapping[str, Any], *, version: str = "", source: str = "", checked_on: str = ""
    ) -> None:
        self.table = Table.read(table)
        self.version, self.source, self.checked_on = version, source, checked_on

    def cites(self) -> tuple[str, ...]:
        """Every article that some sentence of the table rests on."""
        return tuple(dict.fromkeys(c for _, line in self.table.lines() for c in line.cites))

    def next_question(self, answers: Answers) -> Question | None:
        """The question to ask next, or None when nothing more is needed. Raises BadRequest."""
        return self._walk(self.read(answers))[1]

    def asked(self, answers: Answers) -> list[Question]:
        """The questions that these answers answer, in order. Raises BadRequest."""
        return self._walk(self.read(answers))[0]

    def evaluate(self, answers: Answers) -> Result:
        """What may follow; `missing_information` while questions are open. Raises BadRequest."""
        chosen = self.read(answers)
        asked, open_question = self._walk(chosen)
        shown = tuple(
            (q.text, tuple(o.label for o in q.options if o.id in chosen[q.id])) for q in asked
        )
        if open_question:
            missing = (Reason(f"还没有回答：{open_question.text}"),)
            return self._result(Verdict.MISSING, answers=shown, missing=missing)
        facts = self._facts(chosen)
        verdict, reasons = self._decide(facts)
        facts[VERDICT] = frozenset({verdict.value})
        sections = {
            name: tuple(_reason(line) for line in lines if _holds(line, facts))
            for name, lines in self.table.sections
        }
        narrowed = [
            o.regions for q in asked for o in q.options if o.id in chosen[q.id] and o.regions
        ]
        regions = frozenset(narrowed[-1]) if narrowed else None
        return self._result(verdict, answers=shown, reasons=reasons, regions=regions, **sections)

    def _result(self, verdict: Verdict, **parts: Any) -> Result:
        headline = self.table.verdicts[verdict]
        return Result(
            verdict=verdict,
            label=headline.label,
            lead=headline.lead,
            disclaimer=self.table.disclaimer,
            **parts,
        )

    def _decide(self, facts: Chosen) -> tuple[Verdict, Reasons]:
        """The first rule with a verdict decides. Its reasons are given with those of rules that say
        the same or that only explain; another verdict further down is not heard."""
        holding = [rule for rule in self.table.rules if _holds(rule, facts)]
        verdict = next(rule.verdict for rule in holding if rule.verdict)
        *_, fallback = self.table.rules
        heard = [r for r in holding if r.verdict in (None, verdict)]
        if any(r.verdict for r in heard if r is not fallback):
            heard = [r for r in heard if r is not fallback]
        return verdict, tuple(_reason(rule, rule.id) for rule in heard)

    def _facts(self, chosen: Chosen) -> dict[str, frozenset[str]]:
        facts = dict(chosen)
        names: set[str] = set()
        for name, condition in self.table.named.items():
            facts[IS] = frozenset(names)
            if condition.holds(facts):
                names.add(name)
        facts[IS] = frozenset(names)
        return facts

    def _walk(self, chosen: Chosen) -> tuple[list[Question], Question | None]:
        """The questions answered so far and the open one. An answer to a question that these
        answers would never raise contradicts them."""
        asked: list[Question] = []
        so_far: dict[str, frozenset[str]] = {}
        open_question = None
        for question in self.table.questions:
            if question.when and not question.when.holds(self._facts(so_far)):
                continue
            if question.id not in chosen:
                open_question = question
                break
            so_far[question.id] = chosen[question.id]
            asked.append(question)
        if left := [q for q in self.table.questions if q.id in chosen and q.id not in so_far]:
            raise BadRequest(
                "contradictory_answers",
                f"答案前后对不上：按前面的回答，不会问到“{left[0].text}”。请去掉它，或者从头开始。",
            )
        return asked, open_question

    def read(self, answers: object) -> dict[str, frozenset[str]]:
        """Answers as sets of options. Raises BadRequest with what is wrong with them."""
        if not isinstance(answers, Mapping):
            raise BadRequest("wrong_type", "答案的格式不对：要写成“问题: 选项”。")
        questions = {q.id: q for q in self.table.questions}
        if len(answers) > len(questions):
            raise BadRequest("too_many_answers", f"答案太多了，最多{len(questions)}个。")
        for name in answers:
            if name not in questions:
                raise BadRequest("unknown_question", f"没有“{str(name)[:40]}”这个问题。")
        return {name: _options(questions[name], value) for name, value in answers.items()}


def _holds(line: Line, facts: Chosen) -> bool:
    return line.when is None or line.when.holds(facts)


def _reason(line: Line, rule: str = "") -> Reason:
    return Reason(line.text, tuple(line.cites), line.source, line.card, rule)


def _options(question: Question, value: object) -> frozenset[str]:
    given = value if isinstance(value, list) and question.many else [value]
    if not given or not all(isinstance(option, str) for option in given):
        raise BadRequest("wrong_type", f"“{question.text}”的答案格式不对：请从选项里选。")
    if len(given) > len(question.options):
        raise BadRequest("too_many_answers", f"“{question.text}”选得太多了。")
    options = frozenset(map(str, given))
    for option in sorted(options):
        if question.option(option) is None:
            raise BadRequest(
                "unknown_option", f"“{question.text}”没有“{option[:40]}”这个选项，请从选项里选。"
            )
    alone = [o.label for o in question.options if o.alone and o.id in options]
    if alone and len(options) > 1:
        raise BadRequest(
            "contradictory_answers", f"选了“{alone[0]}”，就不能再选别的：{question.text}"
        )
    for pair in question.apart:
        if options.issuperset(pair):
            both = "”和“".join(o.label for o in question.options if o.id in pair)
            raise BadRequest("contradictory_answers", f"“{both}”不能同时选：{question.text}")
    return options
