"""A supervisor gives a ticket to somebody else; everything staff do is on record."""

from __future__ import annotations

import json

from sqlalchemy import select

from service.models import AuditEvent
from tests.service.desk.conftest import DUTY, FrontDesk
from tests.service.office import URGENT, texts


def test_a_ticket_is_given_to_somebody_whether_it_waits_or_not(front: FrontDesk) -> None:
    _, supervisor = front.hire("老陈", "supervisor")
    wang, first = front.hire("小王")
    li, second = front.hire("小李")
    for desk in (first, second):
        front.client.put(DUTY, headers=desk.headers)
    front.asked("c_1")
    handover = front.ticket("c_1", contact="13800138000")
    given = supervisor.do(handover, "assign", to=wang.id)
    assert given.status_code == 200
    assert given.json()["claimed_by"] == {"id": wang.id, "name": "小王"}
    assert first.do(handover, "reply", text="您好").status_code == 201
    assert supervisor.do(handover, "assign", to=li.id).json()["claimed_by"]["name"] == "小李"
    assert first.do(handover, "reply", text="您好").status_code == 409
    assert second.do(handover, "claim").json()["contact"] == "13800138000"
    said = texts(front.seen_by_citizen("c_1"), "system")
    assert said[1:] == [
        "已有工作人员接手，接下来由工作人员和您沟通，自动回答暂停。",
        "您的请求已换由另一位工作人员处理。",
    ]
    assert "小李" not in json.dumps(front.seen_by_citizen("c_1"), ensure_ascii=False)
    again = supervisor.do(handover, "assign", to=li.id)
    assert again.status_code == 409
    assert "已经在" in again.json()["error"]["message"]


def test_nobody_gets_a_ticket_who_could_not_work_on_it(front: FrontDesk) -> None:
    _, supervisor = front.hire("老陈", "supervisor")
    front.asked("c_1")
    handover = front.ticket("c_1")
    curator, _ = front.hire("小编", "curator")
    elsewhere, _ = front.hire("小李", region="310101")
    left, _ = front.hire("小赵")
    front.staff.disable(left.id)
    for unfit in (curator, elsewhere, left):
        refused = supervisor.do(handover, "assign", to=unfit.id)
        assert refused.status_code == 400
        assert "另选一位" in refused.json()["error"]["message"]
    assert supervisor.do(handover, "assign", to="s_unknown").status_code == 404
    assert supervisor.do(handover, "assign", to=1).status_code == 422
    assert front.seen_by_citizen("c_1")["status"] == "waiting"
    agent, desk = front.hire("小王")
    assert desk.do(handover, "assign", to=agent.id).status_code == 403
    _, far = front.hire("老周", "supervisor", "310101")
    assert far.do(handover, "assign", to=agent.id).status_code == 404
    front.client.delete("/api/v1/conversations/c_1/handover")
    assert supervisor.do(handover, "assign", to=agent.id).status_code == 409


def test_nobody_gets_a_ticket_who_is_not_there(front: FrontDesk) -> None:
    boss, supervisor = front.hire("老陈", "supervisor")
    wang, desk = front.hire("小王")
    front.asked("c_1")
    handover = front.ticket("c_1")
    refused = supervisor.do(handover, "assign", to=wang.id)
    assert refused.status_code == 409
    assert "没有值班" in refused.json()["error"]["message"]
    assert front.seen_by_citizen("c_1")["status"] == "waiting"
    page = supervisor.get(f"/console/desk/{handover}").text
    assert f'value="{boss.id}"' in page
    assert f'value="{wang.id}"' not in page
    front.client.put(DUTY, headers=desk.headers)
    assert f'value="{wang.id}"' in supervisor.get(f"/console/desk/{handover}").text
    assert supervisor.do(handover, "assign", to=wang.id).status_code == 200
    # Who takes it over themselves is there, whatever the duty says.
    taken = supervisor.do(handover, "assign", to=boss.id)
    assert taken.json()["claimed_by"]["id"] == boss.id
    assert "现在没有其他人值班" not in supervisor.get(f"/console/desk/{handover}").text
    front.client.delete(DUTY, headers=desk.headers)
    assert "现在没有其他人值班" in supervisor.get(f"/console/desk/{handover}").text


def test_everything_staff_do_is_on_record_without_a_citizens_word(front: FrontDesk) -> None:
    _, supervisor = front.hire("老陈", "supervisor")
    wang, desk = front.hire("小王")
    front.client.put(DUTY, headers=desk.headers)
    answer = front.asked("c_1", "我的秘密", "handover_urgent", trace={"urgent": "violence"})
    handover = front.ticket("c_1", note="我的秘密")
    desk.do(handover, "claim")
    desk.do(handover, "claim")  # one's own again changes nothing
    desk.do(handover, "reply", text="关于您的秘密")
    desk.do(handover, "note", text="秘密")
    desk.do(handover, "release")
    supervisor.do(handover, "assign", to=wang.id)
    desk.do(handover, "close", outcome="solved", summary="秘密")
    desk.do(handover, "reply", text="太迟")
    url = f"{URGENT}/{answer}/acknowledge"
    for _ in range(2):  # the first counts
        front.client.post(url, json={"note": "秘密"}, headers=supervisor.headers)
    with front.sessions() as session:
        # Reading and duty are on record too.
        done = AuditEvent.action.not_in(("conversation.read", "duty.begin"))
        events = session.scalars(select(AuditEvent).where(done).order_by(AuditEvent.id)).all()
    assert [event.action for event in events] == [
        "handover.claim",
        "handover.reply",
        "handover.note",
        "handover.release",
        "handover.assign",
        "handover.close",
        "urgent.acknowledge",
    ]
    assert {event.subject_id for event in events} == {handover, answer}
    details = json.dumps([event.detail for event in events], ensure_ascii=False)
    assert "秘密" not in details
    assert "c_1" not in details
