"""Citations of law: found in a text in every form people write, and verified."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from knowledge.library import Library, Repealed, Source
from knowledge.models import DateBasis, Kind, Revision
from knowledge.statutes import (
    NUMBER,
    NUMERAL,
    article_key,
    article_label,
    chinese_date,
    count_paragraphs,
    format_number,
    has_item,
    label_of_key,
    parse_number,
    short_title,
)


class Verdict(StrEnum):
    """What can be said of a citation."""

    VERIFIED = "verified"
    NO_SUCH_ARTICLE = "no_such_article"
    NO_SUCH_LAW = "no_such_law"
    NOT_IN_FORCE = "not_in_force"
    NOT_HELD = "not_held"  # may be law, but its text is not here: it cannot be checked


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


@dataclass(frozen=True, slots=True)
class Checked:
    """A mention with its verdict; `source` is the article as it is law on the day asked for.

    `replaced_by` are the articles that took the place of one no longer in force; `note` says in
    Chinese what a person should know.
    """

    mention: Mention
    verdict: Verdict
    law: str
    source: Source | None = None
    replaced_by: tuple[Source, ...] = ()
    note: str = ""


_INSTRUMENT = (
    r"(?:法典|法|条例|规定|办法|解释|细则|意见|批复|决定|规则|通知|纪要|准则|守则|章程|修正案)"
)
_VERSION = r"(?:[(（][^()（）]{0,16}[)）])?"
_PLACE_IN_LAW = re.compile(
    rf"\s*第?\s*(?P<number>{NUMBER})\s*条(?:之(?P<inserted>{NUMBER}))?"
    rf"(?:\s*第?(?P<paragraph>{NUMBER})款)?"
    rf"(?:\s*第?[（(]?(?P<item>{NUMBER})[)）]?项)?"
)
_PLACE_START = re.compile(rf"(?:第|(?<![{NUMERAL}0-9第]))\s*{NUMBER}\s*条")
_LINK = re.compile(
    rf"\s*(?:[、,，和及与]|以及|或者?|(?P<range>至|到|[-—~～]))\s*(?=第?\s*{NUMBER}\s*条)"
)
_RANGE_HEAD = re.compile(
    rf"\s*第?\s*(?P<number>{NUMBER})\s*(?:条)?\s*(?:至|到|[-—~～])(?=\s*第?\s*{NUMBER}\s*条)"
)
_AFTER_TITLE = re.compile(
    rf"[^,，。;；:：!！?？《》\s第]{{0,24}}?{_INSTRUMENT}{_VERSION}(?=\s*第?\s*{NUMBER}\s*条)"
)
_UNKNOWN_AT_END = re.compile(
    rf"[\u4e00-\u9fff《》〈〉（）()]{{1,40}}{_INSTRUMENT}(?:[（(][{NUMERAL}]+[)）]|[{NUMERAL}])?$"
)
_LEAD = re.compile(
    r"^.*(?:根据|依据|依照|按照|按|违反|适用|参照|援引|引用|符合|规定在|请问|想问|问下|告诉我|看看|查一下|查询|查"
    r"|关于|对于|以及|并且|还有|或者|但是|因为|所以|如果|我国|现行|最新|修订后|修正后|触犯|构成|属于|就是|不是|是|的|了|和|与|及|在|从|由|把|被|新|旧|原)"
)
_ELSEWHERE = re.compile(
    r"香港|澳门|台湾|美国|英国|日本|韩国|德国|法国|新加坡|加拿大|澳大利亚|俄罗斯|印度|欧盟|国际"
    r"|[\u4e00-\u9fff]{2}[省市区县]"
)
_THIS_LAW = re.compile(r"(?:本法典?|该法|前述法律)(?=\s*第)")
_NOT_NAMES = frozenset(
    [
        "本法",
        "该法",
        "本条例",
        "办法",
        "规定",
        "条例",
        "解释",
        "方法",
        "无法",
        "看法",
        "说法",
        "做法",
        "违法",
        "合法",
        "非法",
        "依法",
        "司法",
        "立法",
        "执法",
        "守法",
        "法",
        "本办法",
        "本规定",
        "通知",
        "决定",
        "意见",
        "规则",
    ]
)
_MAX_RANGE = 30


class LawBook:
    """Names of laws, held and repealed, over a Library; finds citations and verifies them."""

    def __init__(self, library: Library, abbreviations: dict[str, str]) -> None:
        """`abbreviations` maps what people write (民诉法) to a short title (民事诉讼法)."""
        self.library = library
        self._held: dict[str, str] = {}
        self._repealed: dict[str, Repealed] = {}
        for gone in library.repealed:
            for name in (gone.law, short_title(gone.law), *gone.aliases):
                self._repealed[name] = gone
        for document in library.documents.values():
            if document.kind is Kind.STATUTE:
                for name in (document.title, short_title(document.title), *document.aliases):
                    self._held[name] = document.id
        for alias, title in abbreviations.items():
            if title in self._held:
                self._held.setdefault(alias, self._held[title])
            elif title in self._repealed:
                self._repealed.setdefault(alias, self._repealed[title])

    @cached_property
    def _bare_known(self) -> re.Pattern[str]:
        names = sorted({*self._held, *self._repealed}, key=lambda n: (-len(n), n))
        return re.compile("|".join(map(re.escape, names)))

    def resolve(self, name: str) -> str | None:
        """The id of the held law of exactly that name, alias or full title, or None."""
        return self._held.get(_plain(name))

    def find(self, text: str) -> list[Mention]:
        """Every citation of an article in `text`, in order. Lists and ranges give one each."""
        mentions: list[Mention] = []
        last_name: str | None = None
        position = 0
        while found := self._next_law(text, position, last_name):
            name, start, end = found
            last_name = name
            places = list(_places(text, end))
            for place_start, place_end, place in places:
                head = start if place is places[0][2] else place_start
                mentions.append(
                    Mention(text[head:place_end].strip(" 、,，至到-—~～"), head, name, *place)
                )
            position = places[-1][1] if places else end
        return mentions

    def named(self, text: str) -> list[str]:
        """Names of laws in `text`, in 《》 or bare, longest first at each place, each once."""
        quoted = [_plain(m) for m in re.findall(r"《([^《》]{2,60})》", text)]
        return list(dict.fromkeys([*quoted, *self._bare_known.findall(text)]))

    def _next_law(self, text: str, position: int, last: str | None) -> tuple[str, int, int] | None:
        """The next name of a law that an article number follows: (name, start, end)."""
        best: tuple[str, int, int] | None = None
        for candidate in (
            self._quoted(text, position),
            self._bare(text, position),
            self._this_law(text, position, last),
        ):
            if candidate and (best is None or (candidate[1], -candidate[2]) < (best[1], -best[2])):
                best = candidate
        return best

    def _quoted(self, text: str, position: int) -> tuple[str, int, int] | None:
        for match in re.finditer(r"《((?:[^《》]|《[^《》]*》){2,80})》" + _VERSION, text):
            if match.start() < position:
                continue
            after = _AFTER_TITLE.match(text, match.end())
            if after and not _PLACE_IN_LAW.match(text, match.end()):
                # 《民法典》婚姻家庭编的解释（一）第三条: another instrument, named after this one.
                lead = _words_before(text, match.start())
                start = match.start() - len(lead)
                return text[start : after.end()], start, after.end()
            if _PLACE_IN_LAW.match(text, match.end()):
                return match[1], match.start(), match.end()
        return None

    def _bare(self, text: str, position: int) -> tuple[str, int, int] | None:
        for match in _PLACE_START.finditer(text):
            if match.start() < position:
                continue
            before = text[position : match.start()]
            named = self._name_at_end(before)
            if named:
                start = position + before.rindex(named)
                return named, start, match.start()
        return None

    def _name_at_end(self, before: str) -> str | None:
        """The bare name of a law that ends where an article number starts."""
        stripped = re.sub(_VERSION + r"\s*$", "", before.rstrip()).rstrip()
        if stripped.endswith(("》", "〉")):
            return None
        tail = stripped[-40:]
        known = None
        for start in range(len(tail)):
            if tail[start:] in self._held or tail[start:] in self._repealed:
                known = tail[start:]
                break
        if known and not re.search(rf"(?:{_ELSEWHERE.pattern})$", tail[: -len(known)]):
            return known
        unknown = _UNKNOWN_AT_END.search(before.rstrip())
        if not unknown:
            return None
        name = unknown[0]
        lead = _LEAD.match(name)
        if lead and lead.end() < len(name) - 1 and not known:
            name = name[lead.end() :]
        return None if name in _NOT_NAMES else name

    def _this_law(self, text: str, position: int, last: str | None) -> tuple[str, int, int] | None:
        match = _THIS_LAW.search(text, position)
        return (last, match.start(), match.end()) if match and last else None

    def check(self, mention: Mention, on: date) -> Checked:
        """The verdict on one mention as the law stands on that day."""
        name = _plain(mention.name)
        document_id = self._held.get(name)
        if document_id is None:
            if name in self._repealed:
                return self._check_repealed(mention, self._repealed[name], on)
            return _unknown(mention, name)
        document = self.library.documents[document_id]
        revision = self.library.revision_in_force(document_id, on)
        if revision is None:
            return self._not_in_force(mention, document.title, document_id, on)
        source = self.library.article(revision.id, mention.label or "")
        if source is None:
            return self._absent(mention, document.title, revision)
        if mention.paragraph and mention.paragraph > count_paragraphs(source.passage.text):
            note = f"{source.name}没有第{mention.paragraph}款。"
            return Checked(mention, Verdict.NO_SUCH_ARTICLE, document.title, note=note)
        if mention.item and not has_item(source.passage.text, mention.item):
            note = f"{source.name}没有第（{format_number(mention.item)}）项。"
            return Checked(mention, Verdict.NO_SUCH_ARTICLE, document.title, note=note)
        return Checked(mention, Verdict.VERIFIED, document.title, source)

    def check_text(self, text: str, on: date) -> list[Checked]:
        """Every citation in a text with its verdict."""
        return [self.check(m, on) for m in self.find(text)]

    def fate(self, name: str, on: date) -> str | None:
        """What became of a law that is not in force on that day; None if it is, or is unknown."""
        document_id = self._held.get(_plain(name))
        if document_id and self.library.revision_in_force(document_id, on):
            return None
        whole = Mention(name, 0, name)
        if document_id is None and _plain(name) not in self._repealed:
            return None
        return self.check(whole, on).note

    def cite(self, citation: str, on: date) -> Source:
        """The one article named by `citation` (劳动合同法第八十二条). Raises LookupError with the
        reason in Chinese when it cannot be verified."""
        found = self.check_text(citation, on)
        if len(found) != 1 or found[0].source is None or found[0].verdict is not Verdict.VERIFIED:
            reason = found[0].note or found[0].verdict if found else "没有找到条文"
            raise LookupError(f"{citation}：{reason}")
        return found[0].source

    def _absent(self, mention: Mention, title: str, revision: Revision) -> Checked:
        if mention.label in revision.body.get("missing", ()):
            note = f"《{title}》{mention.label}的文本在数据来源中缺失，无法核验，请以官方文本为准。"
            return Checked(mention, Verdict.NOT_HELD, title, note=note)
        last = len([p for p in self.library.texts(revision.id) if article_key(p.label)])
        note = f"现行《{title}》没有{mention.label or '这一条'}"
        return Checked(
            mention,
            Verdict.NO_SUCH_ARTICLE,
            title,
            note=f"{note}（共{last}条）。" if last else f"{note}。",
        )

    def _not_in_force(self, mention: Mention, title: str, document_id: str, on: date) -> Checked:
        gone = self._repealed.get(title)
        if gone:
            return self._check_repealed(mention, gone, on)
        versions = self.library.versions(document_id)
        later = [r for r in versions if r.effective_from and r.effective_from > on]
        if later:
            start = chinese_date(later[0].effective_from)
            note = f"《{title}》自{start}起施行，在此之前还不是现行法律。"
        elif any(r.date_basis is DateBasis.UNKNOWN for r in versions):
            note = f"《{title}》目前的效力未能核实，不能作为现行法律引用，请以官方文本为准。"
        else:
            note = f"《{title}》在{chinese_date(on)}不是现行法律。"
        return Checked(mention, Verdict.NOT_IN_FORCE, title, note=note)

    def _check_repealed(self, mention: Mention, gone: Repealed, on: date) -> Checked:
        document_id = self._held.get(gone.law)
        if document_id and gone.repealed_on and on < gone.repealed_on:
            revision = self.library.revision_in_force(document_id, on)
            source = revision and self.library.article(revision.id, mention.label or "")
            if source:
                return Checked(mention, Verdict.VERIFIED, gone.law, source)
        key = article_key(mention.label or "") or ""
        successors: list[Source] = []
        successor_id = self._held.get(gone.replaced_by or "")
        revision = self.library.revision_in_force(successor_id, on) if successor_id else None
        if revision:
            for new in gone.articles.get(key, ()):
                source = self.library.article(revision.id, label_of_key(new))
                if source:
                    successors.append(source)
        since = f"自{chinese_date(gone.repealed_on)}起" if gone.repealed_on else ""
        by = f"，由《{gone.replaced_by}》取代" if gone.replaced_by else ""
        note = f"《{gone.law}》{since}已不再适用{by}。{gone.note}"
        return Checked(
            mention, Verdict.NOT_IN_FORCE, gone.law, replaced_by=tuple(successors), note=note
        )


def _unknown(mention: Mention, name: str) -> Checked:
    """A law we do not hold. All statutes of the National People's Congress are held, so a bare
    《…法》 that is not among them does not exist; lower instruments simply cannot be checked."""
    if re.search(r"(?:法|法典)$", name) and not _ELSEWHERE.match(name) and "最高人民" not in name:
        return Checked(mention, Verdict.NO_SUCH_LAW, name, note=f"没有找到名为《{name}》的法律。")
    note = f"本库没有收录“{name}”的条文，无法核验，请以官方文本为准。"
    return Checked(mention, Verdict.NOT_HELD, name, note=note)


def _plain(name: str) -> str:
    """A law's name without marks of version, spaces and nested title marks at its ends."""
    name = re.sub(r"\s", "", name)
    if name.startswith("《") and name.endswith("》") and name.count("《") == 1:
        name = name[1:-1]
    return re.sub(r"[(（](?:\d{4}年?)?(?:修订|修正|修改|最新|现行)?版?[)）]$", "", name)


def _words_before(text: str, end: int) -> str:
    """最高人民法院关于适用, when it stands right before a title mark."""
    match = re.search(
        r"(?:最高人民法院|最高人民检察院|最高法|最高检|两高|国务院|司法部)?[、和]?(?:最高人民检察院)?(?:关于)?(?:适用|审理|执行|实施)?$",
        text[:end],
    )
    return match[0] if match else ""


Place = tuple[int | None, int | None, int | None, int | None]


def _places(text: str, position: int) -> Iterator[tuple[int, int, Place]]:
    """Article numbers that follow a law's name: one, a list, or a range."""
    head = _RANGE_HEAD.match(text, position)
    previous: int | None = None
    if head:
        previous = parse_number(head["number"])
        yield position, head.end(), (previous, None, None, None)
        position = head.end()
    while match := _PLACE_IN_LAW.match(text, position):
        number = parse_number(match["number"])
        if previous is not None and number and previous < number <= previous + _MAX_RANGE:
            for between in range(previous + 1, number):
                yield match.start(), match.end(), (between, None, None, None)
        inserted, paragraph, item = (
            parse_number(match[g]) if match[g] else None for g in ("inserted", "paragraph", "item")
        )
        yield match.start(), match.end(), (number, inserted, paragraph, item)
        link = _LINK.match(text, match.end())
        if not link:
            return
        previous = number if link["range"] else None
        position = link.end()


def to_json(checked: Iterable[Checked]) -> list[dict[str, object]]:
    """`consult cite`: {text, law, article, verdict, note, replaced_by} a citation."""
    return [
        {
            "text": c.mention.text,
            "law": c.law,
            "article": c.mention.label,
            "verdict": c.verdict.value,
            "note": c.note,
            "replaced_by": [s.name for s in c.replaced_by],
        }
        for c in checked
    ]
