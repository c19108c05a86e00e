"""Switches: with a reason, on record, heeded by all within two seconds."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select

from knowledge.store import documents
from service.answering.draft import NOTHING_OFF, Off
from service.auth import ROLES, Member
from service.errors import BadRequest, Conflict, NotFound
from service.models import AuditEvent, Switch
from service.switches import Kind, Switches
from tests.service.hall import Hall
from tests.service.office import at_once

URL = "/api/v1/staff/switches"


class Seconds:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def switches(hall: Hall) -> Switches:
    with hall.sessions.begin() as session:
        columns = [c.name for c in documents.c if c.name not in ("id", "title", "kind", "aliases")]
        session.execute(
            insert(documents),
            [
                {
                    "id": "law-1",
                    "title": "中华人民共和国劳动合同法",
                    "kind": "statute",
                    "aliases": [],
                    **dict.fromkeys(columns, ""),
                },
                {
                    "id": "faq-wages",
                    "title": "公司拖欠工资怎么办",
                    "kind": "faq",
                    "aliases": [],
                    **dict.fromkeys(columns, ""),
                },
            ],
        )
    return Switches(hall.sessions, clock=hall.clock)


@pytest.fixture
def member(hall: Hall) -> Member:
    return hall.hire()[0]


def test_what_is_switched_off_is_off_until_it_is_switched_on(
    switches: Switches, member: Member
) -> None:
    assert switches.off() is NOTHING_OFF
    switches.set(member, Kind.CHANNEL, "web", off=True, comment="回答出错，先停")
    switches.set(member, Kind.TOPIC, "劳动人事", off=True, comment="法律刚改")
    switches.set(member, Kind.DOCUMENT, "law-1", off=True, comment="修订中")
    switches.set(member, Kind.MODEL, "language", off=True, comment="未备案")
    off = switches.off()
    assert off == Off(frozenset({"web"}), frozenset({"劳动人事"}), frozenset({"law-1"}))
    assert switches.model_off()
    for kind, key in ((Kind.CHANNEL, "web"), (Kind.TOPIC, "劳动人事"), (Kind.DOCUMENT, "law-1")):
        switches.set(member, kind, key, off=False, comment="已核对")
    assert not switches.off()
    assert switches.model_off()


def test_it_is_shown_who_switched_when_and_why(
    hall: Hall, switches: Switches, member: Member
) -> None:
    switches.set(member, Kind.DOCUMENT, "law-1", off=True, comment="  修订中\n先停  ")
    [state] = [s for s in switches.states() if s["off"]]
    assert state["name"] == "中华人民共和国劳动合同法"
    assert (state["by"], state["comment"]) == ("周督导", "修订中 先停")
    assert state["set_at"] == hall.clock.at.isoformat()
    untouched = next(s for s in switches.states() if s["key"] == "继承遗嘱")
    assert (untouched["off"], untouched["by"]) == (False, "")
    assert [s["key"] for s in switches.states() if s["kind"] == "channel"] == ["web", "wechat"]
    assert sum(s["kind"] == "topic" for s in switches.states()) == 20


def test_every_change_stays_on_record(hall: Hall, switches: Switches, member: Member) -> None:
    for off, why in ((True, "一"), (False, "二"), (True, "三")):
        switches.set(member, Kind.CHANNEL, "wechat", off=off, comment=why)
    page = switches.history(limit=2)
    assert [c["comment"] for c in page["changes"]] == ["三", "二"]
    rest = switches.history(limit=2, before=page["next"])
    assert [c["comment"] for c in rest["changes"]] == ["一"]
    assert rest["next"] is None
    with hall.sessions() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [e.action for e in events] == ["switch.set"] * 3
    assert events[0].detail == {"name": "渠道“微信”", "off": True, "comment": "一"}


def test_a_change_in_one_process_is_heeded_by_another_within_two_seconds(
    hall: Hall, switches: Switches, member: Member
) -> None:
    seconds = Seconds()
    other = Switches(hall.sessions, monotonic=seconds)
    assert not other.off()
    switches.set(member, Kind.CHANNEL, "web", off=True, comment="停")
    seconds.at += 1.9
    assert not other.off()  # still as read
    seconds.at += 0.2
    assert other.off().channels == {"web"}


def test_asking_often_reads_the_database_once(hall: Hall, member: Member) -> None:
    seconds = Seconds()
    switches = Switches(hall.sessions, monotonic=seconds)
    first = switches.off()
    switches_elsewhere = Switches(hall.sessions)
    switches_elsewhere.set(member, Kind.CHANNEL, "web", off=True, comment="停")
    assert all(switches.off() is first for _ in range(1000))
    assert not at_once([switches.off] * 8)[0]


@pytest.mark.parametrize("comment", ["", "   \n", "\x00", "长" * 301, "长" * 20_000])
def test_a_reason_is_needed(switches: Switches, member: Member, comment: str) -> None:
    with pytest.raises(BadRequest):
        switches.set(member, Kind.CHANNEL, "web", off=True, comment=comment)
    assert not switches.off()


def test_only_what_is_there_can_be_switched(switches: Switches, member: Member) -> None:
    with pytest.raises(NotFound):
        switches.set(member, Kind.DOCUMENT, "law-2", off=True, comment="停")
    for kind in (Kind.CHANNEL, Kind.TOPIC, Kind.MODEL):
        with pytest.raises(BadRequest):
            switches.set(member, kind, "law-1", off=True, comment="停")


def test_switching_off_what_is_off_says_who_was_first(switches: Switches, member: Member) -> None:
    switches.set(member, Kind.CHANNEL, "web", off=True, comment="停")
    with pytest.raises(Conflict, match="周督导"):
        switches.set(member, Kind.CHANNEL, "web", off=True, comment="再停")
    with pytest.raises(Conflict, match="开启"):
        switches.set(member, Kind.CHANNEL, "wechat", off=False, comment="开")


def test_two_at_once_leave_it_off(hall: Hall, switches: Switches, member: Member) -> None:
    change = partial(switches.set, member, Kind.CHANNEL, "web", off=True, comment="停")
    results = at_once([change] * 6)
    assert all(isinstance(r, list | Conflict) for r in results)
    assert Switches(hall.sessions).off().channels == {"web"}


def test_documents_are_found_by_title_or_number(switches: Switches) -> None:
    assert [d["id"] for d in switches.find_documents("劳动合同")] == ["law-1"]
    assert [d["id"] for d in switches.find_documents("faq-w")] == ["faq-wages"]
    assert switches.find_documents("") == switches.find_documents("\x00 ") == []
    assert switches.find_documents("%") == switches.find_documents("_") == []
    assert switches.find_documents("长" * 20_000) == []


def test_over_http(hall: Hall, switches: Switches) -> None:
    _, supervisor = hall.hire()
    body: dict[str, Any] = {"kind": "channel", "key": "web", "off": True, "comment": "停"}
    assert hall.client.post(URL, json=body, headers=supervisor).status_code == 200
    shown = hall.client.get(URL, headers=supervisor).json()["switches"]
    assert [s["key"] for s in shown if s["off"]] == ["web"]
    history = hall.client.get(f"{URL}/history", headers=supervisor).json()
    assert [c["key"] for c in history["changes"]] == ["web"]
    for wrong in (
        {"kind": "house"}, {"key": 3}, {"off": "true"}, {"off": None}, {"comment": 7},
        {"comment": "长" * 20_001}, {"key": "x" * 201}, {"more": 1},
    ):  # fmt: skip
        response = hall.client.post(URL, json=body | wrong, headers=supervisor)
        assert response.status_code == 422, wrong
    assert hall.count(Switch) == 1


@pytest.mark.parametrize("role", ROLES)
def test_who_may_read_and_set(hall: Hall, role: str) -> None:
    _, headers = hall.hire("某人", role)
    readers, setters = {"supervisor", "auditor", "administrator"}, {"supervisor", "administrator"}
    body = {"kind": "channel", "key": "web", "off": True, "comment": "停"}
    reading = hall.client.get(URL, headers=headers).status_code
    page = hall.client.get("/console/switches", headers=headers).status_code
    setting = hall.client.post(URL, json=body, headers=headers).status_code
    assert reading == page == (200 if role in readers else 403)
    assert setting == (200 if role in setters else 403)
    assert hall.client.get(URL).status_code == 401


def test_the_page_shows_the_switches_and_their_reasons(hall: Hall, switches: Switches) -> None:
    member, headers = hall.hire()
    switches.set(member, Kind.DOCUMENT, "law-1", off=True, comment="<b>修订</b>")
    page = hall.client.get("/console/switches?q=拖欠", headers=headers).text
    assert "&lt;b&gt;修订&lt;/b&gt;" in page
    assert "尚未接入" in page
    hall.client.app.state.writer = SimpleNamespace(name="某模型")  # type: ignore[attr-defined]
    page = hall.client.get("/console/switches?q=拖欠", headers=headers).text
    assert "已接入“某模型”" in page
    assert "尚未接入" not in page
    assert "公司拖欠工资怎么办" in page
    assert "现在关停了 1 项：中华人民共和国劳动合同法" in page
