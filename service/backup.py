"""One file that a whole installation can be brought back from, taken while it serves.

A backup is a zip of `manifest.json`, the database, and what else lies in the home and cannot be
made anew. The search index is not in it, but its vectors are, so that it is built in seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from service.errors import BadRequest, Conflict, NotReady
from service.settings import Settings

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE, POSTGRES = "consult.db", "consult.pgdump"
# What staff and site have made beside the database; `imports/` are documents that were read in.
_KEPT = (
    "secret.key",
    "sensitive.csv",
    "wechat.yaml",
    "sites.yaml",
    "calibration.json",
    "topics.npz",
    "index/vectors.npz",
)
_FOLDERS = ("imports",)
_CHUNK = 1 << 20


def backup(settings: Settings, target: Path) -> dict[str, Any]:
    """Write everything to `target`, which appears whole or not at all; returns the manifest.

    Raises Conflict if it exists, NotReady without a database or without what reads it.
    """
    if target.exists():
        raise Conflict("backup_exists", f"{target} 已经存在，请换一个文件名。")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        database = _dump(settings, Path(folder))
        partial = Path(folder) / "partial.zip"
        files: dict[str, str] = {}
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, path in [(database.name, database), *_beside(settings.home)]:
                files[name] = _store(archive, name, path)
            manifest = {
                "format": FORMAT,
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "database": "sqlite" if database.name == SQLITE else "postgresql",
                "files": files,
            }
            archive.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
        partial.chmod(0o600)  # it holds the key and what citizens wrote
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        # Named at the last moment, and never over a file that somebody else has put there.
        try:
            target.hardlink_to(partial)
        except FileExistsError:
            raise Conflict("backup_exists", f"{target} 已经存在，请换一个文件名。") from None
    return manifest


def restore(settings: Settings, source: Path) -> dict[str, Any]:
    """Bring a backup back into an empty home (and an empty PostgreSQL database); returns the
    manifest. Nothing is changed unless all of the backup is sound.

    Raises BadRequest for what is no sound backup, Conflict where something would be overwritten.
    """
    home = settings.home
    if home.exists() and any(home.iterdir()):
        raise Conflict(
            "home_not_empty",
            f"数据目录 {home} 不是空的。请先停止服务，把它改名留存，再恢复到空目录。",
        )
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".restore-") as folder:
        unpacked = Path(folder) / "home"
        unpacked.mkdir(mode=0o700)
        manifest = _unpack(source, unpacked)
        _load(settings, manifest, unpacked)
        if home.exists():
            home.rmdir()
        unpacked.rename(home)
    return manifest


def _dump(settings: Settings, folder: Path) -> Path:
    """The database as one consistent file, while others write to it."""
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite":
        source = Path(url.database or "")
        if not source.is_file():
            raise NotReady("nothing_to_back_up", f"没有找到数据库 {source}，还没有可以备份的内容。")
        copy = folder / SQLITE
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(copy)) as out:
            live.backup(out)
            out.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        return copy
    dump = folder / POSTGRES
    _postgres("pg_dump", settings, "--format=custom", "--no-owner", f"--file={dump}")
    return dump


def _load(settings: Settings, manifest: dict[str, Any], unpacked: Path) -> None:
    is_sqlite = make_url(settings.database).get_backend_name() == "sqlite"
    if is_sqlite != (manifest["database"] == "sqlite"):
        raise BadRequest(
            "backup_other_database",
            f"备份来自 {manifest['database']}，和现在设置的数据库种类不同。",
        )
    if is_sqlite:
        if settings.database_url:
            raise BadRequest(
                "backup_elsewhere", "请先去掉 CONSULT_DATABASE_URL，恢复到数据目录里的数据库。"
            )
        return
    dump = unpacked / POSTGRES
    _postgres(
        "pg_restore", settings, "--no-owner", "--exit-on-error", "--single-transaction", str(dump)
    )
    dump.unlink()


def _postgres(program: str, settings: Settings, *arguments: str) -> None:
    """Run one of PostgreSQL's own tools; the password goes by the environment, not the list of
    processes."""
    found = shutil.which(program)
    if found is None:
        raise NotReady("tool_missing", f"没有找到 {program}，请安装 PostgreSQL 的客户端工具。")
    url = make_url(settings.database)
    plain = url.set(drivername="postgresql", password=None)
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    done = subprocess.run(  # noqa: S603  (a program found on the path, arguments of ours)
        [found, f"--dbname={plain.render_as_string()}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotReady("tool_failed", f"{program} 没有成功：{done.stderr.strip()[-500:]}")


def _beside(home: Path) -> Iterator[tuple[str, Path]]:
    """(name in the archive, file) of what lies beside the database."""
    for name in _KEPT:
        if (path := home / name).is_file():
            yield name, path
    for folder in _FOLDERS:
        for path in sorted((home / folder).glob("*")):
            name = f"{folder}/{path.name}"
            if path.is_file() and _is_import(name):  # or it could not be restored
                yield name, path


def _store(archive: zipfile.ZipFile, name: str, path: Path) -> str:
    """Put a file into the archive. The hash is of the bytes that went in: others may write to the
    file meanwhile."""
    hashed = hashlib.sha256()
    with path.open("rb") as file, archive.open(name, "w", force_zip64=True) as packed:
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
            packed.write(chunk)
    return hashed.hexdigest()


def _unpack(source: Path, into: Path) -> dict[str, Any]:
    """Every file of the archive, each as the manifest says, and nothing besides."""
    try:
        with zipfile.ZipFile(source) as archive:
            manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
            if manifest["format"] != FORMAT:
                raise BadRequest("backup_format", "这份备份来自别的版本，请用同一版本的程序恢复。")
            for name, expected in manifest["files"].items():
                if not (name in (*_KEPT, SQLITE, POSTGRES) or _is_import(name)):
                    raise BadRequest("backup_strange", f"备份里有不认识的文件：{name}。")
                path = into / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as packed, path.open("wb") as out:
                    shutil.copyfileobj(packed, out, _CHUNK)
                path.chmod(0o600)
                if _sha256(path) != expected:
                    raise BadRequest("backup_damaged", f"备份已损坏：{name} 和清单对不上。")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BadRequest("backup_missing", f"没有找到备份文件 {source}。") from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadRequest("backup_damaged", "这不是一份完整的备份，或者已经损坏。") from error
    return manifest


def _is_import(name: str) -> bool:
    folder, slash, file = name.partition("/")
    return folder in _FOLDERS and bool(slash) and file.isalnum()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
