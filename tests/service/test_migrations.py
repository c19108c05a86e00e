"""One migration history, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from ingest.pipeline import Report, apply
from knowledge import store
from knowledge.models import Status
from service import migrations
from service.models import AnswerRecord, Conversation
from tests.ingest.test_pipeline import read

POSTGRES = os.environ.get("CONSULT_TEST_POSTGRES", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = store.connect(f"sqlite:///{tmp_path / 'x.db'}")
        yield engine
    else:
        if not POSTGRES:
            pytest.skip("CONSULT_TEST_POSTGRES names no database")
        engine = store.connect(POSTGRES)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        yield engine
    engine.dispose()


def test_the_migrations_make_the_schema_that_the_code_expects(engine: Engine) -> None:
    migrations.upgrade(engine)
    migrations.upgrade(engine)
    migrations.check(engine)


def test_knowledge_and_answers_survive_the_way_there_and_back(
    engine: Engine, tmp_path: Path
) -> None:
    migrations.upgrade(engine)
    incoming = read(tmp_path / "c", "先协商，再仲裁。")
    with Session(engine) as session, session.begin():
        apply(session, incoming, Report("content"))
        session.add(Conversation(id="c_1", channel="web"))
        session.flush()
        session.add(
            AnswerRecord(
                id="a_1",
                conversation_id="c_1",
                question="问",
                outcome="answered_faq",
                topic=None,
                confidence=0.5,
                region="310107",
                took_ms=1.0,
                answer={"summary": "答"},
                trace={},
            )
        )
    with Session(engine) as session:
        [revision] = store.all_revisions(session, Status.PUBLISHED).values()
        assert revision == incoming[0].revision
        assert tuple(store.published_passages(session)) == incoming[0].passages
        assert store.all_documents(session)["faq-test"] == incoming[0].document
        record = session.get(AnswerRecord, "a_1")
        assert record is not None
        assert record.answer == {"summary": "答"}
        assert record.asked_at.date() >= date(2026, 1, 1)


def test_sqlite_connections_are_safe(tmp_path: Path) -> None:
    engine = store.connect(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.connect() as connection:
        pragma = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("foreign_keys", "journal_mode", "busy_timeout")
        }
    engine.dispose()
    assert pragma == {"foreign_keys": 1, "journal_mode": "wal", "busy_timeout": 10000}
