"""Ready-made words for the reply box: fixed phrases, and lines of cards with number and place."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from functools import lru_cache
from math import log, sqrt
from typing import Any

from knowledge.library import Library, Source
from knowledge.lifecycle import applies_in
from knowledge.models import Kind
from knowledge.text import terms
from service.answering.cards import to_step
from service.answering.hours import SHANGHAI

PHRASES = (
    ("问候", "您好，我是普陀区公共法律服务的工作人员，您的情况我已经看到了，接下来由我和您沟通。"),
    ("请稍等", "请您稍等几分钟，我查一下再答复您。"),
    ("问时间地点", "请您说一下：这件事什么时候发生的，在哪个区，到现在进展到哪一步？"),
    (
        "问材料",
        "您手上有哪些材料？比如合同、转账记录、聊天记录、收到的文书。请不要发身份证号和银行卡号。",
    ),
    ("问诉求", "您最希望解决的是哪一点？想要回钱、解除关系，还是先弄清自己有没有道理？"),
    (
        "不代替律师",
        "我能提供一般的法律信息和办事指引，不能代替律师对您这件事的意见；"
        "需要时我告诉您怎么申请法律援助，或者怎么找律师。",
    ),
    ("请来窗口", "这件事需要看材料，建议您带上材料到窗口当面咨询，来之前请先打电话确认时间。"),
    ("有危险", "如果现在有人身危险，请马上打110；受伤请打120。"),
    ("还有问题吗", "您还有别的问题吗？没有的话，我就把这次的情况记下来并结束。"),
    ("结束", "今天先到这里。之后有新情况，您可以在这个页面再次转人工，也可以拨打12348。"),
)
_CARDS = (Kind.SERVICE, Kind.HOTLINE, Kind.GUIDE)
_FOUND = 8
_COVERED = 0.4  # of the weight of the words that were asked for
_LONGEST_QUERY = 200


def lines(library: Library, region: str, at: datetime) -> list[dict[str, str]]:
    """A line with number and place for each hotline and service of a region that has one."""
    found = []
    for source in _published(library, _today(at)):
        document = source.document
        if document.kind not in (Kind.HOTLINE, Kind.SERVICE):
            continue
        line = _line(source, at) if applies_in(document.region, region or None) else ""
        if line:
            found.append({"kind": document.kind.value, "title": document.title, "text": line})
    return sorted(found, key=lambda one: (one["kind"] != Kind.HOTLINE.value, one["title"]))


def search(library: Library, query: str, region: str, at: datetime) -> list[dict[str, Any]]:
    """The published answers and cards that fit the words best, each with a text to insert."""
    wanted = set(terms(query[:_LONGEST_QUERY]))
    if not wanted:
        return []
    day = _today(at)
    index, rarity = _index(library, day)
    enough = _COVERED * sum(rarity.get(term, 0.0) for term in wanted)
    best: dict[str, tuple[float, Source]] = {}
    for source, words, weight in index:
        matched = sum(rarity[term] for term in wanted & words)
        score = matched / weight  # of two that say it, the one that says little else
        document = source.document
        fits = matched > enough and applies_in(document.region, region or None)
        if fits and score > best.get(document.id, (0.0, source))[0]:
            best[document.id] = (score, source)
    ordered = sorted(best.items(), key=lambda one: (-one[1][0], one[0]))
    return [_snippet(source, at) for _, (_, source) in ordered[:_FOUND]]


def _snippet(source: Source, at: datetime) -> dict[str, Any]:
    document, body = source.document, source.revision.body
    if document.kind is Kind.FAQ:
        text, line = str(body.get("answer", "")).strip(), ""
    else:
        step = to_step(source, at)
        text = "\n".join(part for part in (str(body.get("summary", "")), step.how) if part)
        line = _line(source, at)
    return {
        "id": document.id,
        "kind": document.kind.value,
        "title": document.title,
        "text": text,
        "line": line,
        "source": source.revision.source,
        "checked_on": source.revision.checked_on.isoformat(),
    }


def _line(source: Source, at: datetime) -> str:
    """Number, place and hours of a card, each marked where it is not verified."""
    if not any(source.revision.body.get(name) for name in ("phone", "where")):
        return ""
    step = to_step(source, at)
    facts = (("电话", step.phone), ("地址", step.where), ("时间", step.hours))
    return f"{step.title}：" + "；".join(f"{name} {text}" for name, text in facts if text)


def _today(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()


def _published(library: Library, day: date) -> list[Source]:
    kinds = {Kind.FAQ, *_CARDS}
    found = (library.current(d.id, day) for d in library.documents.values() if d.kind in kinds)
    return [source for source in found if source]


_Index = list[tuple[Source, frozenset[str], float]]


@lru_cache(maxsize=2)
def _index(library: Library, day: date) -> tuple[_Index, dict[str, float]]:
    """Each title and way of asking with its terms and their weight, and how rare each term is; made
    anew with a library."""
    texts = [
        (source, frozenset(terms(text)))
        for source in _published(library, day)
        for text in (source.document.title, *(p.text for p in library.texts(source.revision.id)))
    ]
    seen = Counter(term for _, words in texts for term in words)
    rarity = {term: log(1 + len(texts) / n) for term, n in seen.items()}
    index = [(source, words, sqrt(sum(map(rarity.__getitem__, words)))) for source, words in texts]
    return [entry for entry in index if entry[1]], rarity
