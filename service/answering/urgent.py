"""Which danger a question tells of: rules over a reviewed vocabulary (urgent.yaml).

No model, no index, no network. A question is folded into plain Mandarin (homophones, dialect,
pinyin, dots between characters), harmless idioms are blanked out, the rest is cut into clauses;
a sign says what must stand in one clause, what near it, and what must not. Talk about law, past
events or fiction cancels every sign but the unmistakable ones.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from knowledge import text

_NEAR = 2  # how many clauses to either side `~` looks
_GAPS = {"…": ".{0,8}?", "‥": ".{0,3}?"}
_BLANK = "□"
_HAN = r"[\u3400-\u9fff]"
_HARD_STOP = re.compile(r"[，,。!！?？;；、:：\n]+")
# What people type between characters to slip past filters, or instead of a comma.
_LOOSE = r"[\s.·・•*_~～…|/\\\-—\"'“”‘’（）()\[\]【】\u2600-\u27bf\U0001f000-\U0001faff\ufe0f]+"
_SOFT_STOP = re.compile(_LOOSE)
_SPELT_OUT = re.compile(rf"(?<!{_HAN}){_HAN}(?:{_LOOSE}{_HAN}(?!{_HAN})){{2,}}")
_SYLLABLE = (
    r"(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])(?:i?ang|i?ong|i?ao|u?ang|u?ai|ian|uan|eng|ing"
    r"|[iu]?an|[iu]?en|[iu]n|ia|i?e|iu|ei|ai|ou|uo|u[aeiv]|[aeiouv])|er|an|ai|ou"
)
_PINYIN = re.compile(rf"(?<![a-z])(?:(?:{_SYLLABLE})[ ']*){{3,}}(?![a-z])")
_ONE_SYLLABLE = re.compile(_SYLLABLE)

Clauses = frozenset[int]
_NOWHERE: Clauses = frozenset()


@dataclass(frozen=True, slots=True)
class Sign:
    """`here`: all in one clause; `near`: within two clauses of it; `absent`: not in that clause."""

    here: tuple[re.Pattern[str], ...]
    near: tuple[re.Pattern[str], ...]
    absent: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Hints:
    """Families that prove nothing alone: `heavy` counts two, `light` one, once per neighbourhood."""

    heavy: tuple[re.Pattern[str], ...]
    light: tuple[re.Pattern[str], ...]
    enough: int


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    always: tuple[Sign, ...]
    unless_about: tuple[Sign, ...]
    hints: Hints


class Reading:
    """A folded question cut into clauses, which remembers where each pattern was found."""

    def __init__(self, clauses: Iterable[str]) -> None:
        self._text = "\n".join(clauses)
        self._ends = [i for i, c in enumerate(self._text) if c == "\n"]
        self._found: dict[re.Pattern[str], Clauses] = {}

    def where(self, pattern: re.Pattern[str]) -> Clauses:
        found = self._found.get(pattern)
        if found is None:
            found = _NOWHERE
            if pattern.search(self._text):
                starts = (match.start() for match in pattern.finditer(self._text))
                found = frozenset(bisect_right(self._ends, start) for start in starts)
            self._found[pattern] = found
        return found

    def tells(self, sign: Sign) -> Clauses:
        """The clauses in which a sign stands."""
        left = self.where(sign.here[0])
        for pattern in sign.here[1:]:
            left = left and left & self.where(pattern)
        for pattern in sign.near:
            left = left and left & _around(self.where(pattern), -_NEAR, _NEAR)
        for pattern in sign.absent:
            left = left and left - self.where(pattern)
        return left

    def adds_up(self, hints: Hints, about: Clauses) -> bool:
        """Enough hints close to a heavy one, not counting clauses that only talk about danger."""
        heavy = [self.where(pattern) - about for pattern in hints.heavy]
        light: list[Clauses] | None = None
        for centre in frozenset().union(*heavy):
            if light is None:
                light = [self.where(pattern) - about for pattern in hints.light]
            near = frozenset(range(centre - _NEAR, centre + _NEAR + 1))
            score = sum(2 for found in heavy if found & near)
            if score + sum(1 for found in light if found & near) >= hints.enough:
                return True
        return False


def _around(clauses: Clauses, before: int, after: int) -> Clauses:
    return frozenset(i + step for i in clauses for step in range(before, after + 1))


class Vocabulary:
    """urgent.yaml, compiled."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._families = {name: _joined(words) for name, words in content["families"].items()}
        self._fold = {str(key): str(value) for key, value in content["fold"].items()}
        self._folding = re.compile("|".join(_foldable(k) for k in _longest_first(self._fold)))
        self._pinyin: dict[str, str] = content["pinyin"]
        self._harmless = re.compile("|".join(content["harmless"]))
        about = content["about"]
        self._anywhere = self._compiled(_joined(about["anywhere"]))
        self._past = self._compiled(_joined(about["past"]))
        self._law = self._compiled(_joined(about["law"]))
        self._now = self._compiled("<今>")
        self.kinds = tuple(
            Kind(
                name,
                self._signs(signs.get("always", ())),
                self._signs(signs.get("signs", ())),
                self._hints(signs["hints"]),
            )
            for name, signs in content["kinds"].items()
        )

    def readings(self, question: str) -> Iterator[Reading]:
        """The question cut at every pause, and, where that differs, without the soft pauses."""
        question = text.normalise(question).lower()
        question = _PINYIN.sub(self._spoken, question)
        question = _SPELT_OUT.sub(lambda run: _SOFT_STOP.sub("", run[0]), question)
        hard = [part.strip() for part in _HARD_STOP.split(question)]
        cut = [part for clause in hard for part in _SOFT_STOP.split(clause)]
        squeezed = [_SOFT_STOP.sub("", clause) for clause in hard]
        yield Reading(self._plain(cut))
        if cut != squeezed:
            yield Reading(self._plain(squeezed))

    def about(self, reading: Reading) -> Clauses | None:
        """The clauses that only talk about danger; None if the whole question does."""
        if reading.where(self._anywhere):
            return None
        law, now = reading.where(self._law), reading.where(self._now)
        return law | (_around(reading.where(self._past) - now, 0, 1) | _around(law, -1, 0)) - now

    def _plain(self, clauses: Iterable[str]) -> Iterator[str]:
        for clause in clauses:
            if clause:
                folded = self._folding.sub(lambda m: self._fold[m[0]], clause)
                yield self._harmless.sub(_BLANK, folded)

    def _spoken(self, run: re.Match[str]) -> str:
        return "".join(self._pinyin.get(s[0], _BLANK) for s in _ONE_SYLLABLE.finditer(run[0]))

    def _signs(self, lines: Iterable[str]) -> tuple[Sign, ...]:
        return tuple(self._sign(line.split()) for line in lines)

    def _hints(self, hints: dict[str, Any]) -> Hints:
        heavy, light = (
            tuple(self._compiled(_joined(words)) for words in hints[weight].values())
            for weight in ("heavy", "light")
        )
        return Hints(heavy, light, hints["enough"])

    def _sign(self, terms: list[str]) -> Sign:
        return Sign(
            tuple(self._compiled(t) for t in terms if t[0] not in "!~"),
            tuple(self._compiled(t[1:]) for t in terms if t[0] == "~"),
            tuple(self._compiled(t[1:]) for t in terms if t[0] == "!"),
        )

    def _compiled(self, term: str) -> re.Pattern[str]:
        for gap, pattern in _GAPS.items():
            term = term.replace(gap, pattern)
        while "<" in re.sub(r"\(\?<[!=]", "", term):
            term = re.sub(r"<(\w+)>", lambda m: f"(?:{self._families[m[1]]})", term)
            for gap, pattern in _GAPS.items():
                term = term.replace(gap, pattern)
        return re.compile(term.replace("()", ""), re.M)


def _joined(words: str) -> str:
    return "".join(words.split())


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(words, key=len, reverse=True)


def _foldable(key: str) -> str:
    """A key with Latin letters or digits at its edge must stand alone there: zs, but not zsxq."""
    before = r"(?<![a-z])" if re.match(r"[a-z]", key) else ""
    after = r"(?![a-z\d])" if re.search(r"[a-z\d]$", key) else ""
    return before + re.escape(key) + after


@cache
def vocabulary() -> Vocabulary:
    content = (files("service.answering") / "urgent.yaml").read_text("utf-8")
    return Vocabulary(yaml.safe_load(content))


def urgent_kind(query: str) -> str | None:
    """Which danger a question tells of, or None."""
    words = vocabulary()
    for reading in words.readings(query):
        about = words.about(reading)
        for kind in words.kinds:
            if any(reading.tells(sign) for sign in kind.always):
                return kind.name
        if about is None:
            continue
        for kind in words.kinds:
            if any(reading.tells(sign) - about for sign in kind.unless_about):
                return kind.name
        for kind in words.kinds:
            if reading.adds_up(kind.hints, about):
                return kind.name
    return None
