"""What a written answer leaves out of the passages it rests on: conditions, exceptions, duties,
deadlines. Leaving them out is the dangerous failure, so they are put beside it, word for word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge import text
from service.answering import wording
from service.model.evidence import Evidence, pairs_of
from service.model.facts import Fact, facts_of, supported
from service.model.verification import Sentence

_SENTENCE = re.compile(r"[^。；！？\n]+[。；！？]?")
_WARNS = re.compile(
    r"但是|但(?![书])|除外|除[^，。]{1,30}[外，]|不得|不予|例外|另有规定|仅限|只有|逾期|过期|视为|无效|期限|时效|最迟"
    r"|应当在|必须|自[^。]{1,30}之?日起|[0-9一二两三四五六七八九十]+(?:个?工作日|日|天|个?月|年|个?小时)(?:内|以内|之内)"
    r"|未核实|不适用|不受理|不支持|不能|不要|注意|前提|条件"
)
# One of several cases is a condition of its own only by such words.
_ITEM = re.compile(r"[（(][一二三四五六七八九十]+[)）]")
_EXCEPTS = re.compile(r"但是|但(?!书)|除外|除[^，。]{1,30}外|不得|[日天月年]之?内")
_FORCE = re.compile(
    r"不得|不予|不能|不适用|不受理|不支持|不要|无效|除外|例外|但|必须|应当|视为|只有|仅限|未核实"
)
_SAID = 0.6  # share of its pairs that the answer must have, to have said it
_MOST = 6
_LONGEST = 220  # characters of a notice's quotation


@dataclass(frozen=True, slots=True)
class _Said:
    """What a part of the answer says."""

    pairs: frozenset[str]
    facts: frozenset[Fact]
    force: frozenset[str]

    @classmethod
    def of(cls, words: str) -> _Said:
        force = frozenset(_FORCE.findall(words))
        return cls(frozenset(pairs_of(words)), frozenset(facts_of(words)), force)

    def holds(self, quoted: str) -> bool:
        """Whether it says that too: most of its words, its figures, and what gives it force."""
        own = pairs_of(quoted)
        return (
            sum(p in self.pairs for p in own) >= _SAID * len(own)
            and self.force.issuperset(_FORCE.findall(quoted))
            and all(supported(f, self.facts) for f in facts_of(quoted))
        )


def missing(
    sentences: Sequence[Sentence], question: str, always: Sequence[Evidence] = ()
) -> list[str]:
    """Notices that quote what the answer should not have left out of the passages it names, and of
    those it rests on whatever it names (`always`); nearest to the question first, and never
    silently fewer than there are."""
    # Said in one sentence, or in two that follow each other; not here and there.
    one = [s.text for s in sentences]
    said = [_Said.of(t) for t in (*one, *map("".join, pairwise(one)))]
    wanted = frozenset(pairs_of(text.normalise(question)))
    used = {e.token: e for e in always}
    used |= {e.token: e for sentence in sentences for e in sentence.sources}
    found: list[tuple[float, int, str]] = []
    for source in used.values():
        for quoted in _warnings(source):
            plain = text.normalise(quoted)
            if any(s.holds(plain) for s in said):
                continue
            near = len(wanted.intersection(pairs_of(plain))) + (
                2 if _in_part(source, quoted) else 0
            )
            notice = wording.MODEL_OMITTED.format(name=source.name, text=quoted)
            found.append((-near, len(found), notice))
    notices = [notice for _, _, notice in sorted(found)[:_MOST]]
    return notices + ([wording.MODEL_MORE] if len(found) > _MOST else [])


def _warnings(source: Evidence) -> list[str]:
    """The sentences of a passage that limit or demand something, as they stand there."""
    found = []
    for match in _SENTENCE.finditer(source.text):
        quoted = match[0].strip()
        warns = _EXCEPTS if _ITEM.match(quoted) else _WARNS
        if warns.search(quoted) and len(quoted) <= _LONGEST:
            found.append(quoted)
        elif warns.search(quoted):
            found += [c for c in _clauses(quoted) if warns.search(c)]
    return found


def _clauses(sentence: str) -> list[str]:
    """An overlong sentence by its commas, pieces of it that are still word for word."""
    pieces, current = [], ""
    for part in re.findall(r"[^，：]+[，：]?", sentence):
        if current and len(current) + len(part) > _LONGEST:
            pieces.append(current)
            current = ""
        current += part
    return [*pieces, current] if current else pieces


def _in_part(source: Evidence, quoted: str) -> bool:
    return source.part is not None and quoted in source.text[slice(*source.part)]
