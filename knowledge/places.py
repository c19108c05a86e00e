"""Places in a law as people write them: one article, 款 and 项 of it, lists and ranges."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from knowledge.statutes import WRITTEN_NUMBER as N
from knowledge.statutes import parse_number


@dataclass(frozen=True, slots=True)
class Place:
    """An article, or a part of one, and where it stands. A malformed number is None."""

    start: int
    end: int
    number: int | None
    inserted: int | None = None
    paragraph: int | None = None  # 款
    item: int | None = None  # 项
    bad_part: bool = False  # a 之几, 款 or 项 stands there whose number cannot be read

    @property
    def key(self) -> tuple[int | None, int | None]:
        return self.number, self.inserted


_TO = r"(?:直?至|到|[-‐–—―~～]+)"
_AND = r"(?:[、/和及与或]|以及|或者)"
_ARTICLE = re.compile(rf"第*(?P<n>{N})(?:之(?P<in1>{N}))?条(?:之(?P<in2>{N}))?")
_SECTION = re.compile(rf"§+(?P<n>{N})")
# 第三十八、四十六条: 条 only at the end.
_ONE_END = re.compile(rf"第?{N}(?:之{N})?(?:(?:{_AND}|{_TO}|[,，])第?{N}(?:之{N})?){{1,40}}条")
_ONE = re.compile(rf"(?P<sep>{_AND}|{_TO}|[,，])?第?(?P<n>{N})(?:之(?P<in>{N}))?")
_MORE_INSERTED = re.compile(rf"(?P<sep>{_AND}|{_TO})之(?P<n>{N})")
_LINK = re.compile(rf"(?:之?的?规定|的?内容)?(?P<sep>{_AND}|{_TO})?并?(?=第?{N})")
# 第一款、第四款; 第（二）项、第（九）项; 1款2项.
_PART = re.compile(
    rf"{_AND}?(?:的|之|中的?|里的?)?(?:规定的)?"
    rf"(?P<list>第?[（(]?{N}[)）]?(?:(?:{_AND}|{_TO}|[,，])?第?[（(]?{N}[)）]?){{0,20}})(?P<unit>[款项])"
)
_PART_NUMBER = re.compile(rf"(?P<sep>{_AND}|{_TO}|[,，])?第?[（(]?(?P<n>{N})[)）]?")
# Chinese numerals without 第 count things (七项情形) unless the words end there.
_COUNTS = re.compile(rf"{_AND}?[一二三四五六七八九十]+[款项](?![规之的，。、；）)]|第|$)")
# 刑法264: no 条, so only where what follows shows that nothing is being counted.
_SHORT = re.compile(r"第*(?P<n>[0-9]{1,4}+)(?:之(?P<in>[0-9一二三四五六七八九十]++))?")
_SHORT_LINK = re.compile(rf"(?P<sep>{_AND}|{_TO}| )(?=第?[0-9])")
_YEAR = re.compile(r"(?:19|20)\d\d$")
_ENDS = re.compile(
    r"$|[，。；！？、,;!?（）()《》“”\"'\]|/]|[.:：](?!\d)"
    r"|怎么|如何|是|说|讲|写|规定|呢|吗|吧|啊|里|中的|的|什么|啥|有没有|有效|还|和|与|及|或|以及|对|第?[0-9]+款"
)
_THINGS = re.compile(
    r"[街路弄狗鱼裤河线船腿轨烟]|理由|消息|评论|短信|微信|建议|意见|出路|是[^《第]"
)
# 20条重大变化: without 第, such words show a count.
_COUNTED = re.compile(
    r"大?重大|变化|新规|亮点|要点|修改|建议|措施|理由|意见|消息|原则|禁令|[街路弄狗鱼]"
)
_UNITS = re.compile(
    r"小时|周岁|公里|平方|[岁天日年月周元块万亿分编章节版问起个人次倍种名大件项号级页部折度米点楼栋室户口家位条学%％]"
)
_MAX_RANGE = 30

FREE = re.compile(
    rf"(?:(?<!第)第{{1,3}}+{N}(?:之{N})?条|第{N}(?:(?:{_AND}|{_TO}|[,，])第?{N}){{1,40}}条|§+{N})"
)


def read(
    text: str, position: int, *, short: bool = False, breaks: Collection[int] = ()
) -> list[Place]:
    """The places that stand at `position`: one, a list or a range; none is an empty list. `short`
    allows an Arabic number without 条; `breaks` are positions where white space stood."""
    places: list[Place] = []
    ranged = False
    while found := _item(text, position):
        for n, place in enumerate(found):
            if ranged and not n and places:
                places += _between(places[-1], place)
            places.append(place)
        position = found[-1].end
        link = _LINK.match(text, position)
        if not link or (not link["sep"] and not re.match("第+", text[link.end() :])):
            break
        ranged = bool(link["sep"] and re.fullmatch(_TO, link["sep"]))
        position = link.end()
    return places or (_short(text, position, breaks) if short else [])


def counts_things(text: str, end: int) -> bool:
    """Whether 第一条 is followed by what it counts, 第一条路, or begins what someone has to say."""
    return _THINGS.match(text, end) is not None


def _item(text: str, position: int) -> list[Place]:
    """One article with its parts, or numbers that share one 条."""
    one_end = _ONE_END.match(text, position)
    if one_end:
        return _sharing(text, one_end)
    match = _ARTICLE.match(text, position) or _SECTION.match(text, position)
    if not match or (match[0][0] not in "第§" and _COUNTED.match(text, match.end())):
        return []
    groups = match.groupdict()
    written = groups.get("in1") or groups.get("in2")
    inserted = parse_number(written) if written else None
    place = Place(
        position,
        match.end(),
        parse_number(match["n"]),
        inserted,
        bad_part=bool(written) and inserted is None,
    )
    return _parts(text, _with_inserted(text, place))


def _sharing(text: str, match: re.Match[str]) -> list[Place]:
    places: list[Place] = []
    for one in _ONE.finditer(text, match.start(), match.end() - 1):
        inserted = parse_number(one["in"]) if one["in"] else None
        place = Place(one.start("n"), one.end(), parse_number(one["n"]), inserted)
        if places and one["sep"] and re.fullmatch(_TO, one["sep"]):
            places += _between(places[-1], place)
        places.append(place)
    places[0] = replace(places[0], start=match.start())
    places[-1] = replace(places[-1], end=match.end())
    return places[:-1] + _parts(text, [places[-1]])


def _with_inserted(text: str, place: Place) -> list[Place]:
    """第一百二十条之一、之九; 之一至之三."""
    places = [place]
    while place.inserted and (more := _MORE_INSERTED.match(text, places[-1].end)):
        number = parse_number(more["n"])
        bad = number is None
        following = replace(
            place, start=more.start("n") - 1, end=more.end(), inserted=number, bad_part=bad
        )
        if re.fullmatch(_TO, more["sep"]):
            places += _between(places[-1], following)
        places.append(following)
    return places


def _parts(text: str, places: list[Place]) -> list[Place]:
    """The last place with its 款 and 项, one place for each; those before it as they are."""
    article, parts, paragraph = places[-1], [], None
    end = article.end
    while not _COUNTS.match(text, end) and (match := _PART.match(text, end)):
        numbers = list(_part_numbers(match["list"]))
        for number in numbers:
            if match["unit"] == "款":
                paragraph = number
                part = replace(article, end=match.end(), paragraph=number)
            else:
                part = replace(article, end=match.end(), paragraph=paragraph, item=number)
            parts.append(replace(part, bad_part=number is None))
        if match["unit"] == "项" and parts and len(parts) > len(numbers):
            before = parts[-len(numbers) - 1]
            if before.item is None and before.paragraph == paragraph:
                parts.remove(before)  # 第一款第（二）项 is one place
        end = match.end()
    for n in range(1, len(parts)):
        parts[n] = replace(parts[n], start=parts[n - 1].end if n else article.start)
    return places[:-1] + (parts or [article])


def _part_numbers(written: str) -> Iterator[int | None]:
    previous: int | None = None
    for match in _PART_NUMBER.finditer(written):
        number = parse_number(match["n"])
        ranged = match["sep"] and re.fullmatch(_TO, match["sep"])
        if ranged and previous and number and previous < number <= previous + _MAX_RANGE:
            yield from range(previous + 1, number)
        yield number
        previous = number


def _between(first: Place, last: Place) -> list[Place]:
    """The articles between the ends of a range; of one beyond measure only the ends are given."""
    a, b = first.number, last.number
    if a is None or b is None:
        return []
    bare = replace(last, paragraph=None, item=None, bad_part=False)
    if a == b:
        start = (first.inserted or 0) + 1
        inner = range(start, min(last.inserted or 0, start + _MAX_RANGE))
        return [replace(bare, inserted=n) for n in inner]
    if not a < b <= a + _MAX_RANGE:
        return []
    found = [replace(bare, number=n, inserted=None) for n in range(a + 1, b)]
    if last.inserted:
        found.append(replace(bare, inserted=None))
        found += [replace(bare, inserted=n) for n in range(1, min(last.inserted, _MAX_RANGE))]
    return found


def _short(text: str, position: int, breaks: Collection[int]) -> list[Place]:
    """刑法232、234; 民法典1062-1065."""
    places: list[Place] = []
    ranged = False
    while match := _SHORT.match(text, position):
        link = _SHORT_LINK.match(text, match.end())
        ends = match.end() in breaks and not _UNITS.match(text, match.end())
        if _YEAR.match(match["n"]) or not (ends or link or _ENDS.match(text, match.end())):
            break
        inserted = parse_number(match["in"]) if match["in"] else None
        place = Place(position, match.end(), int(match["n"]), inserted)
        if ranged:
            places += _between(places[-1], place)
        places += _parts(text, [place])
        link = _SHORT_LINK.match(text, places[-1].end)
        if not link:
            break
        ranged = re.fullmatch(_TO, link["sep"]) is not None
        position = link.end()
    return places
