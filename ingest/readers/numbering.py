"""How Chinese documents number their parts: 第一章, 一、, （一）, 1., and 第一条."""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.statutes import NUMBER

_HAN = "一二三四五六七八九十百零〇"
_PART = re.compile(
    rf"(?P<number>第{NUMBER}(?P<unit>编|分编|部分|章|节))(?![\u4e00-\u9fff]?[规定])"
    r"[ \u3000:：]*(?P<rest>.*)"
)
_ARTICLE = re.compile(
    rf"(?P<number>第{NUMBER}条(?:之{NUMBER})?)"
    r"(?P<rest>[ \u3000:：].*|[^的规之第、和至到及与或，。；].*|$)",
    re.S,
)
_FIRST = re.compile(rf"(?P<number>[{_HAN}]{{1,4}})、[ \u3000]*(?P<rest>.*)", re.S)
_SECOND = re.compile(rf"(?P<number>[（(][{_HAN}]{{1,4}}[）)])[ \u3000、.．]*(?P<rest>.*)", re.S)
_THIRD = re.compile(r"(?P<number>\d{1,3})[.．、](?!\d)[ \u3000]*(?P<rest>.*)", re.S)
_UNIT_LEVEL = {"编": 1, "分编": 2, "部分": 2, "章": 3, "节": 4}
_LONGEST_HEADING = 40


@dataclass(frozen=True, slots=True)
class Numbered:
    """A paragraph that opens with a number: the number as written, its level (1 the highest), and
    what follows."""

    number: str
    level: int
    rest: str


def numbered(text: str) -> Numbered | None:
    """The number that a paragraph opens with, or None. Articles are `article_of`'s."""
    if match := _PART.match(text):
        return Numbered(match["number"], _UNIT_LEVEL[match["unit"]], match["rest"])
    for level, pattern in ((5, _FIRST), (6, _SECOND), (7, _THIRD)):
        if match := pattern.match(text):
            number = match["number"] + {5: "、", 6: "", 7: "."}[level]
            return Numbered(number, level, match["rest"])
    return None


def article_of(text: str) -> tuple[str, str] | None:
    """(第八条, its words), or None. A reference (第八条规定的…, 第八条第二款) is no article."""
    match = _ARTICLE.match(text)
    return (match["number"], match["rest"].strip(" \u3000:：")) if match else None


def heading_level(text: str) -> int | None:
    """The level of a paragraph that is a heading by its number and its shape, or None."""
    found = numbered(text)
    if found is None or len(text) > _LONGEST_HEADING or not found.rest:
        return None
    if text.endswith(("。", "；", "，", "：", ";", ",", "！", "？")):
        return None
    return found.level
