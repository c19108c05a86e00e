"""What there is to curate: lists, one document with its history, and what waits for review."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Session

from ingest.pipeline import SYSTEM
from knowledge import lifecycle, store
from knowledge.models import NATIONAL, Document, Kind, Revision, Status
from service.auth import Member
from service.curation import chain, views
from service.errors import NotFound
from service.models import AnswerRecord, Edit

Condition = ColumnElement[bool]
documents, revisions = store.documents.c, store.revisions.c
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN_DAYS = 30
_POINTERS = {"steps": "下一步", "related": "相关的服务", "hotlines": "可以打的热线"}
STATUSES = {
    "published": "已发布",
    "draft": "有草稿",
    "in_review": "待复核",
    "incoming": "随附内容更新，待比对",
    "aside": "另存的稿子，待合并",
    "scheduled": "排定发布",
    "ending": "将到期",
    "withdrawn": "已撤下",
}
# What a step or hotline may point to: not withdrawn, and not given up.
USABLE = (
    select(documents.id, documents.kind)
    .where(documents.kind.not_in([Kind.STATUTE, Kind.POLICY]))
    .where(
        exists().where(revisions.document_id == documents.id, revisions.status != Status.WITHDRAWN)
    )
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; what is empty is not looked at."""

    text: str = ""
    kind: str = ""
    topic: str = ""
    status: str = ""
    region: str = ""
    author: str = ""
    checked_before: date | None = None


def page(
    session: Session,
    member: Member,
    wanted: Wanted,
    today: date,
    *,
    before: str | None,
    limit: int,
) -> dict[str, Any]:
    """{documents, next, counts}; see `Curation.find`. Raises NotFound for a `before` that is not
    there."""
    conditions = [*_visible(member), *_conditions(wanted, today)]
    changed = _changed_at()
    query = select(store.documents, changed.label("changed_at")).where(*conditions)
    if before is not None:
        at = session.scalar(select(changed).where(documents.id == before))
        if at is None:
            raise NotFound("document_unknown", "上一页的最后一条已经不在了，请从头翻看。")
        query = query.where(or_(changed < at, and_(changed == at, documents.id > before)))
    rows = session.execute(query.order_by(changed.desc(), documents.id).limit(limit + 1)).all()
    found, more = rows[:limit], len(rows) > limit
    states = _states(session, [row.id for row in found], today)
    return {
        "documents": [
            {
                "id": row.id,
                "kind": row.kind,
                "title": row.title,
                "topic": row.topic,
                "region": row.region,
                "issuer": row.issuer,
                "changed_at": views.moment(row.changed_at)
                if row.changed_at.replace(tzinfo=UTC) > _NEVER
                else None,
                **states[row.id],
            }
            for row in found
        ],
        "next": found[-1].id if more else None,
        "counts": counts(session, member, today),
    }


def counts(session: Session, member: Member, today: date) -> dict[str, int]:
    """How many documents there are in each state that the member may read."""
    columns = [
        func.count().filter(and_(*_conditions(Wanted(status=name), today))).label(name)
        for name in STATUSES
    ]
    row = session.execute(
        select(*columns).select_from(store.documents).where(*_visible(member))
    ).one()
    return {name: row._mapping[name] for name in STATUSES}


def _visible(member: Member) -> list[Condition]:
    """What holds where the member works, as `lifecycle.applies_in` has it."""
    region = member.region
    if not region:
        return []
    wider = [NATIONAL, f"{region[:2]}0000", f"{region[:4]}00", region]
    return [or_(documents.region.in_(wider), documents.region.startswith(region.rstrip("0")))]


def _changed_at() -> ColumnElement[datetime]:
    last = select(func.max(Edit.saved_at)).where(Edit.document_id == documents.id).scalar_subquery()
    return func.coalesce(last, literal(_NEVER, Edit.saved_at.type))


def _has(*conditions: Condition) -> Condition:
    return exists().where(revisions.document_id == documents.id, *conditions)


def _conditions(wanted: Wanted, today: date) -> list[Condition]:
    out: list[Condition] = []
    if wanted.kind:
        out.append(documents.kind == wanted.kind)
    else:
        out.append(documents.kind != Kind.STATUTE)
    if wanted.topic:
        out.append(documents.topic == wanted.topic)
    if wanted.region:
        out.append(documents.region == wanted.region)
    if wanted.text:
        words = _has(
            revisions.status != Status.WITHDRAWN,
            cast(revisions.body, Text).contains(wanted.text, autoescape=True),
        )
        named = documents.title.contains(wanted.text, autoescape=True)
        out.append(or_(named, documents.id == wanted.text, words))
    if wanted.author:
        mine = exists().where(Edit.document_id == documents.id, Edit.staff_id == wanted.author)
        out.append(mine)
    if wanted.checked_before:
        out.append(_has(_live(today), revisions.checked_on < wanted.checked_before))
    if wanted.status:
        out.append(_in_state(wanted.status, today))
    return out


def _live(today: date) -> Condition:
    """Published and not over."""
    return and_(
        revisions.status == Status.PUBLISHED,
        or_(revisions.effective_until.is_(None), revisions.effective_until >= today),
    )


def _in_state(status: str, today: date) -> Condition:
    is_open = revisions.status.in_(chain.OPEN)
    aside = exists().where(Edit.revision_id == revisions.id, Edit.aside)
    states = {
        "published": lambda: _has(_live(today)),
        "draft": lambda: _has(
            revisions.status == Status.DRAFT, revisions.author != SYSTEM, not_(aside)
        ),
        "in_review": lambda: _has(revisions.status == Status.IN_REVIEW),
        "incoming": lambda: _has(is_open, revisions.author == SYSTEM),
        "aside": lambda: _has(is_open, aside),
        "scheduled": lambda: _has(_live(today), revisions.effective_from > today),
        "ending": lambda: _has(_live(today), revisions.effective_until.is_not(None)),
        "withdrawn": lambda: and_(not_(_has(_live(today))), not_(_has(is_open))),
    }
    return states[status]() if status in states else false()


def _states(session: Session, ids: Sequence[str], today: date) -> defaultdict[str, dict[str, Any]]:
    """Of each document: what is published, the open draft, and what else waits."""
    query = (
        select(
            revisions.id,
            revisions.document_id,
            revisions.status,
            revisions.author,
            revisions.checked_on,
            revisions.effective_from,
            revisions.effective_until,
            Edit.aside,
            Edit.staff_id,
            Edit.saved_at,
        )
        .outerjoin(Edit, Edit.revision_id == revisions.id)
        .where(revisions.document_id.in_(ids), revisions.status != Status.WITHDRAWN)
        .order_by(revisions.id)
    )
    rows = session.execute(query).all()
    known = views.names(session, (row.staff_id for row in rows))
    out: defaultdict[str, dict[str, Any]] = defaultdict(
        lambda: {
            "published": None,
            "scheduled": None,
            "draft": None,
            "incoming": False,
            "asides": 0,
        }
    )
    for row in rows:
        state = out[row.document_id]
        if row.status == Status.PUBLISHED:
            over = row.effective_until and row.effective_until < today
            later = row.effective_from and row.effective_from > today
            if not over:
                state["scheduled" if later else "published"] = {
                    "id": row.id,
                    "checked_on": row.checked_on.isoformat(),
                    "from": row.effective_from.isoformat() if row.effective_from else None,
                    "until": row.effective_until.isoformat() if row.effective_until else None,
                }
        elif row.aside:
            state["asides"] += 1
        elif row.author == SYSTEM:
            state["incoming"] = True
        if (
            row.status in chain.OPEN
            and not row.aside
            and (row.author != SYSTEM or row.status == Status.IN_REVIEW)
        ):
            state["draft"] = {
                "id": row.id,
                "status": str(row.status),
                "author": views.person(row.staff_id or row.author, known),
                "saved_at": views.moment(row.saved_at),
            }
    return out


def serving(session: Session, document_id: str, but: str = "") -> Revision | None:
    """What of a document is published and not over, the latest to begin."""
    published = store.revisions_of(session, document_id, Status.PUBLISHED)
    others = [r for r in published if r.id != but]
    return max(others, key=lambda r: (r.effective_from or date.min, r.id), default=None)


def one(session: Session, found: Revision) -> dict[str, Any]:
    """One revision as a view."""
    return _views(session, [found])[0]


def in_review(session: Session, member: Member) -> list[Revision]:
    """What waits for review where the member works, what waits longest first."""
    query = (
        select(revisions.id)
        .join(store.documents, documents.id == revisions.document_id)
        .where(revisions.status == Status.IN_REVIEW, *_visible(member))
    )
    ids = list(session.scalars(query))
    submitted = {
        move.revision_id: views.moment(move.moved_at) or ""
        for move in chain.moves_of(session, ids)
        if move.action == "submitted"
    }
    found = (store.revision(session, i) for i in sorted(ids, key=lambda i: submitted.get(i, "")))
    return [r for r in found if r is not None]


def whole(session: Session, document: Document, today: date, at: datetime) -> dict[str, Any]:
    """All that a page about one document shows."""
    shown = _views(session, store.revisions_of(session, document.id), document)
    history = sorted(shown, key=lambda v: (v["saved_at"] or "", v["checked_on"], v["id"]))[::-1]
    by_id = {view["id"]: view for view in history}
    live = store.revisions_of(session, document.id, Status.PUBLISHED)
    present = [r for r in live if lifecycle.in_force(r, today)]
    later = [r for r in live if r.effective_from and r.effective_from > today]
    present.sort(key=lambda r: (r.effective_from or date.min, r.id))
    newest = chain.newest(session, document.id)
    is_open = [v for v in history if v["status"] in chain.OPEN]
    return {
        "id": document.id,
        "kind": document.kind.value,
        "title": document.title,
        "topic": document.topic,
        "region": document.region,
        "issuer": document.issuer,
        "origin": document.origin,
        "published": by_id[present[-1].id] if present else None,
        "scheduled": [by_id[r.id] for r in later],
        "newest": newest.id if newest else None,
        "draft": next((v for v in is_open if not v["aside"] and not v["offered"]), None),
        "incoming": [v for v in is_open if v["offered"]],
        "asides": [v for v in is_open if v["aside"]],
        "history": history,
        "used_by": _used_by(session, document),
        "shown": _times_shown(session, document, at),
        "shown_days": _SHOWN_DAYS,
    }


def _views(
    session: Session, found: Sequence[Revision], document: Document | None = None
) -> list[dict[str, Any]]:
    ids = [r.id for r in found]
    edits = {
        e.revision_id: e for e in session.scalars(select(Edit).where(Edit.revision_id.in_(ids)))
    }
    moves = defaultdict(list)
    for move in chain.moves_of(session, ids):
        moves[move.revision_id].append(move)
    people: Iterable[str] = (
        *(e.staff_id for e in edits.values()),
        *(m.staff_id for rows in moves.values() for m in rows),
        *(p for r in found for p in (r.author, r.approver)),
    )
    known = views.names(session, people)
    arrived: dict[str, dict[str, datetime]] = {}
    out = []
    for revision in found:
        owner = document or store.document(session, revision.document_id)
        if owner is None:
            raise LookupError(revision.document_id)
        if revision.id not in edits and owner.origin not in arrived:
            arrived[owner.origin] = _arrivals(session, owner.origin)
        at = arrived.get(owner.origin, {}).get(revision.id)
        out.append(
            views.revision(revision, owner, edits.get(revision.id), moves[revision.id], known, at)
        )
    return out


def _arrivals(session: Session, origin: str) -> dict[str, datetime]:
    """When each revision of an origin was first read in."""
    out: dict[str, datetime] = {}
    for at, report in store.loads_of(session, origin):
        for name in ("added", "changed", "to_review"):
            for revision_id in report.get(name, ()):
                out.setdefault(revision_id, at)
    return out


def _used_by(session: Session, document: Document) -> list[dict[str, str]]:
    """What points to a document: published answers and cards, and rule tables."""
    query = (
        select(documents.id, documents.title, documents.kind, revisions.body)
        .join(store.revisions, revisions.document_id == documents.id)
        .where(
            revisions.status == Status.PUBLISHED,
            documents.kind.not_in([Kind.STATUTE, Kind.POLICY]),
            documents.id != document.id,
            cast(revisions.body, Text).contains(f'"{document.id}"', autoescape=True),
        )
        .order_by(documents.kind, documents.id)
    )
    out = []
    for row in session.execute(query):
        fields = [name for name in _POINTERS if document.id in row.body.get(name, ())]
        where = "、".join(_POINTERS[name] for name in fields) or "规则表"
        out.append({"id": row.id, "title": row.title, "kind": row.kind, "where": where})
    return list({(o["id"], o["where"]): o for o in out}.values())


def _times_shown(session: Session, document: Document, at: datetime) -> int | None:
    """How often it was the answer in the last month; None for what is never one by itself."""
    outcome = {Kind.FAQ: "answered_faq", Kind.RULES: None, Kind.OUTSIDE: None}.get(
        document.kind, "answered_service"
    )
    if outcome is None or document.kind in (Kind.STATUTE, Kind.POLICY):
        return None
    return session.scalar(
        select(func.count(AnswerRecord.id)).where(
            AnswerRecord.outcome == outcome,
            AnswerRecord.topic == document.topic,
            AnswerRecord.asked_at >= at - timedelta(days=_SHOWN_DAYS),
            AnswerRecord.trace["answered_by"].as_string() == document.id,
        )
    )


def without_body(view: dict[str, Any]) -> dict[str, Any]:
    """A view for a list."""
    return {k: v for k, v in view.items() if k != "body"}
