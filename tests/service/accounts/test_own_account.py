"""One's own password, second factor and browsers."""

from __future__ import annotations

import base64
from datetime import timedelta
from functools import partial
from urllib.parse import unquote

import pyotp
import pytest
from sqlalchemy import select, update

from service.accounts import OwnAccount, SecondFactor
from service.accounts.signing_in import Entered
from service.errors import BadRequest, NotSignedIn
from service.models.people import RecoveryCode, StaffCredentials
from tests.service.bureau import PASSWORD, Browser, Bureau, error
from tests.service.office import at_once

ME = "/api/v1/staff/me"
NEW = "another long passphrase"


def own(bureau: Bureau, login: str = "wang.fang") -> OwnAccount:
    member = bureau.hired(login)
    return OwnAccount(bureau.sessions, bureau.second_factor, member, clock=bureau.clock)


def with_totp(bureau: Bureau) -> tuple[pyotp.TOTP, list[str]]:
    account = own(bureau)
    totp = pyotp.TOTP(account.begin_totp(PASSWORD)["secret"])
    return totp, account.confirm_totp(totp.at(bureau.clock.at))


def test_what_one_sees_of_oneself(bureau: Bureau) -> None:
    member = bureau.hired("wang.fang", "agent", "curator", region="310107", name="王芳")
    seen = bureau.signed_in("wang.fang").get(ME).json()
    assert seen["id"] == member.id
    assert seen["roles"] == ["agent", "curator"]
    assert seen["region"] == "310107"
    assert seen["login"] == "wang.fang"
    assert seen["totp"] is False
    assert "hash" not in str(seen)


def test_a_new_password_takes_the_place_of_the_old_and_signs_other_browsers_out(
    bureau: Bureau,
) -> None:
    bureau.hired("wang.fang")
    browser, other = bureau.signed_in("wang.fang"), bureau.signed_in("wang.fang")
    body = {"password": PASSWORD, "new_password": NEW}
    assert browser.post(f"{ME}/password", body).status_code == 200
    assert browser.get(ME).status_code == 200
    assert other.get(ME).status_code == 401
    assert bureau.browser().sign_in("wang.fang").status_code == 401
    assert bureau.browser().sign_in("wang.fang", NEW).status_code == 200
    assert len(bureau.events("password.change")) == 1


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("", "password_length"),
        ("short", "password_length"),
        ("x" * 201, "password_length"),
        ("wang.fang", "password_length"),
        ("Password1234", "password_common"),
        ("111111111111", "password_common"),
        ("123412341234", "password_common"),
        ("1234567890123", "password_common"),
        ("zyxwvutsrqpo", "password_common"),
        (PASSWORD, "password_same"),
    ],
)
def test_a_poor_password_is_refused_and_it_is_said_why(bureau: Bureau, new: str, code: str) -> None:
    bureau.hired("wang.fang")
    browser = bureau.signed_in("wang.fang")
    refused = browser.post(f"{ME}/password", {"password": PASSWORD, "new_password": new})
    assert error(refused) == (400, code)


def test_the_login_name_is_no_password(bureau: Bureau) -> None:
    account = own(bureau, "wang.fang.of.putuo")
    for new in ("wang.fang.of.putuo", "Wang.Fang.Of.Putuo"):
        with pytest.raises(BadRequest, match="登录名"):
            account.change_password(PASSWORD, new)


def test_the_old_password_cannot_be_guessed_in_a_session_left_open(bureau: Bureau) -> None:
    account = own(bureau)
    for _ in range(5):
        with pytest.raises(BadRequest, match="密码不对"):
            account.change_password("wrong password 1", NEW)
    with pytest.raises(BadRequest, match="密码不对"):
        account.change_password(PASSWORD, NEW)
    bureau.clock.forward(minutes=1)
    account.change_password(PASSWORD, NEW)
    assert len(bureau.events("password.refuse")) == 6


def test_a_second_factor_is_asked_for_once_it_is_confirmed(bureau: Bureau) -> None:
    account = own(bureau)
    shown = account.begin_totp(PASSWORD)
    assert bureau.signing.begin("wang.fang", PASSWORD)  # not confirmed yet
    totp = pyotp.TOTP(shown["secret"])
    with pytest.raises(BadRequest, match="动态口令不对"):
        account.confirm_totp("000000")
    codes = account.confirm_totp(totp.at(bureau.clock.at))
    assert len(set(codes)) == 10
    assert account.view()["totp"] is True
    bureau.clock.forward(seconds=30)
    for wrong in (
        "",
        "123456",
        "１２３４５６",
        "x" * 20_000,
        totp.at(bureau.clock.at - timedelta(minutes=5)),
    ):
        with pytest.raises(NotSignedIn):
            bureau.signing.begin("wang.fang", PASSWORD, wrong)
        bureau.clock.forward(minutes=20)
    assert bureau.signing.begin("wang.fang", PASSWORD, totp.at(bureau.clock.at))


def test_the_picture_shows_the_secret(bureau: Bureau) -> None:
    shown = own(bureau).begin_totp(PASSWORD)
    assert shown["uri"].startswith("otpauth://totp/")
    assert f"secret={shown['secret']}" in shown["uri"]
    assert shown["picture"].startswith("data:image/svg+xml")
    assert "<svg" in unquote(shown["picture"])


def test_a_code_works_once_even_for_two_at_the_same_moment(bureau: Bureau) -> None:
    totp, _ = with_totp(bureau)
    with pytest.raises(NotSignedIn):  # it confirmed the second factor: used
        bureau.signing.begin("wang.fang", PASSWORD, totp.at(bureau.clock.at))
    bureau.clock.forward(seconds=30)
    code = totp.at(bureau.clock.at)
    results = at_once([partial(bureau.signing.begin, "wang.fang", PASSWORD, code)] * 3)
    assert sum(isinstance(result, Entered) for result in results) == 1
    with pytest.raises(NotSignedIn):
        bureau.signing.begin("wang.fang", PASSWORD, code)


def test_a_recovery_code_stands_in_once(bureau: Bureau) -> None:
    _, codes = with_totp(bureau)
    results = at_once([partial(bureau.signing.begin, "wang.fang", PASSWORD, codes[0])] * 3)
    assert sum(isinstance(result, Entered) for result in results) == 1
    typed = codes[1].upper().replace("-", " ")
    assert bureau.signing.begin("wang.fang", PASSWORD, typed)
    assert len(bureau.events("recovery_code.use")) == 2
    with bureau.sessions() as session:
        kept = set(session.scalars(select(RecoveryCode.code_hash)))
    assert not kept & {code.replace("-", "") for code in codes}


def test_somebody_elses_recovery_code_is_none(bureau: Bureau) -> None:
    _, codes = with_totp(bureau)
    other = own(bureau, "li.na")
    totp = pyotp.TOTP(other.begin_totp(PASSWORD)["secret"])
    other.confirm_totp(totp.at(bureau.clock.at))
    with pytest.raises(NotSignedIn):
        bureau.signing.begin("li.na", PASSWORD, codes[0])


def test_the_secret_is_kept_encrypted_and_is_useless_with_another_key(bureau: Bureau) -> None:
    account = own(bureau)
    secret = account.begin_totp(PASSWORD)["secret"]
    totp = pyotp.TOTP(secret)
    account.confirm_totp(totp.at(bureau.clock.at))
    with bureau.sessions() as session:
        stored = session.scalar(select(StaffCredentials.totp_secret))
    assert stored is not None
    assert secret not in stored
    assert secret.encode() not in base64.urlsafe_b64decode(stored)
    other = SecondFactor("another key " * 4)
    assert other.step_of(stored, totp.at(bureau.clock.at), bureau.clock.at) is None


def test_the_second_factor_is_taken_away_with_the_password_only(bureau: Bureau) -> None:
    account = own(bureau)
    totp = pyotp.TOTP(account.begin_totp(PASSWORD)["secret"])
    account.confirm_totp(totp.at(bureau.clock.at))
    with pytest.raises(BadRequest):
        account.disable_totp("wrong password 1")
    account.disable_totp(PASSWORD)
    assert account.view()["totp"] is False
    assert account.view()["recovery_codes"] == 0
    assert bureau.signing.begin("wang.fang", PASSWORD)
    actions = [event.action for event in bureau.events("totp.")]
    assert actions == ["totp.enable", "totp.disable"]


def test_it_all_works_over_http_as_the_page_sends_it(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    browser = bureau.signed_in("wang.fang")
    begun = browser.post(f"{ME}/totp/begin", {"password": PASSWORD}).json()
    totp = pyotp.TOTP(begun["secret"])
    assert error(browser.post(f"{ME}/totp/confirm", {"code": "1"})) == (400, "totp_code")
    codes = browser.post(f"{ME}/totp/confirm", {"code": totp.now()}).json()["recovery_codes"]
    assert error(browser.post(f"{ME}/totp/begin", {"password": PASSWORD})) == (409, "totp_enabled")
    assert bureau.browser().sign_in("wang.fang").status_code == 401
    assert bureau.browser().sign_in("wang.fang", code=codes[0]).status_code == 200
    assert browser.post(f"{ME}/totp/disable", {"password": PASSWORD}).status_code == 200
    assert error(browser.post(f"{ME}/totp/confirm", {"code": "1"})) == (409, "totp_not_begun")


def test_other_browsers_are_listed_and_signed_out(bureau: Bureau) -> None:
    bureau.hired("wang.fang")
    bureau.hired("li.na")
    browser, other, somebody = (
        bureau.signed_in(login) for login in ("wang.fang", "wang.fang", "li.na")
    )
    listed = browser.get(f"{ME}/sessions").json()["sessions"]
    assert [one["current"] for one in listed].count(True) == 1
    assert len(listed) == 2
    assert all("token" not in one and "csrf" not in one for one in listed)
    assert browser.send("DELETE", f"{ME}/sessions").json() == {"ended": 1}
    assert [b.get(ME).status_code for b in (browser, other, somebody)] == [200, 401, 200]


def test_an_account_with_a_token_has_no_password_to_change(bureau: Bureau) -> None:
    _, token = bureau.staff.add("机器", ["agent"])
    client = bureau.browser().client
    client.headers["Authorization"] = f"Bearer {token}"
    machine = Browser(client)
    assert machine.get(ME).json()["login"] is None
    refused = machine.post(f"{ME}/password", {"password": "x", "new_password": NEW})
    assert error(refused) == (409, "no_password")


def test_a_password_that_changes_meanwhile_lets_nobody_in_with_the_old(bureau: Bureau) -> None:
    account = own(bureau)
    results = at_once(
        [partial(account.change_password, PASSWORD, f"{NEW} {number}") for number in range(2)]
    )
    assert results.count(None) == 1
    with bureau.sessions.begin() as session:
        session.execute(update(StaffCredentials).values(failed_count=0, locked_until=None))
    with pytest.raises(NotSignedIn):
        bureau.signing.begin("wang.fang", PASSWORD)
