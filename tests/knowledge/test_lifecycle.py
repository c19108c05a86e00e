"""Publication takes two people; law holds from its day to its day, in its place."""

from datetime import date

import pytest

from knowledge.lifecycle import IllegalMove, applies_in, in_force, move
from knowledge.models import DateBasis, Revision, Status


def revision(**fields: object) -> Revision:
    base = {
        "id": "r",
        "document_id": "d",
        "status": Status.PUBLISHED,
        "source": "s",
        "checked_on": date(2026, 1, 1),
    }
    return Revision(**(base | fields))  # type: ignore[arg-type]


def test_the_author_cannot_approve_the_own_text() -> None:
    with pytest.raises(IllegalMove, match="复核"):
        move(Status.IN_REVIEW, Status.PUBLISHED, author="甲", approver="甲")
    assert move(Status.IN_REVIEW, Status.PUBLISHED, author="甲", approver="乙") is Status.PUBLISHED


def test_a_draft_cannot_jump_the_review() -> None:
    with pytest.raises(IllegalMove, match="不能直接变为"):
        move(Status.DRAFT, Status.PUBLISHED, author="甲", approver="乙")


def test_both_days_at_the_ends_count() -> None:
    law = revision(effective_from=date(2026, 1, 1), effective_until=date(2026, 6, 30))
    assert [in_force(law, date(2026, m, d)) for m, d in ((1, 1), (6, 30), (7, 1))] == [
        True,
        True,
        False,
    ]
    assert not in_force(law, date(2025, 12, 31))


def test_drafts_and_unconfirmed_law_are_never_in_force() -> None:
    assert not in_force(revision(status=Status.DRAFT), date(2026, 6, 1))
    assert not in_force(revision(date_basis=DateBasis.UNKNOWN), date(2026, 6, 1))


@pytest.mark.parametrize(
    ("document", "asked", "holds"),
    [
        ("000000", "440300", True),
        ("310000", "310107", True),
        ("310107", "310000", True),
        ("310107", "310105", False),
        ("310107", "440300", False),
        ("310000", None, True),
    ],
)
def test_a_document_holds_where_its_region_and_the_asked_one_meet(
    document: str, asked: str | None, holds: bool
) -> None:
    assert applies_in(document, asked) is holds
