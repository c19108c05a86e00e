"""A text without what only shapes it (markup, links, white space), its positions kept."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property

_MARKUP = re.compile(
    r"\*+|`+|~~|</?[A-Za-z][^<>\n]{0,80}>|\[(?=[^\[\]\n]{1,80}\]\()|\]\([^()\s]{0,300}\)"
)
_SPACE = re.compile(r"(?:\\[nrt]|\s|<br ?/?>)+")
_SPACED = re.compile(r"(?<![0-9])(?<![0-9] )[0-9](?: [0-9])+(?![0-9])")  # 第 1 0 7 9 条
_WORD = re.compile(r"[A-Za-z0-9]")


class Plain:
    """`text` to search in; `breaks` are where white space stood, for it may end a word or be in the
    midst of one (劳动\\n合同法)."""

    def __init__(self, original: str) -> None:
        self.original = original
        kept: list[str] = []
        self._origin: list[int] = []
        self._breaks: list[int] = []
        spaced = {i for m in _SPACED.finditer(original) for i in range(m.start() + 1, m.end(), 2)}
        position = 0
        while position < len(original):
            noise = _SPACE.match(original, position) or _MARKUP.match(original, position)
            if not noise:
                kept.append(original[position])
                self._origin.append(position)
                position += 1
                continue
            if noise.re is _SPACE and position not in spaced:
                self._breaks.append(len(kept))
                after = original[noise.end() : noise.end() + 1]
                if kept and _WORD.match(kept[-1]) and _WORD.match(after):
                    kept.append(" ")
                    self._origin.append(position)
            position = noise.end()
        self.text = "".join(kept)

    @cached_property
    def breaks(self) -> frozenset[int]:
        return frozenset(self._breaks)

    def breaks_between(self, start: int, end: int) -> list[int]:
        return self._breaks[bisect_left(self._breaks, start) : bisect_right(self._breaks, end)]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where that part of `text` stands in the original."""
        if start >= end:
            return (self._origin[start] if start < len(self._origin) else len(self.original),) * 2
        return self._origin[start], self._origin[end - 1] + 1
