"""Why an answer is what it is, for a clerk: in which step it was settled, what was found, and by
how much it passed or missed what is demanded of an answer."""

from __future__ import annotations

from datetime import date
from typing import Any

from knowledge.models import Kind
from knowledge.retrieval import Hit
from knowledge.statutes import short_title
from service.answering.compose import articles_to_show
from service.answering.confidence import Calibration, candidate_features
from service.answering.draft import Answer, Draft

_LAW, _GUIDANCE, _TOPICS = 10, 10, 5  # shown
_NEAR = 0.15  # so little below the floor is a near miss

# Steps by their names in the trace, in the words of the page; those that may settle an answer.
STEPS = {
    "mask": "隐去个人信息",
    "sensitive": "敏感词",
    "urgent": "有没有危险",
    "channeloff": "渠道有没有关停",
    "solicitation": "有没有求教做坏事",
    "precheck": "法律援助预检",
    "requests": "是不是寒暄、要找人",
    "followup": "是不是接着上一句",
    "region": "是哪里的事",
    "lookup": "是不是问某一条法律",
    "sideofmatter": "是不是接着问费用、地点等",
    "search": "检索",
    "secondlook": "再看一眼有没有危险",
    "incontext": "结合上一句再检索",
    "compose": "组织回答",
    "topicoff": "主题有没有关停",
    "deadlines": "有没有期限",
    "verify": "核对出处",
    "premise": "问题的前提对不对",
    "nextsteps": "附上下一步",
    "leaveout": "去掉关停的内容",
}
_OTHER = "其他步骤"
_AFTERWARDS = ("topicoff", "deadlines", "verify", "premise", "nextsteps", "leaveout")


def explain(answer: Answer, calibration: Calibration, *, today: date) -> dict[str, Any]:
    """All that a page on one answer shows beside it, as plain data."""
    draft = answer.draft
    times: dict[str, float] = draft.trace.get("step_ms", {})
    decided = [name for name in times if name not in _AFTERWARDS]
    settled_by = decided[-1] if decided else ""
    searched = bool(draft.found.law or draft.found.guidance)
    checks = _checks(draft, calibration) if "p_legal" in draft.trace else []
    return {
        "typed": draft.raw,
        "masked": list(draft.masked),
        "question": draft.question,
        "query": draft.query,
        "in_context": draft.query != draft.question and bool(draft.history),
        "settled_by": STEPS.get(settled_by, _OTHER),
        "searched": searched,
        "verdict": _verdict(answer, checks, settled_by),
        "checks": checks,
        "topics": _topics(draft),
        "not_legal": round(draft.topics.not_legal, 3),
        "danger": draft.trace.get("p_danger"),
        "law": _law(draft, today),
        "guidance": _guidance(draft, calibration, today),
        "outside": _outside(draft),
        "near_misses": _near_misses(draft, calibration),
        "dropped": list(draft.trace.get("dropped", ())),
        "steps": [{"name": STEPS.get(k, _OTHER), "ms": ms} for k, ms in times.items()],
        "took_ms": round(answer.took_ms, 1),
        "versions": dict(answer.versions),
    }


def margin(value: float, floor: float) -> str:
    """差 0.03 没到底线, 超过底线 0.12."""
    gap = value - floor
    return f"超过底线 {gap:.2f}" if gap >= 0 else f"差 {max(-gap, 0.01):.2f} 没到底线"


def _checks(draft: Draft, calibration: Calibration) -> list[dict[str, Any]]:
    """The three questions that decide, in order, each with its floor."""
    floors = calibration.floors
    rows = (
        ("legal", "是不是这里能回答的事", draft.trace["p_legal"], floors.legal),
        ("guidance", "最接近的现成答案合不合适", draft.trace["p_guidance"], floors.guidance),
        ("law", "排在前面的法条能不能定这件事", draft.trace["p_law"], floors.law),
    )
    return [
        {
            "id": key,
            "name": name,
            "value": round(value, 4),
            "floor": floor,
            "passes": value >= floor,
            "by": round(value - floor, 4),
            "margin": margin(value, floor),
        }
        for key, name, value, floor in rows
    ] + [
        {
            "id": "off_topic",
            "name": "肯定不是法律问题的界线",
            "value": round(draft.trace["p_legal"], 4),
            "floor": floors.off_topic,
            "passes": draft.trace["p_legal"] >= floors.off_topic,
            "by": round(draft.trace["p_legal"] - floors.off_topic, 4),
            "margin": "没到界线，按法律问题处理"
            if draft.trace["p_legal"] >= floors.off_topic
            else "低于界线，按不是法律问题处理",
        }
    ]


def _verdict(answer: Answer, checks: list[dict[str, Any]], settled_by: str) -> str:
    """One sentence: why it ended so."""
    by = {c["id"]: c for c in checks}
    outcome = answer.outcome.value
    if outcome == "unanswerable_switched_off":
        return "这一类已经关停，所以没有作答；在“开关”页可以看到是谁、为什么关的。"
    if not checks:
        step = STEPS.get(settled_by, _OTHER)
        return f"在“{step}”这一步就有了结果，没有走到比较把握的那一步。"
    legal, guidance, law = by["legal"], by["guidance"], by["law"]
    if outcome == "unanswerable_off_topic":
        return "看来不是法律上的事，也不是本处的服务，所以没有作答。"
    if outcome == "unanswerable_no_source":
        return "组织好的回答核对出处时没有通过，所以没有给出。"
    if outcome == "unanswerable_unsure" and not legal["passes"]:
        return f"拿不准是不是这里能回答的事：{legal['margin']}，所以没有作答。"
    if outcome == "unanswerable_unsure":
        return (
            f"现成答案{guidance['margin']}，法条{law['margin']}，两样都不够，所以如实说没有把握。"
        )
    if outcome in ("answered_faq", "answered_service"):
        return f"现成的答案合适：{guidance['margin']}，就用它回答。"
    if outcome == "answered_law":
        return f"现成答案{guidance['margin']}，法条{law['margin']}，所以用法条回答。"
    if outcome.startswith("clarify"):
        return "问题太短，不知道指哪件事，先反问一句。"
    return "按检索到的内容组织了回答。"


def _topics(draft: Draft) -> list[dict[str, Any]]:
    likely = sorted(draft.topics.all, key=lambda pair: -pair[1])[:_TOPICS]
    return [{"name": name, "p": round(p, 3)} for name, p in likely]


def _scores(hit: Hit) -> dict[str, float]:
    return {
        "score": round(hit.score, 4),
        "cosine": round(hit.cosine, 4),
        "lexical": round(hit.lexical, 4),
        "reviewed": round(hit.reviewed, 4),
    }


def _dates(hit: Hit) -> dict[str, str | None]:
    revision = hit.source.revision
    return {
        "revision": revision.id,
        "published_on": revision.published_on.isoformat() if revision.published_on else None,
        "checked_on": revision.checked_on.isoformat(),
    }


def _law(draft: Draft, today: date) -> list[dict[str, Any]]:
    shown = {h.id for h in articles_to_show(draft.found.law)}
    return [
        {
            **_scores(hit),
            **_dates(hit),
            "document": hit.source.document.id,
            "title": short_title(hit.source.document.title),
            "label": hit.source.passage.label,
            "text": hit.source.passage.text,
            "would_show": hit.id in shown,
            "in_future": bool(
                hit.source.revision.effective_from and hit.source.revision.effective_from > today
            ),
        }
        for hit in draft.found.law[:_LAW]
    ]


def _guidance(draft: Draft, calibration: Calibration, today: date) -> list[dict[str, Any]]:
    sure = _fits(draft, calibration)
    rows = []
    for hit in draft.found.guidance[:_GUIDANCE]:
        document = hit.source.document
        fits = sure.get(hit.id)
        rows.append(
            {
                **_scores(hit),
                **_dates(hit),
                "document": document.id,
                "kind": document.kind.value,
                "title": document.title,
                "topic": document.topic,
                "asked_as": hit.source.passage.text,
                "by_title": hit.source.passage.text == document.title,
                "fits": round(fits, 4) if fits is not None else None,
                "margin": margin(fits, calibration.floors.guidance) if fits is not None else None,
                "days_old": (today - hit.source.revision.checked_on).days,
            }
        )
    return rows


def _fits(draft: Draft, calibration: Calibration) -> dict[str, float]:
    """How well each answer that was weighed fits, by the id of its hit."""
    if not draft.found.law or not draft.found.guidance:
        return {}
    return {
        c.hit.id: calibration.guidance.probability(candidate_features(draft, c))
        for c in draft.candidates
    }


def _outside(draft: Draft) -> dict[str, Any] | None:
    if draft.outside is None:
        return None
    source = draft.outside.source
    return {
        "document": source.document.id,
        "title": source.document.title,
        "asked_as": source.passage.text,
        **_scores(draft.outside),
    }


def _near_misses(draft: Draft, calibration: Calibration) -> list[dict[str, Any]]:
    """Reviewed answers that only just did not do, best first."""
    if draft.outcome is None or draft.outcome.value in ("answered_faq", "answered_service"):
        return []
    floor = calibration.floors.guidance
    hits = {c.hit.id: c.hit for c in draft.candidates}
    near = sorted(
        ((p, hits[key]) for key, p in _fits(draft, calibration).items() if p >= floor - _NEAR),
        key=lambda pair: -pair[0],
    )
    return [
        {
            "document": hit.source.document.id,
            "title": hit.source.document.title,
            "kind": hit.source.document.kind.value,
            "fits": round(p, 4),
            "margin": margin(p, floor),
            "is_faq": hit.source.document.kind is Kind.FAQ,
        }
        for p, hit in near
    ]
