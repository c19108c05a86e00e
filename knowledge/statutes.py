"""How Chinese statutes number and name things: numerals, article labels, short titles, 款."""

from __future__ import annotations

import re
from datetime import date

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
NUMERAL = "零〇○一二两三四五六七八九十百千"
NUMBER = rf"(?:[{NUMERAL}]{{1,9}}|[0-9]{{1,5}})"
# What stands for a number in what people write, well formed or not; a run of it is one number,
# however long: cut short it would be another article.
_CAPITALS = "壹贰叁肆伍陆柒捌玖拾佰仟"
WRITTEN_NUMBER = rf"(?:[0-9],[0-9]{{3}}(?![0-9,])|[0-9{NUMERAL}万廿卅{_CAPITALS}]++)"
_PLAIN = str.maketrans(_CAPITALS, "一二三四五六七八九十百千") | {
    ord("廿"): "二十",
    ord("卅"): "三十",
    ord(","): None,
}


def parse_number(text: str) -> int | None:
    """一千零七十九, 1079, 1,079, 1千零79 or 叁拾捌 as a number; 一二三 (digit by digit) → 123; None
    if it is no number or could be two (十二百; 一百二, which is 120 as well as 102)."""
    text = text.translate(_PLAIN)
    if not text or len(text) > 12:
        return None
    if text.isdigit() and text.isascii():
        return int(text)
    if all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    return _sum_of(re.findall(r"[0-9]+|.", text))


def _sum_of(parts: list[str]) -> int | None:
    """What digits and falling units come to; None where they do not fit together."""
    total, smallest, current, gap = 0, 10**9, None, False
    for part in parts:
        if part in _UNITS:
            unit = _UNITS[part]
            if unit >= smallest or (current is None and total) or (current or 0) > 9:
                return None
            total += (1 if current is None else current) * unit
            smallest, current, gap = unit, None, False
        elif part.isascii() or part in _DIGITS:
            digit = int(part) if part.isascii() else _DIGITS[part]
            if current is not None or (gap and not digit):
                return None
            current, gap = (digit, gap) if digit else (None, True)
        else:
            return None
    if current is None:
        return None if gap else total
    if current >= smallest or (current < 10 and smallest > 10 and not gap):
        return None
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


_ITEM = re.compile(rf"[（(]([{NUMERAL}]+)[)）]")
_INLINE_ITEM = re.compile(rf"(?<!第)[（(]([{NUMERAL}]+)[)）]")
_SUBITEM = re.compile(r"\d+[.．、]")


def paragraphs(text: str) -> list[set[int]]:
    """The 款 of an article in order, each as the numbers of its 项. 目 (1.) are passed over."""
    found: list[set[int]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        item = _ITEM.match(line)
        if item and found:
            found[-1].add(parse_number(item[1]) or 0)
        elif not _SUBITEM.match(line):
            # A few texts have their items in one line with the words that lead to them.
            found.append({parse_number(n) or 0 for n in _INLINE_ITEM.findall(line)})
    return found


def count_paragraphs(text: str) -> int:
    """How many 款 an article has."""
    return len(paragraphs(text))


def has_item(text: str, item: int, paragraph: int | None = None) -> bool:
    """Whether the article, or that 款 of it, has 第（item）项."""
    found = paragraphs(text)
    if paragraph is None:
        return any(item in items for items in found)
    return paragraph <= len(found) and item in found[paragraph - 1]


def chinese_date(day: date | None) -> str:
    """2027年1月1日."""
    return f"{day.year}年{day.month}月{day.day}日" if day else "某日"
