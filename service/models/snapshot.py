"""One moment for several reads."""

from __future__ import annotations

from sqlalchemy.orm import Session


def stand_still(session: Session) -> None:
    """Let all that this session reads from now on be of one moment; before its first read."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("BEGIN")
    else:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
