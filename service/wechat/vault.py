"""Openids and words are never stored in clear: pseudonyms to find, sealed values to deliver."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Vault:
    """Both from the installation's signing key, each by a key of its own."""

    def __init__(self, signing_key: str) -> None:
        self._pseudonyms = _derived(signing_key, b"wechat pseudonym")
        self._fernet = Fernet(base64.urlsafe_b64encode(_derived(signing_key, b"wechat seal")))

    def pseudonym(self, account: str, openid: str) -> str:
        """Always the same for one person at one account, and of no use without the key."""
        named = f"{account}\0{openid}".encode()
        return hmac.new(self._pseudonyms, named, hashlib.sha256).hexdigest()[:32]

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode("utf-8", "replace")).decode("ascii")

    def unseal(self, sealed: str | None) -> str | None:
        """None for what is erased, or was sealed under another key."""
        if sealed is None:
            return None
        try:
            return self._fernet.decrypt(sealed.encode("ascii")).decode()
        except InvalidToken:
            return None


def _derived(signing_key: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose).derive(signing_key.encode())
