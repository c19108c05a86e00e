"""The table behind the legal-aid pre-check, read strictly: what may be asked, decided and said.

The table is reviewed content (`knowledge/content/rules/legal_aid.yaml`). Whatever in it does not
fit together is an error in Chinese that names the place, so that who edits it can mend it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from service.answering.conditions import IS, RESERVED, When, leaves

VERDICT = "verdict"  # what a section may ask about beside the questions

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(-[a-z0-9_]+)*$")]
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Cite = Annotated[str, StringConstraints(pattern=r"^[^第《》\s]+第[一二三四五六七八九十百千零]+条$")]
CardId = Annotated[str, StringConstraints(pattern=r"^(service|guide|hotline)-[a-z0-9-]+$")]
Region = Annotated[str, StringConstraints(pattern=r"^\d{6}$")]


class RulesError(ValueError):
    """The table cannot be used; the message says in Chinese where and why."""


class Verdict(StrEnum):
    """What the pre-check may conclude: never more than a possibility."""

    MAY_QUALIFY = "may_qualify"
    NO_MEANS_TEST = "likely_no_means_test"
    APPOINTED = "appointed_without_application"
    MISSING = "missing_information"
    NOT_IN_SCOPE = "not_in_scope"
    ASK_PERSON = "ask_person"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Option(Strict):
    """One answer to choose; `also` are other words for it in a conversation. `alone` means that it
    excludes the others; `regions` narrows whose cards may be shown afterwards."""

    id: Id
    label: Words
    also: list[Words] = []
    alone: bool = False
    regions: list[Region] = []


class Question(Strict):
    """A question, and when it is asked. `apart` lists options that cannot both be true."""

    id: Id
    text: Words
    help: str = ""
    many: bool = False
    when: When | None = None
    options: Annotated[list[Option], Field(min_length=2, max_length=8)]
    apart: list[Annotated[list[Id], Field(min_length=2)]] = []

    def option(self, option_id: str) -> Option | None:
        return next((o for o in self.options if o.id == option_id), None)


class Line(Strict):
    """A sentence shown when `when` holds: with its articles, or where else it is from; `card` is
    the service, guide or hotline that it points to."""

    text: Words
    when: When | None = None
    cites: list[Cite] = []
    source: str = ""
    card: CardId | None = None


class Rule(Line):
    """A reason. The first rule that holds and has a verdict decides; see `LegalAidCheck`."""

    id: Id
    verdict: Annotated[Verdict, Field(strict=False)] | None = None


class Headline(Strict):
    label: Words
    lead: Words


class Sections(Strict):
    """What is said beside the reasons, under the headings of a printed result."""

    urgent: list[Line]
    missing: list[Line]
    where: list[Line]
    papers: list[Line]
    deadlines: list[Line]
    after: list[Line]
    remedies: list[Line]
    helps: list[Line]
    unknowns: list[Line]


SECTIONS = tuple(Sections.model_fields)


class Table(Strict):
    """Everything that may change without a change of the program."""

    title: Words
    intro: Words
    disclaimer: Words
    verdicts: dict[Annotated[Verdict, Field(strict=False)], Headline]
    named: dict[Id, When]
    questions: Annotated[list[Question], Field(min_length=1)]
    rules: Annotated[list[Rule], Field(min_length=1)]
    sections: Sections

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Table:
        """Raises RulesError."""
        try:
            return _TABLE.validate_python(dict(raw))
        except ValidationError as error:
            first = error.errors()[0]
            raise RulesError(f"规则表{_place(raw, first['loc'])}{_reason(first)}") from error

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Every sentence with the name of its place."""
        yield from ((f"rules.{rule.id}", rule) for rule in self.rules)
        for name in SECTIONS:
            for i, line in enumerate(getattr(self.sections, name)):
                yield f"sections.{name}.{i}", line

    @model_validator(mode="after")
    def _fits_together(self) -> Table:
        if missing := [v.value for v in Verdict if v not in self.verdicts]:
            raise ValueError(f"verdicts 缺少 {'、'.join(missing)}")
        known: dict[str, frozenset[str]] = {IS: frozenset(self.named)}
        _unique("questions", (q.id for q in self.questions), RESERVED | {VERDICT})
        _unique("rules", (r.id for r in self.rules))
        for question in self.questions:
            ids = [o.id for o in question.options]
            _unique(f"questions.{question.id}", ids)
            if unknown := {i for pair in question.apart for i in pair} - set(ids):
                raise ValueError(
                    f"questions.{question.id} 的 apart 写了没有的选项 {_some(unknown)}"
                )
            known[question.id] = frozenset(ids)
        self._check_names(known)
        self._check_order(known)
        for place, line in self.lines():
            sections = {VERDICT: frozenset(v.value for v in Verdict)}
            allowed = known if isinstance(line, Rule) else known | sections
            _check(place, line.when, allowed)
            if isinstance(line, Rule) and not line.cites and not line.source:
                raise ValueError(f"{place} 没有写条文（cites）或者来源（source）")
        if self.rules[-1].when is not None or self.rules[-1].verdict is None:
            raise ValueError("rules 的最后一条要没有 when、带 verdict，别的都不成立时用它")
        return self

    def _check_names(self, known: Mapping[str, frozenset[str]]) -> None:
        above: set[str] = set()
        for name, condition in self.named.items():
            _check(f"named.{name}", condition, {**known, IS: frozenset(above)})
            above.add(name)

    def _check_order(self, known: Mapping[str, frozenset[str]]) -> None:
        """A question may depend only on questions before it, by whatever name."""
        before: set[str] = set()
        for question in self.questions:
            _check(f"questions.{question.id}", question.when, known)
            if later := self._looks_at(question.when) - before:
                raise ValueError(f"questions.{question.id} 的 when 用到了后面才问的 {_some(later)}")
            before.add(question.id)

    def _looks_at(self, condition: When | None) -> set[str]:
        found: set[str] = set()
        for leaf in leaves(condition) if condition else ():
            if leaf.question == IS:
                found |= set().union(*(self._looks_at(self.named[n]) for n in leaf.options))
            else:
                found.add(leaf.question)
        return found


_TABLE: TypeAdapter[Table] = TypeAdapter(Table)


def _check(place: str, when: When | None, known: Mapping[str, frozenset[str]]) -> None:
    for leaf in leaves(when) if when else ():
        if leaf.question not in known:
            raise ValueError(f"{place} 的条件写了没有的问题 {leaf.question}")
        if unknown := leaf.options - known[leaf.question]:
            raise ValueError(f"{place} 的条件写了“{leaf.question}”没有的选项 {_some(unknown)}")


def _unique(place: str, ids: Iterable[str], taken: Iterable[str] = ()) -> None:
    seen = set(taken)
    for name in ids:
        if name in seen:
            raise ValueError(f"{place} 里的编号 {name} 重复了，或者不能用作编号")
        seen.add(name)


def _some(names: Iterable[str]) -> str:
    return "、".join(sorted(names))


def _place(raw: Any, loc: tuple[int | str, ...]) -> str:
    """rules.wages.when rather than rules.3.when, for who looks for it in the file."""
    names, node = [], raw
    for step in loc:
        if step == "none" or "[" in str(step):  # which branch of a union was tried
            continue
        if isinstance(step, int) and isinstance(node, list) and step < len(node):
            node = node[step]
            own = node.get("id") if isinstance(node, dict) else None
            names.append(str(own or step))
        elif isinstance(step, int) or (isinstance(node, dict) and step in node):
            node = node[step] if isinstance(node, dict) else None
            names.append(str(step))
        else:
            names.append(str(step))
    return f"的 {'.'.join(names)}：" if names else "："


_MESSAGES = {
    "missing": "缺少这一项",
    "extra_forbidden": "是不认识的项",
    "string_too_short": "不能是空的",
    "string_pattern_mismatch": "写法不对",
    "too_long": "太多了",
    "too_short": "太少了",
}


def _reason(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return _MESSAGES.get(error["type"], f"写得不对（{error['msg']}）")
