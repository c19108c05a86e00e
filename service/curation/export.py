"""The whole knowledge base as one zip that can be read in again: our content as YAML for
`ingest.content`, policies as Markdown, the list of statutes, and a manifest with fingerprints."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import yaml
from sqlalchemy.orm import Session, sessionmaker

from knowledge import store
from knowledge.models import Document, Kind, Passage, Revision, Status
from service import audit
from service.auth import Member
from service.models import now

FORMAT = 1  # of the folders and files in the zip
_FILES = {
    Kind.FAQ: "faq",
    Kind.SERVICE: "services",
    Kind.GUIDE: "guides",
    Kind.HOTLINE: "hotlines",
    Kind.OUTSIDE: "outside",
    Kind.RULES: "rules",
}
_READ_ME = """普陀区公共法律咨询助手 知识库导出

content/    本处内容，每类一个文件；放进程序的 knowledge/content 可以原样读回
scheduled/  已复核、还没到开始日期的新版本，格式相同
policies/   政策文件，每份一个，可以在“导入”页面读回
statutes.csv 收录的法律和版本（条文由程序自带，不在导出之内）
manifest.json 导出时间、版本、数量，每个文件的 SHA-256

只含已发布的内容，不含草稿，不含任何市民的提问和对话。
"""


@dataclass(frozen=True, slots=True)
class Archive:
    """Files of an export, made while they are sent."""

    name: str
    files: Callable[[], Iterator[tuple[str, bytes]]]
    head: dict[str, Any]

    def chunks(self) -> Iterator[bytes]:
        """The zip, piece by piece; the manifest comes last, since it holds all fingerprints."""
        pipe = _Pipe()
        listed: dict[str, dict[str, Any]] = {}
        with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.files():
                archive.writestr(name, data)
                listed[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
                yield pipe.taken()
            manifest = self.head | {"files": listed}
            archive.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2))
            yield pipe.taken()
        yield pipe.taken()


class _Pipe(io.RawIOBase):
    """Where a zip is written, to be taken away at once: it never stands in memory as a whole."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Export:
    """Build one a request."""

    def __init__(
        self, sessions: sessionmaker[Session], clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def begin(self, member: Member) -> Archive:
        """What is published at this moment; that it was taken goes on record."""
        at = self._clock()
        today = store.today_in_china(at)
        with self._sessions.begin() as session:
            documents = store.all_documents(session)
            published = store.all_revisions(session, Status.PUBLISHED).values()
            revisions = sorted(published, key=lambda r: r.id)
            policies = [r for r in revisions if documents[r.document_id].kind is Kind.POLICY]
            texts = {r.id: store.passages_of(session, r.id) for r in policies}
            knowledge = store.fingerprint(session)
            counts: dict[str, int] = defaultdict(int)
            for revision in revisions:
                counts[documents[revision.document_id].kind.value] += 1
            audit.append(
                session,
                actor=member.id,
                action="knowledge.export",
                subject="knowledge",
                subject_id=knowledge,
                detail={"counts": dict(counts)},
                at=at,
            )

        def files() -> Iterator[tuple[str, bytes]]:
            yield "说明.txt", _READ_ME.encode()
            yield from _content_files(documents, revisions, today)
            for revision in policies:
                document = documents[revision.document_id]
                name = f"policies/{revision.id.replace('@', '_')}.md"
                yield name, policy_markdown(document, revision, texts[revision.id]).encode()
            yield "statutes.csv", _statutes(documents, revisions)

        head = {
            "format": FORMAT,
            "exported_at": at.isoformat(timespec="seconds"),
            "exported_by": member.name,
            "knowledge": knowledge,
            "counts": dict(sorted(counts.items())),
        }
        return Archive(f"knowledge-{today:%Y%m%d}-{knowledge[:6]}.zip", files, head)


def _content_files(
    documents: dict[str, Document], revisions: list[Revision], today: date
) -> Iterator[tuple[str, bytes]]:
    current: dict[Kind, list[dict[str, Any]]] = defaultdict(list)
    later: dict[Kind, list[dict[str, Any]]] = defaultdict(list)
    for revision in revisions:
        kind = documents[revision.document_id].kind
        if kind not in _FILES or (revision.effective_until and revision.effective_until < today):
            continue
        waits = revision.effective_from is not None and revision.effective_from > today
        (later if waits else current)[kind].append(
            item_of(documents[revision.document_id], revision)
        )
    for folder, items in (("content", current), ("scheduled", later)):
        for kind, name in _FILES.items():
            if items[kind]:
                text = yaml.dump(
                    items[kind], Dumper=_Plain, allow_unicode=True, sort_keys=False, width=1_000
                )
                yield f"{folder}/{name}.yaml", text.encode()


class _Plain(yaml.SafeDumper):
    """Long texts as blocks, as people write them; no aliases."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Plain.add_representer(str, _string)


def item_of(document: Document, revision: Revision) -> dict[str, Any]:
    """A piece of content as `ingest.content` reads it: the body, with the day of the last check."""
    body = {k: v for k, v in revision.body.items() if k != "title" or document.kind is not Kind.FAQ}
    first = {"id": document.id, "kind": document.kind.value}
    last = {"source": revision.source, "checked_on": revision.checked_on}
    rest = {k: v for k, v in body.items() if k not in first and k not in last}
    return first | rest | last


def policy_markdown(document: Document, revision: Revision, passages: list[Passage]) -> str:
    """A policy with its dates as front matter, and its headings: the import page reads it again."""
    front = {
        "title": document.title,
        "id": document.id,
        "document_number": revision.document_number,
        "issuer": document.issuer,
        "region": document.region,
        "topic": document.topic,
        "published_on": revision.published_on,
        "effective_from": revision.effective_from,
        "effective_until": revision.effective_until,
        "source": revision.source,
        "checked_on": revision.checked_on,
    }
    kept = {k: v for k, v in front.items() if v}
    head = yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, width=1_000)
    lines = [f"---\n{head}---", f"# {document.title}"]
    path: list[str] = []
    for passage in passages:
        new = passage.path.split(" > ") if passage.path else []
        same = 0
        while same < min(len(path), len(new)) and path[same] == new[same]:
            same += 1
        lines += [f"{'#' * min(6, depth + 2)} {new[depth]}" for depth in range(same, len(new))]
        path = new
        opening = (
            f"{passage.label} " if passage.label.startswith("第") and "条" in passage.label else ""
        )
        lines += (opening + passage.text).split("\n")
    return "\n\n".join(lines) + "\n"


def _statutes(documents: dict[str, Document], revisions: list[Revision]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["名称", "类别", "制定机关", "公布日期", "施行日期", "失效日期", "日期依据", "来源"]
    )
    for revision in revisions:
        document = documents[revision.document_id]
        if document.kind is Kind.STATUTE:
            days = (revision.published_on, revision.effective_from, revision.effective_until)
            writer.writerow(
                [
                    document.title,
                    document.level,
                    document.issuer,
                    *(day.isoformat() if day else "" for day in days),
                    revision.date_basis.value,
                    revision.source,
                ]
            )
    return b"\xef\xbb\xbf" + out.getvalue().encode()
