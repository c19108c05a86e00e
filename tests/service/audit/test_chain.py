"""The log shows what was done to it: broken by hand here, in every way, and found."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from service import audit
from service.audit import Anchor, Chain
from service.audit.events import digest
from service.models.people import AuditEvent, AuditHead
from tests.service import databases
from tests.service.office import at_once

EVENTS: Any = AuditEvent.__table__  # a Table, which its declared type leaves open


def write(engine: Engine, count: int, *, start: int = 1) -> None:
    with databases.sessions_of(engine).begin() as session:
        for number in range(start, start + count):
            append(session, number)


def append(session: Session, number: int) -> None:
    audit.append(
        session,
        actor="s_wang",
        action="notice.edit",
        subject="notice",
        subject_id=f"n_{number}",
        detail={"标题": "停电通知", "次": number, "比": 0.1, "空": None},
        purpose="试",
    )


def verified(engine: Engine, anchor: Anchor | None = None) -> Chain:
    with databases.sessions_of(engine)() as session:
        return audit.verify(session, anchor)


def by_hand(engine: Engine, *statements: Any) -> None:
    """As the owner of the database can, having dropped the triggers."""
    with engine.begin() as connection, databases.unguarded(connection):
        for statement in statements:
            connection.execute(statement)


def stored(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(EVENTS).order_by("id")).mappings()]


def test_an_empty_log_is_whole(database: Engine) -> None:
    assert verified(database) == Chain()


def test_a_log_as_it_was_written_is_whole(database: Engine) -> None:
    write(database, 3)
    write(database, 4, start=4)
    chain = verified(database)
    assert chain.whole
    assert chain.count == 7
    rows = stored(database)
    assert [row["id"] for row in rows] == list(range(1, 8))
    assert chain.hash == rows[-1]["hash"]
    assert [row["previous_hash"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "s_li"),
        ("action", "notice.end"),
        ("subject", "switch"),
        ("subject_id", "n_99"),
        ("purpose", ""),
        ("detail", {"标题": "停水通知"}),
        ("at", datetime(2020, 1, 1, tzinfo=UTC)),
        ("previous_hash", "1" * 64),
        ("hash", "2" * 64),
    ],
)
def test_a_changed_event_is_named(database: Engine, column: str, value: Any) -> None:
    write(database, 6)
    by_hand(database, update(EVENTS).where(EVENTS.c.id == 4).values({column: value}))
    problems = verified(database).problems
    assert problems[0] == "第4条的内容被改动过。"


def test_only_the_changed_event_is_named(database: Engine) -> None:
    write(database, 6)
    by_hand(database, update(EVENTS).where(EVENTS.c.id == 4).values(actor="s_li"))
    assert verified(database).problems == ["第4条的内容被改动过。"]


def test_a_removed_event_is_named(database: Engine) -> None:
    write(database, 8)
    by_hand(database, delete(EVENTS).where(EVENTS.c.id.in_([3, 6, 7])))
    assert verified(database).problems == ["缺少第3条：已被删除。", "缺少第6至第7条：已被删除。"]


def test_the_end_cut_off_is_found(database: Engine) -> None:
    write(database, 6)
    by_hand(database, delete(EVENTS).where(EVENTS.c.id > 4))
    assert verified(database).problems == ["缺少第5至第6条：末尾被删除。"]


def test_everything_removed_is_found(database: Engine) -> None:
    write(database, 3)
    by_hand(database, delete(EVENTS))
    assert verified(database).problems == ["缺少第1至第3条：末尾被删除。"]


def test_a_removed_event_is_found_even_when_the_rest_moves_up(database: Engine) -> None:
    write(database, 6)
    moves = [update(EVENTS).where(EVENTS.c.id == i).values(id=i - 1) for i in (4, 5, 6)]
    by_hand(database, delete(EVENTS).where(EVENTS.c.id == 3), *moves)
    problems = verified(database).problems
    assert problems[0].startswith("第3条原来是第4条")
    assert problems[-1] == "缺少第6条：末尾被删除。"


def test_an_inserted_event_is_found_though_its_own_hash_is_right(database: Engine) -> None:
    write(database, 4)
    rows = stored(database)
    forged = {**rows[1], "id": 3, "actor": "s_li", "previous_hash": rows[1]["hash"]}
    forged["hash"] = digest(forged)
    moves = [update(EVENTS).where(EVENTS.c.id == i).values(id=i + 1) for i in (4, 3)]
    by_hand(database, *moves, insert(EVENTS).values(forged))
    problems = verified(database).problems
    assert problems[0].startswith("第4条原来是第3条")
    assert problems[-1].startswith("末")


def test_an_event_put_at_the_end_is_found(database: Engine) -> None:
    write(database, 3)
    last = stored(database)[-1]
    forged = {**last, "id": 4, "previous_hash": last["hash"]}
    forged["hash"] = digest(forged)
    by_hand(database, insert(EVENTS).values(forged))
    assert verified(database).problems == ["末尾多出第4条：不是本系统写入的。"]


def test_two_events_that_changed_places_are_named(database: Engine) -> None:
    write(database, 6)
    steps = ((2, 100), (5, 2), (100, 5))
    by_hand(database, *(update(EVENTS).where(EVENTS.c.id == a).values(id=b) for a, b in steps))
    problems = verified(database).problems
    assert problems[0].startswith("第2条原来是第5条")
    assert any(problem.startswith("第5条原来是第2条") for problem in problems)


def test_an_event_rewritten_with_a_right_hash_breaks_the_link(database: Engine) -> None:
    write(database, 5)
    row = {**stored(database)[2], "actor": "s_li"}
    by_hand(database, update(EVENTS).where(EVENTS.c.id == 3).values(actor="s_li", hash=digest(row)))
    assert verified(database).problems == ["第4条与第3条接不上：其中一条被改写、替换或插入过。"]


def test_a_last_event_rewritten_with_a_right_hash_does_not_fit_the_head(database: Engine) -> None:
    write(database, 3)
    row = {**stored(database)[-1], "actor": "s_li"}
    by_hand(database, update(EVENTS).where(EVENTS.c.id == 3).values(actor="s_li", hash=digest(row)))
    assert verified(database).problems == ["末条（第3条）与登记的校验值不符：此条或登记被改写过。"]


def test_a_log_rewritten_as_a_whole_is_found_only_by_an_anchor(database: Engine) -> None:
    write(database, 5)
    before = verified(database)
    previous, statements = stored(database)[1]["hash"], []
    for row in stored(database)[2:]:
        row |= {"actor": "s_li", "previous_hash": previous}
        previous = row["hash"] = digest(row)
        statements.append(update(EVENTS).where(EVENTS.c.id == row["id"]).values(row))
    by_hand(database, *statements, update(AuditHead).values(hash=previous))
    assert verified(database).whole
    assert verified(database, Anchor(2, stored(database)[1]["hash"])).whole
    problems = verified(database, Anchor(before.count, before.hash)).problems
    assert problems == ["第5条与留存的校验值不符：此条或之前的记录被整体改写过。"]


def test_a_log_cut_off_together_with_its_head_is_found_by_an_anchor(database: Engine) -> None:
    write(database, 5)
    before = verified(database)
    third = stored(database)[2]["hash"]
    by_hand(
        database,
        delete(EVENTS).where(EVENTS.c.id > 3),
        update(AuditHead).values(count=3, hash=third),
    )
    assert verified(database).whole
    problems = verified(database, Anchor(before.count, before.hash)).problems
    assert problems == ["留存的校验值记着有5条，现在只有3条：末尾被删除过。"]


def test_a_removed_head_is_found_and_work_goes_on(database: Engine) -> None:
    write(database, 3)
    by_hand(database, delete(AuditHead))
    assert verified(database).problems == ["登记总数和末条校验值的那一行被删除了。"]
    write(database, 1, start=4)
    assert verified(database).whole
    assert verified(database).count == 4


def test_what_is_no_longer_json_or_a_time_is_found_and_stops_nothing(
    database: Engine,
) -> None:
    write(database, 5)
    if database.dialect.name == "postgresql":
        pytest.skip("PostgreSQL lets no such value in")
    by_hand(
        database,
        text("UPDATE audit_events SET detail = '{' WHERE id = 2"),
        text("UPDATE audit_events SET at = 'gestern' WHERE id = 4"),
    )
    assert verified(database).problems == ["第2条的内容被改动过。", "第4条的内容被改动过。"]


def test_of_a_ruined_log_the_first_problems_are_listed(database: Engine) -> None:
    write(database, 60)
    by_hand(database, update(EVENTS).values(actor="s_li"))
    problems = verified(database).problems
    assert len(problems) == 21
    assert problems[-1] == "问题较多，只列出以上这些。"


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events"]
)
def test_the_database_itself_refuses_to_change_or_remove(database: Engine, statement: str) -> None:
    write(database, 2)
    with (
        pytest.raises((IntegrityError, DatabaseError), match="append-only"),
        database.begin() as connection,
    ):
        connection.execute(text(statement))
    assert verified(database).count == 2


def test_sixteen_at_once_leave_one_chain(database: Engine) -> None:
    sessions = databases.sessions_of(database)

    def several(worker: int) -> None:
        for number in range(5):
            with sessions.begin() as session:
                append(session, worker * 10 + number)
                if number == 3:
                    append(session, worker * 10 + 5)

    results = at_once([partial(several, worker) for worker in range(16)])
    assert results == [None] * 16
    chain = verified(database)
    assert chain.whole
    assert chain.count == 16 * 6
    assert len({row["subject_id"] for row in stored(database)}) == 96


def test_an_event_happens_with_its_transaction_or_not_at_all(database: Engine) -> None:
    sessions = databases.sessions_of(database)
    with sessions() as session:
        append(session, 1)  # never committed
    with sessions.begin() as session:
        append(session, 2)
        session.rollback()
    with sessions.begin() as session:
        append(session, 3)
        with session.begin_nested() as savepoint:
            append(session, 4)
            with session.begin_nested():
                append(session, 5)
            savepoint.rollback()
        with session.begin_nested():
            append(session, 6)
    with sessions() as session:
        append(session, 7)
        session.commit()
        append(session, 8)
        session.rollback()
        session.commit()
    assert [row["subject_id"] for row in stored(database)] == ["n_3", "n_6", "n_7"]
    assert verified(database).whole


def test_events_keep_their_time_and_words(database: Engine) -> None:
    at = datetime(2026, 12, 1, 9, 0, 0, 123456, tzinfo=UTC)
    with databases.sessions_of(database).begin() as session:
        audit.append(
            session,
            actor=audit.SYSTEM,
            action="retention.purge",
            subject="retention",
            subject_id="",
            detail={"行": [1, 2], "到": {"a": True}},
            at=at.astimezone(datetime.now().astimezone().tzinfo) + timedelta(0),
        )
    [row] = stored(database)
    assert row["at"].replace(tzinfo=UTC) == at
    assert row["detail"] == {"行": [1, 2], "到": {"a": True}}
    assert verified(database).whole


@pytest.mark.parametrize("action", ["", "publish", "Knowledge.publish", "knowledge.", "a b.c"])
def test_an_action_is_a_resource_and_a_verb(database: Engine, action: str) -> None:
    with databases.sessions_of(database)() as session, pytest.raises(ValueError, match="verb"):
        audit.append(session, actor="x", action=action, subject="x", subject_id="x")


def test_what_is_no_json_is_refused_when_it_is_appended(database: Engine) -> None:
    with databases.sessions_of(database)() as session:
        for wrong in ({"x": float("nan")}, {"x": {1, 2}}):
            with pytest.raises((TypeError, ValueError)):
                audit.append(
                    session, actor="x", action="a.b", subject="x", subject_id="", detail=wrong
                )


def test_the_hash_covers_one_canonical_form(database: Engine) -> None:
    """Written out, so that a log can be checked by others, and no change of form goes unseen."""
    event = {
        "id": 1,
        "at": datetime(2026, 12, 1, tzinfo=UTC),
        "actor": "s_1",
        "action": "notice.edit",
        "subject": "notice",
        "subject_id": "n_1",
        "purpose": "",
        "detail": {"b": 1, "a": "中"},
        "previous_hash": "0" * 64,
    }
    form = [1, "2026-12-01T00:00:00.000000+00:00", "s_1", "notice.edit", "notice", "n_1", ""]
    canonical = json.dumps(
        [*form, {"a": "中", "b": 1}, "0" * 64], ensure_ascii=False, separators=(",", ":")
    )
    assert digest(event) == hashlib.sha256(canonical.encode()).hexdigest()
    assert digest({**event, "at": datetime(2026, 12, 1)}) == digest(event)  # noqa: DTZ001 (SQLite)
