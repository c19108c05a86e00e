"""The pages of the desk: who sees which, with which buttons, and what citizens wrote as text."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import insert

from service.models import Conversation, HandoverTicket
from tests.service.desk.conftest import DUTY, FrontDesk
from tests.service.office import Desk

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"


def page(desk: Desk, path: str, status: int = 200) -> str:
    response = desk.client.get(path, headers=desk.headers)
    assert response.status_code == status, response.text
    return response.text


def test_the_pages_open_to_those_who_work_there(front: FrontDesk) -> None:
    allowed = {
        "/console/desk": {"agent", "supervisor"},
        "/console/urgent": {"supervisor"},
        "/console/ratings": {"agent", "supervisor", "curator"},
    }
    for role in ("agent", "supervisor", "curator", "reviewer", "auditor", "administrator"):
        _, desk = front.hire(f"某{role}", role)
        for path, roles in allowed.items():
            assert desk.get(path).status_code == (200 if role in roles else 403), (role, path)
    for path in allowed:
        away = front.client.get(path, follow_redirects=False)
        assert away.status_code == 303
        assert away.headers["location"].startswith("/console/login")


def test_what_can_be_done_with_a_ticket_follows_who_has_it(front: FrontDesk) -> None:
    _, owner = front.hire("小王")
    _, other = front.hire("小李")
    _, supervisor = front.hire("老陈", "supervisor")
    front.asked("c_1")
    handover = front.ticket("c_1", contact="13800138000")
    path = f"/console/desk/{handover}"
    waiting = page(other, path)
    assert 'id="claim"' in waiting
    assert 'id="reply-text"' not in waiting
    assert "/release" not in waiting
    assert "13800138000" not in waiting
    assert "市民留了号码，接手后可见" in waiting
    owner.do(handover, "claim")
    mine = page(owner, path)
    assert 'id="claim"' not in mine
    assert 'id="reply-text"' in mine
    assert "/release" in mine
    assert f"POST /api/v1/staff/handovers/{handover}/close" in mine
    assert 'href="tel:13800138000"' in mine
    assert "/assign" not in mine
    theirs = page(other, path)
    for missing in ('id="claim"', 'id="reply-text"', "/release", "/close", "13800138000"):
        assert missing not in theirs
    assert 'id="note-text"' in theirs
    above = page(supervisor, f"{path}?purpose=supervise")
    assert "/release" in above
    assert "/assign" in above
    assert 'id="reply-text"' not in above
    assert "13800138000" not in above
    owner.do(handover, "close", outcome="solved", summary="已说明")
    for text in (page(owner, path), page(supervisor, path)):
        for gone in ('id="claim"', 'id="reply-text"', "/release", "/assign", "/close"):
            assert gone not in text
        assert "已说明" in text


def test_the_list_says_in_words_what_is_urgent_and_overdue(front: FrontDesk) -> None:
    _, desk = front.hire("小王")
    front.asked("c_0")
    late = front.ticket("c_0")
    with front.sessions.begin() as session:
        found = session.get(HandoverTicket, late)
        assert found is not None
        found.due_at -= timedelta(hours=3)
    front.asked("c_1", "他又打我了", "handover_urgent", trace={"urgent": "violence"})
    urgent = front.ticket("c_1")
    front.asked("c_2")
    plain = front.ticket("c_2")
    text = page(desk, "/console/desk")
    order = [text.index(f"/console/desk/{one}?") for one in (late, urgent, plain)]
    assert order == sorted(order)  # what is due first comes first
    row = text[order[1] : order[2]]
    assert "紧急" in row
    assert "应立即接手" in row
    assert "超时" in text[order[0] : order[1]]
    assert "超时" not in text[order[2] : text.index("</ol>")]
    assert "打我" not in text


def test_each_tab_has_its_own_tickets(front: FrontDesk) -> None:
    _, wang = front.hire("小王")
    _, li = front.hire("小李")
    ids = []
    for number in range(4):
        front.asked(f"c_{number}")
        ids.append(front.ticket(f"c_{number}"))
    wang.do(ids[1], "claim")
    li.do(ids[2], "claim")
    wang.do(ids[3], "claim")
    wang.do(ids[3], "close", outcome="solved", summary="好")

    def shown(desk: Desk, view: str) -> set[str]:
        text = page(desk, f"/console/desk?view={view}")
        return {one for one in ids if f"/console/desk/{one}?" in text}

    assert shown(wang, "waiting") == {ids[0]}
    assert shown(wang, "mine") == {ids[1]}
    assert shown(wang, "all") == {ids[1], ids[2]}
    assert shown(wang, "closed") == {ids[3]}
    assert desk_status(wang, "/console/desk?view=nothing") == 422


def desk_status(desk: Desk, path: str) -> int:
    return desk.client.get(path, headers=desk.headers).status_code


def test_another_regions_ticket_is_not_there(front: FrontDesk) -> None:
    front.asked("c_1", region="310101")
    handover = front.ticket("c_1")
    _, putuo = front.hire("小王", region="310107")
    assert handover not in page(putuo, "/console/desk")
    page(putuo, f"/console/desk/{handover}", 404)
    page(putuo, "/console/desk/h_unknown", 404)
    page(putuo, f"/console/desk/{'x' * 60}", 422)


def test_what_a_citizen_writes_is_text_on_every_page(front: FrontDesk) -> None:
    _, desk = front.hire("小王")
    _, supervisor = front.hire("老陈", "supervisor")
    front.asked("c_1", ATTACK, "handover_urgent", trace={"urgent": ATTACK}, reason=ATTACK)
    handover = front.ticket("c_1", note=ATTACK)
    desk.do(handover, "claim")
    front.handovers.citizen_says("c_1", ATTACK)
    desk.do(handover, "note", text=ATTACK)
    desk.do(handover, "close", outcome="other", summary=ATTACK)
    token = front.ratings.token_for("handover", handover)
    rated = front.client.post(
        "/api/v1/ratings", json={"token": token, "level": 1, "comment": ATTACK}
    )
    ticket = rated.json()["ticket"]["id"]
    for path in (
        "/console/desk?view=closed",
        f"/console/desk/{handover}",
        "/console/urgent",
        "/console/ratings",
        f"/console/ratings/{ticket}",
    ):
        text = page(supervisor, path)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "onerror=alert(2)>" not in text
    assert "&lt;script&gt;alert(1)" in page(supervisor, f"/console/desk/{handover}")


def test_the_whole_conversation_is_named_by_an_answer_and_never_by_the_citizens_key(
    front: FrontDesk,
) -> None:
    answer = front.asked("c_secret", "他又打我了", "handover_urgent", trace={"urgent": "violence"})
    handover = front.ticket("c_secret")
    _, agent = front.hire("小王")
    _, supervisor = front.hire("老陈", "supervisor")
    front.asked("c_secret", "他走了")  # after it, so that it is not the one meant
    pages = ("/console/desk", f"/console/desk/{handover}", "/console/urgent")
    for path in pages:
        assert "c_secret" not in page(supervisor, path)
    for path in pages[:2]:
        assert "c_secret" not in page(agent, path)
        assert "/console/conversations/" not in page(agent, path)
    link = f"/console/conversations/{answer}?purpose="
    assert f"{link}handle" in page(supervisor, pages[1])
    assert f"{link}urgent" in page(supervisor, pages[2])


def test_urgent_answers_show_what_the_citizen_was_told_until_somebody_acknowledges(
    front: FrontDesk,
) -> None:
    _, supervisor = front.hire("老陈", "supervisor")
    answer = front.asked("c_1", "他又打我了", "handover_urgent", trace={"urgent": "violence"})
    front.ticket("c_1")
    text = page(supervisor, "/console/urgent")
    assert "正在受到暴力" in text
    assert "他又打我了" in text
    assert "可以先向劳动监察投诉。" in text  # what this answer told
    assert "转人工工单：排队中" in text
    assert f"POST /api/v1/staff/urgent/{answer}/acknowledge" in text
    url = f"/api/v1/staff/urgent/{answer}/acknowledge"
    front.client.post(url, json={"note": "已回电"}, headers=supervisor.headers)
    after = page(supervisor, "/console/urgent")
    assert "他又打我了" not in after
    assert "没有未确认的紧急情况" in after
    assert "已回电" in after


def test_who_is_on_duty_and_whether_the_windows_are_open_is_shown(front: FrontDesk) -> None:
    _, wang = front.hire("小王")
    _, li = front.hire("小李")
    assert "现在没有人值班" in page(wang, "/console/desk")
    front.client.put(DUTY, headers=wang.headers)
    assert 'data-mine="true"' in page(wang, "/console/desk")
    seen = page(li, "/console/desk")
    assert "小王 · " in seen
    assert 'data-mine="false"' in seen
    assert "<b>普陀区公共法律服务中心</b>" in seen


@pytest.mark.parametrize("view", ["waiting", "closed"])
def test_two_thousand_open_tickets_do_not_slow_the_queue_down(front: FrontDesk, view: str) -> None:
    _, desk = front.hire("小王")
    at = front.clock()
    rows = [
        {
            "id": f"h_{n}",
            "conversation_id": f"c_{n}",
            "kind": "requested",
            "status": "waiting",
            "topic": "劳动人事",
            "region": "310107",
            "reason": "市民要求与人沟通。",
            "packet": {"summary": "长" * 500},
            "created_at": at + timedelta(seconds=n),
            "changed_at": at,
            "due_at": at + timedelta(seconds=n),
        }
        for n in range(2000)
    ]
    with front.sessions.begin() as session:
        session.execute(
            insert(Conversation), [{"id": f"c_{n}", "channel": "web"} for n in range(2000)]
        )
        session.execute(insert(HandoverTicket), rows)
    page(desk, "/console/desk")
    took = []
    for _ in range(5):
        start = time.perf_counter()
        page(desk, f"/console/desk?view={view}")
        took.append(time.perf_counter() - start)
    assert sorted(took)[2] <= 0.3
