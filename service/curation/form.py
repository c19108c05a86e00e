"""What somebody typed, checked: every field that is wrong is named at once, in Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ingest.content import AnyItem, Card, Faq, Outside, Rules, load_yaml
from knowledge.citations import LawBook, Verdict
from knowledge.models import Document, Kind, Revision
from service.answering import deadline_table, precheck_table
from service.answering.legal_aid import RULES as LEGAL_AID
from service.curation.errors import BadFields

EDITED = (Kind.FAQ, Kind.SERVICE, Kind.GUIDE, Kind.HOTLINE, Kind.OUTSIDE, Kind.RULES)
WRITTEN = EDITED[:-1]  # of which a new one can be begun; a rule table needs a program that reads it
LABELS = {
    "question": "问题",
    "answer": "回答",
    "asks": "问法",
    "cites": "依据的条文",
    "steps": "下一步",
    "notices": "请特别留意",
    "facts": "条文以外的依据",
    "topic": "主题",
    "region": "适用地区",
    "source": "来源",
    "checked_on": "核对日期",
    "title": "名称",
    "issuer": "由谁提供",
    "level": "效力级别",
    "summary": "一句话说明",
    "who": "谁可以办",
    "how": "怎么办",
    "materials": "要带的材料",
    "where": "地点",
    "phone": "电话",
    "hours": "时间",
    "opening": "开放时间（供推算）",
    "fee": "收费",
    "deadline": "期限",
    "online": "网上办",
    "unknown": "没有查到的",
    "ask_at": "问谁",
    "related": "相关的服务",
    "reply": "怎么回应",
    "hotlines": "可以打的热线",
    "table": "规则表",
    "text": "内容",
    "certainty": "把握",
    "days": "哪些天",
    "times": "时段",
    "body": "内容",
    "passages": "条文",
}
DATED = (Kind.STATUTE, Kind.POLICY)  # which say themselves from when until when they hold
_DESCRIBED = ("title", "region", "issuer", "topic", "level")
FACTS = ("where", "phone", "hours", "fee", "deadline", "online")
_LONGEST = {
    "answer": 5000,
    "reply": 1000,
    "who": 2000,
    "source": 500,
    "summary": 500,
    "facts": 1000,
}
_LONGEST_WORDS = 300  # of a field that is not named above
_LONGEST_LINE = 500
_LONGEST_TITLE = 100
_MOST_LINES = 200
LONGEST_TABLE = 200_000

_MODELS: dict[str, TypeAdapter[Any]] = {
    "faq": TypeAdapter(Faq),
    "service": TypeAdapter(Card),
    "guide": TypeAdapter(Card),
    "hotline": TypeAdapter(Card),
    "outside": TypeAdapter(Outside),
    "rules": TypeAdapter(Rules),
}
_SAID = {
    "missing": "请填写",
    "string_too_short": "请填写",
    "extra_forbidden": "不认识这一项",
    "literal_error": "请从给出的选项里选",
    "string_type": "要写成文字",
    "list_type": "要一行写一条",
    "dict_type": "要写成一张表",
    "model_type": "要写明内容、把握和来源",
    "string_pattern_mismatch": "写法不对",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a form is checked against: the law of a day, and which documents there are."""

    laws: LawBook
    on: date
    kinds: Mapping[str, str]  # id of a document that is not withdrawn → its kind


def checked(document_id: str, kind: str, body: Mapping[str, Any], known: Known) -> AnyItem:
    """The piece of content that `body` describes. Raises BadFields with all that is wrong."""
    if kind not in _MODELS:
        raise BadFields({"kind": "没有这一类内容。"})
    raw = {k: v for k, v in body.items() if not _is_empty(k, v)}
    raw |= {"id": document_id, "kind": kind}
    wrong = Wrong()
    _look_over(raw, wrong)
    if kind == Kind.RULES and isinstance(raw.get("table"), str):
        raw["table"] = _parsed(raw["table"], wrong)
    if wrong.fields:
        raise BadFields(wrong.fields)
    item: AnyItem | None = None
    try:
        item = _MODELS[kind].validate_python(raw)
    except ValidationError as error:
        for problem in error.errors():
            wrong.add(_place(problem["loc"]), _sentence(problem))
    _check_references(raw, known, wrong)
    if isinstance(item, Rules):
        _check_table(item, known, wrong)
    if wrong.fields or item is None:
        raise BadFields(wrong.fields)
    return item


def body_of(revision: Revision) -> dict[str, Any]:
    """The stored body as a form has it: an answer's title is its question."""
    return {
        k: v for k, v in revision.body.items() if k != "title" or "question" not in revision.body
    }


def description(document: Document) -> dict[str, str]:
    """What a version of a law or policy says of its document, kept in its body: it may be called
    otherwise than the version that is published."""
    return {name: getattr(document, name) for name in _DESCRIBED if getattr(document, name)}


def described(document: Document, revision: Revision) -> Document:
    """The document of a law or policy as one of its versions describes it."""
    if "title" not in revision.body:  # it shipped, or was read in from a folder
        return document
    return replace(document, **{name: revision.body.get(name, "") for name in _DESCRIBED})


def item_of(kind: str, body: Mapping[str, Any]) -> AnyItem:
    """A stored body as what it was made of. Raises ValidationError for one that never was one."""
    item: AnyItem = _MODELS[kind].validate_python(dict(body))
    return item


def _is_empty(name: str, value: Any) -> bool:
    if name in FACTS and isinstance(value, Mapping):
        return not value.get("text") and not value.get("source")
    if name == "opening" and isinstance(value, Mapping):
        return not value.get("days")
    return value is None or value == ""


class Wrong:
    """Sentences by field; several of one field are lines of one text."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}

    def add(self, place: tuple[str, int | None], sentence: str) -> None:
        name, row = place
        said = f"第{row + 1}行：{sentence}" if row is not None else sentence
        said = said if said.endswith("。") else f"{said}。"
        before = self.fields.get(name)
        self.fields[name] = f"{before}\n{said}" if before else said


def label(field: str) -> str:
    """`where.text` → 地点的内容."""
    return "的".join(LABELS.get(part, part) for part in field.split("."))


def _place(loc: tuple[int | str, ...]) -> tuple[str, int | None]:
    names = [str(step) for step in loc if isinstance(step, str)]
    rows = [step for step in loc if isinstance(step, int)]
    return ".".join(names) or "body", rows[0] if rows else None


def _sentence(problem: ErrorDetails) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "too_short":
        return f"至少写{context['min_length']}条"
    if kind.startswith("date"):
        return "要写成2026-11-30这样的日期"
    if kind in _SAID:
        return _SAID[kind]
    if kind in ("opening", "value_error"):  # ours, in Chinese already
        return problem["msg"].removeprefix("Value error, ")
    return "写得不对"


def _look_over(raw: Mapping[str, Any], wrong: Wrong) -> None:
    """What no model of content says: nothing unprintable, and nothing beyond all measure."""
    for name, value in raw.items():
        if name == "table":
            if isinstance(value, str) and len(value) > LONGEST_TABLE:
                wrong.add((name, None), f"最多{LONGEST_TABLE}个字")
            continue
        if isinstance(value, list):
            if len(value) > _MOST_LINES:
                wrong.add((name, None), f"最多{_MOST_LINES}条")
                continue
            for row, line in enumerate(value):
                _look_at(name, row, line, _LONGEST_LINE, wrong)
        elif isinstance(value, dict):
            for inner, part in value.items():
                _look_at(f"{name}.{inner}", None, part, _LONGEST_LINE, wrong)
        else:
            title = name in ("title", "question")
            longest = _LONGEST_TITLE if title else _LONGEST.get(name, _LONGEST_WORDS)
            _look_at(name, None, value, longest, wrong)


def _look_at(name: str, row: int | None, value: Any, longest: int, wrong: Wrong) -> None:
    if not isinstance(value, str):
        return
    if len(value) > longest:
        wrong.add((name, row), f"最多{longest}个字，现在有{len(value)}个字")
    if has_unprintable(value):
        wrong.add((name, row), "有看不见的控制字符，请删去重写")


def has_unprintable(text: str) -> bool:
    """Whether there are characters that nobody can see or that mean nothing."""
    return any(
        c not in "\n\r\t" and unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") for c in text
    )


def _parsed(text: str, wrong: Wrong) -> Any:
    try:
        return load_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第{mark.line + 1}行附近" if mark else ""
        wrong.add(("table", None), f"不是有效的 YAML：{where}的缩进、引号或冒号有问题")
        return {}


def _check_references(raw: Mapping[str, Any], known: Known, wrong: Wrong) -> None:
    """Each article resolves on the day, each card that is pointed to exists."""
    for row, cite in enumerate(_lines(raw.get("cites"))):
        if problem := citation_problem(known.laws, cite, known.on):
            wrong.add(("cites", row), problem)
    cards = frozenset({Kind.SERVICE, Kind.GUIDE, Kind.HOTLINE})
    for name, kinds in (("steps", cards), ("related", cards), ("hotlines", {Kind.HOTLINE})):
        for row, identity in enumerate(_lines(raw.get(name))):
            if identity == raw["id"]:
                wrong.add((name, row), "不能指向自己")
            elif known.kinds.get(identity) not in kinds:
                what = "热线" if name == "hotlines" else "服务、指南或热线"
                wrong.add((name, row), f"没有编号为“{identity}”的{what}")


def _lines(value: Any) -> list[str]:
    lines = value if isinstance(value, list) else []
    return [line for line in lines if isinstance(line, str) and line.strip()]


def citation_problem(laws: LawBook, cite: str, on: date) -> str | None:
    """Why the article cannot be cited on that day, with what replaced it where that is known; None
    for one that can."""
    try:
        laws.cite(cite.strip(), on)
    except LookupError as error:
        found = laws.check_text(cite, on)
        if len(found) > 1:
            return f"“{cite}”写了不止一条，请一行写一条"
        if not found:
            return f"“{cite}”里没有找到条文，请写成“劳动合同法第八十二条”这样"
        reason = found[0].note or re.sub(r"^[^：]*：", "", str(error))
        if found[0].verdict is Verdict.VERIFIED:
            return reason
        instead = "、".join(source.name for source in found[0].replaced_by)
        return f"“{cite}”：{reason}" + (f"现在看{instead}。" if instead else "")
    return None


def _check_table(item: Rules, known: Known, wrong: Wrong) -> None:
    """What reads the table says whether it can; each of its citations must stand."""
    readers: dict[str, Callable[[dict[str, Any]], list[str]]] = {
        LEGAL_AID: _cited_by_precheck,
        deadline_table.TABLE: _cited_by_deadlines,
    }
    reader = readers.get(item.id)
    if reader is None:
        wrong.add(("table", None), "没有程序使用这张规则表")
        return
    try:
        cited = reader(item.table)
    except ValueError as error:
        said, cause = str(error), error.__cause__
        if isinstance(cause, ValidationError):  # whose own words are English
            first = cause.errors()[0]
            said = said.replace(first["msg"], _sentence(first))
        wrong.add(("table", None), said)
        return
    problems = (citation_problem(known.laws, cite, known.on) for cite in dict.fromkeys(cited))
    for problem in (p for p in problems if p):
        wrong.add(("table", None), problem)


def _cited_by_precheck(raw: dict[str, Any]) -> list[str]:
    return [cite for _, line in precheck_table.Table.read(raw).lines() for cite in line.cites]


def _cited_by_deadlines(raw: dict[str, Any]) -> list[str]:
    return [cite for row in deadline_table.Table.read(raw).rows for cite in row.citations]
