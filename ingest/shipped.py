"""What the product ships with: national laws and our own content, read in when they changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy.orm import Session

from ingest import content, markdown, pipeline, statutes
from ingest.pipeline import Report
from knowledge import store

PARSER = "2"  # raised when the same files are read differently


def _fingerprint(paths: Iterable[Path]) -> str:
    state = hashlib.sha256(PARSER.encode())
    for path in sorted(paths):
        state.update(path.name.encode() + path.read_bytes())
    return state.hexdigest()


def load(session: Session) -> list[Report]:
    """Read in whatever shipped with this version and is not in the store yet.

    Nothing is parsed when the files are the ones read last time. The caller commits.
    """
    yaml_files = list(content.content_folder().rglob("*.yaml"))
    repealed = content.content_folder() / "repealed.yaml"
    sources = (
        (statutes.ORIGIN, [statutes.data_file(), statutes.corrections_file(), repealed]),
        (content.ORIGIN, yaml_files),
    )
    reports = []
    for origin, paths in sources:
        state = _fingerprint(paths)
        if store.last_fingerprint(session, origin) == state:
            continue
        report = Report(origin)
        if origin == content.ORIGIN:
            incoming = content.incoming_from_folder(content.content_folder(), report)
        else:
            gone = ((r.law, r.repealed_on) for r in content.read_repealed())
            corrections = statutes.Corrections.load(gone)
            incoming = statutes.incoming_from_package(statutes.data_file(), corrections, report)
        pipeline.apply(session, incoming, report)
        store.record_load(session, origin, state, report.as_dict())
        reports.append(report)
    return reports


def ingest_path(session: Session, path: Path) -> Report:
    """Drafts from a file or folder of statutes in Markdown; the caller commits."""
    origin = f"folder:{path.resolve()}"
    report = Report(origin)
    files = [path] if path.is_file() else sorted(path.rglob("*.md"))
    if not files:
        report.problems.append(f"{path}：没有找到 .md 文件")
    incoming = []
    for file in files:
        try:
            item = markdown.read_markdown(file, origin, report)
        except (UnicodeDecodeError, ValueError) as error:
            report.problems.append(f"{file.name}：读不了：{error}")
            continue
        if item:
            incoming.append(item)
    pipeline.apply(session, incoming, report)
    store.record_load(session, origin, _fingerprint(files), report.as_dict())
    return report
