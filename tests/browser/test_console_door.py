"""Getting in and out: an invitation, a wrong password, a second factor, a session that ended."""

from __future__ import annotations

import re

import pyotp
from playwright.sync_api import Page, expect

from service.accounts import Accounts
from tests.browser.conftest import PASSWORD, Site


def test_somebody_invited_sets_a_password_and_a_wrong_one_does_not_open(site: Site) -> None:
    invitation = Accounts(site.rooms.sessions, None).invite("戊", "wu.wu", ["agent"])
    page = site.stranger()
    page.goto(f"/console/invitation/{invitation.token}")
    page.get_by_label(re.compile("^密码")).fill(PASSWORD)
    page.get_by_label("再输入一次").fill(PASSWORD)
    page.get_by_role("button", name="设置密码").click()
    expect(page.get_by_text("密码已设好，请登录。")).to_be_visible()

    _knock(page, "wu.wu", "不是这个密码，差得很远")
    expect(page.get_by_role("alert")).to_contain_text("没有登录成功")
    _knock(page, "wu.wu", PASSWORD)
    expect(page.get_by_role("heading", name="转人工")).to_be_visible()

    page.goto(f"/console/invitation/{invitation.token}")
    expect(page.get_by_role("heading", name="这个链接不能用了")).to_be_visible()


def test_with_a_second_factor_the_password_alone_does_not_open(site: Site) -> None:
    page = site.staff("agent", "己")
    page.goto("/console/me")
    login = page.get_by_role("definition").first.inner_text()
    page.locator("#f-on").fill(PASSWORD)
    page.get_by_role("button", name="开始开通").click()
    secret = page.locator("#totp-secret")
    expect(secret).not_to_be_empty()
    code = pyotp.TOTP(secret.inner_text().replace(" ", ""))
    page.get_by_label("手机上显示的六位数字").fill(code.now())
    page.get_by_role("button", name="确认开通").click()
    recovery = page.locator(".codes li").first.inner_text()
    page.get_by_role("link", name="我已保存").click()
    page.get_by_role("button", name="退出", exact=True).click()
    expect(page.get_by_role("heading", name="登录")).to_be_visible()

    _knock(page, login, PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("动态口令")
    page.get_by_label("动态口令").fill(recovery)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="转人工")).to_be_visible()


def test_when_the_session_has_ended_nothing_typed_is_lost_and_work_goes_on_after(
    site: Site,
) -> None:
    page = site.staff("curator", "庚")
    page.goto("/console/sets")
    page.get_by_label(re.compile("^名称")).fill("庚的题集")
    kept = page.context.cookies()
    page.context.clear_cookies()
    page.get_by_role("button", name="建好，去加问题").click()
    expect(page.get_by_role("alert")).to_contain_text("登录已过期")
    expect(page.get_by_label(re.compile("^名称"))).to_have_value("庚的题集")

    for one in kept:  # signed in again in another tab
        page.context.add_cookies([{"name": one["name"], "value": one["value"], "url": site.url}])
    page.get_by_role("button", name="建好，去加问题").click()
    expect(page.get_by_role("heading", name="庚的题集")).to_be_visible()


def test_who_is_not_signed_in_comes_back_to_where_they_wanted(site: Site) -> None:
    site.staff("curator", "辛").close()
    page = site.stranger()
    page.goto("/console/statutes?text=经济补偿")
    expect(page).to_have_url(re.compile("/console/login"))
    _knock(page, site.login_of("辛"), PASSWORD)
    expect(page).to_have_url(re.compile(r"/console/statutes\?text="))


def _knock(page: Page, login: str, password: str) -> None:
    page.get_by_label("登录名").fill(login)
    page.get_by_label(re.compile("^密码")).fill(password)
    page.get_by_role("button", name="登录").click()
