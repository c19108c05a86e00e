"""Urgent conversations come before a supervisor, until somebody has seen to them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from service.models import (
    AccessRecord,
    UrgentAcknowledgement,
)
from tests.service.office import URGENT, Office


def test_a_supervisor_sees_urgent_answers_until_somebody_has_seen_to_them(office: Office) -> None:
    office.asked("c_0")
    first = office.asked("c_1", "他又打我了", "handover_urgent", trace={"urgent": "violence"})
    second = office.asked("c_2", "我不想活了", "handover_urgent", trace={"urgent": "self_harm"})
    handover = office.ticket("c_2")
    chen, supervisor = office.hire("老陈", "supervisor")
    page = supervisor.get(URGENT).json()
    assert page["total"] == 2
    assert [(u["answer"], u["kind"], u["question"]) for u in page["urgent"]] == [
        (second, "self_harm", "我不想活了"),
        (first, "violence", "他又打我了"),
    ]
    assert [u["handover"] for u in page["urgent"]] == [
        {"id": handover, "status": "waiting"},
        None,
    ]
    url = f"{URGENT}/{first}/acknowledge"
    done = office.client.post(url, json={"note": "已回电"}, headers=supervisor.headers).json()
    assert done["by"] == {"id": chen.id, "name": "老陈"}
    _, other = office.hire("老周", "supervisor")
    assert office.client.post(url, headers=other.headers).json() == done
    assert [u["answer"] for u in supervisor.get(URGENT).json()["urgent"]] == [second]
    with office.sessions() as session:
        read = session.execute(
            select(AccessRecord.subject, AccessRecord.subject_id, AccessRecord.purpose)
        ).all()
    assert sorted(map(tuple, read)) == [
        ("answer", first, "urgent"),
        ("answer", second, "urgent"),
    ]


def test_urgent_answers_are_paged_and_kept_to_the_region(office: Office) -> None:
    ids = [
        office.asked(f"c_{n}", "他又打我了", "handover_urgent", trace={"urgent": "violence"})
        for n in range(5)
    ]
    elsewhere = office.asked("c_9", "他又打我了", "handover_urgent", region="310101")
    _, supervisor = office.hire("老陈", "supervisor", region="310107")
    page = supervisor.get(URGENT, limit=3).json()
    assert [u["answer"] for u in page["urgent"]] == ids[:1:-1]
    assert page["total"] == 5
    rest = supervisor.get(URGENT, limit=3, before=page["next"]).json()
    assert [u["answer"] for u in rest["urgent"]] == ids[1::-1]
    assert rest["next"] is None
    for answer in (elsewhere, "a_unknown"):
        url = f"{URGENT}/{answer}/acknowledge"
        assert office.client.post(url, headers=supervisor.headers).status_code == 404


def test_an_answer_that_is_not_urgent_cannot_be_acknowledged(office: Office) -> None:
    answer = office.asked("c_1")
    _, supervisor = office.hire("老陈", "supervisor")
    url = f"{URGENT}/{answer}/acknowledge"
    assert office.client.post(url, headers=supervisor.headers).status_code == 404
    assert office.count(UrgentAcknowledgement) == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [({"note": "长" * 20_000}, 400), ({"note": 1}, 422), ([], 422), ({"note": None}, 422)],
)
def test_a_note_on_something_urgent_must_be_words(office: Office, body: Any, status: int) -> None:
    answer = office.asked("c_1", "他又打我了", "handover_urgent")
    _, supervisor = office.hire("老陈", "supervisor")
    response = office.client.post(
        f"{URGENT}/{answer}/acknowledge", json=body, headers=supervisor.headers
    )
    assert response.status_code == status
    assert office.count(UrgentAcknowledgement) == 0
