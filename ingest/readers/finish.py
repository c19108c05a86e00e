"""The last step of every reader: a title, and what the text says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ingest.readers.document import Block, BlockKind, ReadDocument, Unreadable
from ingest.readers.metadata import looks_like_title, metadata_of
from ingest.readers.numbering import numbered

_LONGEST_TITLE = 200
_LOOKED_AT = 12  # blocks at the beginning


def finished(
    title: str, form: str, blocks: Sequence[Block], warnings: Iterable[str], stem: str
) -> ReadDocument:
    """The document with its title (its own, or guessed, or the name of the file) and metadata.

    Raises Unreadable when there are no words in it.
    """
    kept = [b for b in blocks if b.text or b.rows]
    if not kept:
        raise Unreadable("file_empty", "文件里没有读出任何文字，没有导入。请检查是不是选错了文件。")
    title, kept = _titled(title, kept, stem)
    lines = [b.text for b in kept if b.text]
    return ReadDocument(
        title[:_LONGEST_TITLE], form, tuple(kept), tuple(warnings), metadata_of(lines)
    )


def _titled(title: str, blocks: list[Block], stem: str) -> tuple[str, list[Block]]:
    """The title, and the blocks in which it is a heading of the highest level."""
    head = [(i, b) for i, b in enumerate(blocks[:_LOOKED_AT]) if b.kind is not BlockKind.TABLE]
    if not title:
        likely = next(((i, b) for i, b in head if looks_like_title(b.text)), None)
        plain = ((i, b) for i, b in head if b.kind is BlockKind.HEADING and not numbered(b.text))
        first = next(plain, None)
        chosen = first or likely
        if chosen is None:
            return stem, blocks
        at, block = chosen
        title = block.text
        before = blocks[at - 1] if at else None
        # A long title is broken into lines: 关于印发 / 《…办法》的通知.
        if before and before.text.endswith("关于印发"):
            title = before.text + title
        blocks = [*blocks[:at], replace(block, kind=BlockKind.HEADING, level=1), *blocks[at + 1 :]]
    return title, blocks
