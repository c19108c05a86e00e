"""The bytes of documents that staff read in: kept while the table of imports names them."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from service.models.imports import Import

_SETTLED_SECONDS = 24 * 3600  # a younger file may belong to an import that is being written


def forget_files(sessions: sessionmaker[Session], folder: Path) -> int:
    """Remove the files in `folder` that no import names any more; returns how many."""
    old = [p for p in folder.glob("*") if time.time() - p.stat().st_mtime > _SETTLED_SECONDS]
    if not old:
        return 0
    with sessions() as session:
        named = set(session.scalars(select(Import.sha256)))
    gone = [path for path in old if path.name not in named]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)
