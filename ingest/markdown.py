"""Statutes from Markdown files: front matter for the dates, headings for the path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ingest.pipeline import Incoming, Report
from ingest.statutes import Article, Text, passages_of
from knowledge.models import Document, Kind, Revision, Status
from knowledge.statutes import NUMBER

_MD_HEADING = re.compile(r"^#{2,6}\s*(.+)$")
_MD_ARTICLE = re.compile(rf"^(?:\*\*)?(第{NUMBER}条(?:之{NUMBER})?)(?:\*\*)?[ \u3000]*(.*)$")
_RANK = {"编": 0, "分编": 1, "章": 2, "节": 3}


def read_markdown(path: Path, origin: str, report: Report) -> Incoming | None:
    """A statute in Markdown: front matter, `# title`, `## 第一章 …`, lines that start 第X条.

    Front matter may give title, published_on, effective_from, effective_until, issuer, level,
    region, document_number, aliases, source, checked_on. Undated texts become problems and stay
    out: without a date nobody can say whether they are law. The revision is a draft.
    """
    return read_text(path.read_text("utf-8"), path.name, origin, report)


def read_text(raw: str, name: str, origin: str, report: Report) -> Incoming | None:
    """The same from the text of a file of that name."""
    meta: dict[str, Any] = {}
    if raw.startswith("---\n"):
        _, front, raw = raw.split("---\n", 2)
        meta = yaml.safe_load(front) or {}
    title = str(meta.get("title") or _first_title(raw) or Path(name).stem)
    if not meta.get("published_on") or not meta.get("effective_from"):
        report.problems.append(f"{name}：没有公布日期或施行日期，未导入")
        return None
    text = Text(
        title=title,
        doc_type=str(meta.get("level", "规范性文件")),
        issuer=str(meta.get("issuer", "")),
        published_on=meta["published_on"],
        field_effective_on=meta["effective_from"],
        repealed=False,
        articles=tuple(_markdown_articles(raw)),
    )
    if not text.articles:
        report.problems.append(f"{name}：没有找到条文（第X条），未导入")
        return None
    revision_id, passages, missing = passages_of(text, report)
    document = Document(
        id=text.document_id,
        kind=Kind.STATUTE,
        title=title,
        origin=origin,
        level=text.doc_type,
        issuer=text.issuer,
        region=str(meta.get("region", "000000")),
        aliases=tuple(meta.get("aliases", ())),
    )
    revision = Revision(
        id=revision_id,
        document_id=document.id,
        status=Status.DRAFT,
        source=str(meta.get("source", "")) or name,
        checked_on=meta.get("checked_on") or meta["published_on"],
        document_number=str(meta.get("document_number", "")),
        published_on=text.published_on,
        effective_from=meta["effective_from"],
        effective_until=meta.get("effective_until"),
        body={"missing": missing} if missing else {},
    )
    return Incoming(document, revision, passages)


def _first_title(raw: str) -> str | None:
    match = re.search(r"^#\s+(.+)$", raw, re.MULTILINE)
    return match[1].strip() if match else None


def _markdown_articles(raw: str) -> Iterator[Article]:
    path: dict[int, str] = {}
    label, lines = "", list[str]()
    for line in raw.splitlines():
        heading, article = _MD_HEADING.match(line), _MD_ARTICLE.match(line.strip())
        if (heading or article) and label:
            yield Article(label, tuple(path[r] for r in sorted(path)), "\n".join(lines).strip())
            label = ""
        if heading:
            name = heading[1].strip()
            match = re.match(rf"第{NUMBER}(分编|编|章|节)", name)
            rank = _RANK[match[1]] if match else 2
            path = {r: n for r, n in path.items() if r < rank} | {rank: name}
        elif article:
            label, lines = article[1], [article[2]] if article[2] else []
        elif label and line.strip():
            lines.append(line.strip())
    if label:
        yield Article(label, tuple(path[r] for r in sorted(path)), "\n".join(lines).strip())
