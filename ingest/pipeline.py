"""One ingest: what came in against what the store holds, saved in one transaction, reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from knowledge import store
from knowledge.models import Document, Kind, Passage, Revision, Status

SYSTEM = "system"  # the author of what nobody here wrote


@dataclass(frozen=True, slots=True)
class Incoming:
    """One revision as a parser read it, with its document and passages."""

    document: Document
    revision: Revision
    passages: tuple[Passage, ...]


@dataclass
class Report:
    """What an ingest did, in ids of revisions and sentences for the clerk."""

    origin: str
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    to_review: list[str] = field(default_factory=list)  # beside what staff have edited
    withdrawn: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    corrections: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{self.origin}：新增 {len(self.added)}，修改 {len(self.changed)}，"
            f"未变 {self.unchanged}，撤下 {len(self.withdrawn)}，"
            f"待比对 {len(self.to_review)}，"
            f"更正 {len(self.corrections)}，问题 {len(self.problems)}"
        ]
        for title, entries in (
            ("新增", self.added),
            ("修改", self.changed),
            ("撤下", self.withdrawn),
            ("工作人员改过，待比对", self.to_review),
            ("更正", self.corrections),
            ("问题", self.problems),
        ):
            lines += [f"  {title}：{entry}" for entry in entries[:20]]
            if len(entries) > 20:
                lines.append(f"  {title}：……另有 {len(entries) - 20} 条，见完整报告")
        return "\n".join(lines)


# Who stands behind what ships: no approver of ours.
_NOBODY = frozenset({"", "content-review"})
# What may change on a published revision without its words changing.
_MUTABLE = ("effective_from", "effective_until", "date_basis", "successor", "checked_on", "source")


def apply(session: Session, incoming: Iterable[Incoming], report: Report) -> Report:
    """Save what is new or changed, withdraw what the origin no longer has.

    The caller owns the transaction: killed before its commit, nothing has happened. Statutes may
    have several published revisions (each in force at its time); everything else has one. What
    staff have edited or withdrawn goes on as they left it: a changed version arrives as a draft.
    A version of a law that staff read in themselves stays, and ends the one before it.
    """
    known = store.all_documents(session)
    revisions = store.all_revisions(session)
    live: dict[str, list[Revision]] = {}
    of_document: dict[str, list[Revision]] = {}
    for revision in revisions.values():
        of_document.setdefault(revision.document_id, []).append(revision)
        if revision.status is not Status.WITHDRAWN:
            live.setdefault(revision.document_id, []).append(revision)
    in_hand = {
        document.id
        for document in known.values()
        if document.kind is not Kind.STATUTE and _in_hand(of_document.get(document.id, []))
    }
    brought = _brought(session, report.origin)
    of_staff = {
        document_id: [r for r in found if r.author != SYSTEM and r.id not in brought]
        for document_id, found in live.items()
        if known[document_id].kind is Kind.STATUTE
    }
    seen: set[str] = set()
    seen_documents: set[str] = set()
    for item in incoming:
        document, revision = item.document, item.revision
        owner = known.get(document.id)
        if owner and owner.origin != document.origin:
            report.problems.append(f"{document.id} 已由“{owner.origin}”提供，未导入")
            continue
        if revision.id in seen:
            report.problems.append(f"{revision.id} 重复，只保留第一份")
            continue
        seen.add(revision.id)
        if document.id in in_hand:
            _offer(session, item, of_document[document.id], report)
            seen_documents.add(document.id)
            continue
        theirs = [r for r in of_staff.get(document.id, []) if r.status is Status.PUBLISHED]
        if any(r.effective_from == revision.effective_from for r in theirs):
            report.problems.append(
                f"{revision.id} 未导入：工作人员已发布自同一天起施行的版本（{document.title}）"
            )
            seen_documents.add(document.id)
            continue
        revision = _ended_by(revision, theirs)
        if owner != document:
            store.save_document(session, document)
            known[document.id] = document
        present = revisions.get(revision.id)
        if present is None:
            store.add_revision(session, revision, item.passages)
            is_new = document.id not in live and document.id not in seen_documents
            (report.added if is_new else report.changed).append(revision.id)
        else:
            _refresh(session, present, revision, report)
        seen_documents.add(document.id)
    for document in known.values():
        if document.origin != report.origin or document.id in in_hand:
            continue
        for revision in live.get(document.id, []):
            if revision.id in seen or revision in of_staff.get(document.id, []):
                continue
            if revision.status is Status.PUBLISHED or document.kind is Kind.STATUTE:
                store.update_revision(session, revision, status=Status.WITHDRAWN)
                if document.id not in seen_documents:
                    report.withdrawn.append(revision.id)
    return report


def _brought(session: Session, origin: str) -> set[str]:
    """Ids of all that an origin has ever brought, whoever published it since."""
    reports = [report for _, report in store.loads_of(session, origin)]
    return {i for r in reports for name in ("added", "changed") for i in r.get(name, ())}


def _ended_by(revision: Revision, others: Iterable[Revision]) -> Revision:
    """A version of a law as it is beside those that staff published: over the day before the
    next of them begins."""
    start = revision.effective_from
    later = [r.effective_from for r in others if r.effective_from]
    ends = [day - timedelta(days=1) for day in later if start is None or day > start]
    if revision.effective_until:
        ends.append(revision.effective_until)
    return replace(revision, effective_until=min(ends)) if ends else revision


def _in_hand(revisions: Iterable[Revision]) -> bool:
    """Whether staff have a draft or a publication of their own of a document, or took it down."""
    revisions = list(revisions)
    if any(r.author != SYSTEM and r.status is not Status.WITHDRAWN for r in revisions):
        return True
    if any(r.status is Status.PUBLISHED for r in revisions):
        return False
    return any(
        r.published_on is not None and (r.author != SYSTEM or r.approver not in _NOBODY)
        for r in revisions
    )


def _offer(session: Session, item: Incoming, present: Iterable[Revision], report: Report) -> None:
    """Lay a version that has not been seen yet beside what staff have, as a draft that takes the
    place of an earlier one that is still waiting."""
    if any(r.id == item.revision.id for r in present):
        report.unchanged += 1
        return
    for earlier in present:
        if earlier.author == SYSTEM and earlier.status is Status.DRAFT:
            store.update_revision(session, earlier, status=Status.WITHDRAWN)
    draft = replace(item.revision, status=Status.DRAFT, approver="", published_on=None)
    store.add_revision(session, draft, item.passages)
    report.to_review.append(draft.id)


def _refresh(session: Session, present: Revision, incoming: Revision, report: Report) -> None:
    """Bring the dates and source of a known revision up to date; revive a withdrawn one."""
    wanted = replace(present, **{f: getattr(incoming, f) for f in _MUTABLE})
    taken_down = present.author == SYSTEM and present.approver not in _NOBODY
    if present.status is Status.WITHDRAWN and not taken_down:
        wanted = replace(wanted, status=incoming.status)
    changes = {
        f: getattr(wanted, f)
        for f in (*_MUTABLE, "status")
        if getattr(wanted, f) != getattr(present, f)
    }
    if changes:
        store.update_revision(session, present, **changes)
        report.changed.append(present.id)
    else:
        report.unchanged += 1
