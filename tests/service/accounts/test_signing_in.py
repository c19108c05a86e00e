"""Getting in: what opens, what does not, and what somebody who guesses learns (nothing)."""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from service.accounts import passwords
from service.accounts.limits import AddressLimit, wait_after
from service.accounts.signing_in import Entered
from service.errors import NotSignedIn, TooMany
from service.models.people import StaffCredentials, StaffSession
from tests.service.bureau import PASSWORD, Bureau, Hands, error
from tests.service.office import at_once


def test_the_right_password_opens_a_session(bureau: Bureau) -> None:
    member = bureau.hired("wang.fang", "agent", name="王芳")
    browser = bureau.browser()
    response = browser.sign_in(" Wang.Fang ")
    assert response.status_code == 200
    assert response.json()["name"] == "王芳"
    assert browser.get("/api/v1/staff/me").json()["id"] == member.id
    [event] = bureau.events("session.begin")
    assert (event.actor, event.subject_id) == (member.id, member.id)


@pytest.mark.parametrize(("url", "secure"), [("http://testserver", False), ("https://x.cn", True)])
def test_the_cookie_is_for_our_server_only_and_out_of_reach_of_scripts(
    bureau: Bureau, url: str, secure: bool
) -> None:
    bureau.hired("wang.fang")
    cookies = bureau.browser(url).sign_in("wang.fang").headers.get_list("set-cookie")
    lasting = {}
    for cookie in cookies:
        named, *parts = [part.strip() for part in cookie.split(";")]
        name, _, token = named.partition("=")
        assert len(token) >= 43  # 256 bits
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(parts)
        assert ("Secure" in parts) is secure
        assert not any(part.startswith(("Domain", "Expires")) for part in parts)
        lasting[name] = [part for part in parts if part.startswith("Max-Age")]
    assert lasting == {"consult_session": [], "consult_browser": ["Max-Age=15552000"]}


def test_only_a_hash_of_the_session_is_kept(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    browser = bureau.signed_in("wang.fang")
    with bureau.sessions() as session:
        [row] = session.scalars(select(StaffSession))
    token = browser.client.cookies["consult_session"]
    assert token not in (row.token_hash, row.csrf, row.id)
    assert len(row.token_hash) == 64


@pytest.mark.parametrize(
    "body",
    [
        {"login": "wang.fang", "password": "wrong password 1"},
        {"login": "wang.fang", "password": ""},
        {"login": "wang.fang", "password": PASSWORD + " "},
        {"login": "wang.fang", "password": "x" * 20_000},
        {"login": "nobody", "password": PASSWORD},
        {"login": "", "password": PASSWORD},
        {"login": "王芳", "password": PASSWORD},
        {"login": "wang.fang\x00", "password": PASSWORD},
        {"login": "' OR 1=1 --", "password": PASSWORD},
        {"login": "x" * 20_000, "password": PASSWORD},
        {"login": "new.one", "password": PASSWORD},  # invited, without a password yet
        {"login": "gone", "password": PASSWORD},  # disabled
    ],
)
def test_every_failure_looks_the_same(bureau: Bureau, body: dict[str, str]) -> None:
    bureau.hired("wang.fang")
    bureau.invited("new.one")
    bureau.staff.disable(bureau.hired("gone").id)
    response = bureau.browser().client.post("/api/v1/session", json=body)
    assert error(response) == (401, "sign_in_failed")
    assert response.json()["error"]["message"].startswith("没有登录成功：登录名、密码或动态口令")
    assert "set-cookie" not in response.headers
    [event] = bureau.events("session.refuse")
    assert "password" not in str(event.detail)
    assert PASSWORD not in str(event.detail)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"login": "a"},
        {"login": 1, "password": "x"},
        {"login": "a", "password": "b", "x": 1},
    ],
)
def test_what_is_no_sign_in_is_refused(bureau: Bureau, body: Any) -> None:
    response = bureau.browser().client.post("/api/v1/session", json=body)
    assert error(response) == (422, "invalid_request")


def test_an_unknown_name_takes_as_long_as_a_wrong_password(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher())  # as it is in earnest
    bureau.hired("wang.fang")

    def seconds(login: str) -> float:
        started = time.process_time()
        with pytest.raises(NotSignedIn):
            bureau.signing.begin(login, "wrong password 1")
        return time.process_time() - started

    seconds("nobody")  # makes the hash that stands for everybody who is not there
    known = statistics.median(seconds("wang.fang") for _ in range(3))
    unknown = statistics.median(seconds("nobody") for _ in range(3))
    assert 0.4 < known / unknown < 2.5


def test_failures_are_on_record_with_the_account_and_without_what_was_typed(
    bureau: Bureau,
) -> None:
    member = bureau.hired("wang.fang")
    bureau.browser().sign_in("wang.fang", "my secret password")
    bureau.browser().sign_in("my secret password", "x")
    events = bureau.events("session.refuse")
    assert [event.subject_id for event in events] == [member.id, ""]
    assert all(event.actor == "system" for event in events)
    assert [event.detail for event in events] == [{"address": "testclient"}] * 2


def test_after_five_failures_an_account_waits_ever_longer(bureau: Bureau) -> None:
    bureau.hired("wang.fang")

    def fails(typed: str = "wrong password 1") -> bool:
        try:
            bureau.signing.begin("wang.fang", typed)
        except NotSignedIn:
            return True
        return False

    assert all(fails() for _ in range(5))
    assert fails(PASSWORD)  # right, but too early: said in the same words
    bureau.clock.forward(seconds=29)
    assert fails(PASSWORD)
    bureau.clock.forward(seconds=1)
    assert fails()
    bureau.clock.forward(seconds=59)
    assert fails(PASSWORD)
    bureau.clock.forward(seconds=1)
    assert not fails(PASSWORD)
    assert all(fails() for _ in range(4))
    assert not fails(PASSWORD)  # counted anew since


def guess(bureau: Bureau, times: int, browser: str = "") -> None:
    for _ in range(times):
        with pytest.raises(NotSignedIn):
            bureau.signing.begin("wang.fang", "wrong password 1", browser=browser)


def test_who_guesses_elsewhere_does_not_lock_out_a_browser_that_is_known(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    known = bureau.signing.begin("wang.fang", PASSWORD).browser
    guess(bureau, 12)
    with pytest.raises(NotSignedIn):
        bureau.signing.begin("wang.fang", PASSWORD)  # from anywhere else
    again = bureau.signing.begin("wang.fang", PASSWORD, browser=known)
    assert again.browser == known
    with pytest.raises(NotSignedIn):
        bureau.signing.begin("wang.fang", PASSWORD)  # the stranger's failures are not forgiven


def test_a_known_browser_has_as_many_guesses_as_any_other(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    known = bureau.signing.begin("wang.fang", PASSWORD).browser
    guess(bureau, 5, known)
    with pytest.raises(NotSignedIn):
        bureau.signing.begin("wang.fang", PASSWORD, browser=known)
    assert bureau.signing.begin("wang.fang", PASSWORD).browser != known
    bureau.clock.forward(seconds=30)
    assert bureau.signing.begin("wang.fang", PASSWORD, browser=known)


@pytest.mark.parametrize("browser", ["", "x" * 43, "一" * 20_000])
def test_a_browser_that_is_not_known_counts_for_the_account(bureau: Bureau, browser: str) -> None:
    bureau.hired("wang.fang")
    guess(bureau, 5, browser)
    with pytest.raises(NotSignedIn):
        bureau.signing.begin("wang.fang", PASSWORD)


def test_a_browser_is_known_for_its_owner_only_and_not_for_ever(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    bureau.hired("li.ming")
    of_another = bureau.signing.begin("li.ming", PASSWORD).browser
    mine = bureau.signing.begin("wang.fang", PASSWORD).browser
    guess(bureau, 5, of_another)
    with pytest.raises(NotSignedIn):
        bureau.signing.begin("wang.fang", PASSWORD, browser=of_another)
    bureau.clock.forward(days=180)
    guess(bureau, 5)
    with pytest.raises(NotSignedIn):
        bureau.signing.begin("wang.fang", PASSWORD, browser=mine)


def test_a_new_password_makes_every_browser_unknown(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    browser = bureau.signed_in("wang.fang")
    known = browser.client.cookies["consult_browser"]
    body = {"password": PASSWORD, "new_password": "another long passphrase 7"}
    assert browser.post("/api/v1/staff/me/password", body).status_code == 200
    guess(bureau, 5, known)
    with pytest.raises(NotSignedIn):
        bureau.signing.begin("wang.fang", "another long passphrase 7")


def test_failures_of_long_ago_do_not_count(bureau: Bureau) -> None:
    bureau.hired("wang.fang")

    def fail() -> None:
        with pytest.raises(NotSignedIn):
            bureau.signing.begin("wang.fang", "wrong password 1")

    for _ in range(12):
        fail()
        bureau.clock.forward(minutes=15)
    bureau.clock.forward(hours=6)
    for _ in range(4):
        fail()
    assert bureau.signing.begin("wang.fang", PASSWORD)  # not the quarter of an hour of the twelfth


def test_of_many_guesses_at_once_no_more_are_judged_than_one_after_the_other(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau.hired("wang.fang")
    judged = []
    real = passwords.matches

    def matches(stored: str | None, password: str) -> bool:
        if stored is not None:
            judged.append(password)
        return real(stored, password)

    monkeypatch.setattr(passwords, "matches", matches)
    guesses = [partial(bureau.signing.begin, "wang.fang", f"guess number {i}") for i in range(12)]
    assert all(isinstance(result, NotSignedIn) for result in at_once(guesses))
    assert len(judged) == 5


def test_two_sign_ins_at_once_both_open_a_session_of_their_own(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    first, second = at_once([partial(bureau.signing.begin, "wang.fang", PASSWORD)] * 2)
    assert isinstance(first, Entered)
    assert isinstance(second, Entered)
    assert first != second
    assert len(bureau.events("session.begin")) == 2
    with bureau.sessions() as session:
        assert session.scalars(select(StaffCredentials.failed_count)).all() == [0]


def test_the_wait_grows_to_a_quarter_of_an_hour_and_no_more() -> None:
    seconds = [wait_after(failures).total_seconds() for failures in (0, 4, 5, 6, 7, 10, 11, 10**9)]
    assert seconds == [0, 0, 30, 60, 120, 900, 900, 900]


def test_an_address_that_guesses_many_accounts_has_to_wait(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    for i in range(20):
        bureau.addresses.failed("10.0.0.7")
        assert i == 19 or bureau.addresses.check("10.0.0.7") is None  # type: ignore[func-returns-value]
    with pytest.raises(TooMany, match="1分钟"):
        bureau.signing.begin("wang.fang", PASSWORD, address="10.0.0.7")
    assert bureau.signing.begin("wang.fang", PASSWORD, address="10.0.0.8")
    bureau.clock.forward(seconds=31)
    assert bureau.signing.begin("wang.fang", PASSWORD, address="10.0.0.7")


def test_whoever_gets_in_takes_back_what_their_office_mistyped(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    for _ in range(19):
        bureau.addresses.failed("10.0.0.7")
    assert bureau.signing.begin("wang.fang", PASSWORD, address="10.0.0.7")
    for _ in range(19):
        bureau.addresses.failed("10.0.0.7")
    bureau.addresses.check("10.0.0.7")


def test_addresses_are_forgotten_and_an_ipv6_network_is_one_address() -> None:
    clock = Hands()
    limit = AddressLimit(clock=clock)
    for i in range(20):
        limit.failed(f"2001:db8::{i:x}")
    with pytest.raises(TooMany):
        limit.check("2001:db8::ffff")
    limit.check("2001:db8:1::1")
    clock.forward(minutes=16)
    limit.failed("2001:db8::1")
    limit.check("2001:db8::1")
    for i in range(10_001):
        limit.failed(f"nat-{i}")
    assert len(limit._seen) == 10_000


def test_another_sites_page_cannot_sign_anybody_in(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    body = {"login": "wang.fang", "password": PASSWORD}
    client = bureau.browser().client
    for origin in ("https://evil.example", "null", "http://testserver.evil.example"):
        refused = client.post("/api/v1/session", json=body, headers={"Origin": origin})
        assert error(refused) == (403, "origin")
    own = client.post("/api/v1/session", json=body, headers={"Origin": "http://testserver"})
    assert own.status_code == 200
    form = client.post("/api/v1/session", data=body)
    assert form.status_code == 422


def test_a_password_kept_with_other_parameters_is_hashed_again(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    old = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash(PASSWORD)
    with bureau.sessions.begin() as session:
        session.execute(update(StaffCredentials).values(password_hash=old))
    assert bureau.signing.begin("wang.fang", PASSWORD)
    with bureau.sessions() as session:
        new = session.scalar(select(StaffCredentials.password_hash))
    assert new is not None
    assert new != old
    assert not passwords.outdated(new)
    assert bureau.signing.begin("wang.fang", PASSWORD)


def test_signing_out_ends_the_session_and_forgets_the_cookie(bureau: Bureau) -> None:
    member = bureau.hired("wang.fang")
    browser = bureau.signed_in("wang.fang")
    token = browser.client.cookies["consult_session"]
    response = browser.send("DELETE", "/api/v1/session")
    assert response.status_code == 200
    assert "consult_session" not in browser.client.cookies
    browser.client.cookies.set("consult_session", token)
    assert browser.get("/api/v1/staff/me").status_code == 401
    assert [event.actor for event in bureau.events("session.end")] == [member.id]


def test_signing_in_again_ends_the_session_before(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    browser = bureau.signed_in("wang.fang")
    before = browser.client.cookies["consult_session"]
    browser.sign_in("wang.fang")
    assert browser.client.cookies["consult_session"] != before
    with bureau.sessions() as session:
        assert len(session.scalars(select(StaffSession)).all()) == 1
