"""The checkable facts of a text: numbers with their units, dates, percentages, clock times, digits
of telephone numbers, and words in Latin letters. Two ways of writing a fact give the same value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from knowledge.statutes import parse_number

_HAN_DIGITS = "零〇○一二两三四五六七八九"
_CAPITALS = "壹贰叁肆伍陆柒捌玖拾佰仟"
_HAN = rf"[{_HAN_DIGITS}十百千万亿廿卅{_CAPITALS}]+(?:点[{_HAN_DIGITS}]+)?"
_NUMBER = rf"(?:[0-9]+(?:[,，][0-9]{{3}})*(?:\.[0-9]+)?[十百千万亿]*|{_HAN})"
_YEAR = rf"(?:[0-9]{{4}}|[{_HAN_DIGITS}]{{4}})"

# Numerals that count nothing: 一般, 万一, 十分. Only 一 is so much a part of words that it is left
# alone wherever no unit of time, money or degree follows it.
_WORDS = (
    r"十分(?!之)|万一|千万(?=别|不|要|记|注意)|千方百计|老?百姓|四周|三者|四舍五入|五险一金"
    r"|接二连三|再三|三番五次|之一(?![0-9一二三四五六七八九十])"
)
_ONE = (
    r"一(?!个?月|年|周|个?星期|日|天|个工作日|个?小时|分钟|倍|元|块|万|百|千|亿|成|半|点[零一二三四五六七八九]"
    rf"|[{_HAN_DIGITS}十]|[审岁]|分之)"
)
_SCAN = re.compile(
    rf"(?P<date>{_YEAR}年{_NUMBER}月(?:{_NUMBER}[日号])?|(?<![个0-9]){_NUMBER}月{_NUMBER}[日号])"
    rf"|(?P<percent>百分之{_NUMBER}|[0-9]+(?:\.[0-9]+)?%|[0-9.]+个百分点)"
    rf"|(?P<permille>千分之{_NUMBER}|[0-9]+(?:\.[0-9]+)?‰)"
    rf"|(?P<share>{_NUMBER}分之{_NUMBER})"
    rf"|(?P<place>第[（(]?{_NUMBER}[)）]?(?:[条款项编章节目](?:之{_NUMBER})?)?)"
    r"|(?P<clock>[0-9]{1,2}[:：][0-9]{2})"
    r"|(?P<phone>(?<![0-9])(?:[0-9]{3,5}[-－—–‑ ])?[0-9]{3,8}(?:[- ][0-9]{3,8})*"
    r"(?![0-9.]|[,，][0-9]{3})"
    r"(?!\s*(?:元|块|万|亿|年|个|日|天|人|%|小时|分钟|倍)))"
    rf"|(?P<word>{_WORDS}|{_ONE})"
    rf"|(?P<half>半(?=年|个?月|日|天|个?小时)|翻倍|双倍|一半|减半|加倍)"
    rf"|(?P<number>(?P<value>{_NUMBER})\s*(?P<unit>个?工作日|个?星期|个?小时|个?月|周岁|[\u4e00-\u9fff])?"
    r"(?P<bound>以上|以下|以内|之内|内|以后|之后|后|以前|之前|前)?)"
)
_UNITS = {
    "天": "日", "号": "日", "岁": "周岁", "块": "元", "圆": "元", "个星期": "周", "星期": "周",
    "小时": "个小时", "工作日": "个工作日", "名": "人", "位": "人", "月": "个月",
}  # fmt: skip
_BOUNDS = {
    "以上": "≥", "以下": "≤", "以内": "≤", "之内": "≤", "内": "≤", "以后": ">", "之后": ">",
    "后": ">", "以前": "<", "之前": "<", "前": "<",
}  # fmt: skip
_AT_MOST = re.compile(r"(?:不得?超过|不高于|最多|至多|最长|最高|最迟|最晚)(?:为|是|在|于)?$")
_AT_LEAST = re.compile(r"(?:不少于|不低于|不得少于|不得低于|至少|最少|最低|起码)(?:为|是)?$")
_BEYOND = re.compile(r"(?<![不未])(?<!不得)(?:超过|超出|多于|高于|满)$")
_SHORT_OF = re.compile(r"(?:不满|未满|不足|(?<!不)(?<!不得)(?:少于|低于))$")
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9._%+@:/?#&=~-]*")
_SCALES = (("亿", 10**8), ("万", 10**4))


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: what sort, which value, and in which direction it bounds (≥ ≤ > < or empty)."""

    kind: str
    value: str
    bound: str = ""


def facts_of(text: str) -> list[Fact]:
    """Every fact of a normalised text, in order. What cannot be read as a number is itself."""
    found = [Fact("latin", m[0].strip(".:/").lower()) for m in _LATIN.finditer(text)]
    for match in _SCAN.finditer(_LATIN.sub(lambda m: "\u3000" * len(m[0]), text)):
        found += _read(match, text)
    return found


def supported(fact: Fact, among: frozenset[Fact]) -> bool:
    """Whether a text with the facts `among` says this one. A bound may be left out, never added or
    turned round."""
    if fact in among:
        return True
    if fact.bound:
        return False
    return any(f.kind == fact.kind and f.value == fact.value for f in among)


def foreign(text: str) -> str | None:
    """The first character that no sentence of ours has: another script, a control character, a
    digit in disguise, mark-up. None if there is none."""
    for char in text:
        if char.isascii() and (char.isalnum() or char in " .,:;!?%()-/@+&='\"_~"):
            continue
        if "\u4e00" <= char <= "\u9fff" or char in _PUNCTUATION:
            continue
        return char
    return None


_PUNCTUATION = frozenset("，。；：！？、（）《》〈〉“”‘’「」『』—…·〇○‰－～")


def digits_only(text: str) -> str:
    return re.sub(r"\D", "", text)


def _read(match: re.Match[str], text: str) -> Iterator[Fact]:
    kind = match.lastgroup
    said = match[0]
    if match["word"]:
        return
    if match["phone"]:
        # A run of digits is a telephone number or a plain number: it must be met as a whole.
        yield Fact("digits", digits_only(said))
    elif match["half"]:
        yield Fact("half", {"双倍": "翻倍", "加倍": "翻倍", "减半": "一半"}.get(said, said))
    elif match["date"]:
        yield Fact("date", "-".join(_number(n) for n in re.findall(_NUMBER, said)))
    elif match["percent"]:
        yield Fact("share", _number(said.removeprefix("百分之"), over=100))
    elif match["permille"]:
        yield Fact("share", _number(said.removeprefix("千分之"), over=1000))
    elif match["share"]:
        below, _, above = said.partition("分之")
        value = number(below)
        yield Fact("share", _number(above, over=value) if value else said)
    elif match["place"]:
        unit = next((c for c in said if c in "条款项编章节目"), "")
        yield Fact("place", f"{'-'.join(_number(n) for n in re.findall(_NUMBER, said))}{unit}")
    elif match["clock"]:
        hour, minute = re.split("[:：]", said)
        yield Fact("clock", f"{int(hour)}:{minute}")
    elif kind:
        yield from _count(match, text)


def _count(match: re.Match[str], text: str) -> Iterator[Fact]:
    unit = match["unit"] or ""
    bound = _BOUNDS.get(match["bound"] or "", "")
    if not match["bound"] and unit in ("前", "后", "内"):
        unit, bound = "", _BOUNDS[unit]
    before = text[max(0, match.start() - 6) : match.start()]
    if _AT_MOST.search(before):
        bound = "≤"
    elif _AT_LEAST.search(before):
        bound = "≥"
    elif not bound and _BEYOND.search(before):
        bound = ">"
    elif not bound and _SHORT_OF.search(before):
        bound = "<"
    if not unit and match["value"].isdigit():
        yield Fact("digits", match["value"], bound)
        return
    if unit == "成":
        yield Fact("share", _number(match["value"], over=10), bound)
        return
    yield Fact(_UNITS.get(unit, unit) or "digits", _number(match["value"]), bound)


def _number(said: str, over: int | Fraction = 1) -> str:
    value = number(re.sub(r"[%‰]|个百分点", "", said))
    return said if value is None else str(value / over)


def number(said: str) -> Fraction | None:
    """三万五千, 3.5万, 35,000 → 35000; None if it is no number, or could be two."""
    said = unicodedata.normalize("NFKC", said).replace(",", "").strip()
    for scale, factor in _SCALES:
        high, sign, low = said.partition(scale)
        if sign:
            above, below = number(high) if high else None, number(low) if low else Fraction(0)
            if above is None or below is None:
                return None
            return above * factor + below
    whole, _, part = said.replace("点", ".").partition(".")
    value = parse_number(whole)
    if value is None:
        return None
    if not part:
        return Fraction(value)
    decimals = "".join(str(parse_number(c)) for c in part)
    return value + Fraction(int(decimals), 10 ** len(decimals)) if decimals.isdigit() else None
