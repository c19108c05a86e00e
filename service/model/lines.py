"""The protocol of what a model writes: one JSON object a line.

Lines, because each can be judged as soon as it is complete, any endpoint can write them, and one
that is broken spoils none but itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

_NOISE = frozenset({"", "[", "]", "```", "```json", "```jsonl", "{", "}", '{"sentences": [', "]}"})


def objects(pieces: Iterable[str]) -> Iterator[dict[str, Any] | str]:
    """Each object as soon as it is complete; a line that is none, as it stands. Where not one line
    was an object, the whole is tried as one document (a list, or {"sentences": […]})."""
    buffer, whole, met = "", "", False
    broken: list[str] = []
    for piece in pieces:
        whole += piece
        buffer += piece
        *lines, buffer = buffer.split("\n")
        for line in lines:
            read = _read(line)
            if isinstance(read, dict):
                met = True
                yield read
            elif read:
                broken.append(read)
        read = _read(buffer) if buffer.rstrip(" ,]").endswith("}") else None
        if isinstance(read, dict):
            met, buffer = True, ""
            yield read
    last = _read(buffer)
    if isinstance(last, dict):
        met = True
        yield last
    elif last:
        broken.append(last)
    if met:
        yield from broken
    else:
        yield from _document(whole, broken)


def _read(line: str) -> dict[str, Any] | str | None:
    """An object, or the line itself; None for what stands around objects."""
    bare = line.strip().rstrip(",").strip()
    if bare in _NOISE:
        return None
    try:
        # A list in one line begins with [ and is a document, see `objects`.
        value = json.loads(bare)
    except (ValueError, RecursionError):
        return bare
    return value if isinstance(value, dict) and "sentences" not in value else bare


def _document(whole: str, broken: list[str]) -> Iterator[dict[str, Any] | str]:
    bare = whole.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        value = json.loads(bare)
    except (ValueError, RecursionError):
        yield from broken
        return
    found = value.get("sentences") if isinstance(value, dict) else value
    if not isinstance(found, list):
        yield from broken
        return
    yield from (item if isinstance(item, dict) else str(item) for item in found)
