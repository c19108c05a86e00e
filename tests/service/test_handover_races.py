"""One ticket, one owner, no message lost: at the same moment, and when a process dies."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from service.errors import Conflict, NotFound
from service.handover import UrgentWatch
from service.models import (
    AccessRecord,
    HandoverMessage,
    HandoverTicket,
    UrgentAcknowledgement,
)
from tests.service.office import Office, at_once, texts


def test_sixteen_requests_at_once_open_one_ticket(office: Office) -> None:
    office.asked("c_1")

    def ask() -> tuple[dict[str, Any], bool]:
        return office.handovers.open("c_1", consent=True, note="急", contact="13800138000")

    results = at_once([ask] * 16)
    assert [r for r in results if isinstance(r, Exception)] == []
    assert len({ticket["id"] for ticket, _ in results}) == 1
    assert sum(is_new for _, is_new in results) == 1
    assert office.count(HandoverTicket) == 1
    assert texts(office.seen_by_citizen("c_1"), "citizen") == ["急"]


def test_of_agents_who_claim_at_once_one_gets_it(office: Office) -> None:
    people = [office.hire(f"坐席{n}")[0] for n in range(8)]
    for number in range(5):
        conversation = f"c_{number}"
        office.asked(conversation)
        handover = office.ticket(conversation)
        results = at_once([partial(office.handovers.claim, member, handover) for member in people])
        won = [r for r in results if isinstance(r, dict)]
        assert len(won) == 1
        assert all(isinstance(r, Conflict) for r in results if not isinstance(r, dict))
        assert office.seen_by_citizen(conversation)["status"] == "claimed"
        assert len(texts(office.seen_by_citizen(conversation), "system")) == 2


def test_of_supervisors_who_acknowledge_at_once_the_first_counts(office: Office) -> None:
    answer = office.asked("c_1", "他又打我了", "handover_urgent")
    people = [office.hire(f"督导{n}", "supervisor")[0] for n in range(8)]
    watch = UrgentWatch(office.sessions)
    results = at_once([partial(watch.acknowledge, member, answer) for member in people])
    assert len({result["by"]["id"] for result in results}) == 1
    assert office.count(UrgentAcknowledgement) == 1


def test_messages_from_both_sides_at_once_are_all_kept_and_none_is_skipped(office: Office) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1")
    member, _ = office.hire("小王")
    office.handovers.claim(member, handover)
    seen: list[int] = []

    def poll() -> None:
        for _ in range(40):
            ticket = office.handovers.of_conversation("c_1", after=seen[-1] if seen else 0)
            seen.extend(message["seq"] for message in ticket["messages"])

    asking = [partial(office.handovers.citizen_says, "c_1", f"市民{n}") for n in range(12)]
    replying = [partial(office.handovers.reply, member, handover, f"坐席{n}") for n in range(12)]
    results = at_once([*asking, *replying, poll])
    assert [r for r in results if isinstance(r, Exception)] == []
    poll()
    kept = office.seen_by_citizen("c_1")["messages"]
    assert len(kept) == 2 + 24
    assert seen == [message["seq"] for message in kept]


def test_closing_and_talking_at_once_never_loses_a_message_silently(office: Office) -> None:
    member, _ = office.hire("小王")
    for number in range(5):
        conversation = f"c_{number}"
        office.asked(conversation)
        handover = office.ticket(conversation)
        office.handovers.claim(member, handover)
        said, closed = at_once(
            [
                partial(office.handovers.citizen_says, conversation, "还有一件事"),
                partial(office.handovers.close, member, handover, outcome="solved", summary="好"),
            ]
        )
        assert closed["status"] == "closed"
        messages = office.seen_by_citizen(conversation)["messages"]
        assert ("还有一件事" in [m["text"] for m in messages]) == (said is not None)
        assert messages[-1]["from"] == "system"


def test_what_fails_in_the_middle_leaves_nothing(office: Office) -> None:
    office.asked("c_1")
    member, _ = office.hire("小王")
    handover = office.ticket("c_1")

    class Broken(Exception):
        pass

    def fail(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO handover_messages"):
            raise Broken

    event.listen(office.engine, "before_cursor_execute", fail)
    with pytest.raises(Broken):
        office.handovers.claim(member, handover)
    office.asked("c_2")
    with pytest.raises(Broken):
        office.handovers.open("c_2", consent=True)
    event.remove(office.engine, "before_cursor_execute", fail)
    assert office.seen_by_citizen("c_1")["status"] == "waiting"
    assert office.count(HandoverTicket) == 1
    with pytest.raises(NotFound):
        office.handovers.of_conversation("c_2")
    assert office.count(AccessRecord) == 0


_KILLED = """
import os, sys
from sqlalchemy import event
from sqlalchemy.orm import sessionmaker
from knowledge import store
from service.handover import Handovers, minutes_later

engine = store.connect(sys.argv[1])

@event.listens_for(engine, "before_cursor_execute")
def die(_c, _cursor, statement, *_rest):
    if statement.startswith("INSERT INTO handover_messages"):
        os._exit(9)

sessions = sessionmaker(engine, expire_on_commit=False)
Handovers(sessions, due=minutes_later(60), region="310107").open("c_1", consent=True)
"""


def test_a_process_killed_in_the_middle_leaves_nothing(office: Office) -> None:
    office.asked("c_1")
    url = office.engine.url.render_as_string(hide_password=False)
    killed = subprocess.run([sys.executable, "-c", _KILLED, url], timeout=60, check=False)
    assert killed.returncode == 9
    assert office.count(HandoverTicket) == office.count(HandoverMessage) == 0
    assert office.open("c_1").status_code == 201
