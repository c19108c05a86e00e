"""What a written answer leaves out of the passages it rests on: conditions, exceptions, duties,
deadlines. Leaving them out is the dangerous failure, so they are put beside it, word for word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge import text
from service.model.evidence import Evidence, pairs_of
from service.model.facts import facts_of, supported
from service.model.verification import Sentence

_SENTENCE = re.compile(r"[^。；！？\n]+[。；！？]?")
_WARNS = re.compile(
    r"但是|但(?![书])|除外|除[^，。]{1,30}[外，]|不得|不予|例外|另有规定|仅限|只有|逾期|过期|视为|无效|期限|时效|最迟"
    r"|应当在|必须|自[^。]{1,30}之?日起|[0-9一二两三四五六七八九十]+(?:个?工作日|日|天|个?月|年|个?小时)(?:内|以内|之内)"
    r"|未核实|不适用|不受理|不支持|不能|不要|注意|前提|条件"
)
_SAID = 0.6  # share of its pairs that the answer must have, to have said it
_MOST = 6
_LONGEST = 220  # characters of a notice's quotation
AND_MORE = "上面引用的条文还有其他条件和例外，请看下面的原文。"


def missing(sentences: Sequence[Sentence], question: str) -> list[str]:
    """Notices that quote what the answer should not have left out, nearest to the question first;
    never silently fewer than there are."""
    said = "".join(s.text for s in sentences)
    pairs, facts = frozenset(pairs_of(said)), frozenset(facts_of(said))
    wanted = frozenset(pairs_of(text.normalise(question)))
    used = {e.token: e for sentence in sentences for e in sentence.sources}
    found: list[tuple[float, int, str]] = []
    for source in used.values():
        for quoted in _warnings(source):
            plain = text.normalise(quoted)
            own = pairs_of(plain)
            covered = sum(p in pairs for p in own) >= _SAID * len(own)
            if covered and all(supported(f, facts) for f in facts_of(plain)):
                continue
            near = len(wanted.intersection(own)) + (2 if _in_part(source, quoted) else 0)
            found.append((-near, len(found), f"{source.name}还写明：“{quoted}”"))
    notices = [notice for _, _, notice in sorted(found)[:_MOST]]
    return notices + ([AND_MORE] if len(found) > _MOST else [])


def _warnings(source: Evidence) -> list[str]:
    """The sentences of a passage that limit or demand something, as they stand there."""
    found = []
    for match in _SENTENCE.finditer(source.text):
        quoted = match[0].strip()
        if _WARNS.search(quoted) and len(quoted) <= _LONGEST:
            found.append(quoted)
        elif _WARNS.search(quoted):
            found += [c for c in _clauses(quoted) if _WARNS.search(c)]
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
