"""A document as passages: what is found, shown and quoted. No sentence or article is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.readers.document import Block, BlockKind, ReadDocument
from ingest.readers.numbering import article_of, numbered

LEAST, MOST = 80, 600  # characters
_SENTENCE = re.compile(r"[^。！？；]*[。！？；][”’」』）)]*|[^。！？；]+$")
_LONGEST_HEADER = 24
_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage before it belongs to a revision: where it stands (第一章 > 第二节), what to call it
    in a citation (第八条; 第二部分（三）; 第4段), and its words."""

    label: str
    path: str
    text: str


@dataclass
class _Section:
    """What stands under one heading, until the next."""

    path: tuple[str, ...] = ()
    units: list[str] = field(default_factory=list)  # whole paragraphs, rows or long sentences
    article: str = ""


def pieces_of(document: ReadDocument) -> list[Piece]:
    """The passages of a document in order."""
    made: list[tuple[str, str, str]] = []  # number as the document has it, or "", path, text
    for section in _joined(_sections(document)):
        path = " > ".join(section.path)
        if section.article:
            made.append((section.article, path, "\n".join(section.units)))
            continue
        for text in _grouped(section.units):
            made.append((_number_of(section.path), path, text))
    return _labelled(made)


def _sections(document: ReadDocument) -> Iterator[_Section]:
    stack: list[tuple[int, str]] = []
    current = _Section()
    spoken = True  # whether what the last heading announces has come
    for block in document.blocks:
        if block.kind is BlockKind.HEADING:
            if block.text == document.title:
                continue
            yield current
            if stack and not spoken and block.level <= stack[-1][0]:
                # A heading with nothing under it is a paragraph that looks like one.
                _, words = stack.pop()
                yield _Section(tuple(text for _, text in stack), [words])
            stack = [(level, text) for level, text in stack if level < block.level]
            stack.append((block.level, block.text))
            current, spoken = _Section(tuple(text for _, text in stack)), False
            continue
        spoken = True
        article = article_of(block.text) if block.text else None
        if article:
            yield current
            current = _Section(current.path, [article[1]] if article[1] else [], article[0])
        elif block.kind is BlockKind.TABLE:
            if current.article:
                yield current
                current = _Section(current.path)
            current.units += list(table_sentences(block))
        else:
            current.units.append(block.text)
    yield current
    if stack and not spoken:
        yield _Section(tuple(text for _, text in stack[:-1]), [stack[-1][1]])


def _joined(sections: Iterator[_Section]) -> Iterator[_Section]:
    """Sections with something in them; short neighbours under the same parent become one, whose
    text then has their headings, so that no passage is too short to say what it is about."""
    before: _Section | None = None
    for section in sections:
        section.units = [unit for unit in section.units if unit]
        if not section.units:
            continue
        if before is None:
            before = section
            continue
        small = min(_length(before), _length(section)) < LEAST
        together = _length(before) + _length(section) + 80 <= MOST
        parent = _common(before.path, section.path)
        deep = min(len(before.path), len(section.path)) - len(parent) <= 1
        if small and together and deep and not before.article and not section.article:
            before = _Section(
                parent, [*_with_heading(before, parent), *_with_heading(section, parent)]
            )
            continue
        yield before
        before = section
    if before:
        yield before


def _length(section: _Section) -> int:
    return sum(map(len, section.units))


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return one[:same]


def _with_heading(section: _Section, parent: tuple[str, ...]) -> list[str]:
    return [*section.path[len(parent) :], *section.units]


def _grouped(units: list[str]) -> Iterator[str]:
    """Paragraphs put together up to MOST characters; a longer one is divided between sentences."""
    pieces = [p for unit in units for p in ([unit] if len(unit) <= MOST else _sentences(unit))]
    groups: list[list[str]] = []
    for piece in pieces:
        size = sum(map(len, groups[-1])) if groups else 0
        # A list belongs to the sentence that leads to it.
        leads = bool(groups) and groups[-1][-1].endswith(("：", ":"))
        if groups and size + len(piece) <= MOST and (size < MOST * 0.6 or leads):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    sizes = [sum(map(len, group)) for group in groups]
    if len(groups) > 1 and sizes[-1] < LEAST and sizes[-2] + sizes[-1] <= MOST:
        groups[-2] += groups.pop()
    for group in groups:
        yield "\n".join(group)


def _sentences(text: str) -> Iterator[str]:
    """Whole sentences, as many as fit in one part; one that is longer by itself stays whole."""
    part = ""
    for match in _SENTENCE.finditer(text):
        if part and len(part) + len(match[0]) > MOST:
            yield part
            part = ""
        part += match[0]
    if part:
        yield part


def _number_of(path: tuple[str, ...]) -> str:
    """第二部分（三） for a part under 二、… and （三）…; empty where no heading has a number."""
    found = [n for text in path if (n := numbered(text))]
    said = (f"第{n.number[:-1]}部分" if n.number.endswith("、") else n.number for n in found)
    return "".join(said)[:_LONGEST_LABEL].rstrip(".")


def _labelled(made: list[tuple[str, str, str]]) -> list[Piece]:
    """Every passage gets a label that is its own: the number in the document, counted when a part
    is long enough for two; where there is no number, which part of the document it is."""
    times: dict[str, int] = {}
    for number, _, _ in made:
        times[number] = times.get(number, 0) + 1
    seen: dict[str, int] = {}
    pieces = []
    for place, (number, path, text) in enumerate(made, start=1):
        if not number:
            label = f"第{place}段"
        elif times[number] == 1:
            label = number
        else:
            seen[number] = seen.get(number, 0) + 1
            label = f"{number}（{seen[number]}）"
        pieces.append(Piece(label, path, text))
    return pieces


# — tables


def table_sentences(block: Block) -> Iterator[str]:
    """Each row as 名称：…；电话：…。 so that it can be found, and quoted, without its table."""
    rows = block.rows
    lead = f"{block.name}：" if block.name else ""
    if _has_header(block):
        for row in rows[1:]:
            # A cell merged over columns stands in each of them: said once.
            cells = list(dict.fromkeys((h, c) for h, c in zip(rows[0], row, strict=True) if c))
            said = [f"{h}：{_bare(c)}" if h and h != c else _bare(c) for h, c in cells]
            yield from _fitting(lead, said)
        return
    for row in rows:
        first, *rest = [cell for cell in dict.fromkeys(row) if cell]
        yield from _fitting(lead, [f"{first}：{'，'.join(map(_bare, rest))}" if rest else first])


def _bare(cell: str) -> str:
    return cell.rstrip("。；; ")


def _fitting(lead: str, said: list[str]) -> Iterator[str]:
    """One sentence; where that is too long, divided between cells, each part with the first cell,
    which says what the row is about."""
    part: list[str] = []
    for piece in said:
        if part and len(lead) + sum(map(len, part)) + len(part) + len(piece) > MOST:
            yield f"{lead}{'；'.join(part)}。"
            part = [said[0]]
        part.append(piece)
    if part:
        yield f"{lead}{'；'.join(part)}。"


def _has_header(block: Block) -> bool:
    """Whether the first row names the columns: short, different words, and rows below it."""
    header = block.rows[0]
    if len(block.rows) < 2 or not all(header) or len(set(header)) < len(header):
        return False
    if any(len(cell) > _LONGEST_HEADER or cell.endswith("。") for cell in header):
        return False
    # Two columns of which every row is a name and a text: 地址 | …, 电话 | ….
    numbers = sum(any(c.isdigit() for c in cell) for cell in header)
    return numbers == 0
