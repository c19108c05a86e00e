"""Questions as people bring them: pasted lines, CSV, JSONL or a spreadsheet.

Columns and keys may be named in Chinese or English; only the question is needed. What cannot be
read is named with its line, and then nothing is taken: half a set is worse than none.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from service.errors import BadRequest

MOST_QUESTIONS = 2000
_MOST_UNPACKED = 20 * 1024 * 1024  # bytes; a spreadsheet is a zip file
_LISTS = ("outcome", "cites", "shows", "hides", "earlier")
_NAMES = {
    "question": ("question", "问题", "提问", "q"),
    "outcome": ("outcome", "expect", "结果", "期望结果"),
    "cites": ("cites", "引用", "应引用", "条文"),
    "shows": ("shows", "documents", "应给出", "内容"),
    "hides": ("hides", "不应给出"),
    "earlier": ("earlier", "前面的问题", "上文"),
    "region": ("region", "地区"),
    "as_of": ("as_of", "日期", "按哪天的法律"),
    "note": ("note", "备注", "说明"),
}
_FIELD = {name: field for field, names in _NAMES.items() for name in names}

Row = dict[str, Any]


def lines_of(text: str) -> list[Row]:
    """One question a line; empty lines and those that begin with # are passed over."""
    lines = (line.strip() for line in text.splitlines())
    return _bounded({"question": line} for line in lines if line and not line.startswith("#"))


def read_file(name: str, content: bytes) -> list[Row]:
    """The rows of an uploaded file, by its ending. Raises BadRequest with what is wrong where."""
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if ending == "xlsx":
        return _bounded(_of_table(_sheet(content)))
    if ending not in ("csv", "jsonl", "txt"):
        raise BadRequest("file_kind", "只能上传 xlsx、csv、jsonl 或 txt 文件。")
    text = _decoded(content)
    if ending == "txt":
        return lines_of(text)
    if ending == "csv":
        try:
            return _bounded(_of_table(csv.reader(io.StringIO(text, newline=""))))
        except csv.Error as error:
            raise BadRequest("csv_broken", f"CSV 文件读不懂：{error}") from None
    return _bounded(_json_lines(text))


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):  # as Chinese Excel saves CSV
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise BadRequest("file_no_text", "这个文件不是文字，请存成 UTF-8 的 csv、jsonl 或 txt。")


def _sheet(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > _MOST_UNPACKED:
                raise BadRequest("file_large", "这个表格展开后太大了，请拆成几个。")
        from openpyxl import load_workbook  # a fifth of a second that not every start need take

        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        for row in book.worksheets[0].iter_rows(values_only=True):  # which is read only now
            yield ["" if cell is None else _cell(cell) for cell in row]
    except BadRequest:
        raise
    except Exception:  # noqa: BLE001  (openpyxl raises whatever its parsers raise)
        raise BadRequest("xlsx_broken", "这个文件不是可以打开的 xlsx 表格。") from None


def _cell(value: Any) -> str:
    return value.date().isoformat() if hasattr(value, "date") else str(value)


def _of_table(rows: Iterable[list[str]]) -> Iterator[Row]:
    """Rows under their heading; a table with no heading that is known is a column of questions."""
    fields: list[str | None] | None = None
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if fields is None:
            fields = [_FIELD.get(cell.lower()) for cell in cells]
            if "question" in fields:
                continue
            fields = ["question", *[None] * (len(cells) - 1)]
        out: Row = {}
        for field, cell in zip(fields, cells, strict=False):
            if field and cell:
                out[field] = _split(cell) if field in _LISTS else cell
        yield out


def _split(cell: str) -> list[str]:
    for mark in ("；", ";", "\n", "|"):
        cell = cell.replace(mark, "\n")
    return [part.strip() for part in cell.split("\n") if part.strip()]


def _json_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            raise BadRequest("jsonl_broken", f"第{number}行不是有效的 JSON。") from None
        if not isinstance(raw, Mapping):
            raise BadRequest("jsonl_broken", f"第{number}行应当是一个 JSON 对象。")
        yield _of_json(raw, number)


def _of_json(raw: Mapping[str, Any], number: int) -> Row:
    out: Row = {}
    for key, value in raw.items():
        field = _FIELD.get(str(key))
        if field is None or value in (None, "", []):
            continue
        if field in _LISTS:
            value = [value] if isinstance(value, str) else value
            if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                raise BadRequest("jsonl_broken", f"第{number}行的 {key} 应当是文字或文字的列表。")
        elif not isinstance(value, str):
            raise BadRequest("jsonl_broken", f"第{number}行的 {key} 应当是文字。")
        out[field] = value
    return out


def _bounded(rows: Iterable[Row]) -> list[Row]:
    """Raises BadRequest for none, for too many, and for a row with no question."""
    out = []
    for number, row in enumerate(rows, start=1):
        if number > MOST_QUESTIONS:
            raise BadRequest("questions_many", f"一次最多加{MOST_QUESTIONS}个问题，请拆开。")
        if not row.get("question"):
            raise BadRequest("question_missing", f"第{number}个没有写问题。")
        out.append(row)
    if not out:
        raise BadRequest("questions_none", "没有读到问题：每行写一个，或上传带“问题”一列的表格。")
    return out
