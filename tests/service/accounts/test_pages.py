"""The pages to sign in, for people and for the log, as a browser gets them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import update

from service.console.people import local
from service.models import now
from service.models.people import StaffInvitation
from tests.service.bureau import PASSWORD, Bureau


def test_the_first_page_is_that_of_the_menu(bureau: Bureau) -> None:
    for login, role, first in (
        ("chief", "administrator", "/console/knowledge"),
        ("worker", "agent", "/console/desk"),
    ):
        bureau.hired(login, role)
        assert bureau.signed_in(login).get("/console").headers["location"] == first
    away = bureau.browser().get("/console")
    assert (away.status_code, away.headers["location"]) == (303, "/console/login?next=%2Fconsole")


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "https://evil.example",
        "//evil.example",
        "/console\\@evil",
        "/consoleevil",
        "javascript:1",
        "/console/login?next=/console/login",
        "/console/x\n",
        "/api/v1/session",
        "/console/" + "x" * 3000,
    ],
)
def test_signing_in_leads_nowhere_else(bureau: Bureau, wanted: str) -> None:
    assert local(wanted) == "/console"
    page = bureau.browser().get("/console/login", next=wanted)
    assert 'data-then="/console"' in page.text


def test_signing_in_leads_on_to_the_page_that_was_asked_for(bureau: Bureau) -> None:
    wanted = "/console/audit?action=staff.&text=王"
    page = bureau.browser().get("/console/login", next=wanted)
    assert 'data-then="/console/audit?action=staff.&amp;text=王"' in page.text
    bureau.hired("wang.fang")
    signed_in = bureau.signed_in("wang.fang")
    assert signed_in.get("/console/login", next="/console/me").headers["location"] == "/console/me"


def test_an_invitation_opens_a_page_once(bureau: Bureau) -> None:
    _, token = bureau.invited("wang.fang", name="王芳")
    # The clock of the bureau stands in December; the page asks the real one.
    with bureau.sessions.begin() as session:
        session.execute(update(StaffInvitation).values(expires_at=now() + timedelta(hours=1)))
    page = bureau.browser().get(f"/console/invitation/{token}")
    assert page.status_code == 200
    assert "王芳" in page.text
    assert "no-store" in page.headers["cache-control"]
    accepted = bureau.browser().post(
        "/api/v1/invitations/accept", {"token": token, "password": PASSWORD}
    )
    assert accepted.status_code == 200
    assert bureau.browser().get(f"/console/invitation/{token}").status_code == 404
    unknown = bureau.browser().get(f"/console/invitation/{quote('<script>')}")
    assert unknown.status_code == 404
    assert "<script>" not in unknown.text.replace('<script type="module"', "")
    assert "这个链接不能用了" in unknown.text


def test_names_are_shown_as_text_and_never_a_secret(bureau: Bureau) -> None:
    bureau.hired("chief", "administrator", "auditor", name="<b>陈</b>")
    browser = bureau.signed_in("chief")
    for path in ("/console/people", "/console/me", "/console/audit"):
        page = browser.get(path)
        assert page.status_code == 200
        assert "<b>陈</b>" not in page.text
        assert "$argon2id$" not in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_page_of_the_log_takes_what_a_form_sends(bureau: Bureau) -> None:
    bureau.hired("zhao", "auditor", name="赵审")
    browser = bureau.signed_in("zhao")
    empty = dict.fromkeys(("since", "until", "actor", "action", "text", "before"), "")
    assert "登录了后台" in browser.get("/console/audit", **empty).text
    assert "没有符合条件的记录" in browser.get("/console/audit", text="没有这个词").text
    refused = browser.get("/console/audit", since="gestern")
    assert refused.status_code == 400
    assert "日期要写成" in refused.text


def test_somebody_unknown_is_a_page_that_says_so(bureau: Bureau) -> None:
    bureau.hired("chief", "administrator")
    page = bureau.signed_in("chief").get("/console/people/s_none")
    assert page.status_code == 404
    assert "没有编号为" in page.text
