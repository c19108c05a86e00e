"""Which of a few options a reply picks: by number, by its words, or by words near to them.

Nothing is guessed: a reply that fits two options, turns one round with a 不, or asks a question of
its own picks none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from knowledge import text

_MARKS = re.compile(r"[\s,，.。!！~～、;；:：…·“”\"'()（）【】\[\]《》]+")
_ASIDE = re.compile(r"[（(][^）)]*[）)]")
_NUMERALS = {n: i for i, n in enumerate("一二三四五六七八九", start=1)}
_NUMBER = re.compile(
    r"(?:我?(?:选择?|要|是))?(?:第|选项)?([1-9一二三四五六七八九])"
    r"(?:[个项号条种]|选项)?(?:吧|的|啊|呢)?"
)
_NUMBER_THEN_WORDS = re.compile(r"\s*([1-9])\s*[、.。:：)）\s]+\s*(\D.*)", re.S)
_APART = re.compile(r"[\s,，、;；/和与跟及加]+")
_NEGATION = re.compile(r"[没不无非未别]")
_ASKS = re.compile(
    r"[?？吗]|什么|怎么|怎样|如何|多少|哪[里些个儿]|几[个天年月点]|能不能|可不可以|是不是"
)
# Too bare to be looked for inside a longer reply.
_BARE = frozenset(
    {"有", "是", "没", "否", "没有", "不是", "可以", "其他", "不知道", "不清楚"}
    | {"本人", "自己", "上海", "外地", "单位", "公司"}
)
_LONGER = 10  # characters that a reply may have beside the words of an option
_NEAR, _MARGIN = 0.7, 0.1  # how alike, and how much more than the next


@dataclass(frozen=True, slots=True)
class Choice:
    """An option as people may say it."""

    id: str
    label: str
    also: tuple[str, ...] = ()
    alone: bool = False

    @property
    def names(self) -> frozenset[str]:
        whole = (self.label, _ASIDE.sub("", self.label), *self.also)
        return frozenset(_squeeze(name) for name in whole)


def choose(
    reply: str, choices: Sequence[Choice], *, many: bool = False, near: bool = True
) -> list[str] | None:
    """The ids that a reply picks, in order; None when it cannot be told. One unless `many`. With
    `near` also by words that are only near: not for options that are questions themselves, where
    a word of difference is another question."""
    plain = text.normalise(reply)
    if numbers := _by_number(plain, choices, many):
        return numbers
    words = _squeeze(plain)
    if not words:
        return None
    if exact := [c.id for c in choices if words in c.names]:
        return exact if len(exact) == 1 else None
    if not near:
        return None
    if many and (listed := _listed(plain, choices)):
        return listed
    if alike := _alike(words, choices):
        return [alike]
    if _ASKS.search(plain):
        return None
    found = _inside(words, choices) or _within(words, choices)
    return [found] if found else None


def _squeeze(words: str) -> str:
    return _MARKS.sub("", text.normalise(words)).lower().rstrip("?？")


def _by_number(plain: str, choices: Sequence[Choice], many: bool) -> list[str] | None:
    if both := _NUMBER_THEN_WORDS.fullmatch(plain):  # 2 普陀区
        words = _squeeze(both[2])
        at = int(both[1])
        if at <= len(choices) and any(words in name for name in choices[at - 1].names):
            return [choices[at - 1].id]
    parts = [p for p in _APART.split(_circled(plain)) if p] if many else [_circled(plain)]
    picked = [_NUMBER.fullmatch(_MARKS.sub("", part)) for part in parts]
    if not picked or None in picked:
        return None
    ordinals = [_NUMERALS.get(m[1]) or int(m[1]) for m in picked if m]
    if max(ordinals) > len(choices):
        return None
    return list(dict.fromkeys(choices[i - 1].id for i in ordinals))


def _circled(plain: str) -> str:
    """①②③ are numbers already after NFKC; 1️⃣ leaves a mark behind."""
    return plain.replace("\ufe0f", "").replace("\u20e3", "")


def _listed(plain: str, choices: Sequence[Choice]) -> list[str] | None:
    """Several options by their words: 低保、残疾人."""
    parts = [p for p in map(_squeeze, _APART.split(plain)) if p]
    picked = [[c.id for c in choices if part in c.names] for part in parts]
    if len(parts) < 2 or any(len(found) != 1 for found in picked):
        return None
    return list(dict.fromkeys(found[0] for found in picked))


def _inside(words: str, choices: Sequence[Choice]) -> str | None:
    """An option whose own words stand in the reply, with no 不 or 没 left beside them."""
    found = {
        c.id
        for c in choices
        for name in c.names
        if len(name) > 1
        and name not in _BARE
        and name in words
        and len(words) <= len(name) + _LONGER
        and not _NEGATION.search(words.replace(name, "", 1))
    }
    return _only(found)


def _within(words: str, choices: Sequence[Choice]) -> str | None:
    """The one option whose label holds the reply, with no 不 or 没 more than the reply has."""
    if len(words) < 2 or words in _BARE:
        return None
    found = {
        c.id
        for c in choices
        for name in c.names
        if words in name and not _NEGATION.search(name.replace(words, "", 1))
    }
    return _only(found)


def _alike(words: str, choices: Sequence[Choice]) -> str | None:
    """The option most like the reply (a typing mistake), when it is much more so than the next."""
    if len(words) < 3:
        return None
    negations = len(_NEGATION.findall(words))
    scores = sorted(
        (
            max(
                SequenceMatcher(None, words, name, autojunk=False).ratio()
                if len(_NEGATION.findall(name)) == negations
                else 0.0
                for name in c.names
            ),
            c.id,
        )
        for c in choices
    )
    (second, _), (best, found) = scores[-2:] if len(scores) > 1 else [(0.0, ""), scores[-1]]
    return found if best >= _NEAR and best - second >= _MARGIN else None


def _only(found: set[str]) -> str | None:
    return next(iter(found)) if len(found) == 1 else None
