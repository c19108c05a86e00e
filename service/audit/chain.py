"""Is the log as it was written? Every event is read once and its hash computed again."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from service.audit.events import FIRST, digest
from service.models.people import AuditEvent, AuditHead

_MOST = 20  # problems that are listed; whoever mends reads no more at once
_NEAR = 200  # how far away an event is looked for that stands in the wrong place
_AT_ONCE = 2000  # rows in memory


@dataclass(frozen=True, slots=True)
class Anchor:
    """What was once written down elsewhere: so many events there were, and this was the last hash.

    With it, even somebody who could rewrite the whole log is found out.
    """

    count: int
    hash: str


@dataclass(slots=True)
class Chain:
    """The log as it was found: its head, and what is wrong with it, in sentences."""

    count: int = 0
    hash: str = FIRST
    problems: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.problems


def verify(session: Session, anchor: Anchor | None = None) -> Chain:
    """Check every event against its own hash, its neighbour's and the head; see `Chain`.

    Events that are appended meanwhile do not disturb it.
    """
    end = head(session)
    chain = Chain(end.count, end.hash) if end else Chain()
    expected, previous, linked = 1, FIRST, True
    with closing(_rows(session, chain.count if end else None)) as rows:
        for row in rows:
            number = row["id"]
            if number > expected:
                chain.problems.append(f"缺少{_range(expected, number - 1)}：已被删除。")
                linked = False
            problem = _problem(row, previous if linked else None)
            if problem:
                chain.problems.append(problem)
            if anchor and number == anchor.count and row["hash"] != anchor.hash:
                chain.problems.append(
                    f"第{number}条与留存的校验值不符：此条或之前的记录被整体改写过。"
                )
            expected, previous, linked = number + 1, row["hash"], True
            if len(chain.problems) >= _MOST:
                chain.problems.append("问题较多，只列出以上这些。")
                return chain
    chain.problems += _end_problems(session, end, expected - 1, previous)
    if anchor and anchor.count > expected - 1:
        chain.problems.append(
            f"留存的校验值记着有{anchor.count}条，现在只有{expected - 1}条：末尾被删除过。"
        )
    return chain


def head(session: Session) -> Anchor | None:
    """How many events there are and the last hash; None before the first."""
    found = session.execute(select(AuditHead.count, AuditHead.hash)).first()
    return Anchor(*found) if found else None


def _rows(session: Session, last: int | None) -> Generator[dict[str, Any]]:
    """The events up to `last` in order. What a hand may have spoilt is read as the text it is, so
    that it is found wanting instead of stopping everything."""
    kept = session.get_bind().dialect.name == "postgresql"  # which lets no such thing in
    query = select(
        AuditEvent.id,
        (AuditEvent.at if kept else type_coerce(AuditEvent.at, String)).label("at"),
        AuditEvent.actor,
        AuditEvent.action,
        AuditEvent.subject,
        AuditEvent.subject_id,
        AuditEvent.purpose,
        cast(AuditEvent.detail, Text).label("detail"),
        AuditEvent.previous_hash,
        AuditEvent.hash,
    ).order_by(AuditEvent.id)
    if last is not None:
        query = query.where(AuditEvent.id <= last)
    with session.execute(query.execution_options(yield_per=_AT_ONCE)) as found:
        for row in found.mappings():
            yield dict(row)


def _problem(row: dict[str, Any], previous: str | None) -> str:
    """What is wrong with one event, after the hash of the one before it where that is known."""
    number = row["id"]
    if number < 1:
        return f"多出一条编号为{number}的记录：不是本系统写入的。"
    try:
        moment = row["at"] if isinstance(row["at"], datetime) else datetime.fromisoformat(row["at"])
        event = {**row, "at": moment, "detail": json.loads(row["detail"])}
        if digest(event) != row["hash"]:
            before = _place_before(event)
            if before:
                return f"第{number}条原来是第{before}条：位置被调换，或前面有记录被插入、删除。"
            return f"第{number}条的内容被改动过。"
    except (TypeError, ValueError):
        return f"第{number}条的内容被改动过。"
    if previous is not None and row["previous_hash"] != previous:
        return f"第{number}条与第{number - 1}条接不上：其中一条被改写、替换或插入过。"
    return ""


def _place_before(event: dict[str, Any]) -> int:
    """Where an event stood when it was written, if that was near; 0 if it stood nowhere near."""
    number = event["id"]
    for away in range(1, _NEAR):
        for place in (number - away, number + away):
            if digest({**event, "id": place}) == event["hash"]:
                return int(place)
    return 0


def _end_problems(session: Session, end: Anchor | None, last: int, last_hash: str) -> list[str]:
    if end is None:
        return ["登记总数和末条校验值的那一行被删除了。"] if last > 0 else []
    if last < end.count:
        return [f"缺少{_range(last + 1, end.count)}：末尾被删除。"]
    problems = []
    if last_hash != end.hash:
        problems.append(f"末条（第{last}条）与登记的校验值不符：此条或登记被改写过。")
    # First the events, then the head: what was appended in between is in the head already.
    newest = session.scalar(select(func.max(AuditEvent.id))) or 0
    session.expire_all()
    now = head(session)
    if now is None or newest > now.count:
        problems.append(f"末尾多出{_range(last + 1, newest)}：不是本系统写入的。")
    return problems


def _range(first: int, last: int) -> str:
    return f"第{first}条" if first == last else f"第{first}至第{last}条"
