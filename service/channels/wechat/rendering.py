"""The JSON of an answer as WeChat texts: plain, short, in messages below the platform's length."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.channels.wechat import wording
from service.wechat import text

MOST_PARTS = 3  # of an answer: the platform allows five, and staff may need one
_COMFORTABLE = 2  # up to so many a whole answer is sent, where a page has it too
MOST_PARTS_WITHOUT_PAGE = 5
_MOST_CITATIONS, _MOST_STEPS, _EXCERPT, _SHORT_HOW = 3, 3, 60, 90
_NUMERALS = "一二三四五六七八九"
_UNFINISHED = re.compile(r"clarify_|answered_smalltalk$|handover_|unanswerable_off_topic$")
_QUOTED_IN_SUMMARY = frozenset({"answered_law", "answered_article", "answered_repealed"})


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of pages that belong to an answer; None where there are no pages."""

    whole: str | None = None
    precheck: str | None = None


def render(answer: Mapping[str, Any], links: Links, *, longest: int = text.LONGEST) -> list[str]:
    """The messages of an answer, danger first and whole in the first one. None while a person
    talks: silence is part of listening."""
    if answer["outcome"] == "handover_with_person":
        return []
    handover = answer.get("handover") or {}
    if handover.get("kind") == "urgent":
        after = _after_danger(answer, links, longest)
        return [*text.split(_urgent(answer, handover), longest), *after]
    body, end = _body(answer, short=False), _end(answer, links, short=False)
    whole = text.split(_joined(body, end), longest)
    if len(whole) <= (_COMFORTABLE if links.whole else MOST_PARTS_WITHOUT_PAGE):
        return whole
    most = MOST_PARTS if links.whole else MOST_PARTS_WITHOUT_PAGE
    return _within(_body(answer, short=True), _end(answer, links, short=True), most, longest)


def _within(body: str, end: str, most: int, longest: int) -> list[str]:
    """So many parts at most: as much of the body as there is room for, and all of the end."""
    parts = text.split(_joined(body, end), longest)
    if len(parts) <= most:
        return parts
    parts, last = text.split(body, longest), text.split(end, longest)
    first = most - len(last)
    room = longest - text.size(last[0]) - len("\n\n")
    if parts[first:] and room > longest // 4:
        last[0] = _joined(text.split(parts[first], room)[0], last[0])
    return [*parts[:first], *last]


def _joined(*blocks: str) -> str:
    return "\n\n".join(block for block in blocks if block)


def _urgent(answer: Mapping[str, Any], handover: Mapping[str, Any]) -> str:
    lines = [_plain(handover["reason"]), _plain(answer["summary"])]
    lines += [_target(target, brief=True) for target in handover["targets"]]
    return "\n".join(line for line in lines if line)


def _after_danger(answer: Mapping[str, Any], links: Links, longest: int) -> list[str]:
    """What can wait until everybody is safe, in one message more."""
    body = _joined(*_notices(answer), *_steps(answer, short=True))
    whole = text.split(_joined(body, *_choices(answer), wording.OFFER_PERSON), longest)
    if len(whole) == 1:
        return whole
    return _within(body, _joined(_end(answer, links, short=True), wording.OFFER_PERSON), 1, longest)


def _body(answer: Mapping[str, Any], *, short: bool) -> str:
    caution = _plain(answer.get("caution") or "")
    blocks = [caution, _plain(answer["summary"]), *_notices(answer), *_targets(answer)]
    if answer.get("handover"):
        blocks.append(wording.OFFER_PERSON)
    return _joined(*blocks, *_steps(answer, short=short), *_citations(answer, short=short))


def _end(answer: Mapping[str, Any], links: Links, *, short: bool) -> str:
    """What is said of an answer, that it is not all (`short`) too, and what may be chosen."""
    finished = not _UNFINISHED.match(answer["outcome"])
    about_precheck = "legal_aid" in answer["outcome"]
    lines = [
        wording.NOT_ALL if short and not links.whole else "",
        wording.WRITTEN_BY_MODEL if _written_by_model(answer) else "",
        _link(links.whole, wording.WHOLE) if links.whole and (finished or short) else "",
        _link(links.precheck, wording.PRECHECK_PAGE) if links.precheck and about_precheck else "",
        wording.NOTE if finished and answer["outcome"].startswith("answered_") else "",
    ]
    return _joined("\n".join(line for line in lines if line), *_choices(answer))


def _written_by_model(answer: Mapping[str, Any]) -> bool:
    """Not where it has only put the question in other words; a notice says that."""
    return "summary" in (answer.get("model") or {}).get("generated", ())


def _choices(answer: Mapping[str, Any]) -> list[str]:
    """What may be picked by its number; the conversation knows which number is which."""
    options: Sequence[str] = answer.get("clarify") or ()
    numbered = [f"{number}. {_plain(option)}" for number, option in enumerate(options, start=1)]
    if not numbered or all(line in answer["summary"] for line in numbered):
        return []
    return ["\n".join([*numbered, wording.CHOOSE])]


def _notices(answer: Mapping[str, Any]) -> list[str]:
    lines = [f"· {_plain(notice)}" for notice in answer.get("notices") or ()]
    return ["\n".join([wording.NOTICES, *lines])] if lines else []


def _targets(answer: Mapping[str, Any]) -> list[str]:
    targets = (answer.get("handover") or {}).get("targets") or ()
    lines = [f"· {_target(target)}" for target in targets]
    return ["\n".join([wording.TARGETS, *lines])] if lines else []


def _target(target: Mapping[str, Any], *, brief: bool = False) -> str:
    phone = f"：{target['phone']}" if target.get("phone") else ""
    said = [_plain(f"{target['title']}{phone}")]
    if not brief:
        said += [_plain(target[f]) for f in ("where", "hours", "open_now") if target.get(f)]
    return "，".join(said)


def _steps(answer: Mapping[str, Any], *, short: bool) -> list[str]:
    lines = []
    for numeral, step in zip(_NUMERALS, (answer.get("steps") or ())[:_MOST_STEPS], strict=False):
        lines.append(f"{numeral}、{_plain(step['title'])}")
        how = _plain(step["how"])
        lines.append(how if not short or len(how) <= _SHORT_HOW else _first(how, _SHORT_HOW))
        for name, label in wording.FIELDS.items():
            if step.get(name):
                now = f"，{step['open_now']}" if name == "hours" and step.get("open_now") else ""
                lines.append(f"{label}：{_plain(step[name] + now)}")
    return ["\n".join([wording.STEPS, *lines])] if lines else []


def _citations(answer: Mapping[str, Any], *, short: bool) -> list[str]:
    quoted = short or answer["outcome"] in _QUOTED_IN_SUMMARY
    lines = []
    for citation in (answer.get("citations") or ())[:_MOST_CITATIONS]:
        gone = "（已失效）" if citation.get("in_force") is False else ""
        name = f"《{citation['law'].removeprefix('中华人民共和国')}》{citation['article']}{gone}"
        lines.append(_plain(name if quoted else f"{name}：{_excerpt(citation)}"))
    return ["\n".join([wording.CITED, *lines])] if lines else []


def _excerpt(citation: Mapping[str, Any]) -> str:
    """The part of an article that matters; what is left out is shown as such."""
    start, end = citation.get("highlight") or (0, len(citation["text"]))
    words = _first(" ".join(citation["text"][start:end].split()), _EXCERPT)
    # What follows may be the exception to it; after a colon, its items are not shown.
    goes_on = end < len(citation["text"].rstrip()) or words.endswith(("：", ":"))
    cut = "……" if goes_on and not words.endswith("……") else ""
    return f"{'……' if start else ''}{words}{cut}"


def _first(words: str, most: int) -> str:
    """The beginning, up to the end of a sentence or clause, if it is too long."""
    if len(words) <= most:
        return words
    ends = [match.end() for match in re.finditer(r"[。；！？，、\n]", words[:most])]
    kept = words[: ends[-1]] if ends and ends[-1] * 2 > most else words[:most]
    return kept.rstrip("，、；\n") + "……"


def _link(url: str, name: str) -> str:
    return f'<a href="{url}">{name}</a>'


def _plain(words: str) -> str:
    """Text that WeChat takes for nothing but text: what looks like a tag is none of ours."""
    return words.replace("<", "＜").strip()
