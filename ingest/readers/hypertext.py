"""Web pages saved as files: the main content, without menus, scripts and what is hidden."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import NavigableString

from ingest.readers.document import (
    Block,
    BlockKind,
    ReadDocument,
    Unreadable,
    as_blocks,
    clean,
    table,
)
from ingest.readers.encodings import decode
from ingest.readers.finish import finished
from ingest.readers.numbering import heading_level

_DROPPED = (
    "script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "canvas", "head",
    "nav", "header", "footer", "aside", "form", "button", "input", "select", "textarea", "video",
    "audio",
)  # fmt: skip
_CHROME = re.compile(
    r"(?:^|[-_\s])(?:nav|menu|breadcrumb|crumb|footer|foot|header|sidebar|share|comment|copyright|"
    r"related|recommend|toolbar|pager|pagination|ad|ads)(?:$|[-_\s])",
    re.IGNORECASE,
)
_CONTENT = re.compile(
    r"trs_editor|article|content|zoom|main|detail|text|xl-?nr|正文|ucapcontent", re.IGNORECASE
)
_INLINE = {
    "a", "b", "strong", "em", "i", "u", "span", "font", "sup", "sub", "small", "mark", "label",
    "code", "abbr", "time", "s", "ins", "q", "cite",
}  # fmt: skip
_DELETED = {"del", "strike"}
_MAX_CELLS = 200_000


def read_html(data: bytes, stem: str) -> ReadDocument:
    """Raises Unreadable when no text is left."""
    soup = BeautifulSoup(decode(data, html=True), "lxml")
    own = soup.title.get_text() if soup.title else ""
    for tag in soup(_DROPPED):
        tag.decompose()
    for comment in soup.find_all(string=lambda s: isinstance(s, Comment)):
        comment.extract()
    for tag in soup.find_all(_is_chrome):
        if not tag.decomposed:
            tag.decompose()
    main = _main(soup)
    first = soup.find("h1")
    title = clean(first.get_text(" ")) if first else ""
    stem = re.split(r"[_|－-]", clean(own))[0].strip() or stem
    blocks = list(_blocks(main))
    warnings = []
    if main.find("img"):
        warnings.append("网页里的图片没有读入；图片里有字的，请对照原网页。")
    if not blocks:
        raise Unreadable(
            "file_empty", "网页里没有读出正文。请在浏览器里打开，把正文复制到 Word 再上传。"
        )
    return finished(title, "html", blocks, warnings, stem)


def _is_chrome(tag: Tag) -> bool:
    if tag.name in ("html", "body", "main", "article"):
        return False
    style = str(tag.get("style") or "").replace(" ", "").lower()
    if tag.has_attr("hidden") or "display:none" in style or tag.get("aria-hidden") == "true":
        return True
    classes: Any = tag.get("class") or []
    names = " ".join(
        [*(classes if isinstance(classes, list) else [str(classes)]), str(tag.get("id") or "")]
    )
    return tag.name in ("div", "ul", "section", "p") and bool(_CHROME.search(names))


def _main(soup: BeautifulSoup) -> Tag:
    """The part that is the document: named as such, or the smallest part with most of the text."""
    body = soup.body or soup
    for name in ("article", "main"):
        if (found := body.find(name)) and len(found.get_text(strip=True)) > 50:
            return found
    whole = len(body.get_text(strip=True))
    best: Tag = body
    for tag in body.find_all(["div", "td", "section"]):
        names = f"{' '.join(tag.get('class') or [])} {tag.get('id') or ''}"
        if not _CONTENT.search(names):
            continue
        length = len(tag.get_text(strip=True))
        linked = sum(len(a.get_text(strip=True)) for a in tag.find_all("a"))
        if length - linked >= 0.6 * whole:
            best = tag  # document order: the last that still holds most is the innermost
    return best


def _blocks(parent: Tag) -> Iterator[Block]:
    """Blocks of a part: what is inline is gathered to a paragraph until a block element begins."""
    words: list[str] = []

    def flush() -> Iterator[Block]:
        text = clean("".join(words))
        words.clear()
        if text:
            yield _block(text)

    for child in parent.children:
        if isinstance(child, NavigableString):
            words.append(re.sub(r"\s+", " ", str(child)))
        elif not isinstance(child, Tag) or child.name in _DELETED:
            continue
        elif child.name == "br":
            yield from flush()
        elif child.name in _INLINE and not child.find(["p", "div", "table", "li", "br"]):
            words.append(child.get_text())
        else:
            yield from flush()
            yield from _element(child)
    yield from flush()


def _element(tag: Tag) -> Iterator[Block]:
    if re.fullmatch(r"h[1-6]", tag.name):
        if text := clean(tag.get_text(" ")):
            yield Block(BlockKind.HEADING, text, int(tag.name[1]))
    elif tag.name == "table":
        yield from _table(tag)
    elif tag.name == "li":
        for block in _blocks(tag):
            plain = block.kind is BlockKind.PARAGRAPH
            yield Block(BlockKind.ITEM, block.text) if plain else block
    else:
        yield from _blocks(tag)


def _block(text: str) -> Block:
    level = heading_level(text)
    return Block(BlockKind.HEADING, text, level) if level else Block(BlockKind.PARAGRAPH, text)


def _table(tag: Tag) -> Iterator[Block]:
    """A table of data; one that only lays out the page is read as what is in it."""
    rows = [r for r in tag.find_all("tr") if r.find_parent("table") is tag]
    if tag.find("table") or max((len(_cells(r)) for r in rows), default=0) < 2:
        for row in rows:
            for cell in _cells(row):
                yield from _blocks(cell)
        return
    grid: dict[tuple[int, int], str] = {}
    for y, row in enumerate(rows):
        x = 0
        for cell in _cells(row):
            while (y, x) in grid:
                x += 1
            down, across = (_span(cell, name) for name in ("rowspan", "colspan"))
            text = clean(cell.get_text(" "))
            if len(grid) + down * across > _MAX_CELLS:
                raise Unreadable("file_table", "表格太大，请另存为 Excel 后上传。")
            for dy in range(min(down, len(rows) - y)):
                for dx in range(across):
                    grid[y + dy, x + dx] = text
            x += across
    width = max((x for _, x in grid), default=-1) + 1
    caption = clean(tag.caption.get_text(" ")) if tag.caption else ""
    lines = [[grid.get((y, x), "") for x in range(width)] for y in range(len(rows))]
    yield from as_blocks(table(lines, caption))


def _cells(row: Tag) -> list[Any]:
    return row.find_all(["td", "th"], recursive=False)


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "1")
    return max(1, min(int(value), 200)) if value.isascii() and value.isdigit() else 1
