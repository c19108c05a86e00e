"""Whoever looks like a machine is checked without doing anything, and answered once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.abroad import OPEN, opened
from tests.browser.conftest import Site, ask, heard, kept, listen, send, violations

QUESTION = "公司拖欠三个月工资怎么办"
CHECKING = "正在确认您不是自动程序"
NOT_CHECKED = "没能确认您不是自动程序"
SOLVER, QUESTIONS = "**/static/proof.js", "**/api/v1/questions"


@pytest.fixture
def crowded(site: Site) -> Iterator[None]:
    """From one address two questions are let through, and the next are looked at."""
    with site.limits(address_per_minute=2):
        yield


def suspected(page: Page) -> Page:
    """The page of somebody whose next question needs a proof."""
    ask(page, "你好")
    ask(page, "谢谢")
    return page


def held_check(page: Page) -> list[Route]:
    """From now on the check does not get on; what is held back by it."""
    held: list[Route] = []
    page.route(SOLVER, lambda route: held.append(route))
    return held


def answered_once(site: Site, page: Page, turn: Locator, stored: int = 3) -> None:
    expect(turn.locator(".answer")).to_contain_text("常见问题解答", timeout=20_000)
    expect(page.locator("article.turn .answer")).to_have_count(stored)
    assert site.stored(kept(page)["conversation"]) == stored


def test_who_asks_as_fast_as_a_machine_is_checked_and_may_still_ask_all_that_is_allowed(
    site: Site,
) -> None:
    with site.limits():
        page = site.citizen()
        refused: list[int] = []
        page.on("response", lambda r: refused.append(r.status) if r.status >= 400 else None)
        for _ in range(12):
            expect(ask(page, "你好").locator(".answer")).to_be_visible()
    assert refused
    assert set(refused) == {428}
    assert site.stored(kept(page)["conversation"]) == 12


@pytest.mark.parametrize("view", ["desktop", "phone", "phone for the old"])
def test_it_says_what_it_is_doing_and_repeats_the_question_by_itself(
    site: Site, abroad: str, crowded: None, view: str
) -> None:
    page, wrong = site.embedded(view)
    listen(page)
    suspected(page)
    held = held_check(page)
    turn = send(page, QUESTION)
    expect(turn.locator(".wait")).to_contain_text(CHECKING)
    expect(turn.get_by_role("button", name="停止")).to_be_visible()
    assert violations(page) == []
    assert [said for said in heard(page) if CHECKING in said]
    held[0].continue_()
    answered_once(site, page, turn)
    page.wait_for_timeout(200)
    assert sum(said.startswith("回答好了。") for said in heard(page)) == 3
    assert [line for line in wrong if "428" not in line] == []
    page.context.close()


def unreachable(page: Page) -> None:
    page.route(SOLVER, lambda route: route.abort())


def broken(page: Page) -> None:
    """The first time it is worked out."""
    script = """let tries = 0;
        export async function solve(...given) {
            if (!tries++) throw new RangeError('broken');
            return (await import('/static/proof.js?whole')).solve(...given);
        }"""
    page.route(SOLVER, lambda route: route.fulfill(body=script, content_type="text/javascript"))


def refused(page: Page) -> None:
    def spoil(route: Route) -> None:
        headers = route.request.headers
        if proof := headers.get("x-consult-proof"):
            headers["x-consult-proof"] = f"{proof.partition(':')[0]}:0,0,0,0,0,0,0,0"
        route.continue_(headers=headers)

    page.route(QUESTIONS, spoil)


@pytest.mark.parametrize("fault", [unreachable, broken, refused])
def test_a_check_that_fails_says_so_names_who_can_be_called_and_can_be_tried_again(
    site: Site, crowded: None, fault: object
) -> None:
    page = suspected(site.citizen())
    assert callable(fault)
    fault(page)
    turn = send(page, QUESTION)
    failure = turn.get_by_role("alert")
    expect(failure).to_contain_text(NOT_CHECKED)
    for number in ("12348", "110", "120"):
        expect(failure.locator(f"a[href='tel:{number}']")).to_be_visible()
    assert violations(page) == []
    assert site.stored(kept(page)["conversation"]) == 2
    page.unroute_all()
    turn.get_by_role("button", name="重试").click()
    answered_once(site, page, turn)


def test_who_stops_the_check_has_asked_nothing_and_may_go_on(site: Site, crowded: None) -> None:
    page = suspected(site.citizen())
    held = held_check(page)
    turn = send(page, QUESTION)
    expect(turn.locator(".wait")).to_contain_text(CHECKING)
    turn.get_by_role("button", name="停止").click()
    expect(turn.get_by_role("alert")).to_contain_text("已停止。您的问题还在这里。")
    expect(turn.get_by_role("heading", name=QUESTION)).to_be_focused()
    held[0].continue_()
    page.unroute_all()
    page.wait_for_timeout(1_000)
    assert site.stored(kept(page)["conversation"]) == 2
    expect(turn.locator(".answer")).to_have_count(0)
    turn.get_by_role("button", name="修改问题").click()
    expect(page.get_by_label("您的问题")).to_have_value(QUESTION)
    answered_once(site, page, send(page, QUESTION))


def test_a_reload_amid_the_check_loses_nothing(site: Site, crowded: None) -> None:
    page = suspected(site.citizen())
    held_check(page)
    expect(send(page, QUESTION).locator(".wait")).to_contain_text(CHECKING)
    page.unroute_all()
    page.reload()
    answered_once(site, page, page.locator("article.turn").last)


def test_a_panel_that_is_closed_amid_the_check_has_the_answer_when_it_is_opened_again(
    site: Site, abroad: str, crowded: None
) -> None:
    page, _ = site.visitor(abroad)
    panel = opened(page)
    suspected(page)
    held = held_check(page)
    turn = send(page, QUESTION)
    expect(turn.locator(".wait")).to_contain_text(CHECKING)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name=OPEN)).to_be_focused()
    held[0].continue_()
    expect(turn.locator(".answer")).to_have_count(1, timeout=20_000)
    opened(page)
    answered_once(site, page, turn)
    expect(turn.locator(".answer .kind")).to_be_in_viewport()
    page.context.close()


def test_an_element_that_is_taken_out_amid_the_check_goes_on_where_it_is_put_back(
    site: Site, abroad: str, crowded: None
) -> None:
    page, _ = site.visitor(abroad)
    opened(page)
    suspected(page)
    held_check(page)
    expect(send(page, QUESTION).locator(".wait")).to_contain_text(CHECKING)
    page.evaluate("window.taken = document.querySelector('legal-assistant'); taken.remove()")
    page.unroute_all()
    page.evaluate("document.body.append(window.taken)")
    opened(page)
    answered_once(site, page, page.locator("article.turn").last)
    page.context.close()
