"""What people type into a hand-over, made fit to be stored; and what the system says in one."""

from __future__ import annotations

import re
from typing import Any

from knowledge.text import normalise
from service.errors import BadRequest
from service.privacy import mask

SUBMITTED = (
    "您的转人工请求已提交，正在排队等工作人员接手。等待期间您可以继续提问；"
    "着急的请直接拨打12348，有人身危险请马上打110。"
)
ONLINE = "现在有工作人员在线。"
OFFLINE = "现在没有工作人员在线，您的请求会留着，有人上线后处理。"
WINDOW = "{window}：{now}。"
CLAIMED = "已有工作人员接手，接下来由工作人员和您沟通，自动回答暂停。"
RELEASED = "工作人员暂时不能继续处理，您的请求已退回排队，会由其他工作人员接手。"
PASSED = "您的请求已换由另一位工作人员处理。"
ASSIGNED = "由{by}转给{to}。"
WITHDRAWN = "您已撤回转人工请求。还需要时可以再次提交。"
CLOSED = "本次人工服务已结束：{outcome}。"
RESULT = "处理情况：{summary}"
REFERRED = "您的事由{to}负责，联系方式：{contact}。{passed}"
PASSED_ON = "我们已把您的情况转过去。"
NOT_PASSED_ON = "我们没有代为转交，请您自己联系。"

OUTCOMES = {
    "solved": "已解决",
    "referred": "已告知应找的部门",
    "unreachable": "联系不上您",
    "duplicate": "与您的另一个请求重复",
    "other": "其他",
    "withdrawn": "您已撤回",
}
BY_STAFF = tuple(name for name in OUTCOMES if name != "withdrawn")

_MOBILE = re.compile(r"(?:(?:\+|00)86)?(1[3-9]\d{9})", re.ASCII)
_LANDLINE = re.compile(r"((?:0\d{2,3})?[2-9]\d{6,7}(?:转\d{1,6})?)", re.ASCII)


def closed(outcome: str, summary: str, referral: dict[str, Any] | None) -> str:
    """What the citizen is told at the end."""
    told = [CLOSED.format(outcome=OUTCOMES[outcome])]
    if referral is not None:
        passed = PASSED_ON if referral["passed_on"] else NOT_PASSED_ON
        told.append(REFERRED.format(to=referral["to"], contact=referral["contact"], passed=passed))
    return "\n".join([*told, RESULT.format(summary=summary)])


def clean(text: str, what: str, *, longest: int, required: bool = True) -> str:
    """Text that can be stored. Raises BadRequest, naming `what`: empty, too long, or no text."""
    text = text.replace("\x00", "").strip()
    if len(text) > longest:
        raise BadRequest(
            "text_too_long", f"{what}太长了（{len(text)}字），请控制在{longest}字以内。"
        )
    if required and not normalise(text):  # what nobody can see is nothing
        raise BadRequest("text_empty", f"请写下{what}。")
    if sum(not c.isprintable() and c not in "\n\t\r" for c in text) > max(3, len(text) // 10):
        raise BadRequest("text_unreadable", f"{what}里有不是文字的内容，请用文字写。")
    return text.encode("utf-8", "replace").decode("utf-8")


def masked(text: str, what: str, *, longest: int, required: bool = True) -> str:
    """Likewise, without personal data."""
    return mask(normalise(clean(text, what, longest=longest, required=required))).text


def phone(text: str) -> str:
    """A number to call back, without its separators, or nothing. Raises BadRequest."""
    given = normalise(clean(text, "回电号码", longest=40, required=False))
    number = re.sub(r"[\s()（）–—-]", "", given)
    if not number:
        return ""
    found = _MOBILE.fullmatch(number) or _LANDLINE.fullmatch(number)
    if found is None:
        raise BadRequest(
            "contact_invalid", "回电号码请写手机号或座机号（外地座机加区号）；不需要回电可以不写。"
        )
    return found[1]
