"""A citizen and an agent, live; and what a citizen writes stays text wherever staff read it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, ask, choose

MARKUP = "<script>window.hurt=1</script><img src=x onerror='window.hurt=1'>房东不退押金"


@pytest.mark.slow
def test_a_citizen_asks_for_a_person_and_they_talk(site: Site) -> None:
    desk = site.staff("agent", "丁")
    desk.goto("/console/desk")
    expect(desk.get_by_text("实时更新中")).to_be_visible()
    lines = desk.locator("#lines").get_by_role("link")
    before = lines.count()

    citizen = site.citizen()
    ask(citizen, "加班费怎么算")
    _ask_for_a_person(citizen, "我在真如上班，想找人看合同。")
    expect(lines).to_have_count(before + 1)  # by itself: nobody has reloaded
    lines.last.click()
    desk.get_by_role("button", name="接手").click()
    expect(desk.get_by_text("我在真如上班，想找人看合同。").first).to_be_visible()

    desk.get_by_label("回复市民").fill("您好，请带劳动合同到真如镇街道的窗口。")
    desk.get_by_role("button", name="发送").click()
    talk = citizen.locator("#person")
    expect(talk).to_contain_text("请带劳动合同到真如镇街道的窗口", timeout=20_000)

    citizen.get_by_label("写给工作人员的话").fill("好的，周五去。")
    citizen.get_by_role("button", name="发送", exact=True).click()
    expect(desk.get_by_role("log")).to_contain_text("好的，周五去。")

    desk.get_by_text("办结这张工单").click()
    desk.get_by_label("结果").select_option(label="已解决")
    desk.get_by_label("处理情况").fill("已约周五到窗口看合同。")
    desk.get_by_role("button", name="办结并告诉市民").click()
    expect(desk.get_by_text("已办结，结果已告诉市民。")).to_be_visible()

    expect(talk).to_contain_text("已约周五到窗口看合同", timeout=20_000)
    talk.get_by_role("button", name="评价").click()
    sheet = citizen.get_by_role("dialog")
    sheet.get_by_label("满意", exact=True).check()
    sheet.get_by_role("button", name="提交评价").click()
    expect(talk).to_contain_text("您的评价：满意")


@pytest.mark.slow
def test_markup_that_a_citizen_writes_is_shown_as_text_and_does_nothing(site: Site) -> None:
    citizen = site.citizen()
    told = ask(citizen, MARKUP)
    told.get_by_role("button", name="评价").click()
    sheet = citizen.get_by_role("dialog")
    sheet.get_by_label("不满意", exact=True).check()
    sheet.get_by_label("哪里不好").fill("<img src=x onerror='window.hurt=1'>没帮上")
    sheet.get_by_role("button", name="提交评价").click()
    expect(told).to_contain_text("对不起")
    _ask_for_a_person(citizen, "<b>请快一点</b>")

    desk = site.staff("supervisor", "丙")
    desk.goto("/console/desk")
    desk.locator("#lines").get_by_role("link").last.click()
    expect(desk.get_by_text("<b>请快一点</b>").first).to_be_visible()
    _is_text(desk)
    choose(desk, "会话")
    desk.get_by_role("link", name=MARKUP[:20]).first.click()
    desk.get_by_role("radio", name="质量检查").check()
    desk.get_by_role("button", name="查看").click()
    _is_text(desk)
    expect(desk.get_by_text("没帮上").first).to_be_visible()
    choose(desk, "缺口")
    _is_text(desk)
    _is_text(citizen)


def _ask_for_a_person(citizen: Page, note: str) -> None:
    citizen.get_by_role("button", name="转人工").click()
    sheet = citizen.get_by_role("dialog")
    sheet.get_by_label("要补充的话").fill(note)
    sheet.get_by_label("我同意").check()
    sheet.get_by_role("button", name="转人工").click()
    expect(sheet).to_have_count(0)


def _is_text(page: Page) -> None:
    """The question is on the page, letter by letter, and has done nothing."""
    expect(page.get_by_text("<script>window.hurt=1</script>").first).to_be_attached()
    assert page.evaluate("window.hurt") is None
    assert page.locator("img[src=x]").count() == 0
