"""Who may do what at the desk, who sees what, and that reading is on record."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from service.models import (
    AccessRecord,
)
from tests.service.office import QUEUE, URGENT, Office, texts


def test_a_private_note_never_reaches_the_citizen(office: Office) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1")
    _, desk = office.hire("小王")
    _, other = office.hire("小李")
    desk.do(handover, "claim")
    noted = other.do(handover, "note", text="此人电话13800138000，情绪激动").json()
    assert noted["private"] is True
    assert noted["text"] == "此人电话[手机号]，情绪激动"
    desk.do(handover, "reply", text="您好")
    seen = office.seen_by_citizen("c_1")
    assert "情绪激动" not in json.dumps(seen, ensure_ascii=False)
    assert "小王" not in json.dumps(seen, ensure_ascii=False)
    read = desk.get(f"{QUEUE}/{handover}").json()
    assert [(m["staff"], m["private"]) for m in read["messages"][-2:]] == [
        ("小李", True),
        ("小王", False),
    ]


def test_only_the_owner_replies_releases_and_closes(office: Office) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1")
    _, owner = office.hire("小王")
    _, other = office.hire("小李")
    end = {"outcome": "solved", "summary": "已答复"}
    for action, body in (("reply", {"text": "您好"}), ("release", {}), ("close", end)):
        early = owner.do(handover, action, **body)
        assert early.status_code == 409
        assert "还没有人接手" in early.json()["error"]["message"]
    owner.do(handover, "claim")
    for action, body in (
        ("claim", {}),
        ("reply", {"text": "您好"}),
        ("release", {}),
        ("close", end),
    ):
        refused = other.do(handover, action, **body)
        assert refused.status_code == 409
        assert "其他工作人员" in refused.json()["error"]["message"]
    assert owner.do(handover, "close", **end).status_code == 200
    for action, body in (("claim", {}), ("reply", {"text": "您好"}), ("close", end)):
        late = owner.do(handover, action, **body)
        assert late.status_code == 409
        assert "已经结束" in late.json()["error"]["message"]


def test_claiming_ones_own_ticket_again_changes_nothing(office: Office) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1")
    _, desk = office.hire("小王")
    first = desk.do(handover, "claim").json()
    assert desk.do(handover, "claim").json()["claimed_at"] == first["claimed_at"]
    assert len(texts(office.seen_by_citizen("c_1"), "system")) == 2


def test_a_supervisor_puts_back_what_somebody_else_holds(office: Office) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1")
    _, agent = office.hire("小王")
    _, supervisor = office.hire("老陈", "supervisor")
    agent.do(handover, "claim")
    assert supervisor.do(handover, "release").json()["status"] == "waiting"
    assert agent.do(handover, "reply", text="您好").status_code == 409


def test_tickets_of_somebody_who_has_left_go_back_to_the_queue(office: Office) -> None:
    member, desk = office.hire("小王")
    for conversation in ("c_1", "c_2", "c_3"):
        office.asked(conversation)
    kept, lost = office.ticket("c_1"), office.ticket("c_2")
    office.ticket("c_3")
    desk.do(lost, "claim")
    _, other = office.hire("小李")
    other.do(kept, "claim")
    office.staff.disable(member.id)
    assert desk.do(lost, "reply", text="您好").status_code == 401
    assert office.handovers.release_all_of(member.id) == 1
    assert office.seen_by_citizen("c_2")["status"] == "waiting"
    assert office.seen_by_citizen("c_1")["status"] == "claimed"


def test_another_region_does_not_learn_that_a_ticket_exists(office: Office) -> None:
    office.asked("c_1", region="310101")
    handover = office.ticket("c_1")
    _, putuo = office.hire("小王", region="310107")
    _, huangpu = office.hire("小李", region="310101")
    bodies: dict[str, dict[str, Any]] = {
        "claim": {},
        "release": {},
        "reply": {"text": "您好"},
        "note": {"text": "备注"},
        "close": {"outcome": "solved", "summary": "好"},
    }
    for action, body in bodies.items():
        assert putuo.do(handover, action, **body).status_code == 404
    assert putuo.get(f"{QUEUE}/{handover}").status_code == 404
    assert putuo.get(QUEUE).json() == {
        "tickets": [],
        "next": None,
        "counts": {"waiting": 0, "claimed": 0, "overdue": 0},
    }
    assert putuo.get(QUEUE, before=handover).status_code == 404
    assert huangpu.do(handover, "claim").status_code == 200


_ENDPOINTS = [
    ("GET", QUEUE, None),
    ("GET", f"{QUEUE}/h_1", None),
    ("POST", f"{QUEUE}/h_1/claim", None),
    ("POST", f"{QUEUE}/h_1/release", None),
    ("POST", f"{QUEUE}/h_1/reply", {"text": "您好"}),
    ("POST", f"{QUEUE}/h_1/note", {"text": "备注"}),
    ("POST", f"{QUEUE}/h_1/close", {"outcome": "solved", "summary": "好"}),
    ("GET", URGENT, None),
    ("POST", f"{URGENT}/a_1/acknowledge", {}),
]


def test_without_account_or_role_no_door_opens(office: Office) -> None:
    _, curator = office.hire("小编", "curator")
    _, agent = office.hire("小王")
    for method, url, body in _ENDPOINTS:
        assert office.client.request(method, url, json=body).status_code == 401
        refused = office.client.request(method, url, json=body, headers=curator.headers)
        assert refused.status_code == 403
        if url.startswith(URGENT):
            met = office.client.request(method, url, json=body, headers=agent.headers)
            assert met.status_code == 403


def test_the_citizens_key_is_not_shown_to_staff(office: Office) -> None:
    office.asked("c_secret", "他又打我了", "handover_urgent", trace={"urgent": "violence"})
    handover = office.ticket("c_secret")
    _, desk = office.hire("老陈", "supervisor")
    shown = [
        desk.do(handover, "claim"),
        desk.get(f"{QUEUE}/{handover}"),
        desk.get(QUEUE),
        desk.get(URGENT),
    ]
    assert all(response.status_code == 200 for response in shown)
    assert not any("c_secret" in response.text for response in shown)


def test_reading_is_on_record_with_its_purpose(office: Office) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1")
    wang, desk = office.hire("小王")
    chen, supervisor = office.hire("老陈", "supervisor")
    desk.get(QUEUE)
    desk.do(handover, "claim")
    for after in (0, 1, 2):  # a page that waits for messages
        desk.get(f"{QUEUE}/{handover}", after=after)
    supervisor.get(f"{QUEUE}/{handover}", purpose="supervise")
    office.clock.at += timedelta(minutes=11)
    desk.get(f"{QUEUE}/{handover}")
    assert supervisor.get(f"{QUEUE}/{handover}", purpose="curious").status_code == 422
    with office.sessions() as session:
        rows = session.scalars(select(AccessRecord).order_by(AccessRecord.id)).all()
    assert {(r.subject, r.subject_id, r.conversation_id) for r in rows} == {
        ("handover", handover, "c_1")
    }
    assert [(r.staff_id, r.purpose) for r in rows] == [
        (wang.id, "handle"),
        (chen.id, "supervise"),
        (wang.id, "handle"),
    ]


def test_the_queue_is_read_page_by_page_without_a_word_of_the_citizen(office: Office) -> None:
    _, desk = office.hire("小王")
    ids = []
    for number in range(5):
        office.asked(f"c_{number}", "我的秘密问题")
        ids.append(office.ticket(f"c_{number}", note="我的秘密说明"))
    desk.do(ids[0], "claim")
    seen: list[str] = []
    before = None
    while True:
        response = desk.get(QUEUE, limit=2, **({"before": before} if before else {}))
        assert "秘密" not in response.text
        page = response.json()
        seen += [ticket["id"] for ticket in page["tickets"]]
        before = page["next"]
        if before is None:
            break
    assert seen == ids[::-1]
    first = desk.get(QUEUE, status="waiting", order="due", limit=3).json()
    assert [ticket["id"] for ticket in first["tickets"]] == ids[1:4]
    assert first["counts"] == {"waiting": 4, "claimed": 1, "overdue": 0}
    rest = desk.get(QUEUE, status="waiting", order="due", before=first["next"]).json()
    assert [ticket["id"] for ticket in rest["tickets"]] == ids[4:]
    assert [t["id"] for t in desk.get(QUEUE, mine=True).json()["tickets"]] == ids[:1]


def test_what_has_waited_too_long_is_marked(office: Office) -> None:
    office.asked("c_1")
    office.ticket("c_1")
    _, desk = office.hire("小王")
    office.clock.at += timedelta(minutes=61)
    page = desk.get(QUEUE).json()
    assert page["tickets"][0]["overdue"] is True
    assert page["counts"] == {"waiting": 1, "claimed": 0, "overdue": 1}
