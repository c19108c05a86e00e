"""Bytes of imports go when no import names them any more."""

from __future__ import annotations

import os
import time
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from service.retention.files import forget_files
from tests.service import databases


def test_only_old_files_that_no_import_names_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "imports"
    folder.mkdir()
    for name, age in (("orphan", 2), ("young", 0)):
        (folder / name).write_bytes(b"x")
        then = time.time() - age * 24 * 3600 - 1
        os.utime(folder / name, (then, then))
    with databases.sqlite(tmp_path) as engine:
        sessions: sessionmaker[Session] = databases.sessions_of(engine)
        assert forget_files(sessions, folder) == 1
        assert forget_files(sessions, tmp_path / "none") == 0
    assert [p.name for p in folder.iterdir()] == ["young"]
