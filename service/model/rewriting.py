"""A follow-up that the rules did not understand, as the model reads it; only words of the
conversation may be in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge import text
from knowledge.citations import LawBook
from service.answering.draft import Turn
from service.model.facts import facts_of, foreign
from service.model.lines import objects

_LONGEST = 120
_SHORTEST = 4
_TURNS = 4
# What may join the words of a conversation to a question; no matter, person or place among them.
_JOINTS = re.compile(
    r"怎么办理?|怎么|怎样|如何|什么|哪些|哪里|哪个|多少|多久|是否|能否|可以|应该|应当|需要|能不能|可不可以|是不是"
    r"|有没有|的话|如果|因为|所以|之后|之前|以后|关于|对于|时候|情况|请问|还是|或者|并且|而且|以及|这个|那个|没有"
    r"|[的了吗呢和与在是有为对被把给向从到由会能要不我您你他她它们就都也还再又后前时里上下中该这那个及或由]"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model made of a follow-up; `fault` says why it is not used."""

    text: str
    fault: str = ""


def told(history: Sequence[Turn], question: str) -> list[dict[str, str]]:
    """The conversation as data."""
    turns = [
        {"居民": turn.question, **({"给出的选项": "；".join(turn.clarify)} if turn.clarify else {})}
        for turn in history[-_TURNS:]
    ]
    return [*turns, {"居民最后一句": question}]


def read(pieces: Iterable[str], history: Sequence[Turn], question: str, laws: LawBook) -> Reading:
    """The reading, checked: it adds no word of matter, no number and no law that was not said."""
    said = _said(objects(pieces))
    plain = text.normalise(said)[: _LONGEST * 2].strip()
    if not plain:
        return Reading("", "empty")
    if not _SHORTEST <= len(plain) <= _LONGEST or "\n" in plain or foreign(plain):
        return Reading(plain[:_LONGEST], "malformed")
    known = text.normalise(
        "\n".join([*(w for t in history for w in (t.question, t.root, *t.clarify)), question])
    )
    if not set(facts_of(plain)) <= set(facts_of(known)):
        return Reading(plain, "fact")
    if any(name not in known for name in laws.named(plain)):
        return Reading(plain, "law")
    if _matter(plain, known):
        return Reading(plain, "words")
    return Reading(plain)


def _said(found: Iterator[dict[str, Any] | str]) -> str:
    for item in found:
        if isinstance(item, dict) and isinstance(item.get("question"), str):
            return str(item["question"])
    return ""


def _matter(plain: str, known: str) -> str:
    """What of a reading the conversation has not said: all that is neither part of two characters
    in a row that were said, nor only joins."""
    said = [not re.match(r"[\u4e00-\u9fffA-Za-z0-9]", char) for char in plain]
    for at in range(len(plain) - 1):
        if plain[at : at + 2] in known:
            said[at] = said[at + 1] = True
    for match in _JOINTS.finditer(plain):
        said[match.start() : match.end()] = [True] * len(match[0])
    return "".join(char for char, known_one in zip(plain, said, strict=True) if not known_one)
