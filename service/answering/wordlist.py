"""Tables of sensitive words as files: read and checked row by row, layered, merged, written.

Columns are word, category, action, note. A site's own file lies over the shipped one
(sensitive.csv): its rows add words or change them, `allow` takes one out.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

from knowledge.text import simplify
from service.errors import BadWords

COLUMNS = ("word", "category", "action", "note")
ACTIONS = {
    "note": "只记录",
    "mask": "遮住",
    "refuse": "拒答（没有求助或提问的话时）",
    "offer": "和联系方式同时出现时拒答（没有求助或提问的话时）",
    "contact": "联系方式",
    "help": "求助或提问的话",
    "allow": "放行",
}
INSULT = "辱骂"
_BLOCKING = ("mask", "refuse")
_LEGAL_CATEGORY = "法律用语"
_LONGEST_WORD, _LONGEST_NOTE = 40, 200
_SHORTEST = 2  # characters: a single one is part of too many words
_SHOWN = 20  # problems of a file that are listed
_PLUS = str.maketrans("+➕", "加加")


@lru_cache(maxsize=65_536)
def fold_character(character: str) -> str:
    """A character as words are compared: NFKC, simplified, lower case; nothing for spaces,
    punctuation, emoji and invisible ones; a plus sign is 加, as in +v."""
    plain = simplify(unicodedata.normalize("NFKC", character.translate(_PLUS))).lower()
    return "".join(c for c in plain if c.isalnum())


def fold(word: str) -> str:
    return "".join(map(fold_character, word))


@dataclass(frozen=True, slots=True)
class Row:
    word: str
    category: str
    action: str
    note: str = ""

    @property
    def key(self) -> str:
        return fold(self.word)

    @property
    def id(self) -> str:
        """Names the row in records, which must not repeat the word."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:8]


Rows = Mapping[str, Row]  # by key, in the order of the file


@cache
def shipped() -> Rows:
    content = (files("service.answering") / "sensitive.csv").read_text("utf-8")
    return _checked("sensitive.csv", content, frozenset(), None)


@cache
def legal_vocabulary() -> frozenset[str]:
    """What no table may mask or refuse by itself, folded."""
    rows = shipped().values()
    own = {r.key for r in rows if r.category == _LEGAL_CATEGORY or r.action == "help"}
    dictionary = (files("knowledge") / "lexicon" / "legal_words.txt").read_text("utf-8")
    return frozenset(own | {fold(line) for line in dictionary.splitlines() if line[:1] != "#"})


def read(path: Path, default: tuple[str, str] | None = None) -> Rows:
    """The rows of a file, UTF-8 or GB 18030. With a default (category, action), a file without
    the line of column names is a list of words, one a line.

    Raises BadWords with every wrong line, in Chinese.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadWords("words_unreadable", f"读不了 {path.name}：{error.strerror}。") from error
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            content = raw.decode("gb18030")
        except UnicodeDecodeError as error:
            raise BadWords(
                "words_unreadable", f"{path.name} 不是 UTF-8 或 GB 18030 编码的文本。"
            ) from error
    return _checked(path.name, content, legal_vocabulary(), default)


def read_if_there(path: Path) -> Rows:
    """No rows if there is no file. Raises BadWords."""
    return read(path) if path.exists() else {}


def layered(own: Rows) -> Rows:
    return {**shipped(), **own}


def merged(own: Rows, new: Rows) -> tuple[Rows, int, int]:
    """The site's rows with the new ones, so far as they say anything new; how many of these were
    added, how many change a row that was in force."""
    current = layered(own)
    fresh = {key: row for key, row in new.items() if current.get(key) != row}
    added = sum(key not in current for key in fresh)
    return {**own, **fresh}, added, len(fresh) - added


def write(path: Path, rows: Iterable[Row]) -> None:
    """Replace the file in one step, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    beside.write_text(as_csv(rows), "utf-8")
    beside.replace(path)


def as_csv(rows: Iterable[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((r.word, r.category, r.action, r.note) for r in rows)
    return out.getvalue()


def _checked(
    name: str, content: str, protected: frozenset[str], default: tuple[str, str] | None
) -> Rows:
    rows: dict[str, Row] = {}
    lines: dict[str, int] = {}
    problems: list[str] = []
    for number, row in _rows(name, content, default):
        key = row.key
        problem = _problem(row, key, protected)
        if problem is None and rows.get(key, row).action != row.action:
            problem = f"“{row.word}”和第 {lines[key]} 行是同一个词，处置却不同"
        if problem:
            problems.append(f"第 {number} 行：{problem}")
        else:
            rows.setdefault(key, row)
            lines.setdefault(key, number)
    if problems:
        more = f"\n……共 {len(problems)} 处" if len(problems) > _SHOWN else ""
        listed = "\n".join(problems[:_SHOWN])
        raise BadWords("words_bad", f"{name} 有要改的地方：\n{listed}{more}")
    return rows


def _rows(name: str, content: str, default: tuple[str, str] | None) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(io.StringIO(content), strict=True)
    try:
        head = tuple(cell.strip().lower() for cell in next(reader, []))
        if head[: len(COLUMNS) - 1] == COLUMNS[:-1]:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, Row(*_four(cells))
        elif default is not None:
            for number, line in enumerate(content.splitlines(), start=1):
                if line.strip():
                    yield number, Row(line.strip(), *default)
        else:
            message = f"{name} 第 1 行：应当是列名 {','.join(COLUMNS)}。"
            if head and len(head) == 1:
                message += "每行一个词的文件，请加 --category 和 --action。"
            raise BadWords("words_bad", message)
    except csv.Error as error:
        message = f"{name} 第 {reader.line_num} 行：不是合格的 CSV（多半是引号没有成对）。"
        raise BadWords("words_bad", message) from error


def _four(cells: list[str]) -> tuple[str, str, str, str]:
    word, category, action, note, *_ = (*(cell.strip() for cell in cells), "", "", "", "")
    return word, category, action.lower(), note


def _problem(row: Row, key: str, protected: frozenset[str]) -> str | None:
    if not key:
        return "没有词，或者只有标点"
    if len(row.word) > _LONGEST_WORD:
        return f"词太长，最多 {_LONGEST_WORD} 个字"
    if len(row.note) > _LONGEST_NOTE:
        return f"说明太长，最多 {_LONGEST_NOTE} 个字"
    if not row.category:
        return f"“{row.word}”没有写类别"
    if row.action not in ACTIONS:
        return f"“{row.word}”的处置写成了“{row.action}”，只能是 {'、'.join(ACTIONS)}"
    if len(key) < _SHORTEST and row.action != "allow":
        return f"“{row.word}”去掉标点后只有一个字，会误中太多"
    if row.action in _BLOCKING and key in protected:
        return f"“{row.word}”是法律用语或求助的话，不能单独遮住或拒答"
    return None
