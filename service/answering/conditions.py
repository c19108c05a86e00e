"""Conditions over chosen options, as reviewed tables write them: small, declarative and total.

    {matter: [wages, injury]}                 one of these options was chosen
    {matter: [wages], place: [putuo]}         all of these
    {all: […]}  {any: […]}  {not: …}          combined
    {is: [listed]}                            a condition that the table has given a name

A question that was not asked has no option, so every condition is true or false, never unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator

Chosen = Mapping[str, frozenset[str]]  # question id → ids of the options chosen

IS = "is"  # the key under which the names of conditions that hold are looked up
RESERVED = frozenset({"all", "any", "not", IS})


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of `options` was chosen for `question`."""

    question: str
    options: frozenset[str]

    def holds(self, chosen: Chosen) -> bool:
        return not self.options.isdisjoint(chosen.get(self.question, frozenset()))


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Condition, ...]

    def holds(self, chosen: Chosen) -> bool:
        return all(part.holds(chosen) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]

    def holds(self, chosen: Chosen) -> bool:
        return any(part.holds(chosen) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition

    def holds(self, chosen: Chosen) -> bool:
        return not self.part.holds(chosen)


Condition = OneOf | All | AnyOf | Not


def read_condition(raw: Any) -> Condition:
    """The condition that a table writes. Raises ValueError in Chinese."""
    if not isinstance(raw, dict) or not raw:
        raise ValueError("条件要写成“问题: [选项]”，或者 all、any、not、is")
    if RESERVED & raw.keys() - {IS}:
        if len(raw) > 1:
            raise ValueError("all、any、not 要单独写，不能和别的条件并排")
        (word, inner), *_ = raw.items()
        if word == "not":
            return Not(read_condition(inner))
        if not isinstance(inner, list) or not inner:
            raise ValueError(f"{word} 后面要写一串条件")
        parts = tuple(map(read_condition, inner))
        return All(parts) if word == "all" else AnyOf(parts)
    leaves = tuple(_read_leaf(key, options) for key, options in raw.items())
    return leaves[0] if len(leaves) == 1 else All(leaves)


def _read_leaf(key: Any, options: Any) -> OneOf:
    words = isinstance(options, list) and options and all(isinstance(o, str) for o in options)
    if not isinstance(key, str) or not words:
        raise ValueError(f"“{key}”后面要写一串选项的编号，如 [wages]")
    if len(set(options)) < len(options):
        raise ValueError(f"“{key}”的选项写重了")
    return OneOf(key, frozenset(options))


def leaves(condition: Condition) -> Iterator[OneOf]:
    """Every question and its options that a condition looks at."""
    match condition:
        case OneOf():
            yield condition
        case Not(part):
            yield from leaves(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)


When = Annotated[Condition, PlainValidator(read_condition)]
"""A field of a pydantic model that holds a condition."""
