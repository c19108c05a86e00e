"""Tables whose header says what they are: questions with answers, or cards of services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ingest.readers.document import Block, BlockKind, ReadDocument

_FAQ = {
    "question": ("问题", "问", "咨询问题", "常见问题", "标题", "question"),
    "answer": ("答案", "回答", "答", "答复", "解答", "回复", "标准答案", "answer"),
    "cites": ("依据", "法律依据", "政策依据", "引用条文", "所依据的条文", "条文", "cites"),
    "asks": ("问法", "其他问法", "相似问法", "相似问题", "同义问法", "扩展问", "asks"),
    "topic": ("主题", "分类", "类别", "类型", "topic"),
    "source": ("来源", "出处", "source"),
    "checked_on": ("核对日期", "核实日期", "更新日期", "checked_on"),
    "notices": ("提示", "注意", "注意事项", "提醒", "notices"),
    "region": ("地区", "适用地区", "region"),
}
_CARD = {
    "title": (
        "名称", "事项", "事项名称", "服务名称", "服务事项", "机构名称", "单位名称", "标题", "title",
    ),
    "summary": ("简介", "说明", "服务内容", "内容", "职责", "summary"),
    "who": ("办理对象", "服务对象", "谁可以办", "申请条件", "办理条件", "条件", "who"),
    "how": ("办理流程", "流程", "怎么办", "办理方式", "步骤", "how"),
    "materials": ("材料", "所需材料", "申请材料", "办理材料", "materials"),
    "where": ("地址", "地点", "办理地点", "办公地址", "where"),
    "phone": ("电话", "联系电话", "咨询电话", "热线", "phone"),
    "hours": ("时间", "办公时间", "工作时间", "服务时间", "开放时间", "接待时间", "hours"),
    "fee": ("收费", "费用", "收费标准", "fee"),
    "deadline": ("期限", "办理时限", "时限", "办结时限", "deadline"),
    "online": ("网上办理", "网址", "线上办理", "在线办理", "online"),
    "issuer": ("主管单位", "责任单位", "实施主体", "单位", "issuer"),
    "ask_at": ("问谁", "咨询方式", "ask_at"),
}  # fmt: skip
_BOTH = ("cites", "asks", "topic", "source", "checked_on", "notices", "region")
_CARD |= {key: _FAQ[key] for key in _BOTH}
_LISTS = {"asks", "cites", "how", "materials", "notices"}
_DIVIDED = re.compile(r"[；;\n|｜]+")
_NUMBERED = re.compile(r"(?:^|(?<=[。；;\s]))\s*(?:\d{1,2}[.、．)）]|[①-⑳])\s*")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row as the fields of a FAQ or card; `number` is its line in the table."""

    number: int
    kind: Literal["faq", "service"]
    fields: dict[str, Any]


def rows_of(document: ReadDocument) -> list[TableRow]:
    """The rows of all tables that fit, in order; those without a question and answer, or without a
    name, are left out."""
    return [row for block in document.blocks for row in _rows_of(block)]


def fits(document: ReadDocument) -> Literal["faq", "service"] | None:
    """What a document of tables is a table of, if its first table that fits says so."""
    found = (mapped[0] for b in document.blocks if (mapped := _mapped(b)) is not None)
    return next(found, None)


def _mapped(block: Block) -> tuple[Literal["faq", "service"], int, dict[int, str]] | None:
    """The kind of a table, the line of its header (a title may stand above it), and its columns."""
    if block.kind is not BlockKind.TABLE:
        return None
    for line, row in enumerate(block.rows[:4]):
        faq, card = _columns(row, _FAQ), _columns(row, _CARD)
        if {"question", "answer"} <= set(faq.values()):
            return "faq", line, faq
        told = {"summary", "how", "phone", "where", "hours"} & set(card.values())
        if "title" in card.values() and told:
            return "service", line, card
    return None


def _columns(row: tuple[str, ...], names: dict[str, tuple[str, ...]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for column, cell in enumerate(row):
        plain = re.sub(r"[\s*：:（(].*$", "", cell.strip("*＊ ")).lower()
        field = next((f for f, known in names.items() if plain in known), None)
        if field and field not in found.values():
            found[column] = field
    return found


def _rows_of(block: Block) -> Iterator[TableRow]:
    mapped = _mapped(block)
    if mapped is None:
        return
    kind, header, columns = mapped
    needed = ("question", "answer") if kind == "faq" else ("title",)
    for number, row in enumerate(block.rows[header + 1 :], start=header + 2):
        fields = {field: _value(field, row[column]) for column, field in columns.items()}
        fields = {field: value for field, value in fields.items() if value}
        if all(fields.get(field) for field in needed):
            yield TableRow(number, kind, fields)


def _value(field: str, cell: str) -> Any:
    if field not in _LISTS:
        return cell
    parts = _NUMBERED.split(cell) if field in ("how", "materials") else [cell]
    pieces = [p for part in parts for p in (_DIVIDED.split(part) if field != "how" else [part])]
    if field == "cites":
        pieces = [p for piece in pieces for p in re.split(r"[、，,](?=《)", piece)]
    return [stripped for piece in pieces if (stripped := piece.strip(" 　；;、"))]
