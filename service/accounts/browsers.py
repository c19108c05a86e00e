"""Browsers that are known: guessing elsewhere does not lock their owner out.

Wrong passwords count against an account, or a stranger could try them all; but then a stranger who
knows a login name could keep its owner waiting all day. So a browser in which somebody has signed
in has failures of its own, and those of strangers do not touch it (OWASP, "device cookies").
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.orm import Session

from service.auth import digest
from service.models.people import StaffBrowser

COOKIE = "consult_browser"
KEPT = timedelta(days=180)  # without a sign-in


def is_known(token: str, at: datetime) -> list[ColumnElement[bool]]:
    """The row of the browser with this token, if it has not been forgotten."""
    return [StaffBrowser.token_hash == digest(token), StaffBrowser.used_at > at - KEPT]


def remember(session: Session, staff_id: str, token: str, at: datetime) -> str:
    """Somebody has signed in, in a browser that is known by this token or in a new one (""): the
    token for its cookie."""
    gone = StaffBrowser.used_at <= at - KEPT
    session.execute(delete(StaffBrowser).where(StaffBrowser.staff_id == staff_id, gone))
    if token:
        fresh = {"used_at": at, "failed_count": 0, "locked_until": None}
        session.execute(update(StaffBrowser).where(*is_known(token, at)).values(**fresh))
        return token
    token = secrets.token_urlsafe(32)
    session.add(StaffBrowser(token_hash=digest(token), staff_id=staff_id, used_at=at))
    return token


def forget(session: Session, staff_id: str) -> None:
    session.execute(delete(StaffBrowser).where(StaffBrowser.staff_id == staff_id))
