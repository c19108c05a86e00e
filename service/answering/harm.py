"""Whether somebody asks how to do wrong, and which lawful way there is instead.

A question is harmful that asks how (or wants it done), names a wrong deed, and is not that of a
victim, nor about what is lawful, what it costs, or how to put it right. What is wrong only in
secret needs the wish to hide it as well. The vocabulary is content (requests.yaml, `harm`), where
its notation is explained. Words that nobody foresaw are caught by ear: a question that asks how,
and is nobody's who is clearly innocent, is compared with lines that people wrote (intent.npz).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from service.answering.alarm import Alarm

_SOFT = re.compile(r"[\s.·・•*_~～…|/\\\-—\"'“”‘’（）()\[\]【】<>《》]+")
_LATIN_GAP = re.compile(r"(?<=[a-z]) (?=[a-z])", re.I)
_HARD = re.compile(r"[，,。!！?？;；、:：\n]+")
_GAPS = {"…": "[^，]{0,8}", "‥": "[^，]{0,3}"}
_KEPT = "\0"
_TOGETHER = 4  # clauses


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FamilyContent(_Content):
    """`deeds` are wrong in themselves, `acts` when they are to be hidden; `steps` are cards."""

    id: str
    deeds: tuple[str, ...]
    acts: tuple[str, ...] = ()
    lawful: str
    steps: tuple[str, ...]


class HarmContent(_Content):
    """The section `harm` of requests.yaml."""

    spellings: dict[str, str]
    words: dict[str, str]
    remedy: str
    asking: tuple[str, ...]
    hiding: tuple[str, ...]
    pretext: str
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
        found = (self._named_in(passage) for passage in self._asked_how(query))
        return next(filter(None, found), None)

    def asks_how(self, query: str) -> bool:
        return any(True for _ in self._asked_how(query))

    def _asked_how(self, query: str) -> Iterator[str]:
        """The passages that ask how something is done, by nobody who is clearly innocent. Telling
        it of a friend or as a novel (a pretext) is asking, and makes nobody a victim."""
        words = self.plain(query)
        if self._innocent.search(words):
            return
        pretext = bool(self._pretext.search(words))
        if not pretext and self._victim.search(words):
            return
        for passage in _passages(words):
            if pretext or self._asking.search(passage):
                yield passage

    def _named_in(self, passage: str) -> Family | None:
        deed = next((f for f in self.families if f.deed_in(passage)), None)
        if deed or not self._hiding.search(passage):
            return deed
        return next((f for f in self.families if f.act_in(passage)), None)

    def plain(self, query: str) -> str:
        """A question as it is compared: no spaces or dots, one mark for every pause."""
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
def _vocabulary() -> Vocabulary:
    content = yaml.load(
        (files("service.answering") / "requests.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader
    )
    return Vocabulary(HarmContent.model_validate(content["harm"]))


@cache
def families() -> Mapping[str, Family]:
    """All kinds of wrong by id."""
    return {family.id: family for family in _vocabulary().families}


@cache
def shipped_ear() -> Alarm:
    """How much a question that asks how sounds like a wrong, and like which family of them."""
    return Alarm.load(Path(str(files("service.answering"))) / "intent.npz")


def named_family(query: str) -> Family | None:
    """The kind of wrong that a normalised question asks help with, by the vocabulary, or None."""
    return _vocabulary().family(query)


def heard_family(query: str) -> Family | None:
    """The same by ear."""
    if not asks_how(query):
        return None
    ear = shipped_ear()
    harm, kind = ear.hear(plain(query))
    return families()[kind] if harm >= ear.floor else None


def asks_how(query: str) -> bool:
    """Whether a normalised question asks how to do something, right or wrong, and nothing in it
    is a victim's, or about the law's answer to it."""
    return _vocabulary().asks_how(query)


def plain(query: str) -> str:
    """A normalised question as it is compared."""
    return _vocabulary().plain(query)
