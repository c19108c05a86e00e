"""PDF files: lines put together again to paragraphs, in reading order; no running heads."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pdfplumber
from pdfminer.pdfdocument import PDFPasswordIncorrect
from pdfplumber.utils.exceptions import PdfminerException

from ingest.readers.document import Block, BlockKind, ReadDocument, Unreadable, as_blocks, clean
from ingest.readers.document import table as table_block
from ingest.readers.finish import finished
from ingest.readers.numbering import article_of, heading_level, numbered

logging.getLogger("pdfminer").setLevel(logging.ERROR)  # it warns of every font that is unusual

MAX_PAGES = 500
_EDGE = 0.12  # of the page's height: where running heads and page numbers stand
_LEAST = 8  # characters on a page that has text
_PAGE_NUMBER = re.compile(
    r"[-—–·\s]*(?:第\s*)?[\dⅰ-ⅿ]{1,4}(?:\s*页)?(?:\s*[/／共，,]+\s*(?:共\s*)?\d{1,4}\s*页?)?[-—–·\s]*"
)
_GUTTER = 0.02  # of the page's width: the least white between two columns
_SCANNED = (
    "扫描件读不出文字，请用扫描软件或 WPS 的“文字识别（OCR）”转成 Word 或可以选中文字的 PDF，"
    "核对无误后再上传；最好向发文单位要电子版。"
)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    margin: float = 0.0  # where its column ends; 0 where a page has one


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    lines: tuple[_Line, ...]
    tables: tuple[tuple[float, Any], ...]  # where it begins, and its rows
    width: float
    height: float
    image: bool


def read_pdf(data: bytes, stem: str) -> ReadDocument:
    """Raises Unreadable for one with a password, of too many pages, broken, or without text."""
    try:
        with pdfplumber.open(io.BytesIO(data)) as opened:
            if len(opened.pages) > MAX_PAGES:
                raise Unreadable(
                    "file_too_long",
                    f"有 {len(opened.pages)} 页，超过 {MAX_PAGES} 页。请拆成几个文件分别上传。",
                )
            pages = []
            for number, page in enumerate(opened.pages, start=1):
                pages.append(_read_page(page, number))
                page.close()  # or every page's characters stay in memory
    except Unreadable:
        raise
    except PdfminerException as error:
        if error.args and isinstance(error.args[0], PDFPasswordIncorrect):
            raise Unreadable(
                "file_encrypted", "PDF 加了密码，读不了。请打开后取消密码，另存再上传。"
            ) from error
        raise Unreadable("file_broken", _BROKEN) from error
    except Exception as error:  # pdfminer raises whatever a broken file makes it stumble over
        raise Unreadable("file_broken", _BROKEN) from error
    if not pages:
        raise Unreadable("file_empty", "PDF 里没有页面。")
    silent = [
        p.number for p in pages if sum(len(x.text) for x in p.lines) < _LEAST and not p.tables
    ]
    if len(silent) == len(pages):
        raise Unreadable("file_scanned", _SCANNED)
    warnings = []
    if pictures := [n for n in silent if pages[n - 1].image]:
        shown = "、".join(map(str, pictures[:10]))
        warnings.append(f"第 {shown} 页是图片，读不出文字，没有读入。")
    pages = _without_running_heads(pages)
    blocks = list(_blocks(pages))
    if any(b.kind is BlockKind.TABLE for b in blocks):
        warnings.append("PDF 的表格是按线条认出来的，请对照原件核对。")
    return finished("", "pdf", blocks, warnings, stem)


_BROKEN = "PDF 文件损坏，打不开。请用阅读器打开确认，另存后再上传。"


# — a page


def _read_page(page: Any, number: int) -> _Page:
    found = [t for t in page.find_tables() if len(t.rows) > 1 and len(t.rows[0].cells) > 1]
    tables = tuple((float(t.bbox[1]), _filled(t)) for t in found)
    boxes = [t.bbox for t in found]
    words = [
        w
        for w in page.extract_words(use_text_flow=False, extra_attrs=["size"])
        if not any(_inside(w, box) for box in boxes)
    ]
    lines: list[_Line] = []
    columns = _columns(words, float(page.width))
    for column in columns:
        margin = max((w["x1"] for w in column), default=0.0) if len(columns) > 1 else 0.0
        lines += _lines(column, margin)
    return _Page(
        number, tuple(lines), tables, float(page.width), float(page.height), bool(page.images)
    )


def _filled(found: Any) -> list[list[str]]:
    """Rows of a table; where a cell spans several rows or columns its words stand in each."""
    rows = found.extract()
    for y, row in enumerate(found.rows):
        for x, cell in enumerate(row.cells):
            if cell is None:
                rows[y][x] = _spanning(rows, y, x)
    return [[re.sub(r"\s*\n\s*", "", cell or "") for cell in row] for row in rows]


def _spanning(rows: list[list[str | None]], y: int, x: int) -> str:
    if x and rows[y][x - 1] and (not y or rows[y - 1][x] is None or rows[y - 1][x] == ""):
        return rows[y][x - 1] or ""
    return (rows[y - 1][x] or "") if y else ""


def _inside(word: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    x, y = (word["x0"] + word["x1"]) / 2, (word["top"] + word["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _columns(words: list[dict[str, Any]], width: float) -> list[list[dict[str, Any]]]:
    """The words by columns: one, or two where a white gutter runs down near the middle. What stands
    across the gutter (a title) comes before."""
    if len(words) < 8:
        return [words]
    middle = [m / 100 * width for m in range(42, 59)]
    for x in sorted(middle, key=lambda m: abs(m - width / 2)):
        left_edge, right_edge = x - _GUTTER * width / 2, x + _GUTTER * width / 2
        across = [w for w in words if w["x0"] < right_edge and w["x1"] > left_edge]
        if len(across) > max(3, len(words) * 0.08):
            continue
        left = [w for w in words if w["x1"] <= left_edge]
        right = [w for w in words if w["x0"] >= right_edge]
        if min(len(left), len(right)) < len(words) * 0.25 or not _beside(left, right):
            continue
        top = [w for w in across if w["top"] < _middle_of(left, right)]
        rest = [w for w in across if w not in top]
        return [top, left, right, rest]
    return [words]


def _middle_of(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> float:
    """How far down the middle of two columns is."""
    tops = [w["top"] for w in (*left, *right)]
    return float(min(tops) + max(tops)) / 2


def _beside(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> bool:
    """Whether two columns stand beside each other and are full of text: words to the left and right
    of a wide gap in a form are none."""
    (top, bottom), (other_top, other_bottom) = (
        (min(w["top"] for w in side), max(w["bottom"] for w in side)) for side in (left, right)
    )
    shared = min(bottom, other_bottom) - max(top, other_top)
    lines = {(side is right, round(w["top"])) for side in (left, right) for w in side}
    full = sum(w["x1"] - w["x0"] for w in (*left, *right)) / len(lines)
    return bool(shared > 0.5 * min(bottom - top, other_bottom - other_top) and full > 100)


def _lines(words: list[dict[str, Any]], margin: float) -> list[_Line]:
    rows: list[list[dict[str, Any]]] = []
    for word in sorted(words, key=lambda w: (w["top"] + w["bottom"], w["x0"])):
        middle = (word["top"] + word["bottom"]) / 2
        if rows and rows[-1][0]["top"] - 1 <= middle <= rows[-1][0]["bottom"] + 1:
            rows[-1].append(word)
        else:
            rows.append([word])
    lines = []
    for row in rows:
        row.sort(key=lambda w: w["x0"])
        text = clean(" ".join(w["text"] for w in row))
        if text:
            lines.append(
                _Line(
                    text,
                    row[0]["x0"],
                    row[-1]["x1"],
                    min(w["top"] for w in row),
                    max(w["bottom"] for w in row),
                    max(w["size"] for w in row),
                    margin,
                )
            )
    return lines


# — running heads and page numbers


def _without_running_heads(pages: Sequence[_Page]) -> list[_Page]:
    """Pages without what stands at the same edge of many of them, whatever number is in it."""

    def key(line: _Line) -> str:
        return re.sub(r"\d+", "#", line.text)

    def at_edge(page: _Page, line: _Line) -> bool:
        return line.bottom < page.height * _EDGE or line.top > page.height * (1 - _EDGE)

    seen = Counter(
        k for page in pages for k in {key(line) for line in page.lines if at_edge(page, line)}
    )
    often = max(3, len(pages) * 0.4)
    out = []
    for page in pages:
        kept = tuple(
            line
            for line in page.lines
            if not (
                at_edge(page, line)
                and (seen[key(line)] >= often or _PAGE_NUMBER.fullmatch(line.text))
            )
        )
        out.append(_Page(page.number, kept, page.tables, page.width, page.height, page.image))
    return out


# — paragraphs


def _blocks(pages: Sequence[_Page]) -> Iterator[Block]:
    """Paragraphs and tables of all pages: a paragraph, and a table, may go on over a page."""
    open_lines: list[_Line] = []
    last_rows: list[list[str]] | None = None
    body = _usual_size(pages)
    everywhere = max((line.x1 for page in pages for line in page.lines), default=0.0)
    for page in pages:
        tables = list(page.tables)
        for line in page.lines:
            while tables and tables[0][0] < line.top:
                yield from _paragraph(open_lines, body)
                open_lines = []
                last_rows = _continued(last_rows, tables.pop(0)[1])
            if last_rows is not None:
                yield from as_blocks(table_block(last_rows))
                last_rows = None
            if open_lines and not _goes_on(open_lines, line, open_lines[-1].margin or everywhere):
                yield from _paragraph(open_lines, body)
                open_lines = []
            open_lines.append(line)
        for _, rows in tables:
            yield from _paragraph(open_lines, body)
            open_lines = []
            last_rows = _continued(last_rows, rows)
    yield from _paragraph(open_lines, body)
    if last_rows is not None:
        yield from as_blocks(table_block(last_rows))


def _continued(before: list[list[str]] | None, rows: list[list[str]]) -> list[list[str]]:
    """A table that goes on over a page as one, without the header that is repeated."""
    if before is None or not rows:
        return rows
    if len(before[0]) != len(rows[0]):
        return [*before, *rows]
    return [*before, *(rows[1:] if rows[0] == before[0] else rows)]


def _usual_size(pages: Sequence[_Page]) -> float:
    sizes = Counter[float]()
    for page in pages:
        for line in page.lines:
            sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _goes_on(above: list[_Line], line: _Line, right: float) -> bool:
    """Whether a line belongs to the paragraph above: that ended at the margin, not at its end, and
    this one does not open a paragraph."""
    last, first = above[-1], above[0]
    if numbered(line.text) or article_of(line.text) or abs(line.size - last.size) > 1:
        return False
    centred = heading_level(first.text) is not None and len(above) == 1
    full = last.x1 >= right - 2.5 * last.size
    if last.top < line.top and line.top - last.bottom > 1.6 * last.size:
        return False  # white between the two
    if last.margin != line.margin:  # the next column: where it begins says nothing
        return full and not last.text.endswith(("。", "！", "？", "；", "："))
    indented = len(above) > 1 and line.x0 > min(x.x0 for x in above) + 1.2 * line.size
    if not full or indented:
        return False
    if len(above) == 1 and line.x0 > first.x0 + 0.5 * line.size and not centred:
        return False
    return not (centred and first.x1 < right - 2.5 * first.size)


def _paragraph(lines: list[_Line], body: float) -> Iterator[Block]:
    if not lines:
        return
    text = lines[0].text
    for line in lines[1:]:
        spaced = text[-1].isascii() and line.text[0].isascii() and text[-1] != "-"
        text = f"{text} {line.text}" if spaced else text + line.text
    level = heading_level(text)
    if level is None and lines[0].size >= body * 1.25 and len(text) <= 80:
        level = 1 if lines[0].size >= body * 1.5 else 2
    if level is not None:
        yield Block(BlockKind.HEADING, text, level)
    else:
        yield Block(BlockKind.PARAGRAPH, text)
