"""What the dashboard and the monthly report show: a period's figures beside those before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, sessionmaker

from knowledge.store import documents, revisions
from service import audit
from service.auth import Member
from service.models import AnswerRecord, now
from service.models.curation import EditMove
from service.models.snapshot import stand_still
from service.models.trials import GapCluster, GapMember
from service.statistics import figures
from service.statistics.days import Period, china_day
from service.statistics.figures import DEFINITIONS, compared, freshness

# What is better when it grows (True), or when it shrinks; others are neither.
_GOOD = {"answered_share": True, "coverage": True, "satisfaction": True, "failed": False}
_SHARES = frozenset({"answered_share", "coverage", "satisfaction"})
_NOTABLE = 0.01  # a change of a share by less is noise, and is not called better or worse
NAMES = {
    "questions": "提问",
    "conversations": "会话",
    "answered": "给出回答",
    "answered_share": "回答率",
    "coverage": "覆盖率",
    "unsure": "没把握",
    "unanswerable": "答不了",
    "failed": "故障",
    "urgent": "紧急",
    "handovers": "转人工",
    "rated": "评价",
    "satisfaction": "满意率",
}


@dataclass(frozen=True, slots=True)
class Board:
    """Reads only: it is right whether or not finished days are folded."""

    sessions: sessionmaker[Session]
    clock: Callable[[], datetime] = now

    @property
    def today(self) -> date:
        return china_day(self.clock())

    def of(self, period: Period, *, region: str = "") -> dict[str, Any]:
        """{period, before, figures, compared, freshness, definitions}."""
        with self.sessions() as session:
            # A day folded, or answers deleted, in between would be counted twice or not at all.
            stand_still(session)
            current = figures.of(session, period, self.today, region=region)
            earlier = figures.totals(session, period.compared_with(self.today), region=region)
            fresh = freshness(session, self.today)
        rated = current["ratings"]
        mine = current["totals"] | {"satisfaction": rated["satisfaction"], "rated": rated["total"]}
        return {
            "figures": current,
            "compared": compared(mine, earlier),
            "freshness": fresh,
            "definitions": DEFINITIONS,
        }

    def published_in(self, period: Period) -> list[dict[str, Any]]:
        """What staff published in a period, each document once, the last first."""
        last = func.max(EditMove.moved_at)
        with self.sessions() as session:
            rows = session.execute(
                select(documents.c.id, documents.c.title, documents.c.kind, last.label("at"))
                .join(revisions, revisions.c.document_id == documents.c.id)
                .join(EditMove, EditMove.revision_id == revisions.c.id)
                .where(
                    EditMove.action == "approved",
                    EditMove.moved_at >= period.since,
                    EditMove.moved_at < period.until,
                )
                .group_by(documents.c.id, documents.c.title, documents.c.kind)
                .order_by(last.desc(), documents.c.id)
                .limit(200)
            )
            return [dict(row._mapping) for row in rows]

    def gaps(self, period: Period, member: Member, *, most: int = 5) -> list[dict[str, Any]]:
        """The matters most asked for in a period that were not answered well, each named by one
        of its questions, masked; that the member reads those goes on record."""
        n = func.count()
        named = aliased(AnswerRecord)
        theirs = [AnswerRecord.region == member.region, named.region == member.region]
        with self.sessions.begin() as session:
            rows = session.execute(
                select(named.question, named.topic, n.label("n"))
                .select_from(GapMember)
                .join(GapCluster, GapMember.cluster_id == GapCluster.id)
                .join(AnswerRecord, AnswerRecord.id == GapMember.answer_id)
                .join(named, named.id == GapCluster.medoid_id)
                .where(
                    GapMember.asked_at >= period.since,
                    GapMember.asked_at < period.until,
                    GapCluster.state != "ignored",
                    *(theirs if member.region else []),
                )
                .group_by(GapCluster.id, named.question, named.topic)
                .order_by(n.desc(), GapCluster.id)
                .limit(most)
            ).all()
            if rows:
                audit.append(
                    session,
                    actor=member.id,
                    action="gap.read",
                    subject="gap",
                    subject_id=period.label,
                    detail={"rows": len(rows)},
                )
        return [{"name": row.question, "topic": row.topic, "n": row.n} for row in rows]


def better_and_worse(board: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The shares and failures that changed notably against the period before."""
    now_ = board["figures"]["totals"] | {
        "satisfaction": board["figures"]["ratings"]["satisfaction"]
    }
    told: dict[str, list[dict[str, Any]]] = {"better": [], "worse": []}
    for name, grows in _GOOD.items():
        current, earlier = now_[name], board["compared"][name]["before"]
        if current is None or earlier is None:
            continue
        difference = current - earlier
        if abs(difference) < (_NOTABLE if name in _SHARES else 1):
            continue
        side = "better" if (difference > 0) is grows else "worse"
        told[side].append(
            {
                "name": NAMES[name],
                "now": current,
                "before": earlier,
                "share": name in _SHARES,
            }
        )
    return told
