"""What a Chinese government document says of itself: 文号, 发文机关, 成文日期, 施行日期, 有效期."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from knowledge.statutes import parse_number

_NUMBER = re.compile(
    r"[\u4e00-\u9fff]{1,14}[〔\[（(【]\s*(?:19|20)\d\d\s*[〕\]）)】]\s*(?:第\s*)?\d{1,5}\s*号"
    r"|[\u4e00-\u9fff]{2,20}(?:令|公告)\s*第?\s*[\d一二三四五六七八九十百]{1,5}\s*号"
)
_YEAR = r"(?P<y>(?:19|20)\d\d|[一二][〇○零九][〇○零一二三四五六七八九]{2})"
_DAY = re.compile(
    rf"{_YEAR}\s*年\s*(?P<m>[\d一二三四五六七八九十]{{1,2}})\s*月\s*(?P<d>[\d一二三四五六七八九十]{{1,3}})\s*日"
)
_ONLY_DAY = re.compile(rf"[（(]?{_DAY.pattern}(?:印发|发布|公布)?[）)]?")
_STARTS = re.compile(r"自\s*(?P<when>.{2,20}?)起(?:正式)?(?:施行|实施|执行|生效)")
_ENDS = re.compile(r"有效期(?:延长)?至\s*(?P<when>.{6,16}?日)")
_LASTS = re.compile(r"有效期(?:为)?\s*(?P<years>[\d一二两三四五六七八九十])\s*年")
_ISSUER = re.compile(
    r"[\u4e00-\u9fff（）()、 ]{2,40}"
    r"(?:局|委员会|政府|办公室|办公厅|中心|厅|部|法院|检察院|协会|总工会|联合会|街道办事处)"
)
_RED_HEAD = re.compile(r"(?P<issuer>[\u4e00-\u9fff]{4,30})文件")
_TITLE_END = re.compile(
    r"(?:通知|意见|办法|规定|细则|条例|决定|方案|公告|通告|指南|须知|规则|规程|制度|标准|批复|函|要点|"
    r"计划|规划|解释|纪要)(?:[（(][^（）()]{1,12}[）)])?$"
)
_HEAD, _TAIL = 25, 25


def read_day(text: str) -> date | None:
    """The first day in a text, in digits or in Chinese."""
    match = _DAY.search(text)
    if not match:
        return None
    year, month, day = (parse_number(match[part]) for part in ("y", "m", "d"))
    try:
        return date(year or 0, month or 0, day or 0)
    except ValueError:
        return None


def looks_like_title(line: str) -> bool:
    return (
        4 <= len(line) <= 80
        and not line.endswith(("。", "：", "；"))
        and bool(_TITLE_END.search(line))
    )


def metadata_of(lines: Sequence[str]) -> dict[str, str]:
    """What the lines of a document say of it; see `ReadDocument.metadata`. Only what is found."""
    found: dict[str, str] = {}
    head, tail = lines[:_HEAD], lines[-_TAIL:]
    edges = [*head, *(tail if len(lines) > _HEAD else [])]
    number = next((m[0] for line in edges if len(line) < 60 and (m := _NUMBER.search(line))), None)
    if number:
        found["document_number"] = re.sub(r"\s", "", number)
    if issuer := _issuer(head, edges):
        found["issuer"] = issuer
    if published := _published(lines):
        found["published_on"] = published.isoformat()
    whole = "\n".join(lines)
    if started := _started(whole, published):
        found["effective_from"] = started.isoformat()
        if ended := _ended(whole, started):
            found["effective_until"] = ended.isoformat()
    return found


def _issuer(head: Sequence[str], edges: Sequence[str]) -> str | None:
    for line in head[:6]:
        if match := _RED_HEAD.fullmatch(line.replace(" ", "")):
            return match["issuer"]
    # The signature stands right above the day.
    for above, below in pairwise(edges):
        if _ONLY_DAY.fullmatch(below) and _ISSUER.fullmatch(above):
            return re.sub(r"\s+", "、", above.strip())
    return None


def _published(lines: Sequence[str]) -> date | None:
    """A day that stands alone in a line near the end or the beginning, or in brackets beneath the
    title as regulations have it."""
    for line in [*reversed(lines[-_TAIL:]), *lines[:_HEAD]]:
        if len(line) <= 24 and _ONLY_DAY.fullmatch(line):
            return read_day(line)
    for line in lines[:6]:
        if line.startswith(("（", "(")) and (day := read_day(line)):
            return day
    return None


def _started(whole: str, published: date | None) -> date | None:
    started = None
    for match in _STARTS.finditer(whole):
        if day := read_day(match["when"]):
            started = day
        elif re.search(r"(?:发布|印发|公布|下发)之日", match["when"]):
            started = published
    return started


def _ended(whole: str, started: date) -> date | None:
    if match := _ENDS.search(whole):
        return read_day(match["when"])
    if match := _LASTS.search(whole):
        year = started.year + (parse_number(match["years"]) or 0)
        leap_day = started.month == 2 and started.day == 29
        over = date(year, 3, 1) if leap_day else started.replace(year=year)
        return over - timedelta(days=1)
    return None
