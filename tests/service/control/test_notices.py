"""Notices: shown while they are valid, edited by one at a time, ended early, on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from service.auth import ROLES, Member
from service.errors import BadRequest, Conflict, NotFound
from service.models import AuditEvent, Notice, now
from service.notices import Draft, Level, Notices, Place
from tests.service.hall import START, Hall
from tests.service.office import at_once

URL = "/api/v1/staff/notices"
HOUR = timedelta(hours=1)


def draft(
    text: str = "本周六窗口不开",
    level: Level = Level.INFO,
    place: Place = Place.BOTH,
    starts_at: datetime = START,
    ends_at: datetime = START + 2 * HOUR,
) -> Draft:
    return Draft(text, level, place, starts_at, ends_at)


@pytest.fixture
def notices(hall: Hall) -> Notices:
    return Notices(hall.sessions, clock=hall.clock)


@pytest.fixture
def member(hall: Hall) -> Member:
    return hall.hire()[0]


def texts(notices: Notices, place: Place = Place.WEB) -> list[str]:
    return [n["text"] for n in notices.valid(place)]


def test_a_notice_is_shown_from_its_start_until_its_end(
    hall: Hall, notices: Notices, member: Member
) -> None:
    notices.create(member, draft(starts_at=START + HOUR))
    assert texts(notices) == []
    hall.clock.at = START + HOUR
    assert texts(notices) == ["本周六窗口不开"]
    hall.clock.at = START + 2 * HOUR
    assert texts(notices) == []
    assert [n["state"] for n in notices.all(ended=True)] == ["ended"]


def test_a_time_without_a_zone_is_that_of_shanghai(notices: Notices, member: Member) -> None:
    local = datetime(2026, 11, 27, 16, 30)  # noqa: DTZ001
    made = notices.create(member, draft(starts_at=local, ends_at=local + HOUR))
    assert made["starts_at"] == "2026-11-27T08:30:00+00:00"


def test_each_place_shows_its_own_the_loudest_first(notices: Notices, member: Member) -> None:
    for text, level, place in (
        ("一", Level.INFO, Place.WEB),
        ("二", Level.URGENT, Place.BOTH),
        ("三", Level.WARNING, Place.WECHAT),
    ):
        notices.create(member, draft(text, level, place))
    assert texts(notices) == ["二", "一"]
    assert texts(notices, Place.WECHAT) == ["二", "三"]
    assert texts(notices, Place.BOTH) == ["二", "三", "一"]


def test_an_edited_notice_is_a_new_one_to_whoever_hid_it(notices: Notices, member: Member) -> None:
    made = notices.create(member, draft())
    before = notices.valid(Place.WEB)[0]["id"]
    notices.edit(member, made["id"], made["version"], draft("改在周日"))
    [shown] = notices.valid(Place.WEB)
    assert shown["text"] == "改在周日"
    assert shown["id"] != before


def test_of_two_who_edit_the_second_is_told(notices: Notices, member: Member) -> None:
    made = notices.create(member, draft())
    edits: list[Callable[[], Any]] = [
        partial(notices.edit, member, made["id"], made["version"], draft(f"改{n}"))
        for n in range(5)
    ]
    results = at_once(edits)
    assert sum(isinstance(r, dict) for r in results) == 1
    assert all(isinstance(r, dict | Conflict) for r in results)


def test_one_that_is_over_is_neither_edited_nor_ended_again(
    notices: Notices, member: Member
) -> None:
    made = notices.create(member, draft())
    assert notices.end(member, made["id"])["state"] == "ended"
    assert texts(notices) == []
    with pytest.raises(Conflict, match="已经结束"):
        notices.end(member, made["id"])
    with pytest.raises(Conflict, match="已经结束"):
        notices.edit(member, made["id"], 2, draft())
    with pytest.raises(NotFound):
        notices.end(member, "n_nothing")


def test_a_planned_one_can_be_called_off(hall: Hall, notices: Notices, member: Member) -> None:
    made = notices.create(member, draft(starts_at=START + HOUR))
    notices.end(member, made["id"])
    hall.clock.at = START + HOUR
    assert texts(notices) == []


@pytest.mark.parametrize(
    "wrong",
    [
        draft(""), draft(" \n\x00 "), draft("长" * 301), draft("长" * 20_000), draft("响\x07铃"),
        draft(ends_at=START), draft(ends_at=START - HOUR, starts_at=START - 2 * HOUR),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    hall: Hall, notices: Notices, member: Member, wrong: Draft
) -> None:
    with pytest.raises(BadRequest):
        notices.create(member, wrong)
    assert hall.count(Notice) == 0


def test_all_of_it_is_on_record(hall: Hall, notices: Notices, member: Member) -> None:
    made = notices.create(member, draft())
    notices.edit(member, made["id"], 1, draft("改"))
    notices.end(member, made["id"])
    with hall.sessions() as session:
        actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions == ["notice.create", "notice.edit", "notice.end"]


def body(**changes: Any) -> dict[str, Any]:
    at = now()
    return {
        "text": "有人冒充法援收费",
        "level": "warning",
        "place": "both",
        "starts_at": at.isoformat(),
        "ends_at": (at + HOUR).isoformat(),
    } | changes


def test_everybody_may_read_what_is_valid_and_a_page_asks_cheaply(hall: Hall) -> None:
    _, headers = hall.hire()
    assert hall.client.post(URL, json=body(), headers=headers).status_code == 201
    response = hall.client.get("/api/v1/notices")
    [shown] = response.json()["notices"]
    assert shown["text"] == "有人冒充法援收费"
    assert shown.keys() == {"id", "level", "label", "text", "starts_at", "ends_at"}
    assert "max-age" in response.headers["Cache-Control"]
    tag = response.headers["ETag"]
    again = hall.client.get("/api/v1/notices", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    hall.client.post(URL, json=body(text="又一条"), headers=headers)
    assert hall.client.get("/api/v1/notices", headers={"If-None-Match": tag}).status_code == 200
    assert hall.client.get("/api/v1/notices?place=house").status_code == 422


def test_bad_bodies_are_refused(hall: Hall) -> None:
    _, headers = hall.hire()
    for wrong in (
        {"text": 3}, {"text": None}, {"level": "loud"}, {"place": ""}, {"starts_at": "明天"},
        {"ends_at": None}, {"extra": 1},
    ):  # fmt: skip
        response = hall.client.post(URL, json=body(**wrong), headers=headers)
        assert response.status_code == 422, wrong
    assert hall.client.post(URL, json=body(text="  "), headers=headers).status_code == 400


@pytest.mark.parametrize("role", ROLES)
def test_who_may_read_and_write(hall: Hall, role: str) -> None:
    _, headers = hall.hire("某人", role)
    editors = {"supervisor", "administrator"}
    assert hall.client.get(URL, headers=headers).status_code == 200
    assert hall.client.get("/console/notices", headers=headers).status_code == 200
    posted = hall.client.post(URL, json=body(), headers=headers).status_code
    assert posted == (201 if role in editors else 403)


def test_the_page_shows_and_edits_them(hall: Hall) -> None:
    _, headers = hall.hire()
    made = hall.client.post(URL, json=body(text="<i>关门</i>"), headers=headers).json()
    page = hall.client.get(f"/console/notices?edit={made['id']}", headers=headers).text
    assert "&lt;i&gt;关门&lt;/i&gt;" in page
    assert f'data-api="PUT /api/v1/staff/notices/{made["id"]}"' in page
    url = f"{URL}/{made['id']}"
    changed = hall.client.put(url, json=body(version=1, text="开门"), headers=headers)
    assert changed.json()["text"] == "开门"
    assert hall.client.put(url, json=body(version=1), headers=headers).status_code == 409
    assert hall.client.post(f"{url}/end", headers=headers).json()["state"] == "ended"
    assert hall.client.get("/console/notices?edit=n_none", headers=headers).status_code == 404
