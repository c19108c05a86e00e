"""Whether somebody asks how to do wrong, and which lawful way there is instead.

A question is harmful that asks how (or wants it done), names a wrong deed, and is not that of a
victim, nor about what is lawful, what it costs, or how to put it right. What is wrong only in
secret needs the wish to hide it as well. The vocabulary is content (requests.yaml, `harm`), where
its notation is explained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

_SOFT = re.compile(r"[\s.·・•*_~～…|/\\\-—\"'“”‘’（）()\[\]【】<>《》]+")
_LATIN_GAP = re.compile(r"(?<=[a-z]) (?=[a-z])", re.I)
_HARD = re.compile(r"[，,。!！?？;；、:：\n]+")
_GAPS = {"…": "[^，]{0,8}", "‥": "[^，]{0,3}"}
_KEPT = "\0"
_TOGETHER = 4  # clauses


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FamilyContent(_Content):
    id: str
    deeds: tuple[str, ...]
    acts: tuple[str, ...] = ()
    lawful: str
    steps: tuple[str, ...]


class HarmContent(_Content):
    spellings: dict[str, str]
    words: dict[str, str]
    remedy: str
    asking: tuple[str, ...]
    pretext: str
    hiding: tuple[str, ...]
    innocent: dict[str, str]
    families: tuple[FamilyContent, ...]


class Family:
    """A kind of wrong: its lawful way out, and the cards that help on it."""

    def __init__(self, content: FamilyContent, vocabulary: Vocabulary) -> None:
        self.id, self.lawful, self.steps = content.id, content.lawful, content.steps
        self._deeds = vocabulary.compiled(content.deeds) if content.deeds else None
        self._acts = vocabulary.compiled(content.acts) if content.acts else None

    def deed_in(self, words: str) -> bool:
        return self._deeds is not None and bool(self._deeds.search(words))

    def act_in(self, words: str) -> bool:
        return self._acts is not None and bool(self._acts.search(words))


class Vocabulary:
    """The content, compiled."""

    def __init__(self, content: HarmContent) -> None:
        self._spellings = content.spellings
        self._words = content.words | {"remedy": content.remedy}
        self._asking = self.compiled(content.asking)
        self._hiding = self.compiled(content.hiding)
        self._pretext = self.compiled((content.pretext,))
        self._victim = self.compiled((content.innocent["victim"],))
        others = (words for kind, words in content.innocent.items() if kind != "victim")
        self._innocent = self.compiled(tuple(others))
        self.families = tuple(Family(family, self) for family in content.families)

    def compiled(self, patterns: tuple[str, ...]) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{self._written_out(p)})" for p in patterns), re.I)

    def family(self, query: str) -> Family | None:
        words = self._plain(query)
        if self._innocent.search(words):
            return None
        pretext = bool(self._pretext.search(words))
        if not pretext and self._victim.search(words):
            return None
        for passage in _passages(words):
            if (pretext or self._asking.search(passage)) and (found := self._named_in(passage)):
                return found
        return None

    def _named_in(self, passage: str) -> Family | None:
        deed = next((f for f in self.families if f.deed_in(passage)), None)
        if deed or not self._hiding.search(passage):
            return deed
        return next((f for f in self.families if f.act_in(passage)), None)

    def _plain(self, query: str) -> str:
        words = _SOFT.sub("", _LATIN_GAP.sub(_KEPT, query)).replace(_KEPT, " ")
        words = _HARD.sub("，", words).lower().strip("，")
        for wrong, right in self._spellings.items():
            words = words.replace(wrong, right)
        return words

    def _written_out(self, pattern: str) -> str:
        while name := re.search(r"<(\w+)>", pattern):
            pattern = pattern.replace(name[0], f"(?:{self._words[name[1]]})")
        for gap, plain in _GAPS.items():
            pattern = pattern.replace(gap, plain)
        return pattern


def _passages(words: str) -> Iterator[str]:
    """What is said together: a few clauses at a time, so that a long story does not join the ends
    of it."""
    clauses = words.split("，")
    for start in range(max(1, len(clauses) - _TOGETHER + 1)):
        yield "，".join(clauses[start : start + _TOGETHER])


@cache
def vocabulary() -> Vocabulary:
    content = yaml.safe_load((files("service.answering") / "requests.yaml").read_text("utf-8"))
    return Vocabulary(HarmContent.model_validate(content["harm"]))


def harm_family(query: str) -> Family | None:
    """The kind of wrong that a normalised question asks help with, or None."""
    return vocabulary().family(query)
