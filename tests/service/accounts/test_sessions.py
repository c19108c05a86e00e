"""A browser session: how long it lives, what ends it, and what it must send to change anything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from service.accounts import Accounts, StaffSessions
from service.accounts.sessions import utc
from service.models import Staff
from service.models.people import StaffSession
from tests.service.bureau import Bureau, error


@pytest.fixture
def browsers(bureau: Bureau) -> StaffSessions:
    return StaffSessions(bureau.sessions, clock=bureau.clock)


def begin(bureau: Bureau, browsers: StaffSessions, staff_id: str, agent: str = "") -> str:
    with bureau.sessions.begin() as session:
        return browsers.begin(session, staff_id, agent)


def test_one_that_is_used_lives_for_twelve_hours(bureau: Bureau, browsers: StaffSessions) -> None:
    token = begin(bureau, browsers, bureau.invited("wang.fang")[0])
    for _ in range(12 * 60 - 1):
        bureau.clock.forward(minutes=1)
        if bureau.clock.at.minute % 30 == 0:
            assert browsers.holder(token)
    assert browsers.holder(token)
    bureau.clock.forward(minutes=1)
    assert browsers.holder(token) is None


def test_one_that_is_idle_lives_for_two_hours(bureau: Bureau, browsers: StaffSessions) -> None:
    token = begin(bureau, browsers, bureau.invited("wang.fang")[0])
    bureau.clock.forward(hours=1, minutes=59)
    assert browsers.holder(token)
    bureau.clock.forward(hours=1, minutes=59)
    assert browsers.holder(token)
    bureau.clock.forward(hours=2)
    assert browsers.holder(token) is None


def test_being_seen_is_written_down_once_a_minute(bureau: Bureau, browsers: StaffSessions) -> None:
    token = begin(bureau, browsers, bureau.invited("wang.fang")[0])
    written: list[str] = []
    event.listen(
        bureau.engine,
        "before_cursor_execute",
        lambda *args: written.append(args[2]) if args[2].startswith("UPDATE") else None,
    )
    for _ in range(20):
        bureau.clock.forward(seconds=10)
        browsers.holder(token)
    assert len(written) == 3
    with bureau.sessions() as session:
        [seen] = session.scalars(select(StaffSession.seen_at))
    assert bureau.clock.at - utc(seen) < timedelta(minutes=1)


@pytest.mark.parametrize("token", ["", "x", "x" * 20_000, "你好", "\ud800"])
def test_what_is_no_token_opens_nothing(browsers: StaffSessions, token: str) -> None:
    assert browsers.holder(token) is None


def test_old_ones_are_cleared_away(bureau: Bureau, browsers: StaffSessions) -> None:
    staff_id, _ = bureau.invited("wang.fang")
    for _ in range(3):
        begin(bureau, browsers, staff_id)
    bureau.clock.forward(hours=12)
    begin(bureau, browsers, staff_id, "Mozilla/5.0\x00\n" + "x" * 20_000)
    with bureau.sessions() as session:
        [row] = session.scalars(select(StaffSession))
    assert row.user_agent == ("Mozilla/5.0" + "x" * 189)


def test_a_disabled_account_is_signed_out_at_once_and_stays_out_when_enabled(
    bureau: Bureau,
) -> None:
    member = bureau.hired("wang.fang")
    browser = bureau.signed_in("wang.fang")
    accounts = Accounts(bureau.sessions, None)
    accounts.disable(member.id)
    assert browser.get("/api/v1/staff/me").status_code == 401
    accounts.enable(member.id)
    assert browser.get("/api/v1/staff/me").status_code == 401


def test_whoever_was_disabled_by_another_way_is_out_too(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    browser = bureau.signed_in("wang.fang")
    with bureau.sessions.begin() as session:
        session.execute(update(Staff).values(disabled_at=bureau.clock()))
    assert browser.get("/api/v1/staff/me").status_code == 401


def test_a_change_needs_the_token_of_our_own_pages(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    browser, other = bureau.signed_in("wang.fang"), bureau.signed_in("wang.fang")
    path = "/api/v1/staff/me/sessions"
    for csrf in ("", "x", browser.csrf[:-1], browser.csrf + "x", other.csrf, "é"):
        refused = browser.client.delete(path, headers={b"X-CSRF-Token": csrf.encode()})
        assert error(refused) == (403, "csrf")
    assert error(browser.client.delete(path)) == (403, "csrf")
    refused = browser.send("DELETE", path, Origin="https://evil.example")
    assert error(refused) == (403, "origin")
    assert browser.send("DELETE", path, Origin="http://testserver").status_code == 200


def test_reading_needs_no_such_token(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    browser = bureau.signed_in("wang.fang")
    assert browser.get("/api/v1/staff/me").status_code == 200
    page = browser.get("/console/me")
    assert f'<meta name="csrf" content="{browser.csrf}">' in page.text


def test_a_token_of_a_program_needs_none_and_counts_instead_of_a_cookie(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    browser = bureau.signed_in("wang.fang")
    machine, token = bureau.staff.add("机器", ["agent"])
    headers = {"Authorization": f"Bearer {token}"}
    me = browser.client.get("/api/v1/staff/me", headers=headers).json()
    assert me["id"] == machine.id
    ended = bureau.browser().client.delete("/api/v1/staff/me/sessions", headers=headers)
    assert ended.status_code == 200
    wrong = browser.client.get("/api/v1/staff/me", headers={"Authorization": "Bearer wrong"})
    assert wrong.status_code == 401
