"""What should be looked at again, each with why in a sentence; and "looked at, no change"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from knowledge import store
from knowledge.citations import LawBook
from knowledge.library import Library
from knowledge.models import Document, Kind, Revision, Status
from knowledge.statutes import chinese_date
from service import audit
from service.auth import Member
from service.curation import chain
from service.errors import BadRequest, Conflict
from service.models import Staff, now
from service.serving import Serving

CHECKED_DAYS, EXPIRING_DAYS = 180, 30
# What may be wrong, the gravest first, as filters name it.
REASONS = {
    "law_changed": "依据的法律改了",
    "law_gone": "依据的条文失效",
    "law_will_change": "依据的法律将要改",
    "expiring": "快到期",
    "old": "很久没核对",
    "unconfirmed": "有没核实的事实",
    "unknown": "有没查到的",
    "owner_gone": "编写人已离开",
}
_FACTS = {
    "where": "地点",
    "phone": "电话",
    "hours": "时间",
    "fee": "收费",
    "deadline": "期限",
    "online": "网上办",
}
_LONGEST_BASIS = 500


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item should be looked at: a key of `REASONS`, and a sentence for the clerk."""

    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of the list; empty ones let everything through."""

    reason: str = ""
    kind: str = ""
    topic: str = ""
    checked_days: int = CHECKED_DAYS
    expiring_days: int = EXPIRING_DAYS


class Stale:
    """Build one a request; `library` and `laws` are what is published."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        library: Callable[[], Library],
        laws: Callable[[], LawBook],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._clock = sessions, clock
        self._library, self._laws = library, laws

    @classmethod
    def of(cls, serving: Serving) -> Stale:
        """Over what serves."""
        return cls(serving.rooms.sessions, lambda: serving.library, lambda: serving.rooms.laws)

    def find(self, member: Member, wanted: Wanted) -> dict[str, Any]:
        """{items, counts, total}: what needs a look, gravest first; `counts` by reason are of all
        that the other filters let through."""
        today = store.today_in_china(self._clock())
        changes = LawChanges(self._library(), self._laws(), today)
        items: list[dict[str, Any]] = []
        counts = dict.fromkeys(REASONS, 0)
        with self._sessions() as session:
            gone = set(session.scalars(select(Staff.id).where(Staff.disabled_at.is_not(None))))
            names = {row[0]: row[1] for row in session.execute(select(Staff.id, Staff.name))}
            for document, revision, is_followed in published(session, today):
                if not chain.readable(member, document):
                    continue
                if wanted.kind not in ("", document.kind.value):
                    continue
                if wanted.topic not in ("", document.topic):
                    continue
                found = list(reasons(revision, today, wanted, changes))
                if is_followed:  # what takes its place has been looked at: only wrong law matters
                    found = [reason for reason in found if reason.kind not in ("expiring", "old")]
                if revision.author in gone:
                    who = names.get(revision.author, "编写人")
                    found.append(Reason("owner_gone", f"编写人{who}的账号已停用，请指定谁来管。"))
                for kind in {reason.kind for reason in found}:
                    counts[kind] += 1
                if found and wanted.reason in ("", *(r.kind for r in found)):
                    items.append(_view(document, revision, found))
        order = list(REASONS)
        items.sort(key=lambda i: (order.index(i["reasons"][0]["kind"]), i["checked_on"], i["id"]))
        return {"items": items, "counts": counts, "total": len(items)}

    def confirm(self, member: Member, revision_id: str, *, basis: str) -> dict[str, Any]:
        """Somebody compared it with its sources today and nothing has changed: the words stay, the
        day of the check is today, and who says so, on what basis, is on record.

        No second person is asked, since no word changes. It cannot make an unconfirmed fact a
        confirmed one: that is a change of the text, in the editor. Raises NotFound, NotAllowed,
        BadRequest without a basis, Conflict for what is not published.
        """
        basis = basis.strip()
        if not 2 <= len(basis) <= _LONGEST_BASIS:
            raise BadRequest(
                "basis",
                f"请写明对照什么核对的（网页、文件、电话问的谁），2到{_LONGEST_BASIS}个字。",
            )
        today = store.today_in_china(self._clock())
        with self._sessions.begin() as session:
            document_id = chain.seen_revision(session, member, revision_id).document_id
            document = chain.locked(session, member, document_id)
            revision = chain.seen_revision(session, member, revision_id)
            if revision.status is not Status.PUBLISHED or document.kind is Kind.STATUTE:
                raise Conflict(
                    "not_published", "只能核对已经发布的内容。请刷新页面看看现在的版本。"
                )
            before = revision.checked_on
            if before < today:
                revision = store.update_revision(session, revision, checked_on=today)
            audit.append(
                session,
                actor=member.id,
                action="knowledge.check",
                subject="revision",
                subject_id=revision.id,
                detail={"document": document.id, "before": str(before), "basis": basis},
                at=self._clock(),
            )
        return {"revision": revision.id, "checked_on": revision.checked_on.isoformat()}


def published(session: Session, today: date) -> Iterator[tuple[Document, Revision, bool]]:
    """Everything published but statutes that is not over, and whether another published revision
    takes its place later; from the database: a check shows at once."""
    documents = {
        d.id: d for d in store.all_documents(session).values() if d.kind is not Kind.STATUTE
    }
    query = (
        select(store.revisions.c.id)
        .join(store.documents, store.documents.c.id == store.revisions.c.document_id)
        .where(store.documents.c.kind != Kind.STATUTE, store.revisions.c.status == Status.PUBLISHED)
    )
    ids = set(session.scalars(query))
    found = [r for r in store.all_revisions(session, Status.PUBLISHED).values() if r.id in ids]
    last: dict[str, date] = {}
    for revision in found:
        start = revision.effective_from or date.min
        last[revision.document_id] = max(start, last.get(revision.document_id, start))
    for revision in found:
        if revision.effective_until and revision.effective_until < today:
            continue
        is_followed = (revision.effective_from or date.min) < last[revision.document_id]
        yield documents[revision.document_id], revision, is_followed


def reasons(
    revision: Revision, today: date, wanted: Wanted, changes: LawChanges
) -> Iterator[Reason]:
    """Why a revision should be looked at, gravest first."""
    body = revision.body
    yield from sorted(
        changes.of(body.get("cites", ()), revision.checked_on),
        key=lambda reason: list(REASONS).index(reason.kind),
    )
    until = revision.effective_until
    if until and until <= today + timedelta(days=wanted.expiring_days):
        days = (until - today).days
        when = f"还有{days}天" if days else "就是今天"
        yield Reason("expiring", f"有效期到{chinese_date(until)}，{when}，到期后不再用来回答。")
    age = (today - revision.checked_on).days
    if age > wanted.checked_days:
        yield Reason("old", f"上次核对是{chinese_date(revision.checked_on)}，已经{age}天。")
    unsure = [
        f"{name}（{body[field]['certainty']}）"
        for field, name in _FACTS.items()
        if isinstance(body.get(field), dict) and body[field].get("certainty") in ("C", "D")
    ]
    if unsure:
        yield Reason("unconfirmed", f"{'、'.join(unsure)}没有核实过，回答里标着“未核实”。")
    if body.get("unknown"):
        yield Reason("unknown", f"还没查到：{'、'.join(body['unknown'])}。")


class LawChanges:
    """What became of cited articles since a day."""

    def __init__(self, library: Library, laws: LawBook, today: date) -> None:
        self._library, self._laws, self._today = library, laws, today
        self._found: dict[tuple[str, date], Reason | None] = {}

    def of(self, citations: Iterable[str], since: date) -> Iterator[Reason]:
        for citation in citations:
            key = (citation, since)
            if key not in self._found:
                self._found[key] = self._look(citation, since)
            if reason := self._found[key]:
                yield reason

    def _look(self, citation: str, since: date) -> Reason | None:
        try:
            source = self._laws.cite(citation, self._today)
        except LookupError as error:
            said = str(error).rstrip("。")
            return Reason("law_gone", f"依据的条文现在不成立：{said}。")
        law, label = source.document.id, source.passage.label
        name = source.name
        before = self._text(law, label, since)
        if before is not None and before != source.passage.text:
            start = chinese_date(source.revision.effective_from)
            return Reason(
                "law_changed",
                f"核对（{chinese_date(since)}）之后，{name}的文字改了，现行文字自{start}起。",
            )
        for version in self._library.versions(law):
            begins, shown = version.effective_from, version.published_on
            if begins and begins > self._today:
                later = self._library.article(version.id, label)
                if later is None or later.passage.text != source.passage.text:
                    what = "没有这一条了" if later is None else "文字不同"
                    return Reason("law_will_change", f"自{chinese_date(begins)}起，{name}{what}。")
            elif shown and shown > since and version.id == source.revision.id:
                return Reason(
                    "law_changed",
                    f"{name}所在的法律{chinese_date(shown)}公布了新版本；这一条的文字没有变，"
                    "请看前后条文有没有影响。",
                )
        return None

    def _text(self, law: str, label: str, on: date) -> str | None:
        revision = self._library.revision_in_force(law, on)
        source = self._library.article(revision.id, label) if revision else None
        return source.passage.text if source else None


def _view(document: Document, revision: Revision, found: list[Reason]) -> dict[str, Any]:
    order = list(REASONS)
    found = sorted(found, key=lambda reason: order.index(reason.kind))
    return {
        "id": document.id,
        "revision": revision.id,
        "title": str(revision.body.get("question") or document.title),
        "kind": document.kind.value,
        "topic": document.topic,
        "source": revision.source,
        "checked_on": revision.checked_on.isoformat(),
        "reasons": [{"kind": r.kind, "name": REASONS[r.kind], "why": r.why} for r in found],
    }
