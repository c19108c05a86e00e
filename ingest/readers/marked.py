"""Markdown and plain text: headings, lists, tables and paragraphs. (Statutes with front matter are
`ingest.markdown`'s.)"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import yaml

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
from ingest.readers.numbering import article_of, heading_level, numbered

_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*")
_ITEM = re.compile(r"[-*+]\s+(.+)")
_RULE = re.compile(r"\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?")
_FRONT = ("document_number", "issuer", "published_on", "effective_from", "effective_until")
_MARKS = re.compile(r"(\*\*|__|`)(.+?)\1|!\[[^\]]*\]\([^)]*\)|\[([^\]]+)\]\([^)]*\)")


def read_marked(data: bytes, stem: str) -> ReadDocument:
    """Raises Unreadable."""
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    front: dict[str, Any] = {}
    if text.startswith("---\n") and "\n---\n" in text[4:]:
        head, _, text = text[4:].partition("\n---\n")
        try:
            loaded = yaml.safe_load(head)
        except yaml.YAMLError as error:
            raise Unreadable("file_front_matter", "文件开头 --- 之间的内容格式不对。") from error
        front = loaded if isinstance(loaded, dict) else {}
    document = finished(str(front.get("title") or ""), "md", list(_blocks(text)), [], stem)
    stated = {key: _stated(front[key]) for key in _FRONT if front.get(key)}
    return ReadDocument(
        document.title,
        document.format,
        document.blocks,
        document.warnings,
        document.metadata | stated,
    )


def _stated(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _plain(text: str) -> str:
    return clean(_MARKS.sub(lambda m: m[2] or m[3] or "", text))


def _blocks(text: str) -> Iterator[Block]:
    words: list[str] = []
    rows: list[list[str]] = []
    in_code = False
    for line in [*text.split("\n"), ""]:
        stripped = line.strip()
        if stripped.startswith("```"):
            in_code = not in_code
            continue
        is_row = stripped.startswith("|") and stripped.endswith("|") and len(stripped) > 2
        if rows and not is_row:
            yield from as_blocks(table(rows))
            rows = []
        heading, item = _HEADING.fullmatch(stripped), _ITEM.fullmatch(stripped)
        plain = _plain(stripped)
        opens = numbered(plain) is not None or article_of(plain) is not None
        if words and (not stripped or heading or item or is_row or opens or in_code):
            yield _paragraph(words)
            words = []
        if is_row:
            if not _RULE.fullmatch(stripped):
                rows.append([_plain(cell) for cell in stripped.strip("|").split("|")])
        elif heading:
            yield Block(BlockKind.HEADING, _plain(heading[2]), len(heading[1]))
        elif item:
            yield Block(BlockKind.ITEM, _plain(item[1]))
        elif stripped:
            words.append(plain)
            if line.endswith("  ") or len(stripped) < 25:  # a hard break; a short line is no wrap
                yield _paragraph(words)
                words = []


def _paragraph(words: list[str]) -> Block:
    text = clean(" ".join(words))
    level = heading_level(text)
    return Block(BlockKind.HEADING, text, level) if level else Block(BlockKind.PARAGRAPH, text)
