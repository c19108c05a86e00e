"""Citations of law found in a text, in every form people write; whether they hold is another matter
(`knowledge.citations`).

Three steps: the names of laws (`knowledge.names`), the places in a law (`knowledge.places`), and
here which place belongs to which name: the one right before it, named last, or behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from knowledge import places
from knowledge.boundaries import LAWLIKE, PRIVATE
from knowledge.names import BRIDGE, SPOKEN_OF, Name, NameFinder
from knowledge.places import Place
from knowledge.plain import Plain
from knowledge.statutes import article_label
from knowledge.versions import split_version, version_in


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
    version: str = ""  # 2018, 旧 or 草案; empty for the law as it stands
    malformed: bool = False  # a number of it cannot be read: no article can be meant

    @property
    def label(self) -> str | None:
        if self.number is None:
            return None
        if not 0 < self.number < 10_000:
            return f"第{self.number}条"
        return article_label(self.number, self.inserted)


# Between a name and its article: what stops unknown names, and what a bare number may follow.
_CLOSE = re.compile(r"[，,：:|（(]")
_COMMA = re.compile(r"[，,]")
_SLIGHT = re.compile(r"[》”」』】〉>\"的里中（(：:]")
_PARENTHESES = re.compile(r"[（(][^（）()]*[）)]")
_INSIDE_CODE = re.compile(r"[\u4e00-\u9fff]{2,6}编|总则|分则")
# 民法典婚姻家庭编解释一: what follows is another instrument's.
_OF_ANOTHER = re.compile(
    r"》?[\u4e00-\u9fff]{0,12}?(?:解释|实施条例|实施细则|实施办法|修正案|若干规定|释义|解读)"
)

# What makes 第五条 belong to the law named last although other words have come between.
_CITES = re.compile(
    r"(?:根据|依据|依照|按照|参照|适用|违反|参?见|详见|[依按据看和与及或即]|以及|另外|此外|同时)$"
)
_CLAUSE = re.compile(r"[。；;！!？?\n]|[，,：:、（(|\"“”]")
_SENTENCE = re.compile(r"[。；;！!？?]")
_DOCUMENT = re.compile(
    r"合同(?!法|编)|协议|章程|手册|规约|公约|判决|裁定|裁决书|决定书|通知|保单|条款|制度|约定"
    r"|办法|意见|方案|守则|须知"
)
# 解除合同, 未签合同的: what is done about a contract, not the contract itself.
_ACTED_UPON = re.compile(
    r"(?:解除|终止|变更|履行|续[订签]|订立|撤销|签订?|无效)[\u4e00-\u9fff]{0,4}?(?:合同|协议)"
    r"|(?:合同|协议)(?=的[，,])"
)
# What 第五条 belongs to when it stands right before: 租房合同第五条, 你上面说的第三条.
_OWNER = re.compile(
    r"(?:解释(?:[（(].{1,3}[)）]|[一二三四五]+)?|条例|细则|合同|协议书?|章程|手册|规[约则范]|公约"
    r"|[书单函表令]|方法|办法|政策|要求|标准|意见|建议|理由|问题|想法|制度|价值观|条款|解读|教材|讲义"
    r"|方案|计划|指南|须知|守则|通知|群|事|的|[说写讲楼线号他她我你这那有])$"
)
_LAW_SAYS = re.compile(r"规定|明确|处罚|要求|也?有规定")
_CONTRACT_SAYS = re.compile(r"约定|写明|载明|写[着了]|说")
_BEHIND = re.compile(r"(?:的|是)?[（(]?")
_AFTER_REVERSED = re.compile(r"$|[，。；：！？、,;!?）)\]】”\"\n]|的?[吗呢吧啊嘛]|规定|怎么|如何")
_FEW = ("第一条", "第二条", "第三条")

Bound = tuple[Name, str, list[tuple[Place, int]]]  # a law, its version, places and their starts


class MentionFinder:
    """Finds citations in texts, given the names of laws that are known, in force or not, with the
    titles they stand for."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._names = NameFinder(known)

    def find(self, text: str) -> list[Mention]:
        """Every citation of an article in `text`, in order. Lists and ranges give one each."""
        plain = Plain(text)
        names = self._names.find(plain)
        return [
            _mention(plain, name, place, version, head)
            for name, version, found in _Binding(plain, names)
            for place, head in found
        ]

    def laws(self, text: str) -> list[str]:
        """Names of laws in `text`, in 《》, in full or bare, each once; unknown ones too where they
        are clearly meant as names."""
        plain = Plain(text)
        found = []
        for name in self._names.find(plain):
            law = name.law.endswith(("法", "法典")) and not name.anaphor
            clear = name.titled or "共和国" in name.law or SPOKEN_OF.match(plain.text, name.end)
            if name.known or (law and clear):
                found.append(name)
        found.sort(key=lambda n: (not n.titled, not n.known))
        written = (plain.text[n.start : n.end].strip("《》") if n.titled else n.law for n in found)
        return list(dict.fromkeys(written))


class _Binding:
    """Walks over names and places in order and says which belong together."""

    def __init__(self, plain: Plain, names: list[Name]) -> None:
        self._plain, self._text = plain, plain.text
        self._names = names
        self._named: list[Name] = []  # every law named so far
        self._last: Name | None = None  # the one that later articles may belong to
        self._last_end = 0  # where it, or its last article, ends

    def __iter__(self) -> Iterator[Bound]:
        position = 0
        for name in self._names:
            yield from self._free(position, name.start, name)
            position = max(position, name.end)
            law = self._resolve(name)
            found = self._right_after(name) if law else []
            if law and found:
                between = self._text[name.end : found[0].start]
                version = name.version or law.version or version_in(between)
                yield law, version, [(p, p.start if n else name.start) for n, p in enumerate(found)]
                position = found[-1].end
            self._remember(name, law, found)
        yield from self._free(position, len(self._text), None)

    def _resolve(self, name: Name) -> Name | None:
        """The law that is meant: for 该条例 the last one named that is a 条例."""
        if not name.anaphor:
            return None if name.private else name
        kind = "法" if name.anaphor == "法律" else name.anaphor
        endings = ("法", "法典") if kind == "法" else (kind,)
        for law in reversed(self._named):
            if _PARENTHESES.sub("", law.law).endswith(endings):
                return law
        return None

    def _remember(self, name: Name, law: Name | None, found: list[Place]) -> None:
        """What later articles may belong to: a law that is cited, or at least clearly named."""
        if name.private or (not found and _OF_ANOTHER.match(self._text, name.end)):
            self._last = None
        elif law and (found or name.titled or (name.known and _is_instrument(name))):
            self._last, self._last_end = law, found[-1].end if found else name.end
            if not name.anaphor:
                self._named.append(law)

    # — right after the name

    def _right_after(self, name: Name) -> list[Place]:
        """The places that follow a name with nothing between that says otherwise."""
        bridge = BRIDGE.match(self._text, name.end)
        for end in dict.fromkeys((bridge.end() if bridge else name.end, name.end)):
            found = self._at(name, end)
            if found:
                return found
        return []

    def _at(self, name: Name, position: int) -> list[Place]:
        """The places at `position`, if the words between allow that they are of this law."""
        text, between = self._text, self._text[name.end : position]
        bare = _PARENTHESES.sub("", between)
        unknown = not (name.known or name.titled)
        if (unknown and _CLOSE.search(bare)) or (not name.known and _INSIDE_CODE.search(bare)):
            return []
        direct = name.known and not _SLIGHT.sub("", bare) and _is_instrument(name)
        found = places.read(text, position, short=direct, breaks=self._plain.breaks)
        if not found:
            return []
        if text[position] not in "第§" and (_COMMA.search(between) or not _is_instrument(name)):
            return []  # 民法典，3条; 行政处罚2条: what is counted
        few = text[found[0].start : found[0].end] in _FEW
        if few and _CLOSE.search(bare) and places.counts_things(text, found[0].end):
            return []
        return found

    # — anywhere else

    def _free(self, start: int, end: int, behind: Name | None) -> Iterator[Bound]:
        """Places between two names: of the law behind them, of the one before, or of none."""
        position = start
        while match := places.FREE.search(self._text, position, end):
            found = places.read(self._text, match.start())
            stop = found[-1].end if found else match.end()
            law = found and (self._behind(found, behind) or self._carried(found))
            if law:
                yield law, law.version if law is behind else "", [(p, p.start) for p in found]
                if law is not behind:
                    self._last_end = stop
            position = max(stop, match.end())

    def _behind(self, found: list[Place], name: Name | None) -> Name | None:
        """第1042条民法典; 第八十二条（《劳动合同法》)."""
        if not name or name.anaphor or name.private or name.start < found[-1].end:
            return None
        between = self._text[found[-1].end : name.start]
        if not _BEHIND.fullmatch(between) or _OWNER.search(self._before(found[0].start)):
            return None
        if between.endswith(("（", "(")):
            closed = self._text[name.end : name.end + 1] in ("）", ")")
            return name if name.titled or closed else None
        if not name.known or self._right_after(name):
            return None
        return name if _AFTER_REVERSED.match(self._text, name.end) else None

    def _carried(self, found: list[Place]) -> Name | None:
        """The law named last, if the words between let it go on."""
        law, start, end = self._last, found[0].start, found[-1].end
        if law is None or self._last_end > start:
            return None
        before = self._before(start)
        cites = _CITES.search(before) is not None
        if _OWNER.search(before) or PRIVATE.search(before):
            return None
        if places.counts_things(self._text, end) or (self._text[start:end] in _FEW and not cites):
            return None
        between = self._text[self._last_end : start]
        if len(_CLAUSE.split(between)) > 1 and before and not cites:
            return None
        sentence = _SENTENCE.split(self._text[max(0, start - 200) : start])[-1]
        if _CONTRACT_SAYS.match(self._text, end) and _names_document(sentence):
            return None
        if cites or _LAW_SAYS.match(self._text, end) or not _names_document(between):
            return law
        return None

    def _before(self, start: int) -> str:
        """The words right before a place, up to a mark, a break or the law's last article."""
        gap = max(self._plain.breaks_between(max(0, start - 20), start), default=0)
        window = self._text[max(self._last_end, gap, start - 20) : start]
        return _CLAUSE.split(window)[-1]


def plain_name(name: str) -> str:
    """A law's name without marks of version, spaces and title marks at its ends."""
    name = re.sub(r"\s", "", name)
    if name.startswith("《") and name.endswith("》") and name.count("《") == 1:
        name = name[1:-1]
    return split_version(name)[0]


def _is_instrument(name: Name) -> bool:
    """Whether the name can be nothing else: 行政处罚 is an ordinary word too, 民诉 is not."""
    plainly = name.titled or not name.known or len(name.law) == 2
    return plainly or LAWLIKE.search(name.law) is not None


def _names_document(words_between: str) -> bool:
    """Whether a contract or the like is spoken of, to which an article may belong."""
    return _DOCUMENT.search(_ACTED_UPON.sub("", words_between)) is not None


def _mention(plain: Plain, name: Name, place: Place, version: str, head: int) -> Mention:
    start, end = plain.span(head, place.end)
    return Mention(
        plain.original[start:end].strip(" 、,，至到-—~～和及与"),
        start,
        name.law,
        place.number,
        place.inserted,
        place.paragraph,
        place.item,
        version,
        place.number is None or place.bad_part,
    )
