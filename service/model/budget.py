"""How much the model may be used in a day, held across processes by counts in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from sqlalchemy import Insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import today_in_china
from service.models import AnswerRecord
from service.models.model import ModelCount

CALLS, TOKENS = "calls", "tokens"


class Budget:
    """Calls and tokens of a day, and calls of a conversation; 0 is no limit."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        calls: int,
        tokens: int,
        of_conversation: int,
        today: Callable[[], date] = today_in_china,
    ) -> None:
        self._sessions, self._today = sessions, today
        self._calls, self._tokens, self._of_conversation = calls, tokens, of_conversation

    def take(self, conversation: str | None = None) -> bool:
        """Take one call from the budget; False when it is used up. Two at once cannot both take
        the last one."""
        day = self._today()
        with self._sessions.begin() as session:
            if conversation and self._of_conversation:
                traces = select(AnswerRecord.trace["model"]["calls"].as_integer())
                of_it = traces.where(AnswerRecord.conversation_id == conversation)
                if sum(n or 0 for n in session.scalars(of_it)) >= self._of_conversation:
                    return False
            session.execute(_more(session, day, {CALLS: 0, TOKENS: 0}))
            at = ModelCount.day == day
            if self._tokens:
                spent = select(ModelCount.n).where(at, ModelCount.name == TOKENS)
                if (session.scalar(spent) or 0) >= self._tokens:
                    return False
            limit = (ModelCount.n < self._calls,) if self._calls else ()
            counted = session.execute(
                update(ModelCount)
                .where(at, ModelCount.name == CALLS, *limit)
                .values(n=ModelCount.n + 1)
                .returning(ModelCount.n)
            )
            return counted.one_or_none() is not None

    def count(self, what: Mapping[str, int]) -> None:
        """Add to the counts of today."""
        some = {name: n for name, n in sorted(what.items()) if n}
        if some:
            with self._sessions.begin() as session:
                session.execute(_more(session, self._today(), some))

    def counts(self, day: date) -> dict[str, int]:
        """All counts of a day."""
        with self._sessions() as session:
            rows = session.execute(
                select(ModelCount.name, ModelCount.n).where(ModelCount.day == day)
            )
            return {row.name: row.n for row in rows}


def _more(session: Session, day: date, what: Mapping[str, int]) -> Insert:
    rows = [{"day": day, "name": name, "n": n} for name, n in what.items()]
    if session.get_bind().dialect.name == "postgresql":
        more = postgresql.insert(ModelCount).values(rows)
        return more.on_conflict_do_update(
            index_elements=["day", "name"], set_={"n": ModelCount.n + more.excluded.n}
        )
    some = sqlite.insert(ModelCount).values(rows)
    return some.on_conflict_do_update(
        index_elements=["day", "name"], set_={"n": ModelCount.n + some.excluded.n}
    )
