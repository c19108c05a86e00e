"""What publishing a draft would change, found by asking sets before and with it, and kept, so that
who approves sees what the author saw."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ingest.pipeline import Incoming
from knowledge.library import Library
from knowledge.models import Kind, body_digest, digest
from knowledge.store import fingerprint
from service import audit
from service.auth import Member
from service.curation.views import moment
from service.errors import NotFound
from service.models import DraftComparison, Staff, now
from service.trials.asking import DraftSource
from service.trials.comparison import compare
from service.trials.runs import TrialRuns

_KEPT_IN_SIGHT = 20
_MOST_OWN = 80
OWN = "own"


class DraftComparisons:
    """Build one a request; `draft_of` gives a draft as `Serving.candidate` takes it."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        draft_of: DraftSource,
        library: Callable[[], Library],
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._draft_of = sessions, draft_of
        self._library, self._clock = library, clock
        self._runs = TrialRuns(sessions, clock=clock)

    def ask_for(
        self, member: Member, revision: str, sets: Sequence[dict[str, Any]]
    ) -> dict[str, Any]:
        """Two waiting runs, one before and one with the draft, over `sets` and over how the draft
        and what it replaces are asked for. Raises BadRequest, NotFound."""
        draft = self._draft_of(revision)
        own = self._own(draft)
        sets = [*sets, own] if own["questions"] else sets
        with self._sessions.begin() as session:
            row = DraftComparison(
                id=f"d_{secrets.token_urlsafe(9)}",
                revision_id=revision,
                document_id=draft.document.id,
                title=draft.document.title,
                fingerprint=_fingerprint(draft),
                before_id=self._runs.insert(session, member, sets),
                after_id=self._runs.insert(session, member, sets, revision),
                asked_by=member.id,
                asked_at=self._clock(),
            )
            session.add(row)
            audit.append(
                session,
                actor=member.id,
                action="trial.compare",
                subject="revision",
                subject_id=revision,
                detail={"sets": [s["id"] for s in sets]},
            )
        return self.read(row.id)

    def _own(self, draft: Incoming) -> dict[str, Any]:
        """The ways of asking of the draft and of what is published in its place, as a set."""
        library = self._library()
        published = [
            passage.text
            for version in library.versions(draft.document.id)
            for passage in library.texts(version.id)
        ]
        asked = draft.document.kind not in (Kind.STATUTE, Kind.POLICY, Kind.RULES)
        texts = [p.text for p in draft.passages] + published if asked else []
        return {
            "id": OWN,
            "name": "这条内容自己的问法",
            "questions": [
                {"question": text, "earlier": [], "expect": {}, "region": "", "as_of": None}
                for text in list(dict.fromkeys(texts))[:_MOST_OWN]
            ],
        }

    def of_revision(self, revision: str) -> list[dict[str, Any]]:
        """All that was compared for a revision, newest first, without the answers. Raises
        NotFound."""
        draft = self._draft_of(revision)  # whoever may not see it, may not see what it would do
        with self._sessions() as session:
            rows = session.execute(
                select(DraftComparison, Staff.name)
                .join(Staff, DraftComparison.asked_by == Staff.id)
                .where(DraftComparison.revision_id == revision)
                .order_by(DraftComparison.asked_at.desc(), DraftComparison.id)
                .limit(_KEPT_IN_SIGHT)
            ).all()
        return [self._view(row, author, draft) for row, author in rows]

    def read(self, comparison: str) -> dict[str, Any]:
        """One comparison with every answer that changes, as far as both runs have come. Raises
        NotFound."""
        with self._sessions() as session:
            row = session.get(DraftComparison, comparison)
            if row is None:
                raise NotFound("comparison_unknown", "没有这次比较的记录。")
            author = session.scalar(select(Staff.name).where(Staff.id == row.asked_by)) or ""
        view = self._view(row, author, self._draft_of(row.revision_id))
        before, after = (self._runs.results(run) for run in (row.before_id, row.after_id))
        # Only what both have asked: while the second is on its way the rest is not yet known.
        both = {r["position"] for r in after}
        found = compare([r for r in before if r["position"] in both], after)
        changed = len(found["changes"])
        return view | found | {"changed": changed, "verdict": _verdict(view, found, changed)}

    def _view(self, row: DraftComparison, author: str, draft: Incoming) -> dict[str, Any]:
        before, after = self._runs.read(row.before_id), self._runs.read(row.after_id)
        finished = before["status"] == after["status"] == "finished"
        return {
            "id": row.id,
            "revision": row.revision_id,
            "document": row.document_id,
            "title": row.title,
            "asked_by": author,
            "asked_at": moment(row.asked_at),
            "before": before,
            "after": after,
            "open": before["open"] or after["open"],
            "finished": finished,
            "done": before["done"] + after["done"],
            "total": before["total"] + after["total"],
            "outdated": self._outdated(row, draft, before, after) if finished else "",
        }

    def _outdated(
        self,
        row: DraftComparison,
        draft: Incoming,
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> str:
        """Why the result no longer says what would happen now; empty when it still does."""
        with self._sessions() as session:
            published = fingerprint(session)
        if before["knowledge"] != after["knowledge"]:
            return "比较期间有别的内容发布了，前后两次问的不是同一个知识库。"
        if published != after["knowledge"]:
            return "比较之后知识库又有变化。"
        if _fingerprint(draft) != row.fingerprint:
            return "比较之后这份草稿又改过。"
        return ""


def _fingerprint(draft: Incoming) -> str:
    return digest(body_digest(draft.revision.body), *(p.text for p in draft.passages))


def _verdict(view: dict[str, Any], found: dict[str, Any], changed: int) -> str:
    """What an approver reads first."""
    if view["open"]:
        return f"正在比较：问了 {view['done']} 个，共 {view['total']} 个。"
    if not view["finished"]:
        return "这次比较没有做完，下面只是已经问过的部分。请再比较一次。"
    asked = view["after"]["total"]
    if not changed:
        return f"问了 {asked} 个问题，这次修改不会改变其中任何一个回答。"
    wrong = found["counts"]["worse"]
    tail = f"，其中 {wrong} 个会从对变错" if wrong else ""
    return f"这次修改会改变这 {changed} 个回答（共问了 {asked} 个）{tail}。"
