"""Verdicts, labels, reasons and follow-ups, with the words that staff read."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from service.audit import Purpose
from service.auth import ROLE_NAMES

LONGEST_COMMENT = 4000  # characters


class Verdict(StrEnum):
    """What a reviewer thinks of an answer."""

    CORRECT = "correct"
    PARTIAL = "partial"
    WRONG = "wrong"
    UNSAFE = "unsafe"
    CANNOT_JUDGE = "cannot_judge"

    @property
    def label(self) -> str:
        return VERDICTS[self.value]

    @property
    def bad(self) -> bool:
        return self in (Verdict.PARTIAL, Verdict.WRONG, Verdict.UNSAFE)


VERDICTS = {
    "correct": "正确",
    "partial": "部分正确",
    "wrong": "错误",
    "unsafe": "有危险",
    "cannot_judge": "无法判断",
}
VERDICT_HINTS = {
    "correct": "结论、依据和下一步都对。",
    "partial": "大体对，但有遗漏或不准。",
    "wrong": "结论或依据错了。",
    "unsafe": "照着做会吃亏、误期或有人身危险。",
    "cannot_judge": "信息不够，或不属于法律问题。",
}
_GRADES = {Verdict.UNSAFE: 0, Verdict.WRONG: 1, Verdict.PARTIAL: 2, Verdict.CORRECT: 3}


def better(before: Verdict, after: Verdict) -> bool:
    """Whether `after` is a better verdict. What was right already, or could not be judged, is done
    better only by a right answer."""
    if before.bad and after in _GRADES:
        return _GRADES[after] > _GRADES[before]
    return after is Verdict.CORRECT


LABELS = (
    "引用错误",
    "漏了例外",
    "期限有误",
    "过时",
    "地区不符",
    "听不懂问题",
    "该转人工",
    "语气",
    "其他",
)


class FollowUp(StrEnum):
    """What is to be done about it."""

    NEW_FAQ = "new_faq"
    MEND_ITEM = "mend_item"
    ROUTING = "routing"
    NONE = "none"


FOLLOW_UPS = {
    "none": "不需要",
    "new_faq": "新写一条常见问题",
    "mend_item": "修改已有内容",
    "routing": "调整分流或判断规则",
}
REASONS = {
    "urgent": "紧急情况",
    "low_rating": "差评（1–2星）",
    "handover": "转过人工",
    "low_confidence": "把握低",
    "random": "随机抽查",
}
CLOSED_BECAUSE = {
    "nothing_due": "不需要跟进",
    "better": "重新提问后答得更好",
    "decided": "督导决定结束",
}
PURPOSES = {
    Purpose.REVIEW.value: "质量检查",
    Purpose.COMPLAINT.value: "核查差评",
    Purpose.SUPERVISE.value: "督办",
    Purpose.URGENT.value: "紧急处置",
}
CHANNELS = {"web": "网页", "wechat": "微信"}
TICKET_STATES = {"waiting": "等待接手", "claimed": "人工接待中", "closed": "已结束"}
TICKET_OUTCOMES = {
    "solved": "已解决",
    "referred": "已告知应找的部门",
    "unreachable": "联系不上",
    "duplicate": "重复",
    "other": "其他",
    "withdrawn": "市民撤回",
}


def named(verdicts: dict[str, Any]) -> dict[str, Any]:
    """Counts by verdict in the order in which they are read, zero where there is none."""
    return {key: verdicts.get(key, 0) for key in VERDICTS}


# What the details of events in the audit log speak of.
LOG_WORDS = ROLE_NAMES | VERDICTS | {key: name for key, name in FOLLOW_UPS.items() if key != "none"}
