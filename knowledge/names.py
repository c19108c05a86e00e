"""Names of laws in a text: in title marks, known ones bare, and bare ones that nobody knows.

A bare name must be cut out of the words around it. The end is plain, the beginning is not: 广告法
stands at the end of 互联网广告法, which is no law. So a known name counts only where the word
before it cannot be part of a name (`knowledge.boundaries`); otherwise the longer words are the
name, and it is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from knowledge.boundaries import (
    LAWLIKE,
    LOCAL,
    PRIVATE,
    STRONG,
    WEAK,
    elsewhere_at_end,
    ends_in_method,
    lay_word_before,
    may_precede,
    start_of_unknown,
)
from knowledge.plain import Plain
from knowledge.statutes import NUMERAL, format_number, parse_number
from knowledge.statutes import WRITTEN_NUMBER as N
from knowledge.text import words
from knowledge.versions import OLD, split_version, version_before


@dataclass(frozen=True, slots=True)
class Name:
    """A law's name where it stands. `law` is a name to look up, or the words as written."""

    start: int
    end: int
    law: str
    known: bool = False
    titled: bool = False
    version: str = ""  # 2018, 旧 for whatever was before, 草案 for what never was law
    anaphor: str = ""  # 法, 条例 …: 该法, to be resolved by what was named before
    private: bool = False  # 《租赁合同》: no law, but articles after it are its own


_OWNED = re.compile(
    r"^(?:本|我|公司|单位|企业|厂|学校|小区|业主|物业|员工|职工|村里|群|店|班级|宿舍|平台|银行|微信"
    r"|比赛|游戏)"
)
_ABOUT = ("规定", "解释", "决定", "意见", "办法", "批复", "通知", "纪要")
_PART = (
    rf"(?:[（(](?:[{NUMERAL}]{{1,3}}|\d{{1,2}})[)）]|[{NUMERAL}]{{1,3}}+(?![条款项年月日个人种点])"
    r"|\d{1,2}(?=第))"
)
_INSTRUMENT = re.compile(rf"(?P<kind>{WEAK}|{STRONG})(?P<part>{_PART})?")
# Of 规定, 办法 and the like only those are taken for law that speak of a public matter.
_PUBLIC = re.compile(
    r"最高|国务院|全国|国家|中央|公安部|司法部|人民法院|人民检察院|联合国|若干|暂行|试行|程序|实施"
    r"|权利|管理|条件|标准|交纳|征收|保障|保护"
)
_ISSUER = re.compile(
    r"(?:最高人民法院|最高人民检察院|最高法院?|最高检|两高|国务院(?:办公厅)?|司法部|公安部|民政部"
    r"|全国人民代表大会常务委员会|全国人大常委会|[、和]){1,4}$"
)
_ANAPHOR = re.compile(
    r"(?P<which>(?<![基根日])本|该|同|此|前述|上述)(?P<kind>法典|法律?|条例|规定|办法|解释|决定|细则)$"
)
_NAME_CHAR = re.compile(r"[\u4e00-\u9fffA-Za-z0-9·]")
_PLACE_INSIDE = re.compile(rf"[0-9{NUMERAL}](?:条(?!例)|款|项)(?:之[{NUMERAL}0-9]+)?")
_NUMBERED = re.compile(rf"(?<=修正案)(?:（([0-9{NUMERAL}]+)）|([0-9{NUMERAL}]+))$")
_TITLE_MARKS = dict(zip('《〈<「『“【"', '》〉>」』”】"', strict=True))
_MARKS = "".join(_TITLE_MARKS) + "".join(_TITLE_MARKS.values())
_ARTICLE_INSIDE = re.compile(rf"第?[{NUMERAL}0-9]+条")
_IN_PARENTHESES = re.compile(r"[（(][^（）()]{1,12}[)）]")
_MAX_NAME = 60
_MAX_TITLE = 120

# 《民法典》婚姻家庭编的解释（一）, 《劳动合同法》实施条例: another one, named after this one.
_TAIL = re.compile(
    rf"(?!(?:里|中)?的?(?:有关|相关|明确|具体)?(?:{'|'.join(_ABOUT)})[^（(]|关于)"
    r"[^，。；：！？、《》〈〉「」“”（）()第|\"]{0,24}?"
    rf"(?:条例|细则|办法|规定|解释|修正案|意见|批复|决定){_PART}?"
    r"(?=的?第|[/|:：]第|[（(]以下|[0-9]|》)"
)
_SHORT_TITLE = re.compile(
    rf"[（(](?:以下|下文|本文)?(?:统?简称|下称|称)为?[:：]?[{_MARKS}]?"
    rf"(?P<short>[^{_MARKS}（）()，。]{{1,20}}(?:[（(][^（）()]{{1,4}}[)）])?)[{_MARKS}]?[)）]"
)
_PLAIN_VERSION = r"(?:19|20)\d\d年?(?:第?.?次)?(?:修[订正改]版?|版)本?"
# What may stand between a name and its article.
_BRIDGE = (
    rf"(?:[》”」』】〉>\"](?!\s*[,，]\s*\")|[（(](?!{N}[)）])(?:[^（）()第]|第(?!{N}条)){{0,80}}[）)]"
    rf"|{_PLAIN_VERSION}|第{N}(?:分?编|章|节)|(?!第)[\u4e00-\u9fff]{{2,6}}?编|总则|分则|附则"
    r"|里面?|当中|中|的|之|规定|关于[^，。；：！？《》（）]{1,20}?的规定|[参详]?见"
    r"|[·|：:（(，,—](?=.)){0,8}"
)
BRIDGE = re.compile(_BRIDGE)
# 反彩礼法里怎么规定: a bare unknown name counts only where an article follows, or where people
# speak of what a law says.
SPOKEN_OF = re.compile(
    r"(?:里面?|中|上)?(?:是?怎么|如何)?(?:规定|写|说)|什么时候(?:施行|实施|生效)"
)
_FOLLOWED = re.compile(
    rf"{_BRIDGE}(?:第|§|{N}(?:[条之、和及与至到,，-]|$))|[（(](?:以下|下称|简称)|{SPOKEN_OF.pattern}"
)


def name_key(name: str) -> str:
    """A name as it is looked up: without title marks inside and out, with plain parentheses, and
    刑法修正案12 as 刑法修正案（十二）."""
    key = re.sub(r"[《》〈〉\s]", "", name).replace("(", "（").replace(")", "）")
    return _NUMBERED.sub(_with_plain_number, key)


def _with_plain_number(match: re.Match[str]) -> str:
    number = parse_number(match[1] or match[2])
    return f"（{format_number(number)}）" if number and number < 100 else match[0]


class NameFinder:
    """Finds names, given those that are known with the full titles they stand for."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = {name_key(name): title for name, title in known.items()}

    @cached_property
    def _by_end(self) -> dict[str, list[int]]:
        """Lengths of the known names that end in these two characters, longest first."""
        lengths: dict[str, set[int]] = {}
        for name in self._known:
            lengths.setdefault(name[-2:], set()).add(len(name))
        return {end: sorted(found, reverse=True) for end, found in lengths.items()}

    @cached_property
    def _bare_end(self) -> re.Pattern[str]:
        """Where a bare name may end: an instrument, or a known name that is none (民诉)."""
        other = [n for n in self._known if not LAWLIKE.search(n) and len(n) < 6]
        known = "".join(f"|{re.escape(n)}" for n in sorted(other, key=len, reverse=True))
        return re.compile(rf"(?:{_INSTRUMENT.pattern}{known})")

    def find(self, plain: Plain) -> list[Name]:
        """Every name in the text in order, none inside another."""
        titled = list(self._titled(plain.text))
        short = self._short_titles(plain, titled)
        titled = [replace(n, law=short.get(n.law, n.law)) for n in titled]
        bare = [*self._bare(plain, titled), *_bare_short(plain.text, short)]
        return _outermost([*titled, *bare])

    # — in title marks

    def _titled(self, text: str) -> Iterator[Name]:
        position = 0
        while position < len(text):
            if text[position] in _TITLE_MARKS:
                close = _closing(text, position)
                name = self._in_marks(text, position, close) if close else None
                if name:
                    yield name
                    position = name.end
                    continue
            position += 1

    def _in_marks(self, text: str, start: int, close: int) -> Name | None:
        content = text[start + 1 : close]
        law, version, known = self._read_title(content)
        real = text[start] in "《〈<"
        if not known and (
            _ARTICLE_INSIDE.search(content)
            or not re.search(r"[\u4e00-\u9fff]{2}", content)
            or re.search(r"[。；！？]", content)
        ):
            return None
        if not known and (not real or text[start] == "<") and not self._lawlike(law):
            return None
        end = close + 1
        private = not known and PRIVATE.search(law) is not None
        name = Name(start, end, law, known, True, version, private=private)
        tail = _TAIL.match(text, end) if real else None
        if tail:
            before = _issuer_before(text, start)
            written = text[before : tail.end()]
            key = name_key(written)
            known = key in self._known
            return Name(before, tail.end(), key if known else written, known)
        return name

    def _read_title(self, content: str) -> tuple[str, str, bool]:
        """A title without its version and part: (name, version, whether it is known)."""
        if name_key(content) in self._known:
            return name_key(content), "", True
        name, version = split_version(content)
        name = re.sub(r"·[\u4e00-\u9fff]{2,8}编$", "", name)
        key = name_key(name)
        return (key, version, True) if key in self._known else (name, version, False)

    @staticmethod
    def _lawlike(name: str) -> bool:
        return (
            LAWLIKE.search(name) is not None
            and len(name) > 2
            and not ends_in_method(name)
            and not _ANAPHOR.match(name)
        )

    # — bare

    def _bare(self, plain: Plain, titled: list[Name]) -> Iterator[Name]:
        text = plain.text
        inside = [(n.start, n.end) for n in titled]
        index = 0
        for match in self._bare_end.finditer(text):
            while index < len(inside) and inside[index][1] <= match.start():
                index += 1
            if index < len(inside) and inside[index][0] <= match.start():
                continue
            floor = inside[index - 1][1] if index else 0
            name = self._ending_at(plain, match, floor)
            if name:
                yield name

    def _ending_at(self, plain: Plain, match: re.Match[str], floor: int) -> Name | None:
        text, end = plain.text, match.end()
        begin = match.start()
        while begin > floor and begin > end - _MAX_NAME and _NAME_CHAR.match(text[begin - 1]):
            begin -= 1
        for place in _PLACE_INSIDE.finditer(text, begin, match.start()):
            begin = place.end()
        marked = _IN_PARENTHESES.match(text, end)
        if marked and (known := self._longest_known(text, begin, marked.end())) is not None:
            end = marked.end()  # a title such as 宪法修正案（2018年）
        else:
            known = self._longest_known(text, begin, end)
        if known is not None:
            name = self._known_bare(plain, begin, known, end)
            if name:
                return name
        anaphor = _ANAPHOR.search(text, begin, end)
        plainly = anaphor and anaphor["which"] not in ("同", "此")
        if anaphor and (plainly or self._may_begin(plain, begin, anaphor.start())):
            return Name(anaphor.start(), end, anaphor[0], anaphor=anaphor["kind"])
        if not match["kind"] or not _FOLLOWED.match(text, end):
            return None
        return self._unknown(plain, begin, match, known)

    def _longest_known(self, text: str, begin: int, end: int) -> int | None:
        key_end = name_key(text[max(begin, end - 8) : end])[-2:]
        slack = 4 if text[end - 1] in ")）" or text[end - 1] in NUMERAL else 0
        for length in self._by_end.get(key_end, ()):
            for size in range(length, max(length - slack, 1) - 1, -1) if slack else (length,):
                if end - size >= begin and name_key(text[end - size : end]) in self._known:
                    return end - size
        return None

    def _known_bare(self, plain: Plain, begin: int, start: int, end: int) -> Name | None:
        """The known name, if a name can begin there; what is before may give its version."""
        text, key = plain.text, name_key(plain.text[start:end])
        before = text[begin:start]
        elsewhere = elsewhere_at_end(before)
        if elsewhere is not None:
            return Name(begin + elsewhere, end, text[begin + elsewhere : end])
        version, length = version_before(before)
        head = start - length
        if version == OLD and not self._may_begin(plain, begin, head):
            version, head = "", start
        begins = version or self._may_begin(plain, begin, start)
        if begins or (self._closed(key) and lay_word_before(before)):
            return Name(head, end, key, True, version=version)
        return None

    def _closed(self, key: str) -> bool:
        """Whether this name is never the tail of a longer one: a code, or a clipped form (消法)
        that is neither part of its title nor made of words."""
        clipped = key not in self._known[key] and not words(key.removesuffix("法"))
        return clipped or key.endswith("法典")

    def _may_begin(self, plain: Plain, begin: int, start: int) -> bool:
        """Whether a name can begin at `start`, by the word before it."""
        gap = max(plain.breaks_between(begin, start), default=begin)
        return may_precede(plain.text[gap:start], plain.text[start : start + 4])

    def _unknown(
        self, plain: Plain, begin: int, match: re.Match[str], known: int | None
    ) -> Name | None:
        text, end = plain.text, match.end()
        gap = max(plain.breaks_between(begin, match.start()), default=begin)
        about = text.rfind("关于", gap, match.start())
        if about >= 0 and match["kind"] in _ABOUT:
            if self._longest_known(text, begin, about) is not None or text[about - 1] in _MARKS:
                return None  # 民法典关于继承的规定 is what 民法典 says
            start = _issuer_before(text, about)
            start = start if start < about else start_of_unknown(text, gap, about)
            name = text[start:end]
            public = match["kind"] in ("解释", "批复") or start < about or _PUBLIC.search(name)
            return Name(start, end, name) if public and not _OWNED.match(name) else None
        start = start_of_unknown(text, gap, known if known and known > gap else match.start())
        name, stem = text[start:end], text[start : match.start()]
        if len(stem) < 2 or (match["kind"] == "法" and ends_in_method(name)):
            return None
        if match["kind"] in WEAK.split("|"):
            private = _OWNED.match(stem) or PRIVATE.search(stem) or match["kind"] == "章程"
            public = len(stem) > 5 or _PUBLIC.search(stem) or LOCAL.match(stem)
            if private or not public or len(stem) < 4:
                return None
        return Name(start, end, name)

    # — short titles that the text itself gives

    def _short_titles(self, plain: Plain, titled: list[Name]) -> dict[str, str]:
        """（以下简称《规定》）: what the text calls a law from there on."""
        ends = {n.end: n for n in titled}
        given: dict[str, str] = {}
        for match in _SHORT_TITLE.finditer(plain.text):
            name = ends.get(match.start())
            if not name:
                for end in self._bare_end.finditer(
                    plain.text, max(0, match.start() - 8), match.start()
                ):
                    if end.end() == match.start():
                        name = self._ending_at(plain, end, 0)
            if name and not name.anaphor:
                given[match["short"]] = name.law
        return given


def _bare_short(text: str, short: Mapping[str, str]) -> Iterator[Name]:
    for alias, law in short.items():
        for match in re.finditer(re.escape(alias), text):
            yield Name(match.start(), match.end(), law, known=True)


def _closing(text: str, start: int) -> int | None:
    """Where the title mark that opens at `start` is closed; nested ones of its kind count."""
    opening, closing = text[start], _TITLE_MARKS[text[start]]
    depth = 0
    for position in range(start, min(len(text), start + _MAX_TITLE)):
        if text[position] == opening and (opening != closing or position == start):
            depth += 1
        elif text[position] == closing:
            depth -= 1
            if not depth:
                return position
    return None


def _issuer_before(text: str, end: int, floor: int = 0) -> int:
    """Where 最高人民法院关于适用 begins, when it stands right before."""
    head = re.search(r"(?:关于)?(?:适用|审理|执行|实施)?$", text[max(floor, end - 12) : end])
    start = end - len(head[0]) if head else end
    issuer = _ISSUER.search(text[max(floor, start - 40) : start])
    return start - len(issuer[0]) if issuer else start


def _outermost(names: list[Name]) -> list[Name]:
    """Those not inside another, in order; of two with the same span the first."""
    kept: list[Name] = []
    for name in sorted(names, key=lambda n: (n.start, -n.end)):
        while kept and not kept[-1].titled and name.start < kept[-1].end < name.end:
            kept.pop()  # the later and longer: 劳动合同法|实施条例
        if not kept or name.start >= kept[-1].end:
            kept.append(name)
    return kept
