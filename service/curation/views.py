"""Documents and revisions as JSON, with the names of people, and fixed sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.pipeline import SYSTEM
from knowledge.models import Document, Revision, Status
from service.models import Edit, EditMove, Staff

OWN_WORK = "这一稿里有您写的内容，发布须由没有参与编写的人复核。"
SHIPPED = "随附内容"
ARRIVED = "随附内容更新了，请比对"
ACTIONS = {
    "submitted": "提交复核",
    "approved": "复核发布",
    "sent_back": "退回修改",
    "withdrawn": "撤下",
    "discarded": "作废",
    "replaced": "被新版本取代",
    "merged": "已合并",
}
_IN_WORDS = {
    Status.DRAFT: "这一稿还是草稿，没有提交复核。",
    Status.IN_REVIEW: "这一稿已经在等复核了。",
    Status.PUBLISHED: "这一稿已经发布了。",
    Status.WITHDRAWN: "这一稿已经撤下、作废，或者被新版本取代了。",
}


def in_words(status: Status) -> str:
    """Why something cannot be done with a revision of this status."""
    return _IN_WORDS[status]


def moment(at: datetime | None) -> str | None:
    """A time as ISO 8601 with its zone; SQLite gives times back without it."""
    return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()


def names(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """Names of staff by id."""
    wanted = {i for i in ids if i}
    if not wanted:
        return {}
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def person(identity: str, known: Mapping[str, str]) -> dict[str, str]:
    """{id, name}; what came with the product has no person."""
    if identity in (SYSTEM, "content-review", ""):
        return {"id": "", "name": SHIPPED if identity else ""}
    return {"id": identity, "name": known.get(identity, identity)}


def revision(
    found: Revision,
    document: Document,
    edit: Edit | None,
    moves: Sequence[EditMove],
    known: Mapping[str, str],
    arrived_at: datetime | None = None,
) -> dict[str, Any]:
    """A revision with its words, who wrote it, and what became of it, oldest move first."""
    offered = edit is None and found.author == SYSTEM and found.published_on is None
    return {
        "id": found.id,
        "document": document.id,
        "kind": document.kind.value,
        "title": title_of(found, document),
        "topic": found.body.get("topic", document.topic),
        "region": found.body.get("region", document.region),
        "status": found.status.value,
        "ended": _ended(found, moves),
        "body": found.body,
        "source": found.source,
        "checked_on": found.checked_on.isoformat(),
        "published_on": found.published_on.isoformat() if found.published_on else None,
        "effective_from": found.effective_from.isoformat() if found.effective_from else None,
        "effective_until": found.effective_until.isoformat() if found.effective_until else None,
        "author": person(edit.staff_id if edit else found.author, known),
        "approver": person(found.approver, known),
        "saved_at": moment(edit.saved_at if edit else arrived_at),
        "note": edit.note if edit else ARRIVED if offered else "",
        "origin": edit.origin if edit else "shipped",
        "base": edit.base_id if edit else None,
        "merges": edit.merges_id if edit else None,
        "aside": edit.aside if edit else False,
        "offered": offered,
        "returnable": edit is None or any(move.action == "approved" for move in moves),
        "moves": [
            {
                "action": move.action,
                "label": ACTIONS.get(move.action, move.action),
                "by": person(move.staff_id, known),
                "at": moment(move.moved_at),
                "comment": move.comment,
            }
            for move in moves
        ],
    }


_ENDS = {"replaced": "已被取代", "merged": "已合并", "discarded": "已作废"}


def _ended(found: Revision, moves: Sequence[EditMove]) -> str:
    """How a revision came to its end, for who reads the history; empty while it has not."""
    if found.status is not Status.WITHDRAWN:
        return ""
    return _ENDS.get(moves[-1].action, "已撤下") if moves else "已被取代"


def title_of(found: Revision, document: Document) -> str:
    """What the revision would call its document."""
    return str(found.body.get("question") or found.body.get("title") or document.title)
