"""The key that signs: made once however many start at the same moment, and readable by nobody."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.errors import NotReady
from service.settings import Settings
from service.signing import KEY_FILE, BadToken, ExpiredToken, Signer, signing_key
from tests.conftest import settings_for

KEY = "k" * 32
_PRINT_KEY = (
    "import sys; from pathlib import Path; from service.settings import Settings;"
    "from service.signing import signing_key; sys.stdin.read();"
    "sys.stdout.write(signing_key(Settings(_env_file=None, home=Path(sys.argv[1]))))"
)


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    home = tmp_path / "not" / "there" / "yet"
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", _PRINT_KEY, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    keys = {process.communicate("go")[0] for process in starting}
    assert keys == {(home / KEY_FILE).read_text()}
    assert len(keys.pop()) >= 32
    assert [path.name for path in home.iterdir()] == [KEY_FILE]  # nothing is left beside it


def test_the_key_is_readable_by_its_owner_only_and_stays(tmp_path: Path) -> None:
    key = signing_key(settings_for(tmp_path))
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert signing_key(settings_for(tmp_path)) == key


def test_the_key_of_the_settings_comes_first_and_is_never_shown(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, secret=SecretStr(KEY))
    assert signing_key(settings) == KEY
    assert not (tmp_path / KEY_FILE).exists()
    assert KEY not in repr(settings)


@pytest.mark.parametrize("damaged", ["", "short", "\n" * 100])
def test_a_key_too_short_to_be_safe_is_refused(tmp_path: Path, damaged: str) -> None:
    (tmp_path / KEY_FILE).write_text(damaged)
    with pytest.raises(NotReady, match=KEY_FILE):
        signing_key(settings_for(tmp_path))
    with pytest.raises(NotReady, match="CONSULT_SECRET"):
        signing_key(Settings(_env_file=None, home=tmp_path, secret=SecretStr("short")))


def test_a_token_gives_back_what_was_signed_and_says_when_it_is_too_old() -> None:
    token = Signer(KEY, "rating").sign("answer", "a_1")
    day = timedelta(days=1)
    assert Signer(KEY, "rating").read(token, no_older_than=day) == ("answer", "a_1")
    later = Signer(KEY, "rating", clock=lambda: datetime.now(UTC) + 2 * day)
    assert later.read(token, no_older_than=None) == ("answer", "a_1")
    with pytest.raises(ExpiredToken):
        later.read(token, no_older_than=day)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "长", "\x00", "\ud800", "x" * 20_000])
def test_what_is_no_token_is_said_to_be_none(token: str) -> None:
    with pytest.raises(BadToken):
        Signer(KEY, "rating").read(token, no_older_than=None)
