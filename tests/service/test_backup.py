"""What was there is there again, and a bad backup changes nothing."""

from __future__ import annotations

import json
import os
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from knowledge import store
from service import migrations
from service.backup import MANIFEST, backup, restore
from service.errors import BadRequest, Conflict, NotReady
from service.models import Conversation
from service.settings import Settings
from tests.service import databases


def settings_of(home: Path, url: str = "") -> Settings:
    return Settings(_env_file=None, home=home, database_url=url)


def talks(settings: Settings) -> int:
    engine = store.connect(settings.database)
    with databases.sessions_of(engine)() as session:
        count = session.scalar(select(func.count()).select_from(Conversation)) or 0
    engine.dispose()
    return count


def add_talks(settings: Settings, *ids: str) -> None:
    engine = store.connect(settings.database)
    migrations.upgrade(engine)
    with databases.sessions_of(engine).begin() as session:
        session.add_all(Conversation(id=i, channel="web") for i in ids)
    engine.dispose()


@pytest.fixture
def lived_in(tmp_path: Path) -> Settings:
    """A home with three conversations, a key, words of its own and a document read in."""
    settings = settings_of(tmp_path / "home")
    (settings.home / "imports").mkdir(parents=True)
    (settings.home / "imports" / ("ab" * 32)).write_bytes(b"docx")
    (settings.home / "secret.key").write_text("k" * 48)
    (settings.home / "index" / "0123").mkdir(parents=True)
    (settings.home / "index" / "0123" / "big").write_bytes(b"made anew")
    add_talks(settings, "c_1", "c_2", "c_3")
    return settings


def test_everything_comes_back_and_the_key_stays_private(
    lived_in: Settings, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "backup.zip"
    manifest = backup(lived_in, target)
    assert target.stat().st_mode & 0o077 == 0
    assert [p.name for p in target.parent.iterdir()] == ["backup.zip"]
    anew = settings_of(tmp_path / "anew")
    assert restore(anew, target) == manifest
    assert talks(anew) == 3
    assert (anew.home / "secret.key").read_text() == "k" * 48
    assert (anew.home / "secret.key").stat().st_mode & 0o077 == 0
    assert (anew.home / "imports" / ("ab" * 32)).read_bytes() == b"docx"
    assert not (anew.home / "index" / "0123").exists()


def test_a_backup_taken_while_others_write_is_one_consistent_moment(
    lived_in: Settings, tmp_path: Path
) -> None:
    stop = threading.Event()

    def write() -> None:
        engine = store.connect(lived_in.database)
        number = 0
        while not stop.is_set():
            with databases.sessions_of(engine).begin() as session:  # always two at once
                session.add_all(Conversation(id=f"c_{number}_{k}", channel="x") for k in "ab")
            number += 1
        engine.dispose()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backup(lived_in, tmp_path / "b.zip")
    finally:
        stop.set()
        writer.join()
    anew = settings_of(tmp_path / "anew")
    restore(anew, tmp_path / "b.zip")
    assert (talks(anew) - 3) % 2 == 0
    assert talks(anew) <= talks(lived_in)


def test_a_file_that_is_written_to_meanwhile_can_be_restored(
    lived_in: Settings, tmp_path: Path
) -> None:
    words = lived_in.home / "sensitive.csv"
    words.write_bytes(os.urandom(8 << 20))  # which takes a while to pack
    stop = threading.Event()

    def write() -> None:
        with words.open("ab") as file:
            while not stop.is_set():
                file.write(b"x")
                file.flush()
                stop.wait(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        manifest = backup(lived_in, tmp_path / "b.zip")
    finally:
        stop.set()
        writer.join()
    anew = settings_of(tmp_path / "anew")
    assert restore(anew, tmp_path / "b.zip") == manifest
    kept = (anew.home / "sensitive.csv").read_bytes()
    assert words.read_bytes().startswith(kept)


def test_what_is_no_import_is_left_out_and_stops_no_restore(
    lived_in: Settings, tmp_path: Path
) -> None:
    for stray in (".DS_Store", "notes.txt", f"{'cd' * 32}.partial"):
        (lived_in.home / "imports" / stray).write_bytes(b"x")
    backup(lived_in, tmp_path / "b.zip")
    anew = settings_of(tmp_path / "anew")
    restore(anew, tmp_path / "b.zip")
    assert [p.name for p in (anew.home / "imports").iterdir()] == ["ab" * 32]


def test_an_existing_file_or_home_is_never_overwritten(lived_in: Settings, tmp_path: Path) -> None:
    target = tmp_path / "b.zip"
    backup(lived_in, target)
    with pytest.raises(Conflict, match="已经存在"):
        backup(lived_in, target)
    with pytest.raises(Conflict, match="不是空的"):
        restore(lived_in, target)
    assert talks(lived_in) == 3


def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="没有找到数据库"):
        backup(settings_of(tmp_path / "none"), tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


@pytest.fixture
def sound(lived_in: Settings, tmp_path: Path) -> Path:
    backup(lived_in, tmp_path / "sound.zip")
    return tmp_path / "sound.zip"


def rewritten(source: Path, **changes: bytes) -> Path:
    """The archive with some members replaced; `secret_key` stands for `secret.key`."""
    out = source.with_name("bad.zip")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name.replace(".", "_")) or old.read(name))
    return out


def damaged(source: Path) -> Iterator[tuple[str, Path]]:
    text = source.with_name("text.zip")
    text.write_text("不是压缩包")
    yield "text", text
    half = source.with_name("half.zip")
    half.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    yield "half", half
    yield "changed", rewritten(source, secret_key=b"another key")
    yield "missing", source.with_name("nowhere.zip")


def test_what_is_no_sound_backup_changes_nothing(sound: Path, tmp_path: Path) -> None:
    anew = settings_of(tmp_path / "anew")
    for name, bad in damaged(sound):
        with pytest.raises(BadRequest, match=r"损坏|没有找到"):
            restore(anew, bad)
        assert not anew.home.exists(), name
    with zipfile.ZipFile(sound) as archive:
        manifest = json.loads(archive.read(MANIFEST))
    for change, said in (
        ({"format": 99}, "别的版本"),
        ({"files": {"../evil": "0"}}, "不认识的文件"),
        ({"files": {"imports/../../evil": "0"}}, "不认识的文件"),
        ({"database": "postgresql"}, "种类不同"),
        ({"files": []}, "损坏"),
    ):
        bad = rewritten(sound, manifest_json=json.dumps({**manifest, **change}).encode())
        with pytest.raises(BadRequest, match=said):
            restore(anew, bad)
    assert not anew.home.exists()
    assert [p.name for p in tmp_path.glob(".restore-*")] == []


@pytest.mark.skipif(not databases.POSTGRES, reason="CONSULT_TEST_POSTGRES names no database")
def test_postgresql_is_dumped_and_loaded_by_its_own_tools(tmp_path: Path) -> None:
    with databases.postgresql_database() as source, databases.postgresql_database() as target:
        one = settings_of(tmp_path / "one", source)
        one.home.mkdir()
        (one.home / "secret.key").write_text("k" * 48)
        add_talks(one, "c_1", "c_2")
        backup(one, tmp_path / "b.zip")
        two = settings_of(tmp_path / "two", target)
        restore(two, tmp_path / "b.zip")
        assert talks(two) == 2
        assert os.listdir(two.home) == ["secret.key"]  # noqa: PTH208  (names only)
