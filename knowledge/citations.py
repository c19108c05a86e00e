"""Citations of law: found in a text in every form people write, and verified."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache

from knowledge.boundaries import ELSEWHERE, LOCAL
from knowledge.library import Library, Repealed, Source
from knowledge.mentions import Mention, MentionFinder, plain_name
from knowledge.models import DateBasis, Document, Kind, Revision
from knowledge.names import name_key
from knowledge.statutes import (
    NUMBER,
    article_key,
    chinese_date,
    count_paragraphs,
    has_item,
    label_of_key,
    parse_number,
    short_title,
)
from knowledge.versions import DRAFT


class Verdict(StrEnum):
    """What can be said of a citation."""

    VERIFIED = "verified"
    NO_SUCH_ARTICLE = "no_such_article"
    NO_SUCH_LAW = "no_such_law"
    NOT_IN_FORCE = "not_in_force"
    NOT_HELD = "not_held"  # may be law, but its text is not here: it cannot be checked


_LOCAL_LAW = re.compile(r"[\u4e00-\u9fff]{1,3}(?<![城都超])[省市]|[\u4e00-\u9fff]{2,8}自治[区州县]")
_CANONICAL = re.compile(rf"(?P<law>[^第]+)第(?P<number>{NUMBER})条(?:之(?P<inserted>{NUMBER}))?")


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
    repealed: bool = False
    note: str = ""
    detail: str = ""  # what else to know of a law that is gone


class LawBook:
    """Names of laws, held and repealed, over a Library; finds citations and verifies them."""

    def __init__(self, library: Library, abbreviations: dict[str, str]) -> None:
        """`abbreviations` maps what people write (民诉法) to a short title (民事诉讼法)."""
        self.library = library
        self._held: dict[str, str] = {}
        self._repealed: dict[str, Repealed] = {}
        for gone in library.repealed:
            for name in (gone.law, short_title(gone.law), *gone.aliases):
                self._repealed[name_key(name)] = gone
        for document in library.documents.values():
            if document.kind is Kind.STATUTE:
                short = short_title(document.title)
                first = [f"{short}（一）"] if short.endswith("修正案") else []
                for name in (document.title, short, *first, *document.aliases):
                    self._held[name_key(name)] = document.id
        for alias, title in abbreviations.items():
            if title in self._held:
                self._held.setdefault(alias, self._held[title])
            elif title in self._repealed:
                self._repealed.setdefault(alias, self._repealed[title])
        self._named_before = lru_cache(maxsize=None)(self._find_named_before)

    @cached_property
    def _finder(self) -> MentionFinder:
        gone = {name: gone.law for name, gone in self._repealed.items()}
        held = {name: self.library.documents[i].title for name, i in self._held.items()}
        return MentionFinder(gone | held)

    def resolve(self, name: str) -> str | None:
        """The id of the held law of exactly that name, alias or full title, or None."""
        return self._held.get(name_key(plain_name(name)))

    def named(self, text: str) -> list[str]:
        """Names of laws in a text, each once; see `MentionFinder.laws`."""
        return self._finder.laws(text)

    def check(self, mention: Mention, on: date) -> Checked:
        """The verdict on one mention as the law stands on that day."""
        named = mention.name in self._held or mention.name in self._repealed
        name = mention.name if named else plain_name(mention.name)
        key = name_key(name)
        document_id = self._held.get(key)
        if document_id is None:
            if key in self._repealed:
                return self._check_repealed(mention, self._repealed[key], on)
            return self._unknown(mention, name)
        document = self.library.documents[document_id]
        revision = self.library.revision_in_force(document_id, on)
        if revision is None:
            return self._not_in_force(mention, document, on)
        source = self.library.article(revision.id, mention.label or "")
        if mention.version and not self._is_version(mention, document, revision, source):
            return _other_version(mention, document.title)
        if source is None or mention.malformed:
            return self._absent(mention, document.title, revision)
        if mention.paragraph and mention.paragraph > count_paragraphs(source.passage.text):
            note = f"{source.name}没有第{mention.paragraph}款。"
            return Checked(mention, Verdict.NO_SUCH_ARTICLE, document.title, note=note)
        if mention.item and not has_item(source.passage.text, mention.item, mention.paragraph):
            paragraph = f"第{mention.paragraph}款" if mention.paragraph else ""
            note = f"{source.name}{paragraph}没有第（{mention.item}）项。"
            return Checked(mention, Verdict.NO_SUCH_ARTICLE, document.title, note=note)
        return Checked(mention, Verdict.VERIFIED, document.title, source)

    def _is_version(
        self, mention: Mention, document: Document, current: Revision, source: Source | None
    ) -> bool:
        """Whether the version that a mention names (2018) is law today: the current one, or an
        older one that is held and in which this article stood word for word as it does now."""
        for revision in self.library.versions(document.id):
            if mention.version not in _years(revision):
                continue
            old = self.library.article(revision.id, mention.label or "")
            if revision is current or (source and old and old.passage.text == source.passage.text):
                return True
        return False

    def check_text(self, text: str, on: date) -> list[Checked]:
        """Every citation in a text with its verdict."""
        return [self.check(m, on) for m in self._finder.find(text)]

    def fate(self, name: str, on: date) -> Checked | None:
        """What is to be said of a law by name: that it is not in force, or does not exist. None
        for one that is in force, and for what may exist but is not held."""
        checked = self.check(Mention(name, 0, name), on)
        gone = (Verdict.NOT_IN_FORCE, Verdict.NO_SUCH_LAW)
        return checked if checked.verdict in gone else None

    def cite(self, citation: str, on: date) -> Source:
        """The one article named by `citation` (劳动合同法第八十二条). Raises LookupError with the
        reason in Chinese when it cannot be verified."""
        canonical = _CANONICAL.fullmatch(citation)
        if canonical and canonical["law"] in self._held:
            # How content cites; no need to look for it in a text.
            number, inserted = parse_number(canonical["number"]), canonical["inserted"]
            place = (number, parse_number(inserted) if inserted else None)
            found = [self.check(Mention(citation, 0, canonical["law"], *place), on)]
        else:
            found = self.check_text(citation, on)
        if len(found) != 1 or found[0].source is None or found[0].verdict is not Verdict.VERIFIED:
            reason = found[0].note or found[0].verdict if found else "没有找到条文"
            raise LookupError(f"{citation}：{reason}")
        return found[0].source

    def _unknown(self, mention: Mention, name: str) -> Checked:
        """A law we do not hold. All statutes of the National People's Congress are held, so a bare
        《…法》 that is not among them does not exist; lower instruments cannot be checked."""
        statute = re.search(r"(?<!办)(?:法|法典)$|^(?:刑法|宪法)修正案", name)
        elsewhere = ELSEWHERE.match(name) or LOCAL.match(name) or _LOCAL_LAW.match(name)
        if statute and not elsewhere and "最高人民" not in name:
            note = f"没有找到名为《{name}》的法律。{self._perhaps(name)}"
            return Checked(mention, Verdict.NO_SUCH_LAW, name, note=note)
        note = f"本库没有收录“{name}”的条文，无法核验，请以官方文本为准。"
        return Checked(mention, Verdict.NOT_HELD, name, note=note)

    def _perhaps(self, name: str) -> str:
        """For 加班费劳动法, which may be 劳动法 with a word before it: never taken for that law,
        but the person may have meant it."""
        key = name_key(name)
        tails = (key[i:] for i in range(1, len(key) - 1))
        meant = next((self._held[t] for t in tails if t in self._held), None)
        title = self.library.documents[meant].title if meant else ""
        return f"如果您指的是《{title}》，请写它的全称再问。" if title else ""

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

    def _not_in_force(self, mention: Mention, document: Document, on: date) -> Checked:
        title = document.title
        gone = self._repealed.get(name_key(title))
        if gone:
            return self._check_repealed(mention, gone, on)
        versions = self.library.versions(document.id)
        later = [r for r in versions if r.effective_from and r.effective_from > on]
        if later and self._had_a_version_before(document, later[0]):
            note = f"本库没有收录《{title}》在{chinese_date(on)}施行的版本，无法核验。"
            return Checked(mention, Verdict.NOT_HELD, title, note=note)
        if later:
            start = chinese_date(later[0].effective_from)
            note = f"《{title}》自{start}起施行，在此之前还不是现行法律。"
        elif any(r.date_basis is DateBasis.UNKNOWN for r in versions):
            note = f"《{title}》目前的效力未能核实，不能作为现行法律引用，请以官方文本为准。"
        else:
            note = f"《{title}》在{chinese_date(on)}不是现行法律。"
        return Checked(mention, Verdict.NOT_IN_FORCE, title, note=note)

    def _had_a_version_before(self, document: Document, first: Revision) -> bool:
        """Whether there was a law of this name before the first version held: its dates say so, or
        a law published earlier names it."""
        if first.date_basis is DateBasis.PUBLICATION:
            return True
        return self._named_before(document.id, first.published_on or date.max)

    def _find_named_before(self, document_id: str, day: date) -> bool:
        title = self.library.documents[document_id].title
        earlier = {
            r.id
            for r in self.library.revisions.values()
            if r.published_on and r.published_on < day and r.document_id != document_id
        }
        return any(
            f"《{title}》" in p.text
            for p in self.library.passages.values()
            if p.revision_id in earlier
        )

    def _check_repealed(self, mention: Mention, gone: Repealed, on: date) -> Checked:
        document_id = self._held.get(name_key(gone.law))
        if document_id and gone.repealed_on and on < gone.repealed_on:
            revision = self.library.revision_in_force(document_id, on)
            source = revision and self.library.article(revision.id, mention.label or "")
            if source and not mention.malformed:
                return Checked(mention, Verdict.VERIFIED, gone.law, source)
        if gone.repealed_on and on < gone.repealed_on:
            note = f"《{gone.law}》在{chinese_date(on)}仍然有效，但本库没有收录它的条文，无法核验。"
            return Checked(mention, Verdict.NOT_HELD, gone.law, note=note)
        key = article_key(mention.label or "") or ""
        successors: list[Source] = []
        successor_id = self._held.get(name_key(gone.replaced_by or ""))
        revision = self.library.revision_in_force(successor_id, on) if successor_id else None
        if revision:
            for new in gone.articles.get(key, ()):
                source = self.library.article(revision.id, label_of_key(new))
                if source:
                    successors.append(source)
        since = f"自{chinese_date(gone.repealed_on)}起" if gone.repealed_on else ""
        by = f"，由《{gone.replaced_by}》取代" if gone.replaced_by else ""
        return Checked(
            mention,
            Verdict.NOT_IN_FORCE,
            gone.law,
            replaced_by=tuple(successors),
            repealed=True,
            note=f"《{gone.law}》{since}已不再适用{by}。",
            detail=gone.note,
        )


def _years(revision: Revision) -> set[str]:
    """The years by which people call a version: of its publication and of its commencement. Where
    only the first is known, the law may have commenced in the year after."""
    days = [d for d in (revision.published_on, revision.effective_from) if d]
    years = {str(day.year) for day in days}
    if revision.date_basis is DateBasis.PUBLICATION and revision.published_on:
        years.add(str(revision.published_on.year + 1))
    return years


def _other_version(mention: Mention, title: str) -> Checked:
    if mention.version == DRAFT:
        note = f"《{title}》的草案不是法律，请以现行条文为准。"
        return Checked(mention, Verdict.NOT_IN_FORCE, title, note=note)
    version = f"{mention.version}年的版本" if mention.version.isdigit() else "旧版本"
    note = f"《{title}》的{version}不是现行版本，请以现行条文为准。"
    return Checked(mention, Verdict.NOT_IN_FORCE, title, note=note)


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
