"""How a question should end, as staff write it down, and whether an answer does.

An expectation is a dict of lists, each of which may be missing:
`outcome` (an outcome, or its beginning; any of them is right), `cites` (民法典第一千零七十九条;
each must be cited), `cites_any` (one of them is enough), `shows` and `hides` (ids of documents that
must, and must not, be shown).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from knowledge.citations import LawBook
from knowledge.library import Library
from knowledge.statutes import short_title
from service.answering.draft import Answer, Outcome
from service.errors import BadRequest

Expectation = dict[str, list[str]]
FIELDS = ("outcome", "cites", "cites_any", "shows", "hides")
_MOST = 20  # of each

# What a clerk may choose, and how it reads.
ENDINGS = {
    "answered": "直接回答",
    "answered_faq": "用常见问题回答",
    "answered_service": "用办事内容回答",
    "answered_law": "用法条回答",
    "answered_article": "给出指定的条文",
    "answered_repealed": "说明法律已废止",
    "answered_smalltalk": "寒暄",
    "answered_legal_aid": "法律援助预检",
    "clarify": "反问一句",
    "handover": "转给人",
    "handover_urgent": "按紧急情况处理",
    "handover_requested": "按要找人工处理",
    "unanswerable": "说明答不了",
    "unanswerable_unsure": "说没有把握",
    "unanswerable_off_topic": "说不是法律问题",
    "unanswerable_other_region": "说明是外地的事",
    "refused": "拒绝回答",
    "failed": "出故障",
}
_KNOWN = tuple(outcome.value for outcome in Outcome)


def ending(prefix: str) -> str:
    """An outcome, or the beginning of one, in words."""
    return ENDINGS.get(prefix) or ENDINGS.get(prefix.split("_")[0], prefix)


def checked(
    raw: Mapping[str, Iterable[str]], laws: LawBook, library: Library, on: date
) -> Expectation:
    """What was typed as it is kept: articles under their short names, documents by id.

    Raises BadRequest for an ending, an article or a document that does not exist.
    """
    out: Expectation = {}
    for field in FIELDS:
        words = list(dict.fromkeys(w.strip() for w in raw.get(field, ()) if w.strip()))
        if len(words) > _MOST:
            raise BadRequest("expectation_long", f"一个问题的要求每种最多写{_MOST}个。")
        if field == "outcome":
            kept = [_known_ending(w) for w in words]
        elif field in ("cites", "cites_any"):
            kept = [_known_article(w, laws, on) for w in words]
        else:
            kept = [_known_document(w, library) for w in words]
        if kept:
            out[field] = list(dict.fromkeys(kept))
    return out


def _known_ending(words: str) -> str:
    by_name = {name: prefix for prefix, name in ENDINGS.items()}
    prefix = by_name.get(words, words).rstrip("_")
    if not any(o == prefix or o.startswith(f"{prefix}_") for o in _KNOWN):
        raise BadRequest("ending_unknown", f"没有“{words[:40]}”这种结果。")
    return prefix


def _known_article(words: str, laws: LawBook, on: date) -> str:
    try:
        source = laws.cite(words, on)
    except LookupError as error:
        raise BadRequest("article_unknown", f"要求引用的条文核对不上：{str(error)[:200]}") from None
    return short_title(source.document.title) + source.passage.label


def _known_document(words: str, library: Library) -> str:
    if words in library.documents:
        return words
    found = [d.id for d in library.documents.values() if d.title == words]
    if not found and re.fullmatch(r"(?:faq|service|guide|hotline|outside)-[a-z0-9-]+", words):
        return words  # not published yet: sets are written before what they are for
    if len(found) != 1:
        raise BadRequest("document_unknown", f"知识库里没有名为“{words[:60]}”的内容。")
    return found[0]


def cited_by(answer: Answer) -> list[str]:
    """民法典第一千零七十九条, for each article shown."""
    return [
        short_title(c.source.document.title) + c.source.passage.label
        for c in answer.draft.citations
    ]


def shown_by(answer: Answer, library: Library) -> dict[str, str]:
    """The documents that an answer gives: the reviewed answer, then the cards. Id → title."""
    given = [answer.draft.trace.get("answered_by", ""), *(s.id for s in answer.draft.steps)]
    titles = {s.id: s.title for s in answer.draft.steps}
    out = {}
    for document_id in dict.fromkeys(filter(None, given)):
        document = library.documents.get(document_id)
        out[document_id] = document.title if document else titles.get(document_id, document_id)
    return out


def judge(
    expect: Mapping[str, list[str]],
    *,
    outcome: str,
    cited: Iterable[str],
    shown: Mapping[str, str],
    library: Library,
) -> tuple[bool | None, list[str]]:
    """Whether an answer is as expected (None: nothing was expected), and what is not, in words."""
    if not any(expect.get(f) for f in FIELDS):
        return None, []
    cites = set(cited)
    why = []
    wanted = expect.get("outcome", [])
    if wanted and not any(outcome == p or outcome.startswith(f"{p}_") for p in wanted):
        why.append(f"应当{'或'.join(map(ending, wanted))}，实际是“{ending(outcome)}”")
    why += [f"没有引用{article}" for article in expect.get("cites", []) if article not in cites]
    some = expect.get("cites_any", [])
    # Only an answer can cite: of one that may be withheld, it is not asked.
    if some and outcome.startswith("answered_") and not cites & set(some):
        why.append(f"没有引用{'、'.join(some)}中的任何一条")
    why += [f"没有给出“{_title(d, library)}”" for d in expect.get("shows", []) if d not in shown]
    why += [f"不该给出“{shown[d]}”" for d in expect.get("hides", []) if d in shown]
    return not why, why


def _title(document_id: str, library: Library) -> str:
    document = library.documents.get(document_id)
    return document.title if document else document_id


def in_words(expect: Mapping[str, list[str]], library: Library) -> list[str]:
    """An expectation as a clerk reads it."""
    lines: list[str] = []
    if expect.get("outcome"):
        lines.append(f"{'或'.join(map(ending, expect['outcome']))}")
    if expect.get("cites"):
        lines.append(f"引用{'、'.join(expect['cites'])}")
    if expect.get("cites_any"):
        lines.append(f"作答时引用其一：{'、'.join(expect['cites_any'])}")
    for field, verb in (("shows", "给出"), ("hides", "不给出")):
        titles = [f"“{_title(d, library)}”" for d in expect.get(field, [])]
        if titles:
            lines.append(verb + "、".join(titles))
    return lines


def of_case(case: Mapping[str, Any]) -> Expectation:
    """The expectation of a line of `service/evaluation/cases/behaviours.jsonl`."""
    out: Expectation = {"outcome": [p.rstrip("_") for p in case["expect"]]}
    if case.get("cites"):
        out["cites_any"] = list(case["cites"])
    return out
