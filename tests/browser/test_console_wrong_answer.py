"""The life of a wrong answer, from the citizen whom it did not help to the next whom it does."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site, ask, choose

QUESTION = "婚介所收了钱不介绍人能退吗"
ANSWER = "婚介所没有按约定介绍对象的，您可以要求它继续介绍，或者退还没有提供的那部分服务的钱。"
WAYS = ("交了婚介费一个人都没介绍", "婚介所不退会费怎么办", "红娘收了钱没安排见面")


@pytest.mark.slow
def test_a_wrong_answer_is_judged_mended_and_the_next_citizen_is_told_better(site: Site) -> None:
    _a_citizen_is_not_helped_and_says_so(site)
    _the_supervisor_finds_it_and_judges_it_wrong(site.staff("supervisor", "丙"))
    _the_curator_writes_the_answer_but_may_not_approve_it(site.staff("curator reviewer", "甲"))
    _a_colleague_approves(site.staff("reviewer", "乙"))
    site.until_published()
    _the_supervisor_asks_again_and_closes(site.staff("supervisor", "丙"))

    told = ask(site.citizen(), QUESTION)
    expect(told).to_contain_text("退还没有提供的那部分服务的钱")
    expect(told).to_contain_text("消费者权益保护法》第五十三条")


def _a_citizen_is_not_helped_and_says_so(site: Site) -> None:
    citizen = site.citizen()
    told = ask(citizen, QUESTION)
    expect(told).not_to_contain_text("退还没有提供的")
    told.get_by_role("button", name="评价").click()
    sheet = citizen.get_by_role("dialog")
    sheet.get_by_label("非常不满意", exact=True).check()
    sheet.get_by_label("哪里不好").fill("没有说能不能退")
    sheet.get_by_role("button", name="提交评价").click()
    expect(told).to_contain_text("对不起，没有帮上您")


def _the_supervisor_finds_it_and_judges_it_wrong(page: Page) -> None:
    page.goto("/console")
    choose(page, "会话")
    page.get_by_label("评价", exact=True).select_option(label="差评（1–2星）")
    page.get_by_role("button", name="筛选").click()
    page.get_by_role("link", name=QUESTION).click()
    page.get_by_role("radio", name="质量检查").check()
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_text("没有说能不能退")).to_be_visible()

    page.get_by_role("radio", name="错误").check()
    page.get_by_label("评语").fill("是合同没有履行，应当告诉市民可以要求退款。")
    page.get_by_label("跟进").select_option(label="新写一条常见问题")
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_text("跟进：新写一条常见问题，待跟进")).to_be_visible()


def _the_curator_writes_the_answer_but_may_not_approve_it(page: Page) -> None:
    page.goto("/console")
    choose(page, "待改进")
    wanted = page.get_by_role("article").filter(has_text=QUESTION)
    expect(wanted).to_contain_text("是合同没有履行")
    wanted.get_by_role("link", name="写一条常见问题").click()
    expect(_field(page, "问题")).to_have_value(QUESTION)

    _field(page, "回答").fill(ANSWER)
    _field(page, "问法").fill("\n".join([QUESTION, *WAYS]))
    checked = page.get_by_label("条文核对的结果")
    _field(page, "依据的条文").fill("消费者权益保护法第九百条")
    expect(checked).to_contain_text("✗")
    _field(page, "依据的条文").fill("消费者权益保护法第五十三条")
    expect(checked).to_contain_text("✓")
    _field(page, "主题").select_option("消费维权")
    _field(page, "来源").fill("现行法律条文，本中心编写")
    _field(page, "核对日期").fill(datetime.now(UTC).date().isoformat())
    page.get_by_role("button", name="保存草稿").click()
    expect(page.locator("#state")).to_contain_text("已保存")
    page.get_by_role("button", name="保存并提交复核").click()
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()

    choose(page, "待复核")
    own = page.get_by_role("article").filter(has_text=QUESTION)
    expect(own).to_contain_text(re.compile("自己|参与编写"))
    expect(own.get_by_role("button", name="通过并发布")).to_have_count(0)


def _a_colleague_approves(page: Page) -> None:
    page.goto("/console")
    choose(page, "待复核")
    waiting = page.get_by_role("article").filter(has_text=QUESTION)
    expect(waiting).to_contain_text("都已核对")
    waiting.get_by_role("button", name="通过并发布").click()
    expect(page.get_by_text("已通过，马上发布的几秒后生效")).to_be_visible()


def _the_supervisor_asks_again_and_closes(page: Page) -> None:
    page.goto("/console")
    choose(page, "待评")
    page.get_by_role("link", name="跟进").click()
    page.get_by_role("link", name=QUESTION).click()
    page.get_by_role("button", name="重新提问").click()
    expect(page.get_by_role("region", name="现在的回答")).to_contain_text("退还没有提供的")
    page.get_by_role("radio", name="正确", exact=True).check()
    page.get_by_role("button", name="结束", exact=True).click()
    expect(page.get_by_text("跟进已结束")).to_be_visible()
    expect(page.get_by_text("新回答评为“正确”")).to_be_visible()


def _field(page: Page, label: str) -> Locator:
    """A field of the editor; after the label it may say that it must be filled in."""
    return page.locator("#editor").get_by_label(re.compile(f"^{label}(必填)?$"))
