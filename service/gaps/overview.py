"""The gaps of a period as staff see them: counts and masked questions, never who asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, distinct, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.auth import Member
from service.conversations import Answers
from service.curation.views import moment
from service.errors import BadRequest, NotFound
from service.gaps import queries
from service.gaps.collect import KINDS
from service.models import AnswerRecord, GapCluster, GapMember, now

PERIODS = {7: "最近 7 天", 30: "最近 30 天", 90: "最近 90 天", 365: "最近一年"}
STATES = {"open": "待处理", "drafted": "已写草稿", "ignored": "不用处理"}
_EXAMPLES = 5
_LONGEST_REASON = 300
_LONGEST_ASK = 120
_BUDGET = 2.0  # seconds that a page spends on asking what the assistant would say now


class Gaps:
    """Build one a request. Whoever has a region sees what was asked of that region."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        answers: Answers,
        versions: Callable[[], dict[str, str]],
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`answers` says what would be answered now, by `versions`."""
        self._sessions, self._answers = sessions, answers
        self._versions, self._clock = versions, clock

    def page(
        self,
        member: Member,
        *,
        days: int = 30,
        topic: str = "",
        kind: str = "",
        state: str = "open",
        after: str = "",
        limit: int = 20,
    ) -> dict[str, Any]:
        """The clusters of a period, the most asked first, and the period's figures. `after` is the
        `next` of the page before. That it was read is on record. Raises BadRequest."""
        conditions = self._conditions(member, topic, kind)
        start = self._clock() - timedelta(days=days)
        place = _place(after)
        with self._sessions.begin() as session:
            rows = queries.ranked(session, [*conditions, *_state(state)], start, place, limit + 1)
            page, more = rows[:limit], len(rows) > limit
            ids = [row.cluster_id for row in page]
            before = queries.counts(session, ids, conditions, start - timedelta(days=days), start)
            examples = queries.examples(session, ids, conditions, start)
            clusters = {
                c.id: c for c in session.scalars(select(GapCluster).where(GapCluster.id.in_(ids)))
            }
            named = _seen(member, queries.named(session, clusters.values()))
            people = queries.people(session, clusters.values())
            figures = queries.figures(session, conditions, start, timedelta(days=days))
            _record(session, member, "list", detail={"days": days, "kind": kind, "topic": topic})
        nearest, left = self._nearest(clusters, named, within=_BUDGET)
        gaps = [
            _view(
                clusters[row.cluster_id],
                count=row.asked,
                conversations=row.conversations,
                before=before.get(row.cluster_id, 0),
                examples=examples.get(row.cluster_id, []),
                named=named.get(row.cluster_id),
                nearest=nearest.get(row.cluster_id),
                people=people,
            )
            for row in page
        ]
        last = page[-1] if more else None
        return {
            "gaps": gaps,
            "next": f"{last.asked}.{last.cluster_id}" if last else None,
            "figures": figures,
            "days": days,
            "to_look_up": left,
        }

    def look_up(self, gaps: Sequence[str]) -> None:
        """Find out what comes nearest to each, however long it takes."""
        with self._sessions() as session:
            clusters = {
                c.id: c for c in session.scalars(select(GapCluster).where(GapCluster.id.in_(gaps)))
            }
            named = queries.named(session, clusters.values())
        self._nearest(clusters, named, within=None)

    def read(self, member: Member, gap: str, *, days: int = 30) -> dict[str, Any]:
        """One gap with up to a hundred of its questions. Raises NotFound."""
        conditions = [*self._conditions(member, "", ""), GapMember.cluster_id == gap]
        start = self._clock() - timedelta(days=days)
        with self._sessions.begin() as session:
            cluster = self._wanted(session, gap, conditions)
            rows = session.execute(
                queries.members(
                    AnswerRecord.question,
                    AnswerRecord.outcome,
                    AnswerRecord.topic,
                    GapMember.kind,
                    GapMember.asked_at,
                )
                .where(*conditions, GapMember.asked_at > start)
                .order_by(GapMember.asked_at.desc(), GapMember.answer_id)
                .limit(100)
            ).all()
            counted = session.execute(
                queries.members(
                    func.count(distinct(GapMember.answer_id)).label("asked"),
                    func.count(distinct(AnswerRecord.conversation_id)).label("conversations"),
                ).where(*conditions, GapMember.asked_at > start)
            ).one()
            before = queries.counts(session, [gap], conditions, start - timedelta(days=days), start)
            named = _seen(member, queries.named(session, [cluster]))
            people = queries.people(session, [cluster])
            _record(session, member, gap)
        nearest, _ = self._nearest({gap: cluster}, named, within=_BUDGET)
        examples = list(dict.fromkeys(row.question for row in rows))
        view = _view(
            cluster,
            count=counted.asked,
            conversations=counted.conversations,
            before=before.get(gap, 0),
            examples=examples,
            named=named.get(gap),
            nearest=nearest.get(gap),
            people=people,
        )
        return view | {
            "days": days,
            "questions": [
                {
                    "question": row.question,
                    "outcome": row.outcome,
                    "topic": row.topic,
                    "kind": row.kind,
                    "kind_label": KINDS[row.kind],
                    "asked_at": moment(row.asked_at),
                }
                for row in rows
            ],
        }

    def mark(self, member: Member, gap: str, state: str, reason: str = "") -> dict[str, Any]:
        """Say that a draft was begun, that it needs nothing (with a reason), or that it is open
        again. Raises BadRequest, NotFound."""
        reason = " ".join(reason.split())
        if state == "ignored" and not reason:
            raise BadRequest("reason_missing", "请写明为什么不用处理。")
        if len(reason) > _LONGEST_REASON or not reason.isprintable():
            raise BadRequest("reason_long", f"理由最多写{_LONGEST_REASON}个字。")
        conditions = [*self._conditions(member, "", ""), GapMember.cluster_id == gap]
        with self._sessions.begin() as session:
            self._wanted(session, gap, conditions)
            session.execute(
                update(GapCluster)
                .where(GapCluster.id == gap)
                .values(
                    state=state,
                    reason=reason if state == "ignored" else "",
                    changed_by=member.id,
                    changed_at=self._clock(),
                )
            )
            audit.append(
                session,
                actor=member.id,
                action=f"gap.{state}",
                subject="gap",
                subject_id=gap,
            )
        return {"id": gap, "state": state, "state_label": STATES[state]}

    def _conditions(self, member: Member, topic: str, kind: str) -> list[ColumnElement[bool]]:
        if kind and kind not in KINDS:
            raise BadRequest("kind_unknown", "没有这种类型。")
        conditions: list[ColumnElement[bool]] = []
        if member.region:
            conditions.append(AnswerRecord.region == member.region)
        if topic:
            conditions.append(AnswerRecord.topic == topic)
        if kind:
            conditions.append(GapMember.kind == kind)
        return conditions

    @staticmethod
    def _wanted(
        session: Session, gap: str, conditions: Sequence[ColumnElement[bool]]
    ) -> GapCluster:
        cluster = session.get(GapCluster, gap)
        seen = session.scalar(queries.members(GapMember.answer_id).where(*conditions).limit(1))
        if cluster is None or seen is None:
            raise NotFound("gap_unknown", "没有这个缺口，或者它不在您负责的地区。")
        return cluster

    def _nearest(
        self, clusters: dict[str, GapCluster], named: dict[str, Any], *, within: float | None
    ) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """What comes nearest to each, and what the assistant would say now; kept with the cluster
        until the index or its name changes. Beside it those for which `within` so many seconds
        there was no time."""
        out: dict[str, dict[str, Any]] = {}
        fresh, left = [], []
        index = self._versions().get("index", "")
        began = time.monotonic()
        for key, cluster in clusters.items():
            wanted = f"{index}/{cluster.medoid_id}"[:80]
            if cluster.nearest is not None and cluster.nearest_for == wanted:
                out[key] = cluster.nearest
            elif key in named and (within is None or time.monotonic() < began + within):
                out[key] = self._ask(named[key])
                fresh.append({"id": key, "nearest": out[key], "nearest_for": wanted})
            elif key in named:
                left.append(key)
        if fresh:
            with self._sessions.begin() as session:
                session.execute(update(GapCluster), fresh)
        return out, left

    def _ask(self, named: Any) -> dict[str, Any]:
        answer = self._answers.answer(named.searched or named.question, region=named.region)
        hit = next(iter(answer.draft.found.guidance), None)
        document = hit.source.document if hit else None
        return {
            "document": document.id if document else None,
            "title": document.title if document else None,
            "kind": document.kind.value if document else None,
            "score": round(hit.score, 3) if hit else None,
            "outcome": answer.outcome.value,
            "answered": answer.outcome.answered,
        }


def _state(state: str) -> list[ColumnElement[bool]]:
    if not state:
        return []
    if state not in STATES:
        raise BadRequest("state_unknown", "没有这种状态。")
    return [GapCluster.state == state]


def _place(after: str) -> tuple[int, str] | None:
    if not after:
        return None
    count, _, last = after.partition(".")
    if not (count.isascii() and count.isdigit() and len(count) < 10 and last):
        raise BadRequest("page_unknown", "没有这一页。")
    return int(count), last


def _view(
    cluster: GapCluster,
    *,
    count: int,
    conversations: int,
    before: int,
    examples: Sequence[str],
    named: Any,
    nearest: dict[str, Any] | None,
    people: dict[str, str],
) -> dict[str, Any]:
    name = named.question if named is not None else next(iter(examples), "（原问题已清除）")
    others = [words for words in examples if words != name]
    return {
        "id": cluster.id,
        "name": name,
        "topic": named.topic if named is not None else None,
        "asked": count,
        "conversations": conversations,
        "before": before,
        "trend": queries.trend(count, before),
        "growing": count > before,
        "examples": others[:_EXAMPLES],
        "asks": [words for words in others if len(words) <= _LONGEST_ASK][: queries.MOST_EXAMPLES],
        "nearest": nearest,
        "first_at": moment(cluster.first_at),
        "last_at": moment(cluster.last_at),
        "state": cluster.state,
        "state_label": STATES[cluster.state],
        "reason": cluster.reason,
        "changed_by": people.get(cluster.changed_by or "", ""),
        "changed_at": moment(cluster.changed_at),
    }


def _seen(member: Member, named: dict[str, Any]) -> dict[str, Any]:
    """Naming questions of the member's region; of another's, a question of one's own stands in."""
    return {key: row for key, row in named.items() if member.sees(row.region)}


def _record(
    session: Session, member: Member, subject_id: str, detail: dict[str, Any] | None = None
) -> None:
    """One event for a page of questions that citizens asked."""
    audit.append(
        session,
        actor=member.id,
        action="gap.read",
        subject="gap",
        subject_id=subject_id,
        detail=detail or {},
        purpose=audit.Purpose.REVIEW.value,
    )
