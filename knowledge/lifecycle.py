"""The life of a revision: draft → in_review → published → withdrawn, and when it is in force."""

from __future__ import annotations

from datetime import date

from knowledge.models import NATIONAL, DateBasis, Revision, Status

ALLOWED: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.IN_REVIEW, Status.WITHDRAWN}),
    Status.IN_REVIEW: frozenset({Status.DRAFT, Status.PUBLISHED, Status.WITHDRAWN}),
    Status.PUBLISHED: frozenset({Status.WITHDRAWN}),
    Status.WITHDRAWN: frozenset(),
}


class IllegalMove(Exception):
    """The revision cannot go from its status to the one asked for; the message is for people."""


def move(current: Status, target: Status, *, author: str, approver: str) -> Status:
    """Return `target` if the move is allowed; publication takes two different people.

    Raises IllegalMove with a Chinese explanation.
    """
    if target not in ALLOWED[current]:
        raise IllegalMove(f"状态“{current}”不能直接变为“{target}”。")
    if target is Status.PUBLISHED and (not approver or approver == author):
        raise IllegalMove("发布须由作者以外的人复核。")
    return target


def in_force(revision: Revision, on: date) -> bool:
    """Whether the published revision is in force on that day. Unknown commencement is not."""
    if revision.status is not Status.PUBLISHED or revision.date_basis is DateBasis.UNKNOWN:
        return False
    started = revision.effective_from is None or revision.effective_from <= on
    ended = revision.effective_until is not None and revision.effective_until < on
    return started and not ended


def applies_in(document_region: str, asked_region: str | None) -> bool:
    """Whether a document of one 行政区划 holds for a place: its own, or one that contains it.

    Codes are six digits, two each for province, city and district; 上海 is 310000, 普陀 310107.
    """
    if document_region == NATIONAL or asked_region is None:
        return True
    return asked_region.startswith(document_region.rstrip("0")) or document_region.startswith(
        asked_region.rstrip("0")
    )
