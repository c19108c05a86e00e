"""Passwords: what may be one, and how it is kept (Argon2id with the library's own parameters)."""

from __future__ import annotations

import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import BadRequest

SHORTEST, LONGEST = 12, 200  # characters
# What people type who must type twelve characters. Runs and repetitions are found by rule.
_COMMON_WORDS = """
    password1234 password12345 password123456 passw0rd1234 p@ssw0rd1234 p@ssword1234
    password@123 password!123 admin1234567 admin@123456 administrator administrator1 admin123admin
    welcome12345 welcome@1234 letmein12345 iloveyou1234 iloveyou5201 woaini520131 woaini1314520
    woaini5201314 qwertyuiop12 qwertyuiop123 qwerty123456 qwerty1234567 1q2w3e4r5t6y 1qaz2wsx3edc
    1qaz@wsx3edc zaq12wsxcde3 qazwsxedc123 asdfghjkl123 zxcvbnm12345 abcd12345678 abc123456789
    a12345678910 aa1234567890 q123456789q1 changeme1234 shanghai1234 shanghai2024 shanghai2025
    shanghai2026 shanghai12348 putuo1234567 putuo3101077 sifaju123456 putuosifaju1 12348123481234
    football1234 superman1234 monkey123456 dragon123456 sunshine1234 princess1234"""
_COMMON = frozenset(_COMMON_WORDS.split())
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
_hasher = PasswordHasher()
# A hash takes 64 MiB while it is computed: so many at once, whoever asks.
_at_once = BoundedSemaphore(4)


def check_new(password: str, login: str) -> None:
    """Raise BadRequest, saying why, for a password that is too easy to guess."""
    plain = _normal(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        raise BadRequest("password_length", f"密码要{SHORTEST}到{LONGEST}个字符。")
    low = plain.casefold()
    if login and (low == login or low.replace(login, "") == ""):
        raise BadRequest("password_login", "密码不能是登录名。")
    if low in _COMMON or _regular(low):
        raise BadRequest("password_common", "这个密码太常见，容易被猜中，请换一个。")


def _regular(low: str) -> bool:
    """The same few characters again and again, or a run along the alphabet or the keyboard."""
    repeated = any(low == (low[:n] * len(low))[: len(low)] for n in range(1, len(low) // 2 + 1))
    run = any(low in way or low[::-1] in way for way in _RUNS)
    return len(set(low)) < 4 or repeated or run


def hashed(password: str) -> str:
    """What is stored."""
    with _at_once:
        return _hasher.hash(_normal(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether it is the password. Where there is none it takes as long to say no."""
    if len(password) > LONGEST:
        return False
    with _at_once:
        try:
            right = _hasher.verify(stored or _nobodys(), _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return right and stored is not None


def outdated(stored: str) -> bool:
    """Whether it was made with other parameters than a new one would be."""
    return _hasher.check_needs_rehash(stored)


def _normal(password: str) -> str:
    """The same letters however a keyboard composes them, as NIST SP 800-63B advises."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of nobody")
