"""Word documents: what a reader of the final text sees, in order, and nothing that was deleted."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.exceptions import OpcError
from lxml import etree

from ingest.readers.document import (
    Block,
    BlockKind,
    ReadDocument,
    Unreadable,
    as_blocks,
    clean,
    table,
)
from ingest.readers.finish import finished
from ingest.readers.numbering import heading_level
from ingest.readers.word_numbers import WordNumbers

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_NOTES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_DROPPED = {f"{_W}{t}" for t in ("del", "moveFrom", "instrText", "delText", "delInstrText")}
_ALTERNATE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_HOLDERS = {f"{_W}{t}" for t in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml")}
_BOXED = f"{_W}txbxContent"
_OFF = ("0", "false", "off", "none")


def read_word(data: bytes, stem: str) -> ReadDocument:
    """Raises Unreadable for a file that Word would not open either."""
    try:
        opened = docx.Document(io.BytesIO(data))
    except (OpcError, KeyError, ValueError, etree.LxmlError) as error:
        raise Unreadable(
            "file_broken", "Word 文件损坏，打不开。请打开确认后另存再上传。"
        ) from error
    return _Word(opened).read(stem)


class _Word:
    def __init__(self, opened: Any) -> None:
        self._document = opened
        self._styles = {s.style_id: s for s in opened.styles if s.style_id}
        self._numbers = WordNumbers.of(self._part_root("numbering"))
        self._notes = self._read_notes("footnotes", "footnote") | self._read_notes(
            "endnotes", "endnote"
        )
        self._pending: list[str] = []  # notes of the paragraph that is being read
        self._carried = ""  # of a paragraph whose mark was deleted: it goes on in the next
        self._title = ""

    def read(self, stem: str) -> ReadDocument:
        blocks = list(self._blocks(self._document.element.body))
        if self._carried:
            blocks.append(Block(BlockKind.PARAGRAPH, self._carried))
        return finished(self._title, "docx", blocks, self._warnings(), stem)

    def _part_root(self, kind: str) -> Any:
        for relation in self._document.part.rels.values():
            if relation.reltype == _NOTES + kind and not relation.is_external:
                # Office's own parts only; what has a document type was refused before.
                parser = etree.XMLParser(resolve_entities=False, no_network=True)
                return etree.fromstring(relation.target_part.blob, parser)
        return None

    def _read_notes(self, part: str, tag: str) -> dict[tuple[str, str], str]:
        root = self._part_root(part)
        notes = {}
        for note in root.iter(f"{_W}{tag}") if root is not None else ():
            if note.get(f"{_W}type") is None:  # the others are separators
                text = clean(" ".join(self._text(p) for p in note.iter(f"{_W}p")))
                notes[tag, note.get(f"{_W}id", "")] = text
        return notes

    def _warnings(self) -> list[str]:
        body = self._document.element.body
        out = []
        boxes = [clean(self._text(b)) for b in body.iter(_BOXED)]
        boxes = list(dict.fromkeys(b for b in boxes if b))
        if boxes:
            shown = "”“".join(b[:20] for b in boxes[:3])
            out.append(
                f"有 {len(boxes)} 个文本框没有读入（开头是“{shown}”）。"
                "文本框里的字要用的，请复制到正文再上传。"
            )
        changes = [e for t in ("ins", "del", "moveFrom", "moveTo") for e in body.iter(f"{_W}{t}")]
        if changes:
            out.append("文件里有未接受的修订：按全部接受读入，删除的字没有读入。请核对是不是定稿。")
        comments = len({e.get(f"{_W}id") for e in body.iter(f"{_W}commentReference")})
        if comments:
            out.append(f"有 {comments} 条批注，没有读入。")
        if any(True for _ in body.iter(f"{_W}drawing")) or any(
            True for _ in body.iter(f"{_W}pict")
        ):
            out.append("图片里的字读不出来，没有读入。")
        return out

    # — blocks

    def _blocks(self, parent: Any) -> Iterator[Block]:
        for child in parent:
            if child.tag == f"{_W}p":
                yield from self._paragraph(child)
            elif child.tag == f"{_W}tbl":
                yield from as_blocks(table(self._rows(child)))
            elif child.tag in _HOLDERS:
                yield from self._blocks(child)

    def _paragraph(self, element: Any) -> Iterator[Block]:
        text = self._carried + clean(self._text(element))
        self._carried = ""
        notes, self._pending = self._pending, []
        properties = element.find(f"{_W}pPr")
        if properties is not None and properties.find(f"{_W}rPr/{_W}del") is not None:
            self._carried = text
            self._pending = notes
            return
        if text:
            yield self._block(text, properties)
        for note in notes:
            yield Block(BlockKind.PARAGRAPH, f"注：{note}")

    def _block(self, text: str, properties: Any) -> Block:
        style = self._style(properties)
        name = (style.name or "").lower() if style is not None else ""
        if name in ("title", "标题"):
            self._title = self._title or text
        number = self._number(properties, style)
        if number and number != "•":
            text = text if text.startswith(number) else f"{number}{text}"
        level = self._outline(properties, style, name)
        if name in ("title", "标题"):
            return Block(BlockKind.HEADING, text, 1)
        if level is not None and len(text) <= 120:
            return Block(BlockKind.HEADING, text, level)
        if number == "•" or "list" in name or "列表" in name:
            return Block(BlockKind.ITEM, text)
        by_number = heading_level(text)
        if by_number is not None:
            return Block(BlockKind.HEADING, text, by_number)
        return Block(BlockKind.PARAGRAPH, text)

    def _style(self, properties: Any) -> Any:
        found = properties.find(f"{_W}pStyle") if properties is not None else None
        return self._styles.get(found.get(f"{_W}val")) if found is not None else None

    def _outline(self, properties: Any, style: Any, name: str) -> int | None:
        match = re.fullmatch(r"(?:heading|标题)\s*(\d)", name)
        if match:
            return int(match[1])
        for owner in (properties, style.element.pPr if style is not None else None):
            found = owner.find(f"{_W}outlineLvl") if owner is not None else None
            if found is not None and found.get(f"{_W}val", "").isdigit():
                level = int(found.get(f"{_W}val")) + 1
                return level if level <= 9 else None
        return None

    def _number(self, properties: Any, style: Any) -> str | None:
        for owner in (properties, style.element.pPr if style is not None else None):
            found = owner.find(f"{_W}numPr") if owner is not None else None
            if found is None:
                continue
            list_id, depth = found.find(f"{_W}numId"), found.find(f"{_W}ilvl")
            if list_id is None or list_id.get(f"{_W}val") == "0":
                return None
            at = depth.get(f"{_W}val", "0") if depth is not None else "0"
            return self._numbers.next(list_id.get(f"{_W}val", ""), int(at) if at.isdigit() else 0)
        return None

    def _rows(self, element: Any) -> Iterator[list[str]]:
        """Rows as they are seen: a cell merged over several columns or rows stands in each."""
        above: list[str] = []
        for row in element.iter(f"{_W}tr"):
            if row.getparent() is not element and row.getparent().getparent() is not element:
                continue  # of a table inside a cell, whose words are part of that cell
            if row.find(f"{_W}trPr/{_W}del") is not None:
                continue
            cells: list[str] = []
            for cell in row.iterchildren(f"{_W}tc", f"{_W}sdt"):
                text = clean(" ".join(self._text(p) for p in cell.iter(f"{_W}p")))
                text = " ".join([text, *(f"（注：{note}）" for note in self._pending)]).strip()
                self._pending = []
                properties = cell.find(f"{_W}tcPr")
                down = properties.find(f"{_W}vMerge") if properties is not None else None
                if down is not None and down.get(f"{_W}val", "continue") == "continue":
                    text = above[len(cells)] if len(cells) < len(above) else ""
                span = properties.find(f"{_W}gridSpan") if properties is not None else None
                width = span.get(f"{_W}val", "1") if span is not None else "1"
                cells += [text] * (min(int(width), 60) if width.isdigit() else 1)
            above = cells
            yield cells

    # — text

    def _text(self, element: Any) -> str:
        """The words of an element: inserted text counts, deleted and hidden text does not."""
        out: list[str] = []
        self._collect(element, out, top=True)
        return "".join(out)

    def _collect(self, element: Any, out: list[str], *, top: bool = False) -> None:
        for child in element:
            tag = child.tag
            if tag in _DROPPED or (tag == _BOXED and not top):
                continue
            if tag == _ALTERNATE:  # the same drawing twice, for old and new Word
                continue
            if tag == f"{_W}t":
                out.append(child.text or "")
            elif tag in (f"{_W}tab", f"{_W}br", f"{_W}cr") and element.tag == f"{_W}r":
                out.append(" ")
            elif tag in (f"{_W}noBreakHyphen",):
                out.append("-")
            elif tag in (f"{_W}footnoteReference", f"{_W}endnoteReference"):
                kind = tag.removeprefix(_W).removesuffix("Reference")
                if note := self._notes.get((kind, child.get(f"{_W}id", ""))):
                    self._pending.append(note)
            elif tag == f"{_W}r" and _hidden(child):
                continue
            else:
                self._collect(child, out)


def _hidden(run: Any) -> bool:
    mark = run.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val", "true") not in _OFF
