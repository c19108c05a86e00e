"""Signed tokens that people carry, and the key that signs them."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from service.errors import NotReady
from service.models import now
from service.settings import Settings

KEY_FILE = "secret.key"
_SHORTEST = 32  # characters of a key
_LONGEST_TOKEN = 512  # characters; ours have about 100


class BadToken(Exception):
    """Forged, damaged, made for another purpose, or signed with another key."""


class ExpiredToken(BadToken):
    """Ours, but too old."""


def signing_key(settings: Settings) -> str:
    """`CONSULT_SECRET`, or else what is in `secret.key` in the home, made when first asked for.

    Raises NotReady for a key that is too short to be safe, or a file that is damaged.
    """
    given = settings.secret.get_secret_value()
    key = given or _key_in(settings.home / KEY_FILE)
    if len(key) < _SHORTEST:
        where = "CONSULT_SECRET" if given else f"文件 {KEY_FILE}"
        raise NotReady(
            "secret_too_short",
            f"签名密钥（{where}）不足{_SHORTEST}个字符，请换成足够长的随机串。",
        )
    return key


def _key_in(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text("ascii").strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and linked into place: of two processes that start at once one wins, both
    # read the winner's, and nobody ever reads half a key. mkstemp makes the file 0600.
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{KEY_FILE}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(beside)
    finally:
        Path(beside).unlink()
    return path.read_text("ascii").strip()


class Signer:
    """Tokens for one purpose, which no token for another purpose can stand in for."""

    def __init__(self, key: str, purpose: str, *, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._serializer = URLSafeTimedSerializer(
            key,
            salt=purpose,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def sign(self, *values: str) -> str:
        """A token of URL-safe characters that carries `values`, readable by anyone."""
        token = self._serializer.dumps(list(values))
        return token if isinstance(token, str) else token.decode("ascii")

    def read(self, token: str, *, no_older_than: timedelta | None) -> tuple[str, ...]:
        """The values in a token of ours. Raises BadToken, or ExpiredToken."""
        if len(token) > _LONGEST_TOKEN:
            raise BadToken
        try:
            values, signed_at = self._serializer.loads(token, return_timestamp=True)
        except (BadData, UnicodeError) as error:
            raise BadToken from error
        if no_older_than is not None and self._clock() - signed_at > no_older_than:
            raise ExpiredToken
        return tuple(values)
