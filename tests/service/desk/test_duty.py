"""Who is on duty, by the clock; and what citizens who wait are told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from knowledge.library import Library
from service.errors import Conflict
from service.handover import Duty, Presence
from service.models import AuditEvent, DutyShift
from tests.service.desk.conftest import DUTY, FrontDesk, small_library
from tests.service.office import at_once, texts

MORNING = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Shanghai


class Stopped:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def names(state: dict[str, Any]) -> list[str]:
    return [one["name"] for one in state["on_duty"]]


def test_a_shift_lasts_while_the_page_is_heard_of_and_ends_by_itself(front: FrontDesk) -> None:
    clock = Stopped()
    duty = Duty(front.sessions, clock=clock)
    wang, _ = front.hire("小王")
    assert duty.state(wang) == {"on_duty": [], "mine": False}
    begun = duty.begin(wang)
    assert begun["mine"] is True
    assert names(begun) == ["小王"]
    for _ in range(3):
        clock.at += timedelta(minutes=14)
        assert duty.still(wang)["on_duty"][0]["since"] == MORNING.isoformat()
    heard = clock.at
    clock.at += timedelta(minutes=15)
    assert duty.state(wang) == {"on_duty": [], "mine": False}
    with pytest.raises(Conflict, match="已自动结束"):
        duty.still(wang)
    assert duty.begin(wang)["on_duty"][0]["since"] == clock.at.isoformat()
    with front.sessions() as session:
        first, second = session.scalars(select(DutyShift).order_by(DutyShift.id))
    assert first.ended_at is not None
    assert first.ended_at.replace(tzinfo=UTC) == heard  # not when somebody noticed
    assert second.ended_at is None


def test_beginning_twice_is_one_shift_and_ending_twice_is_as_good_as_once(front: FrontDesk) -> None:
    duty = Duty(front.sessions, clock=Stopped())
    wang, _ = front.hire("小王")
    results = at_once([lambda: duty.begin(wang)] * 4)
    assert all(result["mine"] for result in results)
    assert front.count(DutyShift) == 1
    assert duty.end(wang) == {"on_duty": [], "mine": False}
    assert duty.end(wang) == {"on_duty": [], "mine": False}
    with front.sessions() as session:
        actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions == ["duty.begin", "duty.end"]


def test_one_sees_who_serves_ones_own_region(front: FrontDesk) -> None:
    duty = Duty(front.sessions, clock=Stopped())
    everywhere, _ = front.hire("老陈", "supervisor")
    putuo, _ = front.hire("小王", region="310107")
    huangpu, _ = front.hire("小李", region="310101")
    for member in (everywhere, putuo, huangpu):
        duty.begin(member)
    assert names(duty.state(putuo)) == ["老陈", "小王"]
    assert names(duty.state(everywhere)) == ["老陈", "小王", "小李"]


def test_who_has_left_is_not_on_duty(front: FrontDesk) -> None:
    duty = Duty(front.sessions, clock=Stopped())
    wang, _ = front.hire("小王")
    chen, _ = front.hire("老陈", "supervisor")
    duty.begin(wang)
    front.staff.disable(wang.id)
    assert duty.state(chen)["on_duty"] == []


def test_duty_over_http_is_for_the_desk(front: FrontDesk) -> None:
    _, agent = front.hire("小王")
    _, curator = front.hire("小编", "curator")
    http = front.client
    for method in ("GET", "PUT", "DELETE"):
        assert http.request(method, DUTY).status_code == 401
        assert http.request(method, DUTY, headers=curator.headers).status_code == 403
    still = http.put(DUTY, json={"action": "still"}, headers=agent.headers)
    assert still.status_code == 409
    assert http.put(DUTY, json={"action": "sleep"}, headers=agent.headers).status_code == 422
    assert http.put(DUTY, json={"until": 1}, headers=agent.headers).status_code == 422
    assert http.put(DUTY, headers=agent.headers).json()["mine"] is True
    assert http.put(DUTY, json={"action": "still"}, headers=agent.headers).status_code == 200
    seen = http.get(DUTY, headers=agent.headers).json()
    assert names(seen) == ["小王"]
    assert [one["title"] for one in seen["windows"]] == ["普陀区公共法律服务中心"]
    assert "未核实" in seen["windows"][0]["now"]
    assert http.delete(DUTY, headers=agent.headers).json() == {"on_duty": [], "mine": False}


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (MORNING, "现在开放，到11:30"),
        (datetime(2026, 11, 30, 4, 0, tzinfo=UTC), "现在是午休，13:30再开"),
        (datetime(2026, 11, 30, 12, 0, tzinfo=UTC), "今天已下班，下次开放是明天"),
        (datetime(2026, 10, 1, 2, 0, tzinfo=UTC), "国庆放假，下次开放是10月8日（周四）9:00"),
    ],
)
def test_without_anybody_there_a_citizen_is_told_so_and_when_the_windows_open(
    front: FrontDesk, at: datetime, said: str
) -> None:
    presence = Presence(small_library)
    with front.sessions() as session:
        told = presence(session, "310107", at)
    assert told["online"] is False
    assert told["text"].startswith("现在没有工作人员在线")
    assert said in told["text"]
    assert "未核实" in told["text"]


def test_without_known_hours_no_time_is_invented(front: FrontDesk) -> None:
    presence = Presence(lambda: Library([], [], []))
    with front.sessions() as session:
        told = presence(session, "310107", MORNING)
    assert told == {
        "online": False,
        "text": "现在没有工作人员在线，您的请求会留着，有人上线后处理。",
    }


def test_a_citizen_hears_whether_somebody_of_the_region_is_there(front: FrontDesk) -> None:
    _, elsewhere = front.hire("小李", region="310101")
    front.client.put(DUTY, headers=elsewhere.headers)
    front.asked("c_1")
    opened = front.open("c_1").json()
    assert opened["presence"]["online"] is False
    assert "现在没有工作人员在线" in texts(opened, "system")[0]
    _, here = front.hire("小王", region="310107")
    front.client.put(DUTY, headers=here.headers)
    assert front.seen_by_citizen("c_1")["presence"] == {
        "online": True,
        "text": "现在有工作人员在线。",
    }
    front.asked("c_2")
    assert texts(front.open("c_2").json(), "system")[0].endswith("现在有工作人员在线。")
    here.do(opened["id"], "claim")
    assert front.seen_by_citizen("c_1")["presence"] is None
