"""Citations of law found in a text, in every form people write; whether they hold is another matter
(`knowledge.citations`)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from knowledge.statutes import NUMBER, NUMERAL, article_label, parse_number


@dataclass(frozen=True, slots=True)
class Mention:
    """A citation as it stands in a text: the words, the law's name as written, the place in it."""

    text: str
    start: int
    name: str
    number: int | None = None
    inserted: int | None = None
    paragraph: int | None = None  # 款
    item: int | None = None  # 项

    @property
    def label(self) -> str | None:
        if self.number is None:
            return None
        if not 0 < self.number < 10_000:
            return f"第{self.number}条"
        return article_label(self.number, self.inserted)


INSTRUMENT = (
    r"(?:法典|法|条例|规定|办法|解释|细则|意见|批复|决定|规则|通知|纪要|准则|守则|章程|修正案)"
)
# （2020年修正）, but not （十二）, which is part of a name.
VERSION = r"(?:[(（][^()（）]{0,12}(?:\d{4}|修订|修正|版|现行|最新|试行)[^()（）]{0,12}[)）])?"
# What may stand between a law's name and the number: 民法典的第一条, 刑法里第264条.
_OF = r"\s*(?:的|里面?的?|中的?|规定的?|当中的?)?\s*"
_LIST = r"(?:[、,，和及与]|以及|或者?)"
_RANGE = r"(?:至|到|[-—~～])"

_PLACE = re.compile(
    rf"{_OF}第?\s*(?P<number>{NUMBER})\s*条(?:之(?P<inserted>{NUMBER}))?"
    rf"(?:\s*第?(?P<paragraph>{NUMBER})款)?"
    rf"(?:\s*第?[（(]?(?P<item>{NUMBER})[)）]?项)?"
)
# 刑法264, 刑法133之1: no 条, so only Arabic digits, right after a known name, and no unit behind.
_SHORT_PLACE = re.compile(
    rf"{_OF}第?\s*(?P<number>[0-9]{{1,4}})(?:之(?P<inserted>{NUMBER}))?"
    r"(?![0-9年月日元万个%％人号款项岁次倍.:：/])"
)
_LINK = re.compile(rf"\s*(?:{_LIST}|(?P<range>{_RANGE}))\s*(?=第?\s*{NUMBER}\s*条)")
# The head of a list or range whose 条 stands only at its end: 38和46条, 1062到1064条.
_HEAD = re.compile(
    rf"{_OF}第?\s*(?P<number>{NUMBER})\s*条?\s*(?:(?P<range>{_RANGE})|{_LIST})"
    rf"(?=\s*第?\s*{NUMBER}\s*条)"
)
_PLACE_START = re.compile(
    rf"(?:第|(?<![{NUMERAL}0-9第]))\s*{NUMBER}\s*(?:条|(?:{_LIST}|{_RANGE})\s*第?\s*{NUMBER}\s*条)"
)
_AFTER_TITLE = re.compile(
    rf"[^,，。;；:：!！?？《》\s第]{{0,24}}?{INSTRUMENT}{VERSION}(?=\s*第?\s*{NUMBER}\s*条)"
)
_TITLE = re.compile(r"《((?:[^《》]|《[^《》]*》){2,80})》" + VERSION)
_UNKNOWN_AT_END = re.compile(
    rf"[\u4e00-\u9fff《》〈〉（）()A-Za-z]{{1,40}}{INSTRUMENT}"
    rf"(?:[（(][{NUMERAL}]+[)）]|[{NUMERAL}])?$"
)
_LEAD = re.compile(
    r"^.*(?:根据|依据|依照|按照|按|违反|适用|参照|援引|引用|符合|规定在|请问|想问|问下|告诉我|看看|查一下|查询|查"
    r"|没有|有什么|想个|关于|对于|以及|并且|还有|或者|但是|因为|所以|如果|我国|现行|最新|修订后|修正后|触犯|构成|属于|就是|不是"
    r"|是|的|了|和|与|及|在|从|由|把|被|新|旧|原)"
)
ELSEWHERE = re.compile(
    r"香港|澳门|台湾|美国|英国|日本|韩国|德国|法国|新加坡|加拿大|澳大利亚|俄罗斯|印度|欧盟|国际"
    r"|[\u4e00-\u9fff]{2}[省市区县]"
)
_THIS_LAW = re.compile(r"(?:本法典?|该法|前述法律)(?=\s*第)")
_FULL_TITLE = re.compile(
    r"中华人民共和国(?:(?!规定|的|和|与|怎么|什么)[\u4e00-\u9fffA-Za-z]){2,24}法典?"
)
# 反彩礼法里怎么规定: a bare unknown name counts only where people speak of what a law says.
_SPOKEN_OF = re.compile(
    r"(?P<name>[\u4e00-\u9fffA-Za-z]{2,16}法)"
    r"(?=(?:里面?|中|上)?(?:是?怎么|如何)?(?:规定|写|说)|什么时候(?:施行|实施|生效))"
)
_NOT_NAMES = frozenset(
    re.findall(
        r"\S+",
        "本法 该法 法 司法 立法 执法 守法 依法 违法 合法 非法 方法 办法 无法 看法 说法 做法 想法"
        " 用法 语法 书法 国法 法律 本条例 本办法 本规定 规定 条例 解释 通知 决定 意见 规则 章程",
    )
)
_MAX_RANGE = 30

Place = tuple[int | None, int | None, int | None, int | None]


class MentionFinder:
    """Finds citations in texts, given the names of laws that are known, in force or not."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)

    @cached_property
    def _known(self) -> str:
        return "|".join(map(re.escape, sorted(self._names, key=lambda n: (-len(n), n))))

    @cached_property
    def _bare_known(self) -> re.Pattern[str]:
        return re.compile(self._known)

    @cached_property
    def _known_short(self) -> re.Pattern[str]:
        return re.compile(rf"(?P<name>{self._known})(?={_SHORT_PLACE.pattern})")

    @cached_property
    def _reversed(self) -> re.Pattern[str]:
        return re.compile(rf"(?P<place>{_PLACE.pattern})\s*(?:的|是)?\s*(?P<name>{self._known})")

    def find(self, text: str) -> list[Mention]:
        """Every citation of an article in `text`, in order. Lists and ranges give one each."""
        mentions: list[Mention] = []
        last_name: str | None = None
        position = 0
        while found := self._next_law(text, position, last_name):
            name, start, end = found
            last_name = name
            places = list(_places(text, end))
            for number, (place_start, place_end, place) in enumerate(places):
                head = place_start if number else start
                words = text[head:place_end].strip(" 、,，至到-—~～和及与")
                mentions.append(Mention(words, head, name, *place))
            position = places[-1][1] if places else end
        return mentions or self._find_reversed(text)

    def _find_reversed(self, text: str) -> list[Mention]:
        """第1042条民法典: the number first."""
        found = []
        for match in self._reversed.finditer(text):
            place = (parse_number(match["number"]), *_details(match))
            found.append(Mention(match[0].strip(), match.start(), match["name"], *place))
        return found

    def laws(self, text: str) -> list[str]:
        """Names of laws in `text`, in 《》, in full or bare, each once; unknown ones too where they
        are clearly meant as names."""
        quoted = [plain_name(m[1]) for m in _TITLE.finditer(text) if m[1].endswith(("法", "法典"))]
        rest = _TITLE.sub(" ", text)
        known = self._bare_known.findall(rest)
        rest = self._bare_known.sub(" ", rest)
        unknown = [m[0] for m in _FULL_TITLE.finditer(rest)]
        for match in _SPOKEN_OF.finditer(rest):
            lead = _LEAD.match(match["name"])
            name = match["name"][lead.end() :] if lead else match["name"]
            if len(name) > 2 and name not in _NOT_NAMES and name[-2:] not in _NOT_NAMES:
                unknown.append(name)
        return list(dict.fromkeys([*quoted, *known, *unknown]))

    def _next_law(self, text: str, position: int, last: str | None) -> tuple[str, int, int] | None:
        """The next name of a law that an article number follows: (name, start, end)."""
        candidates = (
            self._quoted(text, position),
            self._bare(text, position),
            self._bare_short(text, position),
            self._this_law(text, position, last),
        )
        found = [c for c in candidates if c]
        return min(found, key=lambda c: (c[1], -c[2]), default=None)

    def _quoted(self, text: str, position: int) -> tuple[str, int, int] | None:
        for match in _TITLE.finditer(text, position):
            if _PLACE.match(text, match.end()) or _HEAD.match(text, match.end()):
                return match[1], match.start(), match.end()
            after = _AFTER_TITLE.match(text, match.end())
            if after:
                # 《民法典》婚姻家庭编的解释（一）第三条: another instrument, named after this one.
                start = match.start() - len(_words_before(text, match.start()))
                return text[start : after.end()], start, after.end()
        return None

    def _bare(self, text: str, position: int) -> tuple[str, int, int] | None:
        for match in _PLACE_START.finditer(text, position):
            name = self._name_at_end(text[position : match.start()])
            if name:
                start = position + text[position : match.start()].rindex(name)
                return name, start, match.start()
        return None

    def _bare_short(self, text: str, position: int) -> tuple[str, int, int] | None:
        match = self._known_short.search(text, position)
        if not match or self._before_elsewhere(text[: match.start()]):
            return None
        return match["name"], match.start(), match.end("name")

    def _name_at_end(self, before: str) -> str | None:
        """The bare name of a law that ends where an article number starts."""
        before = re.sub(_OF + "$", "", before.rstrip())
        stripped = re.sub(VERSION + r"\s*$", "", before).rstrip()
        if stripped.endswith(("》", "〉")):
            return None
        tail = stripped[-40:]
        known = next((tail[i:] for i in range(len(tail)) if tail[i:] in self._names), None)
        if known and not self._before_elsewhere(tail[: -len(known)]):
            return known
        unknown = _UNKNOWN_AT_END.search(before)
        if not unknown:
            return None
        name = unknown[0]
        lead = _LEAD.match(name)
        if lead and lead.end() < len(name) - 1 and not known:
            name = name[lead.end() :]
        return None if name in _NOT_NAMES else name

    @staticmethod
    def _before_elsewhere(before: str) -> bool:
        """香港公司法 is not 公司法."""
        return re.search(rf"(?:{ELSEWHERE.pattern})$", before) is not None

    def _this_law(self, text: str, position: int, last: str | None) -> tuple[str, int, int] | None:
        match = _THIS_LAW.search(text, position)
        return (last, match.start(), match.end()) if match and last else None


def plain_name(name: str) -> str:
    """A law's name without marks of version, spaces and title marks at its ends."""
    name = re.sub(r"\s", "", name)
    if name.startswith("《") and name.endswith("》") and name.count("《") == 1:
        name = name[1:-1]
    return re.sub(r"[(（](?:\d{4}年?)?(?:修订|修正|修改|最新|现行)?版?[)）]$", "", name)


def _words_before(text: str, end: int) -> str:
    """最高人民法院关于适用, when it stands right before a title mark."""
    match = re.search(
        r"(?:最高人民法院|最高人民检察院|最高法|最高检|两高|国务院|司法部)?[、和]?(?:最高人民检察院)?"
        r"(?:关于)?(?:适用|审理|执行|实施)?$",
        text[:end],
    )
    return match[0] if match else ""


def _places(text: str, position: int) -> Iterator[tuple[int, int, Place]]:
    """Article numbers that follow a law's name: one, a list, or a range."""
    previous: int | None = None
    while head := _HEAD.match(text, position):
        number = parse_number(head["number"])
        yield position, head.end(), (number, None, None, None)
        previous = number if head["range"] else None
        position = head.end()
    match = _PLACE.match(text, position) or _SHORT_PLACE.match(text, position)
    while match:
        number = parse_number(match["number"])
        if previous is not None and number and previous < number <= previous + _MAX_RANGE:
            for between in range(previous + 1, number):
                yield match.start(), match.end(), (between, None, None, None)
        yield match.start(), match.end(), (number, *_details(match))
        link = _LINK.match(text, match.end())
        if not link:
            return
        previous = number if link["range"] else None
        match = _PLACE.match(text, link.end())


def _details(match: re.Match[str]) -> tuple[int | None, int | None, int | None]:
    """之几, 款 and 项 of a place, where it has them."""
    groups = match.groupdict()
    inserted, paragraph, item = (groups.get(g) for g in ("inserted", "paragraph", "item"))
    return (
        parse_number(inserted) if inserted else None,
        parse_number(paragraph) if paragraph else None,
        parse_number(item) if item else None,
    )
