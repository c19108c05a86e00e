"""Budgets hold across processes, on each kind of database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

from service.model.budget import Budget
from service.models import AnswerRecord, Conversation
from tests.service.office import Office

DAY = date(2026, 12, 1)


def budget_of(office: Office, day: date = DAY, **limits: int) -> Budget:
    wanted = {"calls": 0, "tokens": 0, "of_conversation": 0} | limits
    return Budget(office.sessions, **wanted, today=lambda: day)


def test_the_last_call_of_a_day_is_taken_once(office: Office) -> None:
    budget = budget_of(office, calls=5)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: budget.take(), range(16)))
    assert taken.count(True) == 5
    assert budget.counts(DAY)["calls"] == 5


def test_another_day_has_another_budget(office: Office) -> None:
    assert budget_of(office, calls=1).take()
    assert not budget_of(office, calls=1).take()
    assert budget_of(office, date(2026, 12, 2), calls=1).take()


def test_tokens_end_a_day_too(office: Office) -> None:
    budget = budget_of(office, tokens=100)
    assert budget.take()
    budget.count({"tokens": 60})
    assert budget.take()
    budget.count({"tokens": 60, "failed.slow": 1, "none": 0})
    assert not budget.take()
    assert budget.counts(DAY) == {"calls": 2, "tokens": 120, "failed.slow": 1}


def test_a_conversation_has_its_own(office: Office) -> None:
    with office.sessions.begin() as session:
        session.add(Conversation(id="c_1", channel="web"))
        session.flush()
        for number, trace in enumerate([{"model": {"calls": 2}}, {}, {"model": {"calls": 1}}]):
            session.add(
                AnswerRecord(
                    id=f"a_{number}",
                    conversation_id="c_1",
                    question="问",
                    outcome="answered_faq",
                    confidence=1.0,
                    region="310107",
                    took_ms=1.0,
                    answer={},
                    trace=trace,
                )
            )
    assert budget_of(office, of_conversation=4).take("c_1")
    assert not budget_of(office, of_conversation=3).take("c_1")
    assert budget_of(office, of_conversation=3).take("c_2")
    assert budget_of(office, of_conversation=3).take()
