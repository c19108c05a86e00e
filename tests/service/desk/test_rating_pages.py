"""Bad ratings on their pages: forms for what may be done now, by whom it may be done."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from service.models import HandoverMessage, HandoverTicket
from tests.service.desk.conftest import FrontDesk
from tests.service.office import Desk

TICKETS = "/api/v1/staff/rating-tickets"


def served(front: FrontDesk, desk: Desk, conversation: str = "c_1") -> str:
    """A hand-over that was closed and badly rated; the id of the rating's ticket."""
    front.asked(conversation, "房东不退押金怎么办")
    handover = front.ticket(conversation)
    desk.do(handover, "claim")
    desk.do(handover, "close", outcome="solved", summary="已告知找调解")
    body = {"token": front.ratings.token_for("handover", handover), "level": 1, "comment": "没用"}
    ticket: str = front.client.post("/api/v1/ratings", json=body).json()["ticket"]["id"]
    return ticket


def forms(desk: Desk, ticket: str) -> set[str]:
    """What the page of a ticket offers to do."""
    text = desk.get(f"/console/ratings/{ticket}").text
    verbs = ("reply", "recheck", "close", "appeal", "decide")
    return {verb for verb in verbs if f"POST {TICKETS}/{ticket}/{verb}" in text}


def page(desk: Desk, query: str) -> str:
    return desk.client.get(f"/console/ratings?{query}", headers=desk.headers).text


def test_the_whole_conversation_is_named_by_an_answer_and_never_by_the_citizens_key(
    front: FrontDesk,
) -> None:
    _, agent = front.hire("小王")
    _, supervisor = front.hire("老陈", "supervisor")
    about_staff = served(front, agent, "c_secret")
    answer = front.asked("c_secret", "押金还是没退")
    body = {"token": front.ratings.token_for("answer", answer), "level": 1}
    about_answer = front.client.post("/api/v1/ratings", json=body).json()["ticket"]["id"]
    front.asked("c_secret", "还有利息")
    for path in ("", f"/{about_staff}", f"/{about_answer}"):
        for desk in (agent, supervisor):
            assert "c_secret" not in desk.get(f"/console/ratings{path}").text
    link = f"/console/conversations/{answer}?purpose=complaint"
    assert link in supervisor.get(f"/console/ratings/{about_answer}").text
    named = "/console/conversations/a_"
    assert named in supervisor.get(f"/console/ratings/{about_staff}").text


def act(front: FrontDesk, desk: Desk, ticket: str, verb: str, **body: Any) -> None:
    done = front.client.post(f"{TICKETS}/{ticket}/{verb}", json=body, headers=desk.headers)
    assert done.status_code == 200, done.text


def test_each_step_is_offered_to_those_whose_it_is(front: FrontDesk) -> None:
    _, agent = front.hire("小王")
    _, other = front.hire("小李")
    _, supervisor = front.hire("老陈", "supervisor")
    ticket = served(front, agent)
    assert forms(agent, ticket) == {"reply", "appeal"}
    assert forms(other, ticket) == {"reply"}  # only who was rated appeals
    assert forms(supervisor, ticket) == {"reply"}
    act(front, agent, ticket, "reply", text="已改正")
    assert forms(agent, ticket) == {"appeal"}
    assert forms(supervisor, ticket) == {"recheck"}
    act(front, supervisor, ticket, "recheck", result="satisfied")
    assert forms(supervisor, ticket) == {"close"}
    assert forms(agent, ticket) == set()
    act(front, supervisor, ticket, "close")
    for desk in (agent, other, supervisor):
        assert forms(desk, ticket) == set()
    text = supervisor.get(f"/console/ratings/{ticket}").text
    assert "已改正" in text
    assert "市民满意" in text


def test_an_appeal_is_decided_by_somebody_else(front: FrontDesk) -> None:
    _, agent = front.hire("小王")
    _, rated = front.hire("老周", "supervisor")
    _, supervisor = front.hire("老陈", "supervisor")
    ticket = served(front, rated)
    act(front, rated, ticket, "appeal", reason="认错人了")
    assert forms(rated, ticket) == set()
    assert forms(agent, ticket) == set()
    assert forms(supervisor, ticket) == {"decide"}
    act(front, supervisor, ticket, "decide", accepted=False, reason="没有依据")
    assert forms(rated, ticket) == {"reply"}  # one appeals once
    assert "没有依据" in rated.get(f"/console/ratings/{ticket}").text


def test_the_page_shows_what_was_asked_and_told_or_that_it_is_gone(front: FrontDesk) -> None:
    _, agent = front.hire("小王")
    ticket = served(front, agent)
    shown = agent.get(f"/console/ratings/{ticket}").text
    assert "房东不退押金怎么办" in shown
    assert "已告知找调解" in shown
    assert "现在这一步" in shown
    answer = front.asked("c_2", "欠薪怎么办")
    body = {"token": front.ratings.token_for("answer", answer), "level": 2}
    of_answer = front.client.post("/api/v1/ratings", json=body).json()["ticket"]["id"]
    assert "可以先向劳动监察投诉。" in agent.get(f"/console/ratings/{of_answer}").text
    front.client.delete("/api/v1/conversations/c_1/handover")
    erase(front)
    assert "已按保存期限清除" in agent.get(f"/console/ratings/{ticket}").text


def erase(front: FrontDesk) -> None:
    with front.sessions.begin() as session:
        session.execute(delete(HandoverMessage))
        session.execute(delete(HandoverTicket))


def test_the_lists_are_by_due_by_handler_and_by_what_is_overdue(front: FrontDesk) -> None:
    _, wang = front.hire("小王")
    _, li = front.hire("小李")
    first = served(front, wang)
    second = served(front, li, "c_2")

    def listed(desk: Desk, query: str) -> set[str]:
        text = page(desk, query)
        return {one for one in (first, second) if f"/console/ratings/{one}" in text}

    assert listed(wang, "view=due") == {first, second}
    assert listed(wang, "view=mine") == {first}
    assert listed(li, "view=mine") == {second}
    assert listed(wang, "view=overdue") == set()
    assert listed(wang, "view=all&status=closed") == set()
    front.clock.at = front.clock.at.replace(year=front.clock.at.year + 1)
    assert listed(wang, "view=overdue") == {first, second}
    assert "超时" in page(wang, "view=overdue")
    assert wang.get("/console/ratings", status="nothing").status_code == 422


def test_another_regions_rating_is_not_there(front: FrontDesk) -> None:
    _, wang = front.hire("小王")
    _, far = front.hire("小李", region="310101")
    ticket = served(front, wang)
    assert far.get(f"/console/ratings/{ticket}").status_code == 404
    assert ticket not in page(far, "view=all")
