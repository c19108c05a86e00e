"""Cutting a text into messages: below the platform's length, at the end of a sentence, and never
inside a link, an address or a telephone number."""

from __future__ import annotations

import re

LONGEST = 2048  # bytes in UTF-8, of one message

# A link, an address on the web, a run of digits as in a telephone number; else one character.
_ATOM = re.compile(
    r"<a\b[^>]*>.*?</a>|https?://[^\s<>，。；、）]+|[\d(（+][\d\-–—()（） +转]*\d|.", re.S
)
# After which atom to cut, the best first.
_ENDS = ("\n\n", "\n", "。！？!?", "；;", "，,、：")


def size(text: str) -> int:
    return len(text.encode())


def split(text: str, longest: int = LONGEST) -> list[str]:
    """Parts below `longest` bytes, each without white space around it; together all of the text.
    What cannot be cut (a single link longer than that) is cut all the same."""
    parts, rest = [], text.strip()
    while size(rest) >= longest:
        head = _head(rest, longest)
        parts.append(rest[:head].rstrip())
        rest = rest[head:].lstrip()
    return [part for part in [*parts, rest] if part]


def _head(text: str, longest: int) -> int:
    """Where to cut: the best place in the second half of what fits, else where it is full."""
    used = full = 0
    ends: dict[str, tuple[int, int]] = {}
    for atom in _ATOM.finditer(text):
        used += size(atom[0])
        if used >= longest:
            break
        full = atom.end()
        for kind in _ENDS:
            whole = text.endswith(kind, 0, full) if kind.isspace() else atom[0] in kind
            if whole:
                ends[kind] = (full, used)
    for kind in _ENDS:
        at, bytes_before = ends.get(kind, (0, 0))
        if bytes_before * 2 >= longest:
            return at
    return full or len(text.encode()[: longest - 1].decode("utf-8", "ignore"))
