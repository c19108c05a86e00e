"""Versions of a law that people name: 公司法（2018修正）, 97刑法, 旧公司法, （草案）.

A version is a year, OLD for whatever was before, or DRAFT for what never was law; empty for the law
as it stands.
"""

from __future__ import annotations

import re

OLD = "旧"
DRAFT = "草案"
_LEADING_YEAR = re.compile(
    r"(?<![0-9])(?P<year>(?:19|20)\d\d|79|97)年?(?:修[订正改]|施行|颁布|公布|版)?的?$"
)
_DRAFT_MARK = re.compile(r"草案|征求意见稿|送审稿|建议稿|审议稿")
_LEADING_OLD = re.compile(r"(?:旧|原|老|修[订正改]前的?|以前的)$")
_DAY = r"(?:\d{1,2}月(?:\d{1,2}日)?)?"
_VERSION = re.compile(
    rf"(?P<year>(?:19|20)\d\d)(?:年版?|版|-\d\d-\d\d)?{_DAY}"
    r"(?:第?[一二三四五六七八九十]?次?修[订正改])?版?(?:本|文本)?$"
)
_VERSION_BETWEEN = re.compile(rf"(?P<year>(?:19|20)\d\d)年?{_DAY}(?:第?.?次)?(?:修[订正改]|版|$)")


def version_before(words_before: str) -> tuple[str, int]:
    """The version that stands right before a name (1997年, 97, 旧), and how long its words are."""
    year = _LEADING_YEAR.search(words_before)
    if year:
        # Of years with two digits only those of the two criminal codes: 15年 is a duration.
        written = year["year"]
        return written if len(written) == 4 else f"19{written}", len(year[0])
    old = _LEADING_OLD.search(words_before)
    return (OLD, len(old[0])) if old else ("", 0)


def split_version(title: str) -> tuple[str, str]:
    """公司法（2018修正） → (公司法, 2018); 公司法（最新版） → (公司法, "")."""
    match = re.search(r"[（(](?P<mark>[^（）()]{1,30})[)）]$", title)
    if not match:
        return title, ""
    if _DRAFT_MARK.search(match["mark"]):
        return title[: match.start()], DRAFT
    year = _VERSION.search(match["mark"])
    if year:
        return title[: match.start()], year["year"]
    if re.search(r"最新|现行|修[订正改]|版", match["mark"]):
        return title[: match.start()], ""
    return title, ""


def version_in(words_between: str) -> str:
    """The version that words between a name and its article give: （2012年修正）, 2012年修正版."""
    if _DRAFT_MARK.search(words_between):
        return DRAFT
    for part in re.split(r"[（）()]", words_between):
        year = _VERSION_BETWEEN.search(part)
        if year:
            return year["year"]
        later = re.findall(r"((?:19|20)\d\d)年[^，,；;]{0,20}?修[订正]", part)
        if later:
            return str(later[-1])
    return OLD if re.search(r"[（(](?:旧|原|修[订正改]前|已失效)", words_between) else ""
