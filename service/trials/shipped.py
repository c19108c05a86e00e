"""The set that ships: a sample of the cases by which the product itself is measured.

Stratified by the way a question should end and by topic, and drawn by a hash of each case's id, so
that it is the same everywhere and stays the same while the cases do.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Any

from service.trials.expectation import of_case

ID = "shipped"
NAME = "随附的基本题"
DESCRIPTION = (
    "随产品附带的一百多个问题，各种结果、各个主题都有。改了内容之后问一遍，看有没有碰坏别的回答。"
    "这一套不能改，可以复制一份再改。"
)
_SIZE = 120
_LEAST = 4  # of each kind of ending, if there are so many


@cache
def questions() -> tuple[dict[str, Any], ...]:
    """The sampled cases as questions of a set."""
    text = (files("service.evaluation") / "cases" / "behaviours.jsonl").read_text("utf-8")
    cases = [json.loads(line) for line in text.splitlines() if line.strip()]
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        groups[case["behaviour"]].append(case)
    chosen = []
    for behaviour in sorted(groups):
        group = groups[behaviour]
        share = max(_LEAST, round(_SIZE * len(group) / len(cases)))
        chosen += _spread(group, share)
    return tuple(
        {
            "id": case["id"],
            "position": position,
            "question": case["question"],
            "earlier": [],
            "expect": of_case(case),
            "region": "",
            "as_of": None,
            "note": case.get("topic") or "",
        }
        for position, case in enumerate(chosen)
    )


def _spread(group: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """So many of a group, a topic after the other, each topic's in the order of its hashes."""
    by_topic: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for case in sorted(group, key=lambda c: hashlib.sha256(c["id"].encode()).hexdigest()):
        by_topic[case.get("topic") or ""].append(case)
    rounds = max(map(len, by_topic.values()))
    in_turn = [
        cases[i] for i in range(rounds) for _, cases in sorted(by_topic.items()) if i < len(cases)
    ]
    return in_turn[:count]
