"""What every reader makes of a file: blocks of text in reading order, and what was not read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from knowledge.statutes import NUMBER


class Unreadable(Exception):
    """The file is not read; the message says in Chinese why, and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BlockKind(StrEnum):
    """What a block is to its reader."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    TABLE = "table"


Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list item or table. `level` is of headings, 1 the highest; `rows`
    are of tables; `name` is the sheet that a table comes from."""

    kind: BlockKind
    text: str = ""
    level: int = 0
    rows: Rows = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A file as read. `metadata` has what its own text says: document_number, issuer, published_on,
    effective_from, effective_until (dates in ISO form), each only if found."""

    title: str
    format: str
    blocks: tuple[Block, ...]
    warnings: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> ReadDocument:
        """The inverse of `to_json`, also after a way through JSON."""
        blocks = tuple(
            Block(
                BlockKind(b["kind"]),
                b["text"],
                b["level"],
                tuple(map(tuple, b["rows"])),
                b["name"],
            )
            for b in raw["blocks"]
        )
        return cls(raw["title"], raw["format"], blocks, tuple(raw["warnings"]), raw["metadata"])

    @property
    def text(self) -> str:
        """All of its words, a block a line."""
        lines: list[str] = []
        for block in self.blocks:
            lines += [block.text] if block.text else ["\t".join(row) for row in block.rows]
        return "\n".join(lines)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_KANGXI = re.compile(r"[\u2f00-\u2fdf]")
# The radicals' supplement has no decomposition in Unicode: those that are characters by themselves.
_RADICALS = str.maketrans(
    "⺁⺒⺟⺠⺫⻁⻄⻅⻆⻉⻋⻑⻒⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻨⻩⻬⻮⻰⻳",
    "厂巳母民目虎西见角贝车長長长门青韦页风飞食马骨鬼鱼鸟麦黄齐齿龙龟",
)
_SPACES = re.compile(r"[ \t\u00a0\u2002-\u200a]+")
_CHINESE = r"[\u4e00-\u9fff，。；：、（）《》“”]"
_OPENING = re.compile(rf"第{NUMBER}(?:分编|编|章|节|条)(?:之{NUMBER})? ")  # 第八条 申请人……
_BETWEEN_CHINESE = re.compile(rf"(?<={_CHINESE}) (?={_CHINESE})")


def clean(text: str) -> str:
    """One line of text as people read it: no control characters, no spaces between Chinese
    characters; radicals, which some PDF writers put for characters (⼈ for 人), put right."""
    text = _CONTROL.sub("", text.replace("\n", " ").replace("\r", " "))
    text = _KANGXI.sub(lambda m: unicodedata.normalize("NFKC", m[0]), text).translate(_RADICALS)
    text = _SPACES.sub(" ", text).strip(" \u3000")
    opening = _OPENING.match(text)
    at = opening.end() if opening else 0
    return text[:at] + _BETWEEN_CHINESE.sub("", text[at:])


def table(rows: Iterable[Iterable[str]], name: str = "") -> Block | None:
    """A table of what has words in it: empty rows and columns are dropped; None for an empty one.
    One with a single column is no table, but what stands in it is not lost: see `as_blocks`."""
    kept = [tuple(clean(cell) for cell in row) for row in rows]
    kept = [row for row in kept if any(row)]
    if not kept:
        return None
    width = max(map(len, kept))
    kept = [row + ("",) * (width - len(row)) for row in kept]
    columns = [i for i in range(width) if any(row[i] for row in kept)]
    return Block(
        BlockKind.TABLE, rows=tuple(tuple(row[i] for i in columns) for row in kept), name=name
    )


def as_blocks(found: Block | None) -> list[Block]:
    """A table as it is; the frames that Word users draw around text as paragraphs."""
    if found is None:
        return []
    if len(found.rows[0]) == 1:
        return [Block(BlockKind.PARAGRAPH, row[0]) for row in found.rows]
    return [found]
