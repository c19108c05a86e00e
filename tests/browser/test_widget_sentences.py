"""What a language model writes arrives sentence by sentence, labelled, and ends as what was
verified; what it has not written bears no label."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from service.answering import wording
from service.evaluation.characters import invention
from tests.browser.abroad import Wire
from tests.browser.conftest import Site, ask, heard, kept, listen, send, violations
from tests.fakes_model import Scripted, line

QUESTION = "公司拖欠三个月工资怎么办"
LABEL = wording.MODEL_LABEL


class Pen:
    """A model that writes what the law says to QUESTION, a sentence each time it is let go on."""

    def __init__(self, site: Site) -> None:
        found = site.serving.answer(QUESTION).draft.citations[:3]
        self.sentences = [c.source.passage.text.split("。")[0].split("\n")[0] for c in found]
        self._steps = [threading.Event() for _ in self.sentences]
        pieces: list[object] = []
        for number, (said, step) in enumerate(zip(self.sentences, self._steps, strict=True), 1):
            pieces += [line(said, f"A{number}"), step]
        self.model = Scripted(pieces=pieces)

    def go_on(self) -> None:
        """Write the next sentence; after the last, end."""
        next(step for step in self._steps if not step.is_set()).set()

    def finish(self) -> None:
        for step in self._steps:
            step.set()


@pytest.fixture
def pen(site: Site) -> Iterator[Pen]:
    held = Pen(site)
    with site.model(held.model):
        yield held
    held.finish()


def finished(turn: Locator, sentences: list[str]) -> None:
    """The answer is there: labelled once, with the sentences in their order."""
    expect(turn.locator(".answer:not(.arriving)")).to_be_visible(timeout=20_000)
    expect(turn.locator(".arriving, .wait")).to_have_count(0)
    summary = turn.locator(".answer .summary").inner_text()
    places = [summary.find(said) for said in sentences]
    assert -1 not in places
    assert places == sorted(places)
    assert turn.inner_text().count(LABEL) == 1
    expect(turn.locator(".source.ai")).to_contain_text("试验模型，备案-1")


def watch(page: Page) -> None:
    """From now on keep all that is ever on our page, for `seen`."""
    page.evaluate(
        """() => {
            window.seen = '';
            new MutationObserver(() => { window.seen += document.body.textContent; })
                .observe(document.body, { childList: true, characterData: true, subtree: true });
        }"""
    )


def seen(page: Page) -> str:
    texts: str = page.evaluate("window.seen")
    return texts


def until_told(page: Page, words: str) -> None:
    patience = time.monotonic() + 10
    while not any(words in said for said in heard(page)):
        assert time.monotonic() < patience, heard(page)
        page.wait_for_timeout(50)


@pytest.mark.parametrize("view", ["desktop", "phone", "phone for the old"])
def test_sentences_come_one_after_another_under_the_label_before_the_answer_is_finished(
    site: Site, abroad: str, pen: Pen, view: str
) -> None:
    page, wrong = site.embedded(view)
    ask(page, "你好")
    turn = send(page, QUESTION)
    arriving = turn.locator(".arriving")
    for number, said in enumerate(pen.sentences, 1):
        expect(arriving.locator("p")).to_have_count(number + 1)
        expect(arriving.locator("p").first).to_have_text(LABEL)
        expect(arriving.locator("p").last).to_contain_text(said)
        expect(arriving.locator("p").last).to_be_in_viewport()
        expect(turn.locator(".wait")).to_contain_text("正在整理回答")
        if number == 2:
            assert violations(page) == []
        pen.go_on()
    finished(turn, pen.sentences)
    assert violations(page) == []
    assert site.stored(kept(page)["conversation"]) == 2
    assert wrong == []
    page.context.close()


def test_screen_readers_are_told_the_finished_answer_once_and_no_sentence(
    site: Site, pen: Pen
) -> None:
    page = site.citizen()
    ask(page, "你好")
    page.wait_for_timeout(200)  # until that is said
    listen(page)
    turn = send(page, QUESTION)
    for number in range(1, 4):
        expect(turn.locator(".arriving p")).to_have_count(number + 1)
        pen.go_on()
    finished(turn, pen.sentences)
    page.wait_for_timeout(500)
    (said,) = heard(page)
    assert said.startswith("回答好了。")
    assert said.count(LABEL) == 1
    assert all(sentence in said for sentence in pen.sentences)
    expect(turn.locator("[role=status], [aria-live]")).to_have_count(0)


def test_what_is_not_verified_is_never_on_screen(site: Site) -> None:
    pen, lie = Pen(site), invention(4)
    first, *rest = pen.model.pieces
    with site.model(Scripted(pieces=[first, line(lie, "A1"), *rest])):
        page = site.citizen()
        ask(page, "你好")
        watch(page)
        turn = send(page, QUESTION)
        expect(turn.locator(".arriving p")).to_have_count(2)
        pen.finish()
        finished(turn, pen.sentences)
    assert pen.sentences[0] in seen(page)
    assert lie not in seen(page)


def test_an_answer_that_the_model_did_not_write_bears_no_label(site: Site) -> None:
    page = site.citizen()
    plain = ask(page, QUESTION)
    words = plain.locator(".summary").inner_text()
    expect(plain.locator(".ai")).to_have_count(0)
    # Most of it is made up: its one true sentence was seen, and the answer is the plain one.
    pen = Pen(site)
    first, step, *_ = pen.model.pieces
    lies = [line(invention(n), "A1") for n in range(3)]
    with site.model(Scripted(pieces=[first, step, *lies])):
        turn = send(page, QUESTION)
        expect(turn.locator(".arriving .ai")).to_have_text(LABEL)
        pen.finish()
        expect(turn.locator(".answer:not(.arriving)")).to_be_visible(timeout=20_000)
    expect(turn.locator(".arriving, .ai")).to_have_count(0)
    assert turn.locator(".summary").inner_text() == words
    assert "人工智能" not in turn.inner_text()


def test_where_the_model_has_only_read_the_question_the_label_stands_at_what_it_read(
    site: Site,
) -> None:
    vague = "前面讲的那个数目到底该按照哪一种方式去弄明白才对呢我真的是想不通"
    page = site.citizen()
    ask(page, "我在饭店做服务员，老板拖欠工资三个月没发")
    with site.model(Scripted(pieces=['{"question": "老板拖欠工资三个月没发怎么办"}'])):
        turn = ask(page, vague)
    expect(turn.locator(".notices .ai")).to_contain_text("由人工智能生成")
    expect(turn.locator(".notices .ai")).to_contain_text("试验模型，备案-1")
    expect(turn.locator(".ai")).to_have_count(1)
    expect(turn).not_to_contain_text(LABEL)
    assert violations(page) == []


def test_a_cut_amid_the_sentences_keeps_them_and_goes_on_to_the_one_answer(
    site: Site, pen: Pen
) -> None:
    wire = Wire(int(site.url.rpartition(":")[2]))
    page = site.browser.new_context(locale="zh-CN").new_page()
    page.goto(wire.url)
    ask(page, "你好")
    listen(page)
    turn = send(page, QUESTION)
    expect(turn.locator(".arriving p")).to_have_text([LABEL, pen.sentences[0]])
    wire.drop()
    until_told(page, "正在接上")
    expect(turn.locator(".wait")).to_contain_text("正在整理回答")
    expect(turn.locator(".arriving p")).to_have_text([LABEL, pen.sentences[0]])
    expect(turn.locator(".arriving")).to_have_count(1)
    pen.finish()
    finished(turn, pen.sentences)
    assert len(pen.model.history) == 1
    assert site.stored(kept(page)["conversation"]) == 2
    wire.close()
    page.context.close()


def test_what_is_written_anew_after_a_cut_takes_the_place_of_what_was_there(
    site: Site, pen: Pen
) -> None:
    """As when the server has died amid its sentences, and the next one begins again."""
    heard_before = [
        ("status", {"stage": "composing", "label": LABEL}),
        ("sentence", {"text": "先前的一句。", "sources": [], "ai": True}),
    ]
    cut = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in heard_before)
    page = site.citizen()
    ask(page, "你好")
    page.route(
        "**/api/v1/questions",
        lambda route: route.fulfill(body=cut, content_type="text/event-stream"),
        times=1,
    )
    watch(page)
    turn = send(page, QUESTION)
    expect(turn.locator(".arriving p")).to_have_text([LABEL, pen.sentences[0]])
    pen.finish()
    finished(turn, pen.sentences)
    assert "先前的一句" in seen(page)
    expect(turn).not_to_contain_text("先前的一句")


def test_who_stops_amid_the_sentences_gets_the_one_answer_when_trying_again(
    site: Site, pen: Pen
) -> None:
    page = site.citizen()
    ask(page, "你好")
    turn = send(page, QUESTION)
    expect(turn.locator(".arriving p")).to_have_count(2)
    turn.get_by_role("button", name="停止").click()
    expect(turn.get_by_role("alert")).to_contain_text("已停止。您的问题还在这里。")
    expect(turn.locator(".arriving")).to_have_count(0)
    pen.finish()
    turn.get_by_role("button", name="重试").click()
    finished(turn, pen.sentences)
    assert len(pen.model.history) == 1
    assert site.stored(kept(page)["conversation"]) == 2


def test_a_reload_amid_the_sentences_brings_the_one_answer(site: Site, pen: Pen) -> None:
    page = site.citizen()
    ask(page, "你好")
    expect(send(page, QUESTION).locator(".arriving p")).to_have_count(2)
    page.reload()
    turn = page.locator("article.turn").last
    expect(turn.locator(".wait")).to_be_visible()
    pen.finish()
    finished(turn, pen.sentences)
    assert len(pen.model.history) == 1
    assert site.stored(kept(page)["conversation"]) == 2
