"""Databases made by the migrations: SQLite always, PostgreSQL where one is named."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import Connection, delete, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.orm import Session, sessionmaker

from knowledge import store
from service import migrations
from service.models import Base

POSTGRES = os.environ.get("CONSULT_TEST_POSTGRES", "")


@cache
def _template() -> Path:
    """Migrated once; a copy takes milliseconds."""
    path = Path(mkdtemp()) / "template.db"
    engine = store.connect(f"sqlite:///{path}")
    migrations.upgrade(engine)
    engine.dispose()
    return path


@contextmanager
def sqlite(folder: Path) -> Iterator[Engine]:
    """A fresh file in a folder."""
    engine = store.connect(f"sqlite:///{shutil.copy(_template(), folder / 'consult.db')}")
    yield engine
    engine.dispose()


@contextmanager
def postgresql() -> Iterator[Engine]:
    """A schema of its own, so that tests can run beside others in the same database."""
    schema = f"test_{secrets.token_hex(6)}"
    around = store.connect(POSTGRES)
    with around.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    url = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    engine = store.connect(url.render_as_string(hide_password=False))
    migrations.upgrade(engine)
    yield engine
    engine.dispose()
    with around.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    around.dispose()


def empty(engine: Engine) -> None:
    """Forget all rows of an earlier test. DELETE, as TRUNCATE writes new files for every table."""
    with engine.begin() as connection, unguarded(connection):
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))


@contextmanager
def unguarded(connection: Connection) -> Iterator[None]:
    """Without the triggers that keep the audit log from being changed, as somebody would be who
    owns the database and means to. They are back afterwards."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE audit_events DISABLE TRIGGER USER"))
        yield
        connection.execute(text("ALTER TABLE audit_events ENABLE TRIGGER USER"))
        return
    triggers = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'audit_events' AND type = :t"),
        {"t": "trigger"},
    ).all()
    for name, _ in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, definition in triggers:
        connection.execute(text(definition))


def sessions_of(engine: Engine) -> sessionmaker[Session]:
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def postgresql_database() -> Iterator[str]:
    """The URL of an empty database of its own."""
    name = f"test_{secrets.token_hex(6)}"
    around = store.connect(POSTGRES).execution_options(isolation_level="AUTOCOMMIT")
    with around.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    with around.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    around.dispose()
