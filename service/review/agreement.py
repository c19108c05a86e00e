"""How far reviewers agree with each other about the same answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import combinations
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import Staff
from service.models.review import Review
from service.review.verdicts import span

ENOUGH = 20  # answers judged by two; under that, a share says little

Pair = tuple[str, str]  # the verdicts of two people on one answer


def kappa(pairs: Sequence[Pair]) -> float | None:
    """Cohen's kappa of two raters over the same things: 1 is agreement, 0 what chance would give.
    None without pairs, and where both always say the same one thing: there is nothing to agree on.
    """
    n = len(pairs)
    if not n:
        return None
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    observed = sum(a == b for a, b in pairs) / n
    by_chance = sum(first[key] * second[key] for key in first) / n**2
    return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


def figures(pairs: Sequence[Pair]) -> dict[str, Any]:
    """n, share of equal verdicts, kappa, and whether n is enough to say something."""
    n = len(pairs)
    return {
        "n": n,
        "equal": sum(a == b for a, b in pairs) / n if n else None,
        "kappa": kappa(pairs),
        "enough": n >= ENOUGH,
    }


def agreement(
    session: Session, since: datetime | None = None, until: datetime | None = None, region: str = ""
) -> dict[str, Any]:
    """{overall, pairs, differing}: of answers judged by more than one, reviewed in a time. Overall,
    the earlier verdict is the first of a pair; `differing` counts the pairs of unequal verdicts."""
    wanted = [*span(since, until), *([Review.region == region] if region else [])]
    rows = session.execute(
        select(Review.answer_id, Review.reviewer_id, Review.verdict, Review.reviewed_at)
        .where(*wanted)
        .order_by(Review.reviewed_at, Review.id)
    )
    of_answer: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        of_answer[row.answer_id].append(row)
    overall: list[Pair] = []
    of_people: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for judged in of_answer.values():
        for one, other in combinations(judged, 2):
            overall.append((one.verdict, other.verdict))
            low, high = sorted((one, other), key=lambda row: row.reviewer_id)
            of_people[low.reviewer_id, high.reviewer_id].append((low.verdict, high.verdict))
    names = _names(session, {person for pair in of_people for person in pair})
    differing = Counter(tuple(sorted(pair)) for pair in overall if pair[0] != pair[1])
    return {
        "overall": figures(overall),
        "pairs": [
            {
                "reviewers": [{"id": person, "name": names.get(person, "")} for person in people],
                **figures(pairs),
            }
            for people, pairs in sorted(of_people.items(), key=lambda item: -len(item[1]))
        ],
        "differing": [{"verdicts": list(pair), "n": n} for pair, n in differing.most_common()],
    }


def _names(session: Session, ids: set[str]) -> dict[str, str]:
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    return {row.id: row.name for row in rows}
