"""The assistant where citizens meet it: on our page, as an element on other sites, in a frame."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Request, Route, expect
from sqlalchemy import func, select

from service.answering import wording
from service.auth import StaffRegister
from service.channels.gate.challenge import Challenges
from service.channels.gate.gate import CONSENT_VERSION
from service.handover import Handovers, minutes_later
from service.models.gate import Consent
from tests.browser.abroad import OPEN, Wire, foreign_site, opened
from tests.browser.conftest import (
    PHONE,
    WIDE,
    Site,
    ask,
    free_port,
    heard,
    kept,
    listen,
    violations,
)

QUESTION = "公司拖欠三个月工资怎么办"


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desktop", "phone"])
def test_on_another_site_under_a_strict_policy_it_does_all_that_the_page_does(
    site: Site, abroad: str, size: tuple[int, int]
) -> None:
    page, wrong = site.visitor(abroad, size)
    assert violations(page) == []
    panel = opened(page)
    assert violations(page) == []
    first = ask(page, QUESTION)
    expect(first).to_contain_text("常见问题解答")
    assert violations(page) == []
    first.locator(".cite summary").first.click()
    expect(first.locator("blockquote").first).to_be_visible()
    expect(first.locator("a.call").first).to_have_attribute("href", re.compile(r"^tel:\d+"))
    expect(ask(page, "那要多少钱呢")).to_be_visible()

    rating = first.locator(".rating")
    rating.get_by_role("button", name="评价").click()
    page.get_by_label("非常满意", exact=True).check()
    page.get_by_role("button", name="提交评价").click()
    expect(rating).to_contain_text("您的评价：非常满意")

    panel.get_by_role("button", name="转人工").last.click()
    page.get_by_label("我同意把上面写的内容交给工作人员").check()
    page.locator("dialog[open]").get_by_role("button", name="转人工").click()
    expect(panel.get_by_role("region", name="人工服务")).to_contain_text("排队中")
    assert violations(page) == []

    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name=OPEN)).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wrong == []
    page.context.close()


def test_a_site_that_is_not_registered_gets_nothing(site: Site) -> None:
    stranger = f"http://127.0.0.1:{free_port()}"
    with foreign_site(stranger, site.url):
        page, wrong = site.visitor(stranger)
        expect(page.locator("#own")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("customElements.get('legal-assistant') === undefined")
        said = page.evaluate(
            """async (server) => {
                const body = JSON.stringify({ question: '离婚', site: 'bureau' });
                const sent = (path, type) => fetch(server + path, { method: 'POST', body,
                    headers: { 'Content-Type': type } }).then((r) => r.status, () => 'blocked');
                return [await sent('/api/v1/questions', 'application/json'),
                        await sent('/api/v1/questions', 'text/plain'),
                        await sent('/api/v1/web-sessions', 'application/json')];
            }""",
            site.url,
        )
        assert said == ["blocked"] * 3
        assert any("CORS" in line for line in wrong)
        page.context.close()


def test_in_a_frame_it_answers_for_its_site_and_for_no_other(site: Site, abroad: str) -> None:
    page, _ = site.visitor(f"{abroad}/frame")
    frame = page.frame_locator("iframe")
    frame.get_by_label("您的问题").fill(QUESTION)
    frame.get_by_label("您的问题").press("Enter")
    frame.get_by_role("button", name="同意并发送").click()
    expect(frame.locator("article.turn .answer")).to_contain_text("常见问题解答")
    with site.rooms.sessions() as session:
        assert session.scalar(select(func.count()).where(Consent.site == "bureau")) or 0
    page.context.close()
    stranger = f"http://127.0.0.1:{free_port()}"
    with foreign_site(stranger, site.url):
        page, wrong = site.visitor(f"{stranger}/frame")
        expect(page.frame_locator("iframe").get_by_label("您的问题")).to_have_count(0)
        assert any("frame-ancestors" in line for line in wrong)
        page.context.close()


def test_what_happens_to_the_words_is_said_once_and_kept_with_the_conversation(site: Site) -> None:
    page = site.citizen()
    box, agree = page.get_by_label("您的问题"), page.get_by_role("button", name="同意并发送")
    box.fill(QUESTION)
    box.press("Enter")
    expect(agree).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="先不问").click()
    expect(page.locator("article.turn")).to_have_count(0)
    expect(box).to_have_value(QUESTION)
    first = ask(page, QUESTION)
    expect(first).to_contain_text("常见问题解答")
    page.reload()
    page.get_by_label("您的问题").fill("离婚冷静期是多久")
    page.get_by_label("您的问题").press("Enter")
    expect(page.locator("article.turn .answer")).to_have_count(2)
    conversation = kept(page)["conversation"]
    with site.rooms.sessions() as session:
        row = session.scalars(select(Consent).where(Consent.conversation_id == conversation)).one()
    assert (row.version, row.site) == ("2026-12-01", "home")


@pytest.mark.parametrize("cuts", [1, 3])
def test_a_connection_that_is_cut_is_taken_up_again_and_nothing_is_asked_twice(
    site: Site, cuts: int
) -> None:
    wire = Wire(int(site.url.rpartition(":")[2]))
    page = site.browser.new_context(locale="zh-CN").new_page()
    page.goto(wire.url)
    ask(page, "你好")
    wire.cut(cuts)
    turn = ask(page, QUESTION)
    expect(turn.locator(".answer")).to_contain_text("常见问题解答")
    assert wire.was_cut == cuts
    assert site.stored(kept(page)["conversation"]) == 2
    wire.close()
    page.context.close()


def test_a_reload_while_a_question_is_under_way_brings_its_answer(site: Site) -> None:
    page = site.citizen()
    ask(page, "你好")
    page.evaluate(
        """(question) => {
            const kept = JSON.parse(sessionStorage.getItem('consult.session'));
            kept.pending = { question, key: 'k'.repeat(32), at: Date.now() };
            sessionStorage.setItem('consult.session', JSON.stringify(kept));
        }""",
        QUESTION,
    )
    page.reload()
    expect(page.locator("article.turn .answer").last).to_contain_text("常见问题解答")
    page.reload()
    expect(page.locator("article.turn .answer")).to_have_count(2)
    assert site.stored(kept(page)["conversation"]) == 2


def test_words_to_a_person_that_are_sent_again_are_said_once(site: Site) -> None:
    page = site.citizen()
    ask(page, QUESTION)
    page.get_by_role("button", name="转人工").last.click()
    page.get_by_label("我同意把上面写的内容交给工作人员").check()
    page.locator("dialog[open]").get_by_role("button", name="转人工").click()
    expect(page.locator("#person")).to_contain_text("排队中")
    member, _token = StaffRegister(site.rooms.sessions).add("坐席", ["agent"])
    region = site.rooms.settings.region
    desk = Handovers(site.rooms.sessions, due=minutes_later(60), region=region)
    desk.claim(member, page.evaluate("JSON.parse(sessionStorage['consult.session']).ticket.id"))
    box = page.get_by_label("写给工作人员的话")
    expect(box).to_be_visible(timeout=40_000)
    sent: list[Request] = []

    def lose_the_first_answer(route: Route) -> None:
        sent.append(route.request)
        answer = route.fetch()
        route.fulfill(response=answer, status=503 if len(sent) == 1 else answer.status)

    page.route("**/api/v1/questions", lose_the_first_answer)
    box.fill("好的，周五去。")
    box.press("Enter")
    page.get_by_role("button", name="重发").click()
    expect(page.locator("#person .pending")).to_have_count(0)
    expect(page.locator("#person .said", has_text="好的，周五去。")).to_have_count(1)
    first, again = sent
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]
    assert f'"consent":"{CONSENT_VERSION}"' in (again.post_data or "")


def test_without_a_network_the_words_stay_and_it_says_so(site: Site) -> None:
    page = site.citizen()
    ask(page, "你好")
    page.context.set_offline(True)
    box = page.get_by_label("您的问题")
    box.fill(QUESTION)
    box.press("Enter")
    expect(page.locator("#offline")).to_be_visible()
    expect(box).to_have_value(QUESTION)
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    expect(ask(page, QUESTION)).to_contain_text("常见问题解答")


def test_who_asks_too_often_is_told_when_to_try_again_and_cannot_before(site: Site) -> None:
    page = site.citizen()
    ask(page, QUESTION)
    error = {"code": "too_many_questions", "message": "现在问得太密了。", "retry_after_s": 2}
    page.route("**/api/v1/questions", lambda r: r.fulfill(status=429, json={"error": error}))
    box = page.get_by_role("textbox").first
    box.fill("物业费能不能拒交")
    box.press("Enter")
    turn = page.locator("article.turn").last
    expect(turn.get_by_role("alert")).to_have_text("现在问得太密了。")
    expect(turn.get_by_role("button", name=re.compile("秒后可重试"))).to_be_disabled()
    assert violations(page) == []
    page.unroute_all()
    turn.get_by_role("button", name="重试", exact=True).click()
    expect(turn).to_contain_text("常见问题解答")


def test_enter_that_belongs_to_an_input_method_sends_nothing(site: Site) -> None:
    page = site.citizen()
    ask(page, "你好")
    box = page.get_by_label("您的问题")
    box.fill("gongsi")
    for composing in ({"isComposing": True}, {"keyCode": 229}):
        box.dispatch_event("keydown", {"key": "Enter", "bubbles": True, **composing})
    box.press("Shift+Enter")
    expect(page.locator("article.turn")).to_have_count(1)
    expect(box).to_have_value("gongsi\n")


def test_a_finished_answer_is_announced_once(site: Site) -> None:
    page = site.citizen()
    listen(page)
    ask(page, QUESTION)
    page.wait_for_timeout(500)  # it is said a moment after it is shown, and must not be again
    said = heard(page)
    assert len(said) == 1
    assert said[0].startswith("回答好了。")


def test_large_letters_and_the_view_for_the_old_stay_chosen(site: Site, abroad: str) -> None:
    page, _ = site.visitor(abroad, PHONE)
    panel = opened(page)

    def size() -> float:
        measured: float = panel.evaluate("(el) => parseFloat(getComputedStyle(el).fontSize)")
        return measured

    ordinary = size()
    page.get_by_role("button", name="字号").click()
    assert size() > ordinary * 1.1
    page.get_by_role("button", name="长辈版").click()
    assert size() >= ordinary * 1.29
    assert violations(page) == []
    page.reload()
    panel = opened(page)
    assert size() >= ordinary * 1.29
    assert panel.evaluate("(el) => el.scrollWidth <= el.clientWidth")
    expect(page.get_by_role("button", name="关闭公共法律咨询助手")).to_be_in_viewport()
    page.context.close()


@pytest.mark.parametrize(
    ("lang", "button", "label", "send"),
    [
        ("zh-Hant", "打開公共法律諮詢助手", "您的問題", "發送"),
        ("en", "Open the public legal assistant", "Your question", "Send"),
    ],
)
def test_the_interface_speaks_other_languages_and_answers_stay_as_they_are(
    site: Site, abroad: str, lang: str, button: str, label: str, send: str
) -> None:
    page, _ = site.visitor(f"{abroad}/?lang={lang}", PHONE)
    page.get_by_role("button", name=button).click()
    page.get_by_label(label).fill(QUESTION)
    page.get_by_role("button", name=send, exact=True).click()
    page.locator("dialog[open] .primary").click()
    answer = page.locator("article.turn .answer")
    expect(answer).to_contain_text("申请支付令")
    assert violations(page) == []
    ours = site.browser.new_context().new_page()
    ours.goto(f"{site.url}/?lang={lang}")
    expect(ours.get_by_role("button", name=send, exact=True)).to_be_visible()
    expect(ours.get_by_label(label)).to_be_visible()
    ours.context.close()
    page.context.close()


def test_on_paper_stands_the_answer_and_not_the_page_around_it(site: Site, abroad: str) -> None:
    page, _ = site.visitor(abroad)
    opened(page)
    turn = ask(page, QUESTION)
    page.emulate_media(media="print")
    page.evaluate(
        """() => {
            const shown = (el) => el.checkVisibility();
            const { shadowRoot } = document.querySelector('legal-assistant');
            window.print = () => { window.paper = [shown(document.getElementById('own')),
                shown(shadowRoot.querySelector('.answer .summary')),
                getComputedStyle(shadowRoot.querySelector('.panel')).position]; };
        }"""
    )
    turn.locator(".foot button", has_text="打印").evaluate("(el) => el.click()")
    assert page.evaluate("window.paper") == [False, True, "static"]
    assert page.evaluate("document.getElementById('own').checkVisibility()")
    page.context.close()


def test_a_browser_solves_the_puzzle_that_the_server_sets(site: Site) -> None:
    challenges = Challenges("k" * 40)
    challenge = challenges.set("s", "q").details["challenge"]
    page = site.citizen()
    proof, took_ms = page.evaluate(
        """async (challenge) => {
            const { solve } = await import('/static/proof.js'), began = performance.now();
            return [await solve(challenge), performance.now() - began];
        }""",
        challenge,
    )
    assert challenges.solved(proof, "s", "q")
    assert not challenges.solved(proof, "s", "another")
    assert took_ms < 10_000  # under two seconds on a phone; this machine may be busy


@pytest.mark.parametrize("width", [320, 360, 768, 1440])
def test_nothing_scrolls_sideways(site: Site, width: int) -> None:
    page = site.citizen((width, 800))
    ask(page, QUESTION)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []


def test_an_alarm_that_was_none_is_one_touch_from_its_answer(site: Site) -> None:
    citizen = site.citizen()
    alarm = ask(citizen, "老公打我我该怎么办")
    alarm.get_by_role("button", name=wording.NO_DANGER).click()
    answer = citizen.locator("article.turn").nth(1)
    expect(answer.locator(".summary")).to_be_visible(timeout=20_000)
    caution = answer.locator(".caution")
    expect(caution.get_by_role("link", name="12356")).to_have_attribute("href", "tel:12356")
    expect(answer.locator(".summary")).to_contain_text("家暴")
    above, below = caution.bounding_box(), answer.locator(".summary").bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] < below["y"]
    citizen.get_by_role("button", name="我的会话").click()
    citizen.get_by_role("button", name="查看").click()
    expect(citizen.locator("dialog .stored")).to_contain_text(wording.IF_DANGER)
