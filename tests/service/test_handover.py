"""From the assistant to a person and back: what each side sees, and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import insert, select

from service.auth import StaffRegister
from service.handover.ledger import is_owned
from service.models import (
    Conversation,
    HandoverMessage,
    HandoverTicket,
)
from tests.conftest import rooms_of
from tests.service.office import QUEUE, Office, path, texts


def test_a_citizen_is_handed_over_answered_and_told_the_outcome(office: Office) -> None:
    answer = office.asked("c_1")
    opened = office.open("c_1", answer=answer, note="老板说没钱", contact="138-0013-8000")
    assert opened.status_code == 201
    assert opened.headers["cache-control"] == "no-store"
    ticket = opened.json()
    assert ticket["status"] == "waiting"
    assert ticket["kind"] == "requested"
    assert datetime.fromisoformat(ticket["due_at"]) - datetime.fromisoformat(
        ticket["created_at"]
    ) == timedelta(minutes=60)
    assert [(m["from"], m["text"][:6]) for m in ticket["messages"]] == [
        ("citizen", "老板说没钱"),
        ("system", "您的转人工请"),
    ]
    member, desk = office.hire("小王")
    claimed = desk.do(ticket["id"], "claim").json()
    assert claimed["claimed_by"] == {"id": member.id, "name": "小王"}
    assert claimed["contact"] == "13800138000"
    last = claimed["messages"][-1]["seq"]
    assert office.handovers.citizen_says("c_1", "您好，我想问工资") is not None
    assert desk.do(ticket["id"], "reply", text="请拨打021-52564588找我").status_code == 201
    fresh = office.seen_by_citizen("c_1", after=last)
    assert [(m["from"], m["text"]) for m in fresh["messages"]] == [
        ("citizen", "您好，我想问工资"),
        ("staff", "请拨打021-52564588找我"),
    ]
    closed = desk.do(ticket["id"], "close", outcome="solved", summary="已告知先投诉再仲裁")
    assert closed.status_code == 200
    seen = office.seen_by_citizen("c_1")
    assert seen["status"] == "closed"
    assert seen["outcome"] == "solved"
    assert seen["summary"] == "已告知先投诉再仲裁"
    assert "已解决" in texts(seen, "system")[-1]
    assert "已告知先投诉再仲裁" in texts(seen, "system")[-1]


def test_the_packet_says_what_was_asked_what_was_shown_and_why_we_stopped(office: Office) -> None:
    office.asked("c_1", "我的电话是[手机号]，工资没发")
    office.asked("c_1", "那要多久", "unanswerable_unsure", reason="没有足够把握，请问人。")
    handover = office.ticket("c_1", note="我身份证11010519491231002X，电话１３８００１３８０００")
    _, desk = office.hire("小王")
    packet = desk.get(f"{QUEUE}/{handover}").json()["packet"]
    assert "1. 我的电话是[手机号]，工资没发\n2. 那要多久" in packet["summary"]
    assert packet["topic"] == "劳动"
    assert packet["region"] == "310107"
    assert packet["reason"] == "没有足够把握，请问人。"
    assert packet["note"] == "我身份证[身份证号]，电话[手机号]"
    assert packet["shown"] == {
        "outcome": "unanswerable_unsure",
        "caution": None,
        "summary": "可以先向劳动监察投诉。",
        "citations": [{"law": "劳动法", "article": "第五十条"}],
        "steps": ["劳动监察投诉"],
        "notices": ["劳动争议申请仲裁的时效期间为一年。"],
        "targets": [],
    }
    assert office.seen_by_citizen("c_1")["kind"] == "unsure"


def test_a_long_conversation_is_summarised_by_its_beginning_and_end(office: Office) -> None:
    for number in range(30):
        office.asked("c_1", f"问题{number}" + "很长" * 100)
    handover = office.ticket("c_1")
    _, desk = office.hire("小王")
    packet = desk.get(f"{QUEUE}/{handover}").json()["packet"]
    listed = [question["question"] for question in packet["questions"]]
    assert [text.partition("很")[0] for text in listed] == [
        "问题0",
        *(f"问题{n}" for n in range(11, 30)),
    ]
    assert "问了30个问题（中间略去10个）" in packet["summary"]
    assert max(map(len, packet["summary"].splitlines())) < 140


def test_a_person_can_be_asked_for_before_any_question(office: Office) -> None:
    with office.sessions.begin() as session:
        session.add(Conversation(id="c_1", channel="web"))
    ticket = office.open("c_1").json()
    assert ticket["kind"] == "requested"
    _, desk = office.hire("小王", region="310107")
    assert desk.get(f"{QUEUE}/{ticket['id']}").json()["packet"]["questions"] == []


def test_danger_in_a_conversation_is_due_at_once_whatever_was_asked_since(office: Office) -> None:
    office.asked("c_1", "他又打我了", "handover_urgent", trace={"urgent": "violence"})
    office.asked("c_1", "离婚怎么办")
    ticket = office.open("c_1").json()
    assert ticket["kind"] == "urgent"
    assert ticket["due_at"] == ticket["created_at"]
    _, desk = office.hire("小王")
    packet = desk.get(f"{QUEUE}/{ticket['id']}").json()["packet"]
    assert packet["urgent"] == "violence"
    assert packet["reason"] == "市民的话里有紧急情况。"


def test_asking_twice_gives_the_same_ticket_and_adds_what_is_new(office: Office) -> None:
    office.asked("c_1")
    first = office.open("c_1", note="急").json()
    again = office.open("c_1", note="急")
    assert again.status_code == 200
    assert again.json() == first
    more = office.open("c_1", note="请打这个电话", contact="13800138000").json()
    assert more["id"] == first["id"]
    assert texts(more, "citizen") == ["急", "请打这个电话"]
    _, desk = office.hire("小王")
    assert desk.do(first["id"], "claim").json()["contact"] == "13800138000"
    assert office.count(HandoverTicket) == 1


def test_many_messages_come_in_parts(office: Office) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1")
    with office.sessions.begin() as session:
        said = [{"handover_id": handover, "sender": "citizen", "text": str(n)} for n in range(450)]
        session.execute(insert(HandoverMessage), said)
    seen: list[dict[str, Any]] = []
    while part := office.seen_by_citizen("c_1", after=seen[-1]["seq"] if seen else 0)["messages"]:
        assert len(part) <= 200
        seen += part
    assert [m["text"] for m in seen if m["from"] == "citizen"] == [str(n) for n in range(450)]


def test_after_the_end_a_new_ticket_can_be_opened(office: Office) -> None:
    office.asked("c_1")
    first = office.ticket("c_1")
    assert office.client.delete(path("c_1")).json()["outcome"] == "withdrawn"
    second = office.ticket("c_1")
    assert second != first
    assert office.seen_by_citizen("c_1")["id"] == second


def test_a_citizen_withdraws_and_the_desk_knows(office: Office) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1", contact="13800138000")
    _, desk = office.hire("小王")
    desk.do(handover, "claim")
    withdrawn = office.client.delete(path("c_1"))
    assert withdrawn.json()["status"] == "closed"
    assert "已撤回" in texts(withdrawn.json(), "system")[-1]
    assert office.client.delete(path("c_1")).json() == withdrawn.json()
    assert desk.do(handover, "reply", text="您好").status_code == 409
    assert not owned(office)
    with office.sessions() as session:
        assert session.scalars(select(HandoverTicket.contact)).all() == [None]


def owned(office: Office) -> bool:
    with office.sessions() as session:
        return is_owned(session.connection(), "c_1")


def test_the_person_owns_the_conversation_only_while_it_is_claimed(office: Office) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1")
    assert not owned(office)
    assert office.handovers.citizen_says("c_1", "在吗") is None
    _, desk = office.hire("小王")
    desk.do(handover, "claim")
    assert owned(office)
    said = office.handovers.citizen_says("c_1", "我的手机是13800138000")
    assert said is not None
    assert said["text"] == "我的手机是[手机号]"
    desk.do(handover, "release")
    assert not owned(office)
    assert office.handovers.citizen_says("c_1", "还在吗") is None
    assert texts(office.seen_by_citizen("c_1"), "citizen") == ["我的手机是[手机号]"]


def test_a_released_ticket_waits_again_and_its_number_is_hidden(office: Office) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1", contact="021 5256 4588")
    _, wang = office.hire("小王")
    _, li = office.hire("小李")
    assert wang.do(handover, "claim").json()["contact"] == "02152564588"
    assert li.get(f"{QUEUE}/{handover}").json()["contact"] is None
    released = wang.do(handover, "release").json()
    assert released["status"] == "waiting"
    assert released["claimed_by"] is None
    assert released["has_contact"] is True
    assert wang.get(f"{QUEUE}/{handover}").json()["contact"] is None
    assert "退回排队" in texts(office.seen_by_citizen("c_1"), "system")[-1]
    assert li.do(handover, "claim").json()["contact"] == "02152564588"


def test_who_is_sent_on_is_told_to_whom_how_and_whether_we_passed_it_on(office: Office) -> None:
    for number, (passed_on, said) in enumerate(((True, "已把您的情况转过去"), (False, "没有代为"))):
        conversation = f"c_{number}"
        office.asked(conversation)
        handover = office.ticket(conversation)
        _, desk = office.hire("小王")
        desk.do(handover, "claim")
        referral = {"to": "人社服务热线", "contact": "12333", "passed_on": passed_on}
        closed = desk.do(
            handover, "close", outcome="referred", summary="属于劳动监察", referral=referral
        )
        assert closed.status_code == 200
        seen = office.seen_by_citizen(conversation)
        assert seen["referral"] == referral
        told = texts(seen, "system")[-1]
        assert "人社服务热线" in told
        assert "12333" in told
        assert said in told


def test_the_application_hands_over_over_http(client: TestClient) -> None:
    answer = client.post("/api/v1/questions", json={"question": "转人工"}).json()
    url = path(answer["conversation"])
    assert client.post(url, json={"consent": False}).status_code == 400
    opened = client.post(url, json={"consent": True, "answer": answer["id"]})
    assert opened.status_code == 201
    assert opened.json()["kind"] == "requested"
    _, token = StaffRegister(rooms_of(client).sessions).add("小王", ["agent"])
    headers = {"Authorization": f"Bearer {token}"}
    [waiting] = client.get(QUEUE, headers=headers).json()["tickets"]
    claimed = client.post(f"{QUEUE}/{waiting['id']}/claim", headers=headers).json()
    assert claimed["packet"]["reason"] == "您要求找人。"
    seen = client.get(url).json()
    assert seen["status"] == "claimed"
    assert "rating_token" not in seen
    assert client.get(QUEUE).status_code == 401
    end = {"outcome": "solved", "summary": "已告知先投诉再仲裁"}
    client.post(f"{QUEUE}/{waiting['id']}/close", json=end, headers=headers)
    rated = {"token": client.get(url).json()["rating_token"], "level": 5}
    assert client.post("/api/v1/ratings", json=rated).json()["label"] == "非常满意"


def test_a_ticket_that_nobody_took_is_not_rated(client: TestClient) -> None:
    url = path(client.post("/api/v1/questions", json={"question": "转人工"}).json()["conversation"])
    client.post(url, json={"consent": True})
    assert "rating_token" not in client.delete(url).json()
