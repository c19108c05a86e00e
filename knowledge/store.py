"""Documents, revisions and passages in SQL. Passages are never changed or deleted, so an index
built earlier can always be answered from, whatever has been ingested since."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from knowledge.models import DateBasis, Document, Kind, Passage, Revision, Status, digest

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

documents = Table(
    "documents",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("kind", String(20), nullable=False, index=True),
    Column("title", String(400), nullable=False),
    Column("origin", String(400), nullable=False, index=True),
    Column("region", String(6), nullable=False),
    Column("level", String(20), nullable=False),
    Column("issuer", String(200), nullable=False),
    Column("topic", String(20), nullable=False),
    Column("aliases", JSON, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", String(240), primary_key=True),
    Column("document_id", ForeignKey("documents.id"), nullable=False, index=True),
    Column("status", String(20), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("checked_on", Date, nullable=False),
    Column("document_number", String(200), nullable=False),
    Column("published_on", Date),
    Column("effective_from", Date),
    Column("effective_until", Date),
    Column("date_basis", String(20), nullable=False),
    Column("successor", String(200)),
    Column("author", String(80), nullable=False),
    Column("approver", String(80), nullable=False),
    Column("body", JSON, nullable=False),
    # "Has this document a draft?" by either index alone reads hundreds of rows a document.
    Index("ix_revisions_document_id_status", "document_id", "status"),
)

passages = Table(
    "passages",
    metadata,
    Column("id", String(280), primary_key=True),
    Column("revision_id", ForeignKey("revisions.id"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("label", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Column("path", Text, nullable=False),
    Index("ix_passages_revision_id_ordinal", "revision_id", "ordinal"),
)

# What has been read in from where: the same input again is not even parsed.
loads = Table(
    "knowledge_loads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", String(400), nullable=False, index=True),
    Column("fingerprint", String(64), nullable=False),
    Column("loaded_at", DateTime(timezone=True), nullable=False),
    Column("report", JSON, nullable=False),
)

_BUSY_MS = 10_000
_TRUSTED_SECONDS = 2.0  # a connection that was used so lately is not asked whether it is there


def connect(url: str) -> Engine:
    """An engine on `url`; SQLite gets foreign keys, WAL and a busy time-out on each connection.

    On SQLite a transaction begins at its first write or savepoint, and takes the write lock at
    once: whoever finds it taken waits his turn instead of failing with "database is locked". What
    was read before may have changed by then, as on PostgreSQL: let the write carry its condition
    (`UPDATE … WHERE status = …`, a unique index), and read no result half-way while writing.
    """
    of_file = url.startswith("sqlite")
    engine = create_engine(
        url,
        # Who waits for the write lock of a file asks again and again, and may be passed over; who
        # waits for a connection is served in turn. Few connections: the slowest of a hundred
        # writes of 64 clients took half as long as with fifteen. None beside the pool: those are
        # opened for each use, which cost a twentieth of the time under load.
        pool_size=5 if of_file else 15,
        max_overflow=0,
        # Chinese as it is: a third of the size of escapes.
        json_serializer=functools.partial(json.dumps, ensure_ascii=False),
    )
    if of_file:

        @event.listens_for(engine, "connect")
        def _pragmas(connection: Any, _record: object) -> None:
            cursor = connection.cursor()
            # Waiting first: two processes may switch a new file to WAL at the same moment.
            for pragma in (
                f"busy_timeout={_BUSY_MS}",
                "foreign_keys=ON",
                "journal_mode=WAL",
                "synchronous=NORMAL",
            ):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
            connection.isolation_level = "IMMEDIATE"  # of the BEGIN before the first write

        @event.listens_for(engine, "savepoint")
        def _begin(connection: Connection, _name: object) -> None:
            # The driver does not: without this the savepoint would be a transaction of its own,
            # that reads, cannot become a writer once somebody else has written, and commits early.
            if not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
                connection.exec_driver_sql("BEGIN IMMEDIATE")

    else:
        _ask_the_idle(engine)
    return engine


def _ask_the_idle(engine: Engine) -> None:
    """Before a connection is used that was not for a while, ask whether the server is still there.
    Asked each time, it was one round trip more for each use."""

    @event.listens_for(engine, "checkin")
    def _used(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        used = record.info.get("used")  # a new one has none
        if used is None or time.monotonic() - used < _TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # then the pool makes another


@contextmanager
def reading(sessions: sessionmaker[Session]) -> Iterator[Connection]:
    """A connection to read with, each statement by itself: on PostgreSQL a transaction around one
    SELECT makes three round trips of one. On SQLite none begins before the first write."""
    engine: Engine = sessions.kw["bind"]
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


def _row(value: Document | Revision | Passage) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(value).items()}


def _document(row: Any) -> Document:
    fields = dict(row._mapping)
    fields.update(kind=Kind(fields["kind"]), aliases=tuple(fields["aliases"]))
    return Document(**fields)


def _revision(row: Any) -> Revision:
    fields = dict(row._mapping)
    fields.update(status=Status(fields["status"]), date_basis=DateBasis(fields["date_basis"]))
    return Revision(**fields)


def all_documents(session: Session, origin: str | None = None) -> dict[str, Document]:
    """Documents by id, all or those that one origin brought."""
    query = select(documents)
    if origin is not None:
        query = query.where(documents.c.origin == origin)
    return {d.id: d for d in map(_document, session.execute(query))}


def all_revisions(session: Session, *statuses: Status) -> dict[str, Revision]:
    """Revisions by id, all or those with one of `statuses`."""
    query = select(revisions)
    if statuses:
        query = query.where(revisions.c.status.in_(statuses))
    return {r.id: r for r in map(_revision, session.execute(query))}


def document(session: Session, document_id: str) -> Document | None:
    row = session.execute(select(documents).where(documents.c.id == document_id)).one_or_none()
    return _document(row) if row else None


def revision(session: Session, revision_id: str) -> Revision | None:
    row = session.execute(select(revisions).where(revisions.c.id == revision_id)).one_or_none()
    return _revision(row) if row else None


def revisions_of(session: Session, document_id: str, *statuses: Status) -> list[Revision]:
    """The revisions of one document, all or those with one of `statuses`, by id."""
    query = select(revisions).where(revisions.c.document_id == document_id)
    if statuses:
        query = query.where(revisions.c.status.in_(statuses))
    return [_revision(row) for row in session.execute(query.order_by(revisions.c.id))]


_PASSAGE_FIELDS = ("id", "revision_id", "ordinal", "label", "text", "path")


def published_passages(session: Session) -> Iterator[Passage]:
    """Passages of published revisions, by revision and order."""
    query = (
        select(*(passages.c[f] for f in _PASSAGE_FIELDS))
        .join(revisions, passages.c.revision_id == revisions.c.id)
        .where(revisions.c.status == Status.PUBLISHED)
        .order_by(passages.c.revision_id, passages.c.ordinal)
    )
    for row in session.execute(query):
        yield Passage(**dict(zip(_PASSAGE_FIELDS, row, strict=True)))


def passages_of(session: Session, revision_id: str) -> list[Passage]:
    """The passages of one revision in order, whatever its status."""
    query = (
        select(*(passages.c[f] for f in _PASSAGE_FIELDS))
        .where(passages.c.revision_id == revision_id)
        .order_by(passages.c.ordinal)
    )
    return [Passage(**dict(row._mapping)) for row in session.execute(query)]


def loads_of(session: Session, origin: str) -> list[tuple[datetime, dict[str, Any]]]:
    """When an origin was read, with the report of each time, oldest first."""
    query = select(loads.c.loaded_at, loads.c.report).where(loads.c.origin == origin)
    return [(row[0], row[1]) for row in session.execute(query.order_by(loads.c.id))]


def save_document(session: Session, document: Document) -> None:
    """Insert the document, or bring its descriptive fields up to date."""
    row = _row(document)
    found = session.execute(
        update(documents).where(documents.c.id == document.id).values(**row)
    ).rowcount  # type: ignore[attr-defined]
    if not found:
        session.execute(insert(documents), row)


def add_revision(session: Session, revision: Revision, texts: Iterable[Passage]) -> None:
    """Insert a revision with its passages. Raises IntegrityError if the id is taken."""
    session.execute(insert(revisions), _row(revision))
    rows = [_row(p) for p in texts]
    if rows:
        session.execute(insert(passages), rows)


def update_revision(session: Session, revision: Revision, **changes: Any) -> Revision:
    """Change a revision's status, dates or approval; its words cannot change."""
    forbidden = changes.keys() & {"id", "document_id", "body"}
    if forbidden:
        raise ValueError(f"immutable: {sorted(forbidden)}")
    session.execute(update(revisions).where(revisions.c.id == revision.id).values(**changes))
    return replace(revision, **changes)


def record_load(session: Session, origin: str, fingerprint: str, report: dict[str, Any]) -> None:
    """Remember that `origin` has been read in this state."""
    session.execute(
        insert(loads),
        {
            "origin": origin,
            "fingerprint": fingerprint,
            "loaded_at": datetime.now(UTC),
            "report": json.loads(json.dumps(report, default=str)),
        },
    )


def last_fingerprint(session: Session, origin: str) -> str | None:
    """The state in which `origin` was last read in, or None."""
    query = (
        select(loads.c.fingerprint)
        .where(loads.c.origin == origin)
        .order_by(loads.c.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def fingerprint(session: Session) -> str:
    """What the published knowledge is, in 16 digits: the index carries the same or is stale."""
    query = (
        select(revisions.c.id, revisions.c.effective_from, revisions.c.effective_until)
        .where(revisions.c.status == Status.PUBLISHED)
        .order_by(revisions.c.id)
    )
    return digest(*(f"{row.id}|{row[1]}|{row[2]}" for row in session.execute(query)))


def today_in_china(now: datetime | None = None) -> date:
    """The date in Asia/Shanghai, by which law is in force or not."""
    from zoneinfo import ZoneInfo

    return (now or datetime.now(UTC)).astimezone(ZoneInfo("Asia/Shanghai")).date()
