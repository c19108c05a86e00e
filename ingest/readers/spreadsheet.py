"""Excel workbooks and CSV files: a table a sheet, a row an item."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from typing import Any

import openpyxl
from lxml import etree
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from ingest.readers.document import Block, BlockKind, ReadDocument, Unreadable, clean, table
from ingest.readers.encodings import decode
from ingest.readers.finish import finished

MAX_ROWS = 5_000
MAX_COLUMNS = 100
_MAX_SHEETS = 50
_DELIMITERS = ",\t;|，"
_UNNAMED = re.compile(r"(?:sheet|工作表)\s*\d*", re.IGNORECASE)
_MERGE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}mergeCell"


def read_workbook(data: bytes, stem: str) -> ReadDocument:
    """Every visible sheet that has something in it. Raises Unreadable."""
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, OSError, etree.LxmlError) as error:
        raise Unreadable(
            "file_broken", "Excel 文件损坏，打不开。请打开确认后另存再上传。"
        ) from error
    blocks: list[Block] = []
    warnings: list[str] = []
    try:
        if len(book.worksheets) > _MAX_SHEETS:
            raise Unreadable("file_too_long", f"超过 {_MAX_SHEETS} 张工作表。请拆开后上传。")
        hidden = [s.title for s in book.worksheets if s.sheet_state != "visible"]
        for sheet in book.worksheets:
            if sheet.sheet_state == "visible":
                rows = _sheet(sheet)
                _fill_merged(rows, _merged(data, sheet))
                name = clean(sheet.title)
                if found := table(rows, "" if _UNNAMED.fullmatch(name) else name):
                    blocks.append(found)
        if hidden:
            warnings.append(f"隐藏的工作表没有读入：{'、'.join(hidden[:5])}。")
        if uncounted := _formulas_without_value(data):
            warnings.append(
                f"有 {uncounted} 个公式没有保存计算结果，读成了空白。"
                "请在 Excel 里打开、保存后再上传。"
            )
    finally:
        book.close()
    return finished(stem, "xlsx", blocks, warnings, stem)


def _sheet(sheet: Any) -> list[list[str]]:
    rows: list[list[str]] = []
    sheet.reset_dimensions()  # what the file says of its own size may be wrong
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > MAX_ROWS:
            _too_long(sheet.title)
        if len(row) > MAX_COLUMNS and any(v is not None for v in row[MAX_COLUMNS:]):
            raise Unreadable(
                "file_too_long", f"“{sheet.title}”超过 {MAX_COLUMNS} 列。请删去不用的列。"
            )
        rows.append([_shown(value) for value in row[:MAX_COLUMNS]])
    return rows


def _too_long(name: str) -> None:
    raise Unreadable("file_too_long", f"“{name}”超过 {MAX_ROWS} 行。请拆成几个文件分别上传。")


def _shown(value: Any) -> str:
    """A value as people would write it: 5 and not 5.0, a day without midnight."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, dt.time):
        return value.strftime("%H:%M")
    return str(value).strip()


def _merged(data: bytes, sheet: Any) -> list[tuple[int, int, int, int]]:
    """Merged ranges, which openpyxl does not tell when it reads a sheet row by row."""
    path = str(sheet._worksheet_path).lstrip("/")
    found = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(path) as part:
        for _, element in etree.iterparse(part, resolve_entities=False, no_network=True):
            if element.tag == _MERGE and (ref := element.get("ref")):
                found.append(range_boundaries(ref))
            element.clear()
    return found


def _fill_merged(rows: list[list[str]], ranges: Iterable[tuple[int, int, int, int]]) -> None:
    for left, top, right, bottom in ranges:
        if top > len(rows) or left > len(rows[top - 1]):
            continue
        value = rows[top - 1][left - 1]
        for y in range(top - 1, min(bottom, len(rows))):
            for x in range(left - 1, min(right, len(rows[y]))):
                rows[y][x] = value


def _formulas_without_value(data: bytes) -> int:
    """Cells that have a formula and no value: a program other than Excel has written them."""
    count = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if not (name.startswith("xl/worksheets/") and name.endswith(".xml")):
                continue
            with archive.open(name) as part:
                for _, cell in etree.iterparse(part, resolve_entities=False, no_network=True):
                    if cell.tag.endswith("}c"):
                        parts = {child.tag.rpartition("}")[2]: child.text for child in cell}
                        count += "f" in parts and not parts.get("v")
                        cell.clear()
    return count


def read_csv(data: bytes, stem: str) -> ReadDocument:
    """One table; the delimiter is the one that divides the lines most evenly. Raises Unreadable."""
    text = decode(data)
    if "\x00" in text:
        raise Unreadable("file_lies", "文件名是 .csv，内容却是二进制数据，没有导入。")
    csv.field_size_limit(200_000)
    delimiter = _delimiter(text)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise Unreadable(
            "file_broken", "CSV 文件的格式不对（引号没有成对？），请检查后再上传。"
        ) from error
    if len(rows) > MAX_ROWS:
        _too_long(stem)
    found = table([row[:MAX_COLUMNS] for row in rows])
    if found and len(found.rows[0]) == 1:
        lines = [Block(BlockKind.ITEM, row[0]) for row in found.rows]
        return finished(stem, "csv", lines, ["只有一列，按一行一条读入。"], stem)
    return finished(stem, "csv", [found] if found else [], [], stem)


def _delimiter(text: str) -> str:
    lines = [line for line in text.splitlines()[:50] if line.strip()]

    def evenness(mark: str) -> tuple[float, int]:
        counts = [len(next(csv.reader([line], delimiter=mark))) for line in lines]
        usual, times = Counter(counts).most_common(1)[0] if counts else (1, 1)
        return (times / len(counts) if usual > 1 else 0.0, usual)

    # A Chinese comma is a delimiter only where nothing else is: it stands in every sentence.
    return max(_DELIMITERS, key=lambda m: (*evenness(m), -_DELIMITERS.index(m)))
