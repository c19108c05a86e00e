"""How Chinese statutes number and name things: numerals, article labels, short titles, 款."""

from __future__ import annotations

import re
from datetime import date

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
NUMERAL = "零〇○一二两三四五六七八九十百千"
NUMBER = rf"(?:[{NUMERAL}]{{1,9}}|[0-9]{{1,5}})"


def parse_number(text: str) -> int | None:
    """一千零七十九 or 1079 → 1079; 一二三 (digit by digit) → 123; None if it is no number."""
    if text.isdigit() and text.isascii():
        return int(text)
    if not text or any(c not in _DIGITS and c not in _UNITS for c in text):
        return None
    if all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total, current = 0, 0
    for c in text:
        if c in _UNITS:
            total += (current or 1) * _UNITS[c]
            current = 0
        else:
            current = _DIGITS[c]
    return total + current


def format_number(number: int) -> str:
    """1079 → 一千零七十九, as laws write it. From 1 to 9999."""
    if not 0 < number < 10_000:
        raise ValueError(f"not an article number: {number}")
    digits = "零一二三四五六七八九"
    out, rest, gap = "", number, False
    for value, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, rest = divmod(rest, value)
        if digit:
            out += ("零" if gap else "") + digits[digit] + unit
            gap = False
        elif out:
            gap = True
    return out[1:] if out.startswith("一十") else out


def article_label(number: int, inserted: int | None = None) -> str:
    """(293, 1) → 第二百九十三条之一."""
    suffix = f"之{format_number(inserted)}" if inserted else ""
    return f"第{format_number(number)}条{suffix}"


def label_of_key(key: str) -> str:
    """ "293-1" → 第二百九十三条之一."""
    number, _, inserted = key.partition("-")
    return article_label(int(number), int(inserted) if inserted else None)


def article_key(label: str) -> str | None:
    """第二百九十三条之一 → "293-1"; None if it is not the label of an article."""
    match = re.fullmatch(rf"第({NUMBER})条(?:之({NUMBER}))?", label)
    if not match:
        return None
    number, inserted = parse_number(match[1]), parse_number(match[2]) if match[2] else None
    return f"{number}-{inserted}" if inserted else str(number)


def short_title(title: str) -> str:
    """中华人民共和国民法典 → 民法典."""
    return title.removeprefix("中华人民共和国")


def count_paragraphs(text: str) -> int:
    """How many 款 an article has: its lines that are not 项 （一） or 目 1.."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return sum(not re.match(rf"[（(][{NUMERAL}]+[)）]|\d+[.．、]", line) for line in lines)


def has_item(text: str, item: int) -> bool:
    """Whether the article has 第（item）项."""
    return re.search(rf"[（(]{format_number(item)}[)）]", text) is not None


def chinese_date(day: date | None) -> str:
    """2027年1月1日."""
    return f"{day.year}年{day.month}月{day.day}日" if day else "某日"
