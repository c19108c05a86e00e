"""Which danger a question tells of: rules over a reviewed vocabulary (urgent.yaml).

No model, no index, no network. A question is folded into plain Mandarin (homophones, dialect,
pinyin, dots between characters), harmless idioms are blanked out, the rest is cut into clauses.
Signs say what must stand in one clause, near it, or not in it; hints add up. Talk about law, the
past or fiction cancels both, but never the unmistakable signs.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import yaml

from knowledge import text

_NEAR = 2  # how many clauses to either side count as near
_GAPS = {"…": ".{0,8}?", "‥": ".{0,3}?"}
_BLANK, _HAN = "□", r"[\u3400-\u9fff]"
_HARD_STOP = re.compile(r"[，,。!！?？;；、:：\n]+")
# What people type between characters to slip past filters, or instead of a comma.
_LOOSE = r"[\s.·・•*_~～…|/\\\-—\"'“”‘’（）()\[\]【】\u2600-\u27bf\U0001f000-\U0001faff\ufe0f]+"
_SOFT_STOP = re.compile(_LOOSE)
_SPELT_OUT = re.compile(rf"(?<!{_HAN}){_HAN}(?:{_LOOSE}{_HAN}(?!{_HAN})){{2,}}")
_SYLLABLE = re.compile(
    r"(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])(?:i?ang|i?ong|i?ao|u?ang|u?ai|ian|uan|eng|ing"
    r"|[iu]?an|[iu]?en|[iu]n|ia|i?e|iu|ei|ai|ou|uo|u[aeiv]|[aeiouv])|er|an|ai|ou"
)
_PINYIN = re.compile(rf"(?<![a-z])(?:(?:{_SYLLABLE.pattern})[ ']*){{3,}}(?![a-z])")

Clauses = frozenset[int]


@dataclass(frozen=True, eq=False)
class Term:
    """A pattern with an identity: hashing a pattern takes longer than searching with it. It is
    compiled when first looked for: forty questions needed 627 of 1,438."""

    words: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.words, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sign:
    """`here`: all in one clause; `near`: in that clause or near it; `absent`: not in it."""

    here: tuple[Term, ...]
    near: tuple[Term, ...]
    absent: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """Hints prove nothing alone: a heavy one counts two, a light one one, `enough` is enough."""

    name: str
    always: tuple[Sign, ...]
    signs: tuple[Sign, ...]
    heavy: tuple[Term, ...]
    light: tuple[Term, ...]
    enough: int


class Reading:
    """A folded question cut into clauses, which remembers where each pattern was found."""

    def __init__(self, clauses: Iterable[str]) -> None:
        self.text = "\n".join(clauses)
        self._ends = [i for i, character in enumerate(self.text) if character == "\n"]
        self.clauses: Clauses = frozenset(range(len(self._ends) + 1))
        self._found: dict[Term, Clauses] = {}

    def where(self, term: Term) -> Clauses:
        if term not in self._found:
            hits = term.pattern.finditer(self.text) if term.pattern.search(self.text) else ()
            self._found[term] = frozenset(bisect_right(self._ends, hit.start()) for hit in hits)
        return self._found[term]

    def tells(self, sign: Sign) -> Clauses:
        """The clauses in which a sign stands."""
        left = self.where(sign.here[0])
        for term in sign.here[1:]:
            left = left and left & self.where(term)
        for term in sign.near:
            left = left and left & _around(self.where(term), -_NEAR, _NEAR)
        for term in sign.absent:
            left = left and left - self.where(term)
        return left

    def adds_up(self, kind: Kind, about: Clauses) -> bool:
        """Enough hints near a heavy one, each family once, in clauses that do not only talk."""
        heavy = [self.where(term) - about for term in kind.heavy]
        if not any(heavy):
            return False
        light = [self.where(term) - about for term in kind.light]
        return any(
            2 * sum(map(bool, map(near.intersection, heavy)))
            + sum(map(bool, map(near.intersection, light)))
            >= kind.enough
            for near in (_around({clause}, -_NEAR, _NEAR) for clause in frozenset().union(*heavy))
        )


def _around(clauses: Iterable[int], before: int, after: int) -> Clauses:
    return frozenset(i + step for i in clauses for step in range(before, after + 1))


class Vocabulary:
    """urgent.yaml, compiled."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._families: dict[str, str] = content["families"]
        self._fold: dict[str, str] = content["fold"]
        longest_first = sorted(self._fold, key=len, reverse=True)
        self._folding = re.compile("|".join(map(_foldable, longest_first)))
        self._pinyin: dict[str, str] = content["pinyin"]
        self._harmless = re.compile("|".join(content["harmless"]))
        self._terms: dict[str, Term] = {}
        self._about = {scope: self._term(words) for scope, words in content["about"].items()}
        self.kinds = tuple(self._kind(name, parts) for name, parts in content["kinds"].items())

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every pattern that a question may be searched with."""
        return tuple(self._terms.values())

    def readings(self, question: str) -> Iterator[Reading]:
        """The question cut at every pause, and, where that differs, without the soft pauses."""
        question = text.normalise(question).lower()
        question = _PINYIN.sub(self._spoken, question)
        question = _SPELT_OUT.sub(lambda run: _SOFT_STOP.sub("", run[0]), question)
        hard = _HARD_STOP.split(question)
        cut = [part for clause in hard for part in _SOFT_STOP.split(clause) if part]
        squeezed = [part for clause in hard if (part := _SOFT_STOP.sub("", clause))]
        yield Reading(map(self._plain, cut))
        if cut != squeezed:
            yield Reading(map(self._plain, squeezed))

    def only_talk(self, reading: Reading) -> Clauses:
        talk = {scope: reading.where(term) for scope, term in self._about.items()}
        if talk["anywhere"]:
            return reading.clauses
        law, now = talk["law"], talk["now"]
        return law | (_around(talk["past"] - now, 0, 1) | _around(law, -1, 0)) - now

    def _plain(self, clause: str) -> str:
        return self._harmless.sub(_BLANK, self._folded(clause))

    def _folded(self, words: str) -> str:
        return self._folding.sub(lambda match: self._fold[match[0]], words)

    def _spoken(self, run: re.Match[str]) -> str:
        return "".join(self._pinyin.get(s[0], _BLANK) for s in _SYLLABLE.finditer(run[0]))

    def _kind(self, name: str, lists: dict[str, Any]) -> Kind:
        always, signs = (tuple(map(self._sign, lists.get(k, ()))) for k in ("always", "signs"))
        hints = lists["hints"]
        heavy, light = (tuple(map(self._term, hints[k].values())) for k in ("heavy", "light"))
        return Kind(name, always, signs, heavy, light, hints["enough"])

    def _sign(self, line: str) -> Sign:
        parts: dict[str, list[Term]] = {"": [], "~": [], "!": []}
        for words in line.split():
            mark = words[0] if words[0] in "~!" else ""
            parts[mark].append(self._term(words.removeprefix(mark)))
        return Sign(tuple(parts[""]), tuple(parts["~"]), tuple(parts["!"]))

    def _term(self, words: str) -> Term:
        while family := re.search(r"<(\w+)>", words):
            words = words.replace(family[0], f"(?:{self._families[family[1]]})")
        for gap, pattern in _GAPS.items():
            words = words.replace(gap, pattern)
        words = self._folded("".join(words.split()))  # written as a question will be read
        return self._terms.setdefault(words, Term(words))


def _foldable(key: str) -> str:
    """Latin letters or digits at the edge of a key must stand alone there: zs, but not zsxq.

    A digit which counts something (4月份) is only a digit.
    """
    before = r"(?<![a-z\d])" if re.match(r"[a-z\d]", key) else ""
    after = r"(?![a-z\d])" if re.search(r"[a-z\d]$", key) else ""
    if key[-1].isdigit():
        after += r"(?![月号日年个天点万千百元块岁次楼级人家份张])"
    return before + re.escape(key) + after


def fold(question: str) -> str:
    """The question in plain Mandarin, harmless idioms blanked out, clauses apart by a space."""
    reading = next(iter(_vocabulary().readings(question)))
    return reading.text.replace("\n", " ")


@cache
def _vocabulary() -> Vocabulary:
    content = (files("service.answering") / "urgent.yaml").read_text("utf-8")
    return Vocabulary(yaml.load(content, Loader=yaml.CSafeLoader))


@dataclass(frozen=True, slots=True)
class Signs:
    """What the rules say: the kind of danger, and how strong the strongest is: 3 unmistakable,
    2 a sign, 1 hints that add up, 0 nothing. How much that proves is learned (`danger`)."""

    kind: str | None
    strength: int


def signs_of(query: str) -> Signs:
    """Read a question by the rules."""
    words = _vocabulary()
    strongest = Signs(None, 0)
    for reading in words.readings(query):
        about = words.only_talk(reading)
        always = (k.name for k in words.kinds if any(map(reading.tells, k.always)))
        signs = (k.name for k in words.kinds if any(reading.tells(s) - about for s in k.signs))
        hints = (k.name for k in words.kinds if reading.adds_up(k, about))
        for strength, kinds in ((3, always), (2, signs), (1, hints)):
            if strength > strongest.strength and (kind := next(kinds, None)):
                strongest = Signs(kind, strength)
    return strongest
