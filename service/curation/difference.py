"""What differs between two revisions, field by field and word by word, as plain data."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from sqlalchemy.orm import Session

from knowledge import store
from knowledge import text as words
from knowledge.models import Revision
from service.curation.form import LABELS, label

# What became of a run of text ("same", "ins", "del"; "skip" for lines left out), and the text.
Run = tuple[str, str]
_ORDER = tuple(LABELS)
_TOO_MANY = 9_000_000  # pairs to compare: beyond that a person waits for seconds
_ADDRESSES = frozenset({"kind"})  # says nothing to a person


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs, its lines as runs of text."""

    field: str
    label: str
    lines: tuple[tuple[Run, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "field": self.field,
            "label": self.label,
            "lines": [[{"text": text, "op": op} for op, text in line] for line in self.lines],
        }


def between(
    old: Mapping[str, Any], new: Mapping[str, Any], *, texts: tuple[str, str] = ("", "")
) -> list[Change]:
    """The fields of two bodies that differ, in the order of the form; `texts` are the passages of
    what has no form. Long tables show changed lines with a few around them."""
    before, after = _flat(old), _flat(new)
    if texts != ("", ""):
        before["passages"], after["passages"] = texts
    names = sorted(before.keys() | after.keys(), key=_place)
    changes = []
    for name in names:
        was, now = before.get(name, ""), after.get(name, "")
        if was != now:
            long = max(was.count("\n"), now.count("\n")) > 60
            lines = _near_changes(was, now) if long else tuple(_lines(was, now))
            changes.append(Change(name, label(name), lines))
    return changes


def _place(name: str) -> tuple[int, str]:
    first = name.split(".")[0]
    return (_ORDER.index(first) if first in _ORDER else len(_ORDER), name)


def _flat(body: Mapping[str, Any]) -> dict[str, str]:
    """A text a field: lists a line an entry, facts with a name each, tables as YAML."""
    out: dict[str, str] = {}
    for name, value in body.items():
        if name in _ADDRESSES or (name == "title" and "question" in body):
            continue
        if name == "table":
            out[name] = as_yaml(value)
        elif isinstance(value, Mapping):
            out |= {f"{name}.{k}": _text(v) for k, v in value.items()}
        else:
            out[name] = _text(value)
    return {k: v for k, v in out.items() if v}


def as_yaml(table: Any) -> str:
    """A rule table as people edit it."""
    text: str = yaml.safe_dump(table, allow_unicode=True, sort_keys=False, width=100)
    return text


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "\n".join(str(v) for v in value)
    return "" if value is None else str(value).strip()


def _lines(old: str, new: str) -> Iterator[tuple[Run, ...]]:
    """Lines that stayed, went, came, and, where one took the place of another, its words."""
    a, b = old.splitlines(), new.splitlines()
    if len(a) * len(b) > _TOO_MANY:
        yield from _replaced(a, b)
        return
    matcher = difflib.SequenceMatcher(a=a, b=b, autojunk=False)
    for op, i, j, k, m in matcher.get_opcodes():
        if op == "equal":
            yield from ((("same", line),) for line in a[i:j])
        else:
            yield from _replaced(a[i:j], b[k:m])


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Run, ...]]:
    """Old and new lines side by side as far as they go; what has nothing in common stays apart."""
    for was, now in zip(old, new, strict=False):
        runs = tuple(_words(was, now))
        kept = sum(len(text) for op, text in runs if op == "same")
        if kept * 4 >= min(len(was), len(now)):
            yield runs
        else:
            yield (("del", was),)
            yield (("ins", now),)
    yield from ((("del", line),) for line in old[len(new) :])
    yield from ((("ins", line),) for line in new[len(old) :])


def _words(old: str, new: str) -> Iterator[Run]:
    a, b = words.cut(old), words.cut(new)
    if len(a) * len(b) > _TOO_MANY:
        yield from (("del", old), ("ins", new))
        return
    for op, i, j, k, m in difflib.SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes():
        if op == "equal":
            yield "same", "".join(a[i:j])
            continue
        if i < j:
            yield "del", "".join(a[i:j])
        if k < m:
            yield "ins", "".join(b[k:m])


def _near_changes(old: str, new: str, around: int = 3) -> tuple[tuple[Run, ...], ...]:
    """Of a long table: the changed lines with their neighbours, and how many were left out."""
    lines = list(_lines(old, new))
    near: set[int] = set()
    for at, line in enumerate(lines):
        if any(op != "same" for op, _ in line):
            near.update(range(at - around, at + around + 1))
    out: list[tuple[Run, ...]] = []
    left_out = 0
    for at, line in enumerate(lines):
        if at not in near:
            left_out += 1
            continue
        if left_out:
            out.append((("skip", f"……此处{left_out}行没有变化"),))
            left_out = 0
        out.append(line)
    if left_out:
        out.append((("skip", f"……此处{left_out}行没有变化"),))
    return tuple(out)


def changes(session: Session, old: Revision | None, new: Revision) -> list[dict[str, Any]]:
    """What differs between two stored revisions; all of the new one where there is no old one."""

    def texts(revision: Revision | None) -> str:
        if revision is None or (revision.body and "kind" in revision.body):
            return ""
        rows = store.passages_of(session, revision.id)
        return "\n".join(f"{p.label} {p.text}" for p in rows)

    found = between(old.body if old else {}, new.body, texts=(texts(old), texts(new)))
    return [change.as_dict() for change in found]
