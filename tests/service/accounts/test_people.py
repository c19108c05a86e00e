"""Inviting, changing, disabling: by whom, and what is never allowed."""

from __future__ import annotations

from functools import partial
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from service.accounts import Accounts, Invitations, OwnAccount
from service.auth import Member
from service.errors import Conflict, NotFound
from service.models.people import StaffCredentials, StaffInvitation
from tests.service.bureau import PASSWORD, Browser, Bureau, error
from tests.service.office import at_once

PEOPLE = "/api/v1/staff/people"


@pytest.fixture
def chief(bureau: Bureau) -> Browser:
    """An administrator at work in a browser."""
    bureau.hired("chief", "administrator", name="陈静")
    return bureau.signed_in("chief")


def token_of(link: str) -> str:
    return link.removeprefix("/console/invitation/")


def new(login: str = "wang.fang", **more: Any) -> dict[str, Any]:
    return {"name": "王芳", "login": login, "roles": ["agent"], **more}


def test_from_invitation_to_work(bureau: Bureau, chief: Browser) -> None:
    made = chief.post(PEOPLE, new("Wang.Fang", region="310107"))
    assert made.status_code == 201
    token = token_of(made.json()["link"])
    somebody = bureau.browser()
    looked = somebody.post("/api/v1/invitations/look", {"token": token})
    assert looked.json() == {"name": "王芳", "login": "wang.fang"}
    assert bureau.browser().sign_in("wang.fang").status_code == 401
    accepted = somebody.post("/api/v1/invitations/accept", {"token": token, "password": PASSWORD})
    assert accepted.status_code == 200
    worker = bureau.signed_in("wang.fang")
    assert worker.get("/api/v1/staff/me").json()["region"] == "310107"
    listed = {person["login"]: person for person in chief.get(PEOPLE).json()["people"]}
    assert listed["wang.fang"]["state"] == "active"
    actions = [event.action for event in bureau.events()]
    assert actions.count("staff.create") == 2
    assert actions[-3:] == ["session.refuse", "invitation.accept", "session.begin"]


def test_only_a_hash_of_an_invitation_is_kept(bureau: Bureau) -> None:
    _, token = bureau.invited("wang.fang")
    with bureau.sessions() as session:
        [row] = session.scalars(select(StaffInvitation))
    assert token not in row.token_hash
    assert not any(token in str(event.detail) for event in bureau.events())


def test_an_invitation_works_once_even_for_two_at_the_same_moment(bureau: Bureau) -> None:
    _, token = bureau.invited("wang.fang")
    invitations = Invitations(bureau.sessions, clock=bureau.clock)
    passwords = [f"{PASSWORD} {number}" for number in range(4)]
    results = at_once([partial(invitations.accept, token, password) for password in passwords])
    assert sum(isinstance(result, NotFound) for result in results) == 3
    worked = next(i for i, result in enumerate(results) if not isinstance(result, Exception))
    assert bureau.signing.begin("wang.fang", passwords[worked])
    assert len(bureau.events("invitation.accept")) == 1
    with pytest.raises(NotFound):
        invitations.look(token)


def test_an_invitation_is_good_for_72_hours(bureau: Bureau) -> None:
    _, token = bureau.invited("wang.fang")
    invitations = Invitations(bureau.sessions, clock=bureau.clock)
    bureau.clock.forward(hours=71, minutes=59)
    assert invitations.look(token)
    bureau.clock.forward(minutes=1)
    for attempt in (partial(invitations.look, token), partial(invitations.accept, token, PASSWORD)):
        with pytest.raises(NotFound, match="72小时"):
            attempt()


@pytest.mark.parametrize("token", ["", "x", "x" * 500, "你好", "../../etc", "\x00"])
def test_what_is_no_invitation_is_not_found(bureau: Bureau, token: str) -> None:
    bureau.invited("wang.fang")
    body = {"token": token, "password": PASSWORD}
    assert error(bureau.browser().post("/api/v1/invitations/accept", body))[0] == 404


def test_a_new_invitation_ends_the_password_sessions_and_links_before(
    bureau: Bureau, chief: Browser
) -> None:
    member = bureau.hired("wang.fang")
    worker = bureau.signed_in("wang.fang")
    first, second = (
        token_of(chief.post(f"{PEOPLE}/{member.id}/invitation").json()["link"]) for _ in range(2)
    )
    assert worker.get("/api/v1/staff/me").status_code == 401
    assert bureau.browser().sign_in("wang.fang").status_code == 401
    look = bureau.browser()
    assert look.post("/api/v1/invitations/look", {"token": first}).status_code == 404
    assert look.post("/api/v1/invitations/look", {"token": second}).status_code == 200


def test_a_lost_telephone_is_helped_with_a_new_invitation(bureau: Bureau, chief: Browser) -> None:
    member = bureau.hired("wang.fang")
    own = OwnAccount(bureau.sessions, bureau.second_factor, member, clock=bureau.clock)
    totp = pyotp.TOTP(own.begin_totp(PASSWORD)["secret"])
    own.confirm_totp(totp.at(bureau.clock.at))
    chief.post(f"{PEOPLE}/{member.id}/invitation")
    assert own.view()["totp"] is True
    chief.post(f"{PEOPLE}/{member.id}/invitation", {"without_code": True})
    assert own.view()["totp"] is False
    assert own.view()["recovery_codes"] == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (new(login=""), 400, "staff_login"),
        (new(login="ab"), 400, "staff_login"),
        (new(login="王芳"), 400, "staff_login"),
        (new(login="a@b.cn"), 400, "staff_login"),
        (new(login="x" * 41), 400, "staff_login"),
        (new(name=""), 400, "staff_name"),
        (new(name="王\x00"), 400, "staff_name"),
        (new(name="长" * 81), 400, "staff_name"),
        (new(roles=[]), 400, "staff_role"),
        (new(roles=["root"]), 400, "staff_role"),
        (new(region="普陀"), 400, "staff_region"),
        (new(login="chief"), 409, "login_taken"),
        (new(login="CHIEF "), 409, "login_taken"),
        ({}, 422, "invalid_request"),
        (new(name=1), 422, "invalid_request"),
        (new(name="长" * 20_000), 422, "invalid_request"),
        (new(password="x"), 422, "invalid_request"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(
    bureau: Bureau, chief: Browser, body: dict[str, Any], status: int, code: str
) -> None:
    assert error(chief.post(PEOPLE, body)) == (status, code)
    assert len(bureau.staff.all()) == 1


def test_of_two_with_the_same_login_name_at_once_one_is_made(bureau: Bureau) -> None:
    accounts = Accounts(bureau.sessions, None)
    results = at_once(
        [partial(accounts.invite, f"王芳{i}", "wang.fang", ["agent"]) for i in (1, 2)]
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert len(bureau.staff.all()) == 1


def test_who_gets_other_roles_has_to_sign_in_again(bureau: Bureau, chief: Browser) -> None:
    member = bureau.hired("wang.fang", "agent")
    worker = bureau.signed_in("wang.fang")
    path = f"{PEOPLE}/{member.id}"
    assert chief.send("PATCH", path, {"name": "王芳芳"}).json()["name"] == "王芳芳"
    assert worker.get("/api/v1/staff/me").status_code == 200
    changed = chief.send("PATCH", path, {"roles": ["curator", "agent"], "region": "310107"})
    assert changed.json()["roles"] == ["agent", "curator"]
    assert worker.get("/api/v1/staff/me").status_code == 401
    chief.send("PATCH", path, {"region": ""})
    chief.send("PATCH", path, {})
    named, given, freed = bureau.events("staff.change")
    assert named.detail == {"name": {"from": "wang.fang", "to": "王芳芳"}}
    assert given.detail["roles"] == {"from": ["agent"], "to": ["agent", "curator"]}
    assert freed.detail == {"region": {"from": "310107", "to": "所有地区"}}


def test_nobody_changes_or_disables_themselves(bureau: Bureau, chief: Browser) -> None:
    bureau.hired("second", "administrator")
    me = f"{PEOPLE}/{chief.get('/api/v1/staff/me').json()['id']}"
    assert error(chief.send("PATCH", me, {"roles": ["auditor"]})) == (409, "oneself")
    assert error(chief.send("PATCH", me, {"region": "310107"})) == (409, "oneself")
    assert error(chief.post(f"{me}/disable")) == (409, "oneself")
    assert error(chief.post(f"{me}/invitation")) == (409, "oneself")
    assert chief.send("PATCH", me, {"name": "陈静静"}).status_code == 200
    assert chief.send("PATCH", me, {"roles": ["administrator"]}).status_code == 200


def test_the_last_administrator_stays(bureau: Bureau) -> None:
    first = bureau.hired("first", "administrator")
    second = bureau.hired("second", "administrator")
    bureau.invited("third", "administrator")  # cannot get in yet
    bureau.hired("local", "administrator", region="310107")  # not for everybody
    accounts = Accounts(bureau.sessions, second)
    accounts.change(first.id, roles=["administrator", "auditor"])
    accounts.disable(first.id)
    by_first = Accounts(bureau.sessions, first)
    for attempt in (
        partial(by_first.disable, second.id),
        partial(by_first.change, second.id, roles=["auditor"]),
        partial(by_first.change, second.id, region="310107"),
    ):
        with pytest.raises(Conflict, match="最后一位"):
            attempt()
    accounts.enable(first.id)
    by_first.disable(second.id)


def test_two_administrators_who_remove_each_other_at_once_leave_one(bureau: Bureau) -> None:
    first, second = (bureau.hired(login, "administrator") for login in ("first", "second"))
    results = at_once(
        [
            partial(Accounts(bureau.sessions, first).disable, second.id),
            partial(Accounts(bureau.sessions, second).change, first.id, roles=["agent"]),
        ]
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    left = [m for m in bureau.staff.all() if not m.disabled_at and "administrator" in m.roles]
    assert len(left) == 1


def test_an_administrator_of_a_region_keeps_to_it(bureau: Bureau) -> None:
    local = bureau.hired("local", "administrator", region="310107")
    here = bureau.hired("here", region="310107")
    there = bureau.hired("there", region="310101")
    everywhere = bureau.hired("everywhere")
    browser = bureau.signed_in("local")
    listed = {person["id"] for person in browser.get(PEOPLE).json()["people"]}
    assert listed == {local.id, here.id}
    for person in (there, everywhere, Member("s_none", "", frozenset(), "")):
        path = f"{PEOPLE}/{person.id}"
        assert browser.get(path).status_code == 404
        assert browser.send("PATCH", path, {"name": "x"}).status_code == 404
        assert [browser.post(f"{path}/{verb}").status_code for verb in ("disable", "enable")] == [
            404,
            404,
        ]
    assert error(browser.post(PEOPLE, new(region=""))) == (400, "staff_region")
    moved = browser.send("PATCH", f"{PEOPLE}/{here.id}", {"region": "310101"})
    assert error(moved) == (400, "staff_region")
    assert browser.post(PEOPLE, new(region="310107")).status_code == 201


def test_a_disabled_account_has_no_way_in(bureau: Bureau, chief: Browser) -> None:
    member = bureau.hired("wang.fang")
    invited, token = bureau.invited("li.na")
    for staff_id in (member.id, invited, member.id):
        answer = chief.post(f"{PEOPLE}/{staff_id}/disable").json()
        assert answer["state"] == "disabled"
        assert answer["released"] == 0
    assert bureau.browser().sign_in("wang.fang").status_code == 401
    body = {"token": token, "password": PASSWORD}
    assert bureau.browser().post("/api/v1/invitations/accept", body).status_code == 404
    again = chief.post(f"{PEOPLE}/{member.id}/invitation")
    assert error(again) == (409, "staff_disabled")
    assert chief.post(f"{PEOPLE}/{member.id}/enable").json()["state"] == "active"
    assert bureau.browser().sign_in("wang.fang").status_code == 200
    assert len(bureau.events("staff.disable")) == 2


def test_a_login_name_lives_in_one_row_without_any_password_in_the_clear(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    with bureau.sessions() as session:
        [row] = session.scalars(select(StaffCredentials))
    assert row.password_hash is not None
    assert row.password_hash.startswith("$argon2id$")
    assert PASSWORD not in row.password_hash
