"""What differs between two runs: which answers turned right, turned wrong, or read differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from service.trials.asking import words_between

# In the order of what a clerk must look at first.
KINDS = {
    "worse": "新答错",
    "better": "新答对",
    "changed": "答案变了",
    "same": "没有变",
    "only_after": "这次才有的问题",
    "only_before": "这次没有问的",
}
_LOOKED_AT = ("worse", "better", "changed")


def compare(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """{counts, sentence, changes}; a change holds both results and their words side by side.

    Questions are matched by what was asked (`key`), in the same set. An answer has changed when
    what a citizen reads has: its outcome, words, articles or cards; neither its confidence nor how
    long it took.
    """
    old = {_place(row): row for row in before}
    new = {_place(row): row for row in after}
    counts = dict.fromkeys(KINDS, 0)
    changes = []
    for key, row in new.items():
        kind = _kind(old.get(key), row)
        counts[kind] += 1
        if kind in _LOOKED_AT:
            changes.append(_change(kind, old[key], row))
    counts["only_before"] = len(old.keys() - new.keys())
    order = list(KINDS)
    changes.sort(key=lambda c: (order.index(c["kind"]), c["after"]["position"]))
    return {"counts": counts, "sentence": sentence(counts), "changes": changes}


def _place(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["key"], row["set_id"]


def _kind(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    if before is None:
        return "only_after"
    if before["passed"] is True and after["passed"] is False:
        return "worse"
    if before["passed"] is False and after["passed"] is True:
        return "better"
    return "same" if _said(before) == _said(after) else "changed"


def _said(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["outcome"], row["summary"], list(row["cited"]), dict(row["shown"]))


def _change(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "label": KINDS[kind],
        "question": after["question"],
        "before": dict(before),
        "after": dict(after),
        "what": _what(before, after),
        "words": words_between(before["summary"], after["summary"]),
    }


def _what(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Which sides of the answer differ, in words."""
    out = []
    if before["outcome"] != after["outcome"]:
        out.append("结果")
    if before["summary"] != after["summary"]:
        out.append("正文")
    if list(before["cited"]) != list(after["cited"]):
        out.append("引用的条文")
    if dict(before["shown"]) != dict(after["shown"]):
        out.append("给出的内容")
    return out


def sentence(counts: Mapping[str, int]) -> str:
    """新答对 3、新答错 1、答案变了 7, or that nothing has changed."""
    parts = [f"{KINDS[k]} {counts[k]}" for k in ("better", "worse", "changed") if counts.get(k, 0)]
    asked = counts.get("same", 0) + sum(counts.get(k, 0) for k in _LOOKED_AT)
    if not parts:
        return f"{asked} 个问题的回答都没有变。" if asked else "没有可以比较的问题。"
    return "、".join(parts)
