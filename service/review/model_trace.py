"""What the language model did for an answer, in words that a supervisor can answer for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FAILURES = {
    "off": "已关停",
    "budget": "当天或这次对话的额度用完",
    "busy": "同时调用太多",
    "resting": "连续失败，正在歇",
    "rate_limited": "对方限流",
    "unreachable": "连不上",
    "slow": "没有按时写完",
    "error": "出错",
    "too_long": "写得太长",
}
REASONS = {
    "malformed": "格式不对",
    "unknown_token": "来源编号不存在",
    "no_source": "没有写来源",
    "leak": "复述了内部说明",
    "promise": "作了承诺",
    "link": "来源里没有的链接或地址",
    "number": "来源里没有的数字",
    "article": "来源里没有的条文",
    "law": "来源里没有的法律",
    "quote": "引文和原文不一致",
    "name": "来源里没有的名称",
    "unchecked": "没有核实的数字未注明",
    "unsupported": "来源里没有这层意思",
    "turned_round": "和来源意思相反",
    "repeated": "重复",
}
_KEPT_EXTRACTIVE = {
    "nothing_supported": "没有一句通过核对，用了原来的回答",
    "mostly_dropped": "多数没有通过核对，用了原来的回答",
}


def told(trace: dict[str, Any] | None) -> Iterator[dict[str, str]]:
    """Lines of {name, words} from the `model` part of an answer's trace; none without one."""
    if not trace:
        return
    yield {
        "name": "调用",
        "words": f"{trace['name']}，{trace['calls']}次，{trace['ms']:.0f}毫秒",
    }
    if trace.get("failure"):
        words = FAILURES.get(trace["failure"], trace["failure"])
        yield {"name": "没有用上", "words": words}
    yield from _reading(trace.get("reading"))
    yield from _choice(trace.get("choice"))
    yield from _sentences(trace)


def _reading(reading: dict[str, Any] | None) -> Iterator[dict[str, str]]:
    if reading:
        used = "照此检索到了" if reading.get("used") else "没有采用"
        yield {"name": "把追问理解为", "words": f"“{reading['text']}”，{used}"}


def _choice(choice: dict[str, Any] | None) -> Iterator[dict[str, str]]:
    if not choice or "used" not in choice:
        return
    chosen = [choice["topic"] or "", *(f"《{title}》" for title in choice["questions"])]
    words = "、".join(filter(None, chosen)) or "没有选"
    used = "已采用" if choice["used"] else "没有改变什么"
    yield {"name": "拿不准时的选择", "words": f"{words}，{used}"}
    if choice["used"] and choice["topic"] and choice["topic"] != choice["instead_of"]:
        yield {"name": "规则原来判断的主题", "words": choice["instead_of"] or "没有判断主题"}
    if choice["dropped"]:
        yield {"name": "清单以外的选择", "words": f"{len(choice['dropped'])}个，没有理会"}


def _sentences(trace: dict[str, Any]) -> Iterator[dict[str, str]]:
    if "kept" not in trace:
        return
    words = f"{trace['kept']}句通过核对"
    if trace.get("kept_extractive"):
        words += f"；{_KEPT_EXTRACTIVE.get(trace['kept_extractive'], '用了原来的回答')}"
    yield {"name": "写回答", "words": words}
    for dropped in trace.get("dropped") or ():
        reason = REASONS.get(dropped["reason"], dropped["reason"])
        yield {"name": "丢掉的句子", "words": f"{reason}：“{dropped['text']}”"}
