"""A puzzle for callers that look like a machine: work that a phone does in a second, by itself.

Nothing is shown and nobody is asked to read crooked letters, and no third party hears of it. A
puzzle is bound to the session and to one question: solved, it lets that question through, and a
question that is asked again gives the stored answer, so a solution is worth nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from service.errors import ServiceError
from service.models import now
from service.signing import BadToken, Signer

PARTS, BITS = 8, 12  # eight small puzzles vary less in length than a large one
_GOOD_FOR = timedelta(minutes=3)
_LONGEST_NUMBER = 10  # digits
_SEED_CHARS = 24  # of the signature, at the token's end: what is hashed fits one block


class ChallengeNeeded(ServiceError):
    """Solve this, and send the question again with the solution."""

    status = 428

    def __init__(self, token: str) -> None:
        super().__init__("challenge_needed", "正在确认您不是自动程序，请稍等。")
        self.details: dict[str, Any] = {"challenge": {"token": token, "parts": PARTS, "bits": BITS}}


class Challenges:
    """Sets puzzles and judges solutions; it remembers nothing."""

    def __init__(self, key: str, *, clock: Callable[[], datetime] = now) -> None:
        self._signer = Signer(key, "web-challenge", clock=clock)

    def set(self, session: str, question: str) -> ChallengeNeeded:
        """A puzzle for a question, by its digest, in a session."""
        return ChallengeNeeded(self._signer.sign(session, question))

    def solved(self, proof: str, session: str, question: str) -> bool:
        """Whether `proof`, "token:n,n,…", solves a puzzle of ours for this question."""
        token, _, numbers = proof.partition(":")
        try:
            bound = self._signer.read(token, no_older_than=_GOOD_FOR)
        except BadToken:
            return False
        given = numbers.split(",")
        return (
            bound == (session, question)
            and len(given) == PARTS
            and all(_fits(token, part, number) for part, number in enumerate(given))
        )


def _fits(token: str, part: int, number: str) -> bool:
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
        return False
    digest = hashlib.sha256(f"{token[-_SEED_CHARS:]}:{part}:{number}".encode()).digest()
    return int.from_bytes(digest[:4]) >> (32 - BITS) == 0
