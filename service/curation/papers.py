"""What a file that was read can become: a policy with passages, a law, or rows of questions."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import yaml

from ingest import markdown
from ingest.pipeline import Incoming, Report
from ingest.readers import BlockKind, ReadDocument
from ingest.readers.numbering import article_of
from ingest.readers.passages import Piece, pieces_of
from ingest.readers.rows import TableRow, fits
from knowledge.models import DateBasis, Document, Kind, Passage, Revision, Status
from knowledge.statutes import article_key
from service.curation.errors import BadFields
from service.errors import BadRequest

ORIGIN = "import"
Form = Literal["policy", "statute", "faq", "service"]
FORMS: dict[str, str] = {
    "policy": "政策文件（按段落查找和引用）",
    "statute": "法律、法规、规章（按条查找和引用）",
    "faq": "常见问题（一行一条）",
    "service": "服务卡片（一行一张）",
}
# What a law may be, as the statutes that ship are called, and what a city has beside them.
LEVELS = (
    "法律",
    "行政法规",
    "地方性法规",
    "部门规章",
    "地方政府规章",
    "规范性文件",
    "司法解释",
    "立法解释",
    "修正案",
    "修改决定",
    "宪法",
)
_LEVEL_BY_TITLE = (
    (r"修正案(?:[（(].+[）)])?$", "修正案"),
    (r"关于修改.*的决定$", "修改决定"),
    (r"^最高人民(?:法院|检察院).*(?:解释|规定|批复)", "司法解释"),
    (r"人大常委会关于.*的解释$|常务委员会关于.*的解释$", "立法解释"),
    (r"^中华人民共和国宪法(?:[（(].+[）)])?$", "宪法"),
    (r"^中华人民共和国.*(?:条例|办法|细则)(?:[（(].+[）)])?$", "行政法规"),
    (r"(?:(?<!办)法|法典)(?:[（(].+[）)])?$", "法律"),
    (r"(?:省|市|自治区|州|县|特区).*条例(?:[（(].+[）)])?$", "地方性法规"),
    (r"条例(?:[（(].+[）)])?$", "行政法规"),
    (r"(?:省|市|自治区|州).*(?:办法|规定|细则)(?:[（(].+[）)])?$", "地方政府规章"),
    (r"(?:办法|规定|细则)(?:[（(].+[）)])?$", "部门规章"),
)
_LAW_TITLE = re.compile(r"(?:法|条例|法典)(?:[（(].{1,20}[）)])?$")
_DECREE = re.compile(r"令第?[\d一二三四五六七八九十百]+号")
_LEAST_ARTICLES = 5


@dataclass(frozen=True, slots=True)
class Paper:
    """What the clerk says a document is, once looked over."""

    title: str
    source: str
    region: str
    topic: str = ""
    document_number: str = ""
    issuer: str = ""
    level: str = ""  # one of LEVELS, of a law
    published_on: date | None = None
    effective_from: date | None = None
    effective_until: date | None = None


def suggested_form(document: ReadDocument) -> Form:
    """What a document most likely is: the clerk has the last word."""
    if table := fits(document):
        return table
    keys = articles_of(document)
    number = document.metadata.get("document_number", "")
    is_law = _LAW_TITLE.search(document.title) or _DECREE.search(number)
    return "statute" if is_law and len(keys) >= _LEAST_ARTICLES and keys[0] == "1" else "policy"


def suggested_level(title: str) -> str:
    """What kind of law a title most likely names; empty where it does not say."""
    return next((level for known, level in _LEVEL_BY_TITLE if re.search(known, title)), "")


def articles_of(document: ReadDocument) -> list[str]:
    """Keys of the articles in a document, in order: 1, 2, 2-1."""
    found = (article_of(b.text) for b in document.blocks if b.text)
    return [key for f in found if f and (key := article_key(f[0]))]


def kept_pieces(document: ReadDocument, left_out: Sequence[int]) -> list[Piece]:
    """The passages but those that the clerk left out, by their places."""
    return [p for at, p in enumerate(pieces_of(document)) if at not in set(left_out)]


def policy(
    document_id: str | None, paper: Paper, pieces: Sequence[Piece], checked_on: date
) -> Incoming:
    """A policy document as a draft. It is law for its readers from the day it says, or at the
    earliest from the day on which it was made public."""
    identity = document_id or new_id("policy")
    start = paper.effective_from or paper.published_on
    revision = Revision(
        id=f"{identity}@new",
        document_id=identity,
        status=Status.DRAFT,
        source=paper.source,
        checked_on=checked_on,
        document_number=paper.document_number,
        published_on=paper.published_on,
        effective_from=start,
        effective_until=paper.effective_until,
        date_basis=DateBasis.TEXT if paper.effective_from else DateBasis.PUBLICATION,
    )
    passages = tuple(
        Passage(
            id=f"{revision.id}/{at}",
            revision_id=revision.id,
            ordinal=at,
            label=piece.label[:80],
            text=piece.text,
            path=piece.path,
        )
        for at, piece in enumerate(pieces)
    )
    owner = Document(
        id=identity,
        kind=Kind.POLICY,
        title=paper.title,
        origin=ORIGIN,
        region=paper.region,
        level="规范性文件",
        issuer=paper.issuer,
        topic=paper.topic,
    )
    return Incoming(owner, revision, passages)


def statute(document: ReadDocument, paper: Paper, checked_on: date) -> Incoming:
    """A law as a draft, read by `ingest.markdown`. Raises BadRequest in the words of its report."""
    report = Report(ORIGIN)
    incoming = markdown.read_text(
        as_markdown(document, paper, checked_on), paper.title, ORIGIN, report
    )
    if incoming is None:
        raise BadRequest("import_statute", "；".join(report.problems) or "没有读出条文。")
    return incoming


def as_markdown(document: ReadDocument, paper: Paper, checked_on: date) -> str:
    """A law as `ingest.markdown` reads it; what stands before the first article is left out."""
    front = {
        "title": paper.title,
        "document_number": paper.document_number,
        "issuer": paper.issuer,
        "level": paper.level,
        "region": paper.region,
        "source": paper.source,
        "checked_on": checked_on,
        "published_on": paper.published_on,
        "effective_from": paper.effective_from,
        "effective_until": paper.effective_until,
    }
    head = yaml.safe_dump(
        {k: v for k, v in front.items() if v}, allow_unicode=True, sort_keys=False
    )
    lines = [f"---\n{head}---", f"# {paper.title}"]
    for block in document.blocks:
        if block.kind is BlockKind.HEADING and block.text != document.title:
            lines.append(
                f"## {block.text}" if re.match(r"第.+[编章节]", block.text) else block.text
            )
        elif block.kind is BlockKind.TABLE:
            lines += ["；".join(filter(None, row)) for row in block.rows]
        elif block.text:
            found = article_of(block.text)
            lines.append(f"{found[0]} {found[1]}" if found else block.text)
    return "\n".join(lines) + "\n"


def row_body(row: TableRow, defaults: dict[str, str], on: date) -> dict[str, Any]:
    """The fields of a row, with what the clerk says holds for all of them, as the editor has them.
    Facts of a card are D: nobody has checked them yet."""
    body: dict[str, Any] = {"region": defaults["region"], "checked_on": on.isoformat()}
    for name in ("topic", "source"):
        if defaults.get(name):
            body[name] = defaults[name]
    for name, value in row.fields.items():
        if name in ("where", "phone", "hours", "fee", "deadline", "online"):
            source = str(row.fields.get("source") or defaults.get("source") or "")
            value = {"text": value, "certainty": "D", "source": source}
        if name == "checked_on":
            value = _day(str(value)) or on.isoformat()
        if name == "region" and not re.fullmatch(r"\d{6}", str(value)):
            continue
        body[name] = value
    return body


def _day(text: str) -> str | None:
    match = re.search(r"((?:19|20)\d\d)\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})", text)
    try:
        return date(*map(int, match.groups())).isoformat() if match else None
    except ValueError:
        return None


def row_incoming(kind: Form, body: dict[str, Any]) -> Incoming:
    """A row that is not complete yet as a draft: it cannot be published, but nobody has to type it
    again."""
    identity = new_id(kind)
    title = str(body.get("question") or body.get("title"))
    body = body | {"id": identity, "kind": kind, "title": title}
    revision = Revision(
        id=f"{identity}@new",
        document_id=identity,
        status=Status.DRAFT,
        source=str(body.get("source", "")),
        checked_on=date.fromisoformat(body["checked_on"]),
        body=body,
    )
    passages = tuple(
        Passage(
            id=f"{revision.id}/{at}", revision_id=revision.id, ordinal=at, label="问法", text=ask
        )
        for at, ask in enumerate(dict.fromkeys([title, *body.get("asks", [])]))
    )
    owner = Document(
        id=identity,
        kind=Kind(kind),
        title=title[:400],
        origin=ORIGIN,
        region=body["region"],
        issuer=str(body.get("issuer", ""))[:200],
        topic=str(body.get("topic", ""))[:20],
    )
    return Incoming(owner, revision, passages)


def new_id(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(4)}"


def fingerprint(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def look_over(paper: Paper, form: str) -> None:
    """Raises BadFields with all that is missing or cannot be."""
    wrong: dict[str, str] = {}
    if form in ("policy", "statute"):
        if not paper.title:
            wrong["title"] = "请填写名称。"
        if not paper.published_on and not paper.effective_from:
            wrong["published_on"] = (
                "成文（公布）日期和施行日期至少填一个：没有日期，说不清哪天起有效。"
            )
        if form == "statute" and not (paper.published_on and paper.effective_from):
            wrong["effective_from"] = "法律、法规要填公布日期和施行日期。"
        if form == "statute" and paper.level not in LEVELS:
            wrong["level"] = "请选择效力级别：法律、法规、规章，还是修正案。"
        if not paper.source:
            wrong["source"] = "请写明来源：从哪里得到的这份文件。"
    starts, ends = paper.effective_from or paper.published_on, paper.effective_until
    if starts and ends and ends < starts:
        wrong["effective_until"] = "失效日期不能在施行日期以前。"
    if paper.published_on and paper.effective_from and paper.effective_from < paper.published_on:
        wrong["effective_from"] = "施行日期不能在成文（公布）日期以前，请核对。"
    if not re.fullmatch(r"\d{6}", paper.region, re.ASCII):
        wrong["region"] = "地区要写成六位行政区划代码，全国是 000000。"
    if wrong:
        raise BadFields(wrong)
