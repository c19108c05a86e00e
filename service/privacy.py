"""Personal data is masked before a question is stored, searched or shown.

Numbers are found with look-around instead of `\\b`, which does not stand between a digit and a
Chinese character; checksums keep sums of money and case numbers out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
_MONEY = r"(?!\s*(?:多|余|来)?\s*(?:元|块|万|亿|人民币|RMB|rmb))"


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without personal data, and which kinds were taken out, in the order met."""

    text: str
    kinds: tuple[str, ...]


def _valid_id(number: str) -> bool:
    """GB 11643-1999: weighted sum modulo 11 of an 18-digit citizen number."""
    digits = re.sub(r"[\s-]", "", number).upper()
    if len(digits) != 18:
        return False
    total = sum(int(d) * w for d, w in zip(digits[:17], _ID_WEIGHTS, strict=True))
    month, day = int(digits[10:12]), int(digits[12:14])
    return _ID_CHECK[total % 11] == digits[17] and 1 <= month <= 12 and 1 <= day <= 31


def _valid_old_id(number: str) -> bool:
    """The 15-digit citizen number has no checksum: province and date of birth must make sense."""
    month, day = int(number[8:10]), int(number[10:12])
    return 11 <= int(number[:2]) <= 82 and 1 <= month <= 12 and 1 <= day <= 31


def _luhn(number: str) -> bool:
    """ISO/IEC 7812-1: the checksum of bank cards (16 to 19 digits)."""
    digits = [int(c) for c in number if c.isdigit()]
    if not 16 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _always(_text: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool]


_SEP = r"[\s-]?"
_PLATE_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_RULES = (
    _Rule("邮箱", re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), _always),
    _Rule(
        "身份证号", re.compile(rf"(?<!\d)\d{{6}}{_SEP}\d{{8}}{_SEP}\d{{3}}[\dXx](?!\d)"), _valid_id
    ),
    _Rule("银行卡号", re.compile(r"(?<!\d)\d{4}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?(?!\d)"), _luhn),
    _Rule("身份证号", re.compile(rf"(?<!\d)\d{{15}}(?!\d){_MONEY}"), _valid_old_id),
    _Rule(
        "手机号",
        re.compile(
            rf"(?<!\d)(?:(?:\+|00)86[\s-]?)?1[3-9]\d{_SEP}\d{{4}}{_SEP}\d{{4}}(?!\d){_MONEY}"
        ),
        _always,
    ),
    _Rule(
        "座机号",
        re.compile(r"(?<!\d)(?:0\d{2,3}[- ]\d{7,8}|\(0\d{2,3}\)\s?\d{7,8})(?!\d)"),
        _always,
    ),
    _Rule(
        "车牌号",
        re.compile(rf"[{_PLATE_PROVINCES}][A-HJ-NP-Z][·\s]?[A-HJ-NP-Z0-9]{{5,6}}(?![A-Za-z0-9])"),
        lambda t: sum(c.isdigit() for c in t) >= 2,
    ),
    _Rule(
        "微信/QQ号",
        re.compile(
            r"(?:微信号?|[Vv][Xx]|QQ号?|qq号?)[:：是为\s]{0,3}(?P<value>[A-Za-z0-9_-]{5,20})"
        ),
        _always,
    ),
)


def _matches(text: str) -> Iterator[tuple[int, int, str]]:
    taken: list[tuple[int, int]] = []
    for rule in _RULES:
        for match in rule.pattern.finditer(text):
            start, end = match.span("value" if "value" in rule.pattern.groupindex else 0)
            if any(start < e and s < end for s, e in taken) or not rule.valid(text[start:end]):
                continue
            taken.append((start, end))
            yield start, end, rule.kind


def mask(text: str) -> Masked:
    """Replace phone numbers, citizen numbers, bank cards, plates, e-mail and chat accounts by
    their kind in brackets: 我的电话是[手机号]."""
    found = sorted(_matches(text))
    out, position = [], 0
    for start, end, kind in found:
        out += [text[position:start], f"[{kind}]"]
        position = end
    out.append(text[position:])
    return Masked("".join(out), tuple(dict.fromkeys(kind for _, _, kind in found)))
