"""The numbers that Word writes itself: 一、, （一）, 第一条 of automatic lists are not in the text
of a file, only the rule by which they are counted."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from knowledge.statutes import format_number

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHINESE = {
    "chineseCounting",
    "chineseCountingThousand",
    "japaneseCounting",
    "ideographDigital",
    "taiwaneseCountingThousand",
    "taiwaneseCounting",
    "ideographTraditional",
}
_CIRCLED = {"decimalEnclosedCircle", "decimalEnclosedCircleChinese"}


@dataclass(frozen=True, slots=True)
class _Level:
    format: str
    text: str
    start: int


def _written(number: int, form: str) -> str:
    if form in _CHINESE and 0 < number < 10_000:
        return format_number(number)
    if form in _CIRCLED and 0 < number <= 20:
        return chr(0x2460 + number - 1)
    if form in ("lowerLetter", "upperLetter") and 0 < number <= 26:
        return chr((97 if form == "lowerLetter" else 65) + number - 1)
    return str(number)


@dataclass
class WordNumbers:
    """Counts the automatic lists of one document, paragraph by paragraph."""

    _lists: dict[str, dict[int, _Level]] = field(default_factory=dict)
    _counts: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def of(cls, numbering: Any) -> WordNumbers:
        """From the root of `word/numbering.xml`, or None where there is none."""
        if numbering is None:
            return cls()
        abstract: dict[str, dict[int, _Level]] = {}
        for definition in numbering.iter(f"{_W}abstractNum"):
            levels: dict[int, _Level] = {}
            for level in definition.iter(f"{_W}lvl"):
                levels[_number(level.get(f"{_W}ilvl"), 0)] = _Level(
                    _value(level, "numFmt") or "decimal",
                    _value(level, "lvlText") or "",
                    _number(_value(level, "start"), 1),
                )
            abstract[definition.get(f"{_W}abstractNumId", "")] = levels
        lists = {}
        for instance in numbering.iter(f"{_W}num"):
            lists[instance.get(f"{_W}numId", "")] = abstract.get(
                _value(instance, "abstractNumId") or "", {}
            )
        return cls(lists)

    def next(self, list_id: str, depth: int) -> str | None:
        """The number of the next paragraph of a list, as Word would show it; "•" for a bullet, None
        where the list is not known."""
        levels = self._lists.get(list_id)
        level = levels.get(depth) if levels else None
        if levels is None or level is None:
            return None
        counts = self._counts[list_id]
        counts[depth] = counts.get(depth, level.start - 1) + 1
        for deeper in [d for d in counts if d > depth]:
            del counts[deeper]
        if level.format in ("bullet", "none"):
            return "•" if level.format == "bullet" else ""

        def number_at(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            outer = levels.get(at, level)
            return _written(counts.get(at, outer.start), outer.format)

        return re.sub(r"%(\d)", number_at, level.text)


def _value(parent: Any, tag: str) -> str | None:
    found = parent.find(f"{_W}{tag}")
    value: str | None = None if found is None else found.get(f"{_W}val")
    return value


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else otherwise
