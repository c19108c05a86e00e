"""Finds the questions that were not answered well, and puts each into a cluster, once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import structlog
from sqlalchemy import ColumnElement, Select, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, sessionmaker

from service.gaps.clusters import Clusters, medoid, packed, unpacked
from service.gaps.vectors import QuestionVectors, key_of
from service.models import (
    AnswerRecord,
    GapCluster,
    GapMember,
    QuestionVector,
    Rating,
    Review,
    now,
)

log = structlog.get_logger()
REMEMBERED = timedelta(days=400)  # a year can be compared with the one before it, in part
_SETTLED = timedelta(hours=1)  # after it, who was asked back is not coming back
_BATCH = 1000
_MANY = 500  # in one IN (…)

KINDS = {
    "unsure": "没有答上来",
    "off_topic": "当成无关的问题",
    "unclear": "反问之后没有下文",
    "rated": "评了一、二星",
    "judged": "复核认为答得不对",
}
_BY_OUTCOME = {
    "unsure": ("unanswerable_unsure", "unanswerable_no_source", "unanswerable_not_held"),
    "off_topic": ("unanswerable_off_topic",),
}
_ASKED_BACK = ("clarify_topic", "clarify_region")
_WRONG = ("partial", "wrong", "unsafe")
# The answers of a kind by what somebody thought of them, which may be taken back.
_FOUND_BY_PEOPLE = {
    "rated": select(Rating.event_id).where(
        Rating.event_kind == "answer", Rating.level <= 2, Rating.excluded_at.is_(None)
    ),
    "judged": select(Review.answer_id).where(Review.verdict.in_(_WRONG)),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was not answered well. `text` is what was searched for, masked."""

    answer: str
    kind: str
    at: datetime
    text: str


class Collector:
    """Brings clusters up to date; safe to run in several processes."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        vectors: QuestionVectors,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._vectors, self._clock = sessions, vectors, clock

    def outstanding(self) -> int:
        """How many questions are in no cluster yet."""
        with self._sessions() as session:
            return sum(
                session.scalar(select(func.count()).select_from(query.subquery())) or 0
                for _, query in self._queries()
            )

    def collect(self) -> int:
        """Put every outstanding question into a cluster; how many there were."""
        self._forget()
        count = 0
        while asked := self._outstanding():
            try:
                self._place(asked)
            except IntegrityError:
                log.info("gaps.collected_elsewhere")
                break
            count += len(asked)
        self._name_again()
        return count

    def _queries(self) -> Iterator[tuple[str, Select[Any]]]:
        """A kind with the answers of that kind which are in no cluster."""
        since = self._clock() - REMEMBERED
        for kind, outcomes in _BY_OUTCOME.items():
            yield kind, _answers(kind, AnswerRecord.outcome.in_(outcomes), since)
        yield (
            "unclear",
            _answers("unclear", _left_alone(), since, until=self._clock() - _SETTLED),
        )
        for kind, found in _FOUND_BY_PEOPLE.items():
            yield kind, _answers(kind, AnswerRecord.id.in_(found), since)

    def _outstanding(self) -> list[Asked]:
        """The oldest of them, in the order in which they were asked."""
        found: list[Asked] = []
        with self._sessions() as session:
            for kind, query in self._queries():
                rows = session.execute(query.order_by(AnswerRecord.asked_at).limit(_BATCH))
                found += [
                    Asked(row.id, kind, row.asked_at, row.searched or row.question) for row in rows
                ]
        return sorted(found, key=lambda a: (a.at, a.answer))[:_BATCH]

    def _place(self, asked: Sequence[Asked]) -> None:
        vectors = self._vectors.of({key_of(a.text): a.text for a in asked})
        encoder = self._vectors.encoder
        with self._sessions.begin() as session:
            rows = session.execute(
                select(GapCluster.id, GapCluster.total)
                .where(
                    GapCluster.encoder == encoder.version,
                    GapCluster.last_at > self._clock() - REMEMBERED,
                )
                # In the order in which they were founded: of two equally near, the older.
                .order_by(GapCluster.first_at, GapCluster.id)
            ).all()
            ids = [row.id for row in rows]
            totals = [unpacked(row.total, np.float32) for row in rows]
            shape = (len(ids), encoder.dimensions)
            clusters = Clusters(np.asarray(totals, np.float32).reshape(shape))
            index = {cluster: place for place, cluster in enumerate(ids)}
            # An answer that is unsure and badly rated is one question in one cluster.
            present = self._places_of(session, {a.answer for a in asked})
            place_of = {a: index[c] for a, c in present.items() if c in index}
            texts = {a.answer: a.text for a in asked if a.answer not in place_of}
            if texts:
                fresh = np.asarray([vectors[key_of(text)] for text in texts.values()])
                place_of |= dict(zip(texts, clusters.join(fresh), strict=True))
            founded = len(clusters) - len(ids)
            ids += [f"g_{secrets.token_urlsafe(9)}" for _ in range(founded)]
            placed: dict[int, list[Asked]] = {}
            for a in asked:
                placed.setdefault(place_of[a.answer], []).append(a)
            self._write(session, ids, len(rows), clusters, placed)

    @staticmethod
    def _places_of(session: Session, answers: Iterable[str]) -> dict[str, str]:
        rows = session.execute(
            select(GapMember.answer_id, GapMember.cluster_id).where(
                GapMember.answer_id.in_(list(answers))
            )
        )
        return {row.answer_id: row.cluster_id for row in rows}

    def _write(
        self,
        session: Session,
        ids: Sequence[str],
        known: int,
        clusters: Clusters,
        placed: dict[int, list[Asked]],
    ) -> None:
        founded, grown = [], []
        for place, members in placed.items():
            row = {
                "id": ids[place],
                "total": packed(clusters.total(place), np.float32),
                "last_at": max(a.at for a in members),
            }
            if place < known:
                grown.append(row)
                continue
            first = min(members, key=lambda a: a.at)
            founded.append(
                row
                | {
                    "encoder": self._vectors.encoder.version,
                    "medoid_id": first.answer,
                    "first_at": first.at,
                }
            )
        if founded:
            session.execute(insert(GapCluster), founded)
        if grown:
            session.execute(update(GapCluster), grown)
        session.execute(
            insert(GapMember),
            [
                {
                    "answer_id": a.answer,
                    "kind": a.kind,
                    "cluster_id": ids[place],
                    "asked_at": a.at,
                    "digest": key_of(a.text),
                }
                for place, members in placed.items()
                for a in members
            ],
        )
        self._name(session, [ids[place] for place in placed])

    def _name(self, session: Session, clusters: Sequence[str]) -> None:
        """Let each cluster be named after the question nearest to its middle."""
        for start in range(0, len(clusters), _MANY):
            some = clusters[start : start + _MANY]
            rows = session.execute(
                select(
                    GapMember.cluster_id,
                    GapMember.answer_id,
                    GapMember.digest,
                    GapCluster.total,
                )
                .join(GapCluster, GapMember.cluster_id == GapCluster.id)
                .where(GapMember.cluster_id.in_(some))
                .order_by(GapMember.cluster_id, GapMember.asked_at, GapMember.answer_id)
            ).all()
            vectors = self._vectors.of(self._texts_of(session, {r.answer_id for r in rows}))
            members: dict[str, list[Any]] = {}
            for row in rows:
                if row.digest in vectors:
                    members.setdefault(row.cluster_id, []).append(row)
            named = [
                {
                    "id": cluster,
                    "medoid_id": group[
                        medoid(
                            [vectors[r.digest] for r in group],
                            unpacked(group[0].total, np.float32),
                        )
                    ].answer_id,
                }
                for cluster, group in members.items()
            ]
            if named:
                session.execute(update(GapCluster), named)

    @staticmethod
    def _texts_of(session: Session, answers: Iterable[str]) -> dict[str, str]:
        ids, out = list(answers), {}
        for start in range(0, len(ids), _MANY):
            rows = session.execute(
                select(
                    AnswerRecord.question, AnswerRecord.trace["query"].as_string().label("searched")
                ).where(AnswerRecord.id.in_(ids[start : start + _MANY]))
            )
            for row in rows:
                text = row.searched or row.question
                out[key_of(text)] = text
        return out

    def _forget(self) -> None:
        """Answers that are gone, by a citizen's wish or by age, leave nothing here: neither their
        place, nor a vector from which a text might be guessed, nor a cluster without questions. Nor
        does a rating that counts no longer, or a verdict that was revised."""
        member, vector, cluster = GapMember, QuestionVector, GapCluster
        with self._sessions.begin() as session:
            session.execute(
                delete(member).where(~exists(select(1).where(AnswerRecord.id == member.answer_id))),
                execution_options={"synchronize_session": False},
            )
            for kind, found in _FOUND_BY_PEOPLE.items():
                session.execute(
                    delete(member).where(member.kind == kind, member.answer_id.not_in(found)),
                    execution_options={"synchronize_session": False},
                )
            session.execute(
                delete(vector).where(
                    vector.digest != "centre",
                    ~exists(select(1).where(member.digest == vector.digest)),
                ),
                execution_options={"synchronize_session": False},
            )
            session.execute(
                delete(cluster).where(~exists(select(1).where(member.cluster_id == cluster.id))),
                execution_options={"synchronize_session": False},
            )

    def _name_again(self) -> None:
        """Clusters whose naming question is gone get another."""
        with self._sessions.begin() as session:
            nameless = session.scalars(
                select(GapCluster.id).where(
                    ~exists(
                        select(1).where(
                            GapMember.answer_id == GapCluster.medoid_id,
                            GapMember.cluster_id == GapCluster.id,
                        )
                    )
                )
            ).all()
            self._name(session, nameless)


def _answers(
    kind: str, condition: ColumnElement[bool], since: datetime, until: datetime | None = None
) -> Select[Any]:
    query = select(
        AnswerRecord.id,
        AnswerRecord.asked_at,
        AnswerRecord.question,
        AnswerRecord.trace["query"].as_string().label("searched"),
    ).where(
        condition,
        AnswerRecord.asked_at > since,
        ~exists(select(1).where(GapMember.answer_id == AnswerRecord.id, GapMember.kind == kind)),
    )
    return query if until is None else query.where(AnswerRecord.asked_at < until)


def _left_alone() -> ColumnElement[bool]:
    """Asked back, and nothing after that was an answer or a person."""
    later = aliased(AnswerRecord)
    helped = exists(
        select(1).where(
            later.conversation_id == AnswerRecord.conversation_id,
            later.asked_at > AnswerRecord.asked_at,
            or_(
                later.outcome.like("answered\\_%", escape="\\"),
                later.outcome.like("handover\\_%", escape="\\"),
            ),
        )
    )
    return AnswerRecord.outcome.in_(_ASKED_BACK) & ~helped
