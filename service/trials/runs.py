"""Ask whole sets, in the background, one run at a time, and keep what came of each question.

    waiting → running → finished
       │         ├────→ cancelled     somebody stopped it
       │         ├────→ interrupted   the process that ran it ended
       └────→ cancelled └→ failed     what answers could not be opened

What is switched off is asked all the same: a run measures what is known, not what is let through.
The questions of a run are copied into it when it is asked for, so that a set may be changed
meanwhile. A run that is on gives a sign with each question; without one for `_SILENCE` it was cut
off, whichever process it was in.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import exists, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, sessionmaker

from knowledge.store import fingerprint
from service import audit
from service.auth import Member
from service.conversations import Answers
from service.errors import BadRequest, Conflict, NotFound, ServiceError
from service.models import DraftComparison, TrialResult, TrialRun, TrialRunSet, now
from service.trials.asking import Answering, DraftsOf
from service.trials.records import OPEN, STATUSES, answered, asked, once, result, views

log = structlog.get_logger()
_SILENCE = timedelta(minutes=2)
_MOST_WAITING = 20
_MOST_SETS = 10


class TrialRuns:
    """Runs and their results. Build one a request; `work` is what the background does."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def ask_for(self, member: Member, sets: Sequence[dict[str, Any]]) -> str:
        """A waiting run over sets (as `QuestionSets.read` gives them); its id. Raises BadRequest,
        Conflict."""
        with self._sessions.begin() as session:
            run = self.insert(session, member, sets)
            audit.append(
                session,
                actor=member.id,
                action="trial.run",
                subject="trial_run",
                subject_id=run,
                detail={"sets": [s["id"] for s in sets]},
            )
        return run

    def insert(
        self,
        session: Session,
        member: Member,
        sets: Sequence[dict[str, Any]],
        revision: str | None = None,
    ) -> str:
        """See `ask_for`, in the caller's transaction, perhaps with a draft in place."""
        questions = once([(s["id"], q) for s in sets for q in s["questions"]])
        if not 1 <= len(sets) <= _MOST_SETS:
            raise BadRequest("sets_none", f"请选一到{_MOST_SETS}套题。")
        if not questions:
            raise BadRequest("questions_none", "选的题集里还没有问题，请先加几个。")
        self._end_silent(session)
        waiting = session.scalars(select(TrialRun.id).where(TrialRun.status == "waiting")).all()
        if len(waiting) >= _MOST_WAITING:
            raise Conflict("runs_waiting", "排队的太多了，请等前面的问完。")
        run = f"r_{secrets.token_urlsafe(9)}"
        session.add(
            TrialRun(
                id=run,
                status="waiting",
                revision_id=revision,
                asked_by=member.id,
                asked_at=self._clock(),
                total=len(questions),
                versions={},
            )
        )
        session.flush()
        session.execute(
            insert(TrialRunSet),
            [{"run_id": run, "set_id": s["id"], "name": s["name"]} for s in sets],
        )
        try:
            session.execute(
                insert(TrialResult),
                [asked(run, i, set_id, q) for i, (set_id, q) in enumerate(questions)],
            )
        except IntegrityError:
            raise Conflict(
                "answer_gone", "其中有的问题，市民刚刚删除了那段会话。请刷新后再试。"
            ) from None
        return run

    def cancel(self, member: Member, run: str) -> dict[str, Any]:
        """Stop a run after the question it is at. Raises NotFound, Conflict."""
        with self._sessions.begin() as session:
            stopped = session.execute(
                update(TrialRun)
                .where(TrialRun.id == run, TrialRun.status.in_(OPEN))
                .values(status="cancelled", ended_at=self._clock())
            )
            if not stopped.rowcount:  # type: ignore[attr-defined]
                found = wanted(session, run)
                raise Conflict("run_over", f"已经{STATUSES[found.status]}，不用停了。")
            audit.append(
                session,
                actor=member.id,
                action="trial.cancel",
                subject="trial_run",
                subject_id=run,
            )
        return self.read(run)

    def read(self, run: str) -> dict[str, Any]:
        """How far a run is. Raises NotFound."""
        with self._sessions.begin() as session:
            self._end_silent(session)
            row = wanted(session, run)
            return views(session, [row])[0]

    def history(
        self, set_id: str | None = None, *, before: str | None = None, limit: int = 20
    ) -> list[dict[str, Any]]:
        """The runs over what was published, of one set or of all, newest first."""
        with self._sessions.begin() as session:
            self._end_silent(session)
            query = select(TrialRun).where(
                TrialRun.revision_id.is_(None),
                # One half of a comparison says nothing by itself.
                ~exists(select(1).where(DraftComparison.before_id == TrialRun.id)),
            )
            if set_id is not None:
                of_set = select(TrialRunSet.run_id).where(TrialRunSet.set_id == set_id)
                query = query.where(TrialRun.id.in_(of_set))
            if before is not None:
                last = wanted(session, before)
                query = query.where(
                    tuple_(TrialRun.asked_at, TrialRun.id) < tuple_(last.asked_at, last.id)
                )
            ordered = query.order_by(TrialRun.asked_at.desc(), TrialRun.id.desc()).limit(limit)
            return views(session, session.scalars(ordered).all())

    def results(self, run: str) -> list[dict[str, Any]]:
        """What came of each question that was asked, in the order of the sets."""
        with self._sessions() as session:
            rows = session.scalars(
                select(TrialResult)
                .where(TrialResult.run_id == run, TrialResult.outcome.is_not(None))
                .order_by(TrialResult.position)
            )
            return [result(row) for row in rows]

    def current_knowledge(self) -> str:
        """The fingerprint of what is published now: a run over anything else is of the past."""
        with self._sessions() as session:
            return fingerprint(session)

    def work(self, answering: Answering, drafts_of: DraftsOf, *, pause: float = 0.0) -> int:
        """Run what waits, oldest first, until nothing does or another process is at it; how many
        runs were done. A draft is opened with the rights of who asked for its run. `pause` seconds
        between questions leave the machine to citizens."""
        count = 0
        while run := self._claim():
            self._run(run, answering, drafts_of, pause)
            count += 1
        return count

    def _claim(self) -> str | None:
        """The oldest waiting run, now ours; None if another is running."""
        at = self._clock()
        other = aliased(TrialRun)
        with self._sessions.begin() as session:
            self._end_silent(session)
            oldest = session.scalar(
                select(TrialRun.id)
                .where(TrialRun.status == "waiting")
                .order_by(TrialRun.asked_at, TrialRun.id)
                .limit(1)
            )
            if oldest is None:
                return None
            claimed = session.execute(
                update(TrialRun)
                .where(
                    TrialRun.id == oldest,
                    TrialRun.status == "waiting",
                    ~exists(select(other.id).where(other.status == "running")),
                )
                .values(status="running", began_at=at, seen_at=at)
                .execution_options(synchronize_session=False)
            )
            return oldest if claimed.rowcount else None  # type: ignore[attr-defined]

    def _run(self, run: str, answering: Answering, drafts_of: DraftsOf, pause: float) -> None:
        try:
            with self._answers(run, answering, drafts_of) as answers:
                self._ask_all(run, answers, answering, pause)
                ended, problem = "finished", ""
        except ServiceError as error:
            ended, problem = "failed", error.message
        except Exception:
            log.exception("trial.failed", run=run)
            ended, problem = "failed", "出了故障，详情见服务日志。"
        with self._sessions.begin() as session:
            session.execute(
                update(TrialRun)
                .where(TrialRun.id == run, TrialRun.status == "running")  # not if cancelled
                .values(status=ended, problem=problem, ended_at=self._clock())
            )

    @contextmanager
    def _answers(self, run: str, answering: Answering, drafts_of: DraftsOf) -> Iterator[Answers]:
        """What a run asks, its versions noted."""
        with self._sessions.begin() as session:
            row = wanted(session, run)
            revision, asked_by = row.revision_id, row.asked_by
            versions = answering.versions
            session.execute(
                update(TrialRun)
                .where(TrialRun.id == run)
                .values(versions=versions, knowledge=versions.get("knowledge", ""))
            )
        if revision is None:
            yield answering
            return
        with answering.candidate([drafts_of(asked_by)(revision)]) as candidate:
            yield candidate

    def _ask_all(self, run: str, answers: Answers, answering: Answering, pause: float) -> None:
        with self._sessions() as session:
            rows = session.scalars(
                select(TrialResult)
                .where(TrialResult.run_id == run, TrialResult.outcome.is_(None))
                .order_by(TrialResult.position)
            ).all()
        for row in rows:
            values = answered(row, answers, answering)
            if not self._keep(run, row.id, values):
                return  # somebody stopped it
            time.sleep(pause)

    def _keep(self, run: str, result: int, values: dict[str, Any]) -> bool:
        """Store a result, and give the sign; False when the run is not to go on."""
        passed = values["passed"]
        with self._sessions.begin() as session:
            still = session.execute(
                update(TrialRun)
                .where(TrialRun.id == run, TrialRun.status == "running")
                .values(
                    seen_at=self._clock(),
                    done=TrialRun.done + 1,
                    passed=TrialRun.passed + int(passed is True),
                    failed=TrialRun.failed + int(passed is False),
                )
                .execution_options(synchronize_session=False)
            )
            if not still.rowcount:  # type: ignore[attr-defined]
                return False
            session.execute(update(TrialResult).where(TrialResult.id == result).values(**values))
        return True

    def _end_silent(self, session: Session) -> None:
        """Runs that have given no sign for too long are over."""
        at = self._clock()
        session.execute(
            update(TrialRun)
            .where(TrialRun.status == "running", TrialRun.seen_at < at - _SILENCE)
            .values(status="interrupted", ended_at=at)
            .execution_options(synchronize_session=False)
        )


def wanted(session: Session, run: str) -> TrialRun:
    """Raises NotFound."""
    row = session.get(TrialRun, run, populate_existing=True)
    if row is None:
        raise NotFound("run_unknown", "没有这一次的记录。")
    return row
