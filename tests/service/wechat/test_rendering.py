"""Answers as WeChat texts."""

from __future__ import annotations

from typing import Any

import pytest

from service.answering import wording as answering_wording
from service.channels.wechat import wording
from service.channels.wechat.rendering import (
    MOST_PARTS,
    MOST_PARTS_WITHOUT_PAGE,
    Links,
    render,
)
from service.wechat.text import LONGEST, size

WRITTEN = {"name": "m", "generated": ["summary"]}
LINKS = Links("https://sf.example.gov.cn/answer#token", "https://sf.example.gov.cn/legal-aid")


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "outcome": "answered_faq",
        "summary": "可以先向劳动监察投诉。",
        "citations": [
            {
                "law": "中华人民共和国劳动法",
                "article": "第五十条",
                "text": "工资应当以货币形式按月支付给劳动者本人。"
                "不得克扣或者无故拖欠劳动者的工资。",
                "in_force": True,
                "highlight": [20, 37],
            }
        ],
        "steps": [
            {
                "title": "劳动监察投诉",
                "how": "带上劳动合同和工资记录。\n当场填表。",
                "where": "大渡河路1668号（未核实，请先致电核实）",
                "phone": "021-52564588",
                "hours": "周一至周五9:00-16:30",
                "open_now": "现在开放",
                "fee": None,
                "deadline": None,
            }
        ],
        "notices": ["申请仲裁的时效期间为一年。"],
        "handover": None,
        "clarify": None,
    } | changes


def test_everything_that_a_citizen_needs_is_in_it_and_nothing_of_markdown() -> None:
    [text] = render(answer(), Links())
    for needed in (
        "可以先向劳动监察投诉。",
        "· 申请仲裁的时效期间为一年。",
        "一、劳动监察投诉",
        "地点：大渡河路1668号（未核实，请先致电核实）",
        "电话：021-52564588",
        "时间：周一至周五9:00-16:30，现在开放",
        "《劳动法》第五十条：……不得克扣或者无故拖欠劳动者的工资。",
        wording.NOTE,
    ):
        assert needed in text
    assert "费用" not in text
    assert not set("*#`") & set(text)
    assert "None" not in text


def test_at_most_three_citations_are_named() -> None:
    [text] = render(answer(citations=answer()["citations"] * 7), Links())
    assert text.count("《劳动法》") == 3


def test_an_article_that_is_gone_says_so() -> None:
    gone = [answer()["citations"][0] | {"in_force": False}]
    assert "《劳动法》第五十条（已失效）" in render(answer(citations=gone), Links())[0]


def test_choices_are_numbered_once() -> None:
    [text] = render(answer(clarify=["甲", "乙"]), Links())
    assert text.endswith("1. 甲\n2. 乙\n" + wording.CHOOSE)
    asked = "请问您是？\n1. 甲\n2. 乙\n回复数字就行"
    [text] = render(
        answer(outcome="clarify_legal_aid", summary=asked, clarify=["甲", "乙"], steps=[]), LINKS
    )
    assert text.count("1. 甲") == 1
    assert wording.PRECHECK_PAGE in text


def test_links_are_there_where_there_are_pages() -> None:
    [text] = render(answer(), LINKS)
    assert f'<a href="{LINKS.whole}">{wording.WHOLE}</a>' in text


def test_what_looks_like_a_tag_is_text() -> None:
    [text] = render(answer(summary='“<a href="https://evil">点我</a>”涉及的事情很多'), Links())
    assert "<a" not in text


def test_a_long_answer_is_shortened_where_a_page_has_all_of_it() -> None:
    long = answer(summary="这是一句不短的话。" * 400)
    parts = render(long, LINKS)
    assert len(parts) == MOST_PARTS
    assert all(size(part) < LONGEST for part in parts)
    assert f'<a href="{LINKS.whole}">{wording.WHOLE}</a>' in parts[-1]
    assert parts[-1].endswith(wording.NOTE)


def test_without_a_page_a_long_answer_comes_in_parts_and_whole() -> None:
    parts = render(answer(summary="这是一句不短的话。" * 200), Links())
    assert 3 <= len(parts) <= 5
    assert "".join(parts).count("这是一句不短的话。") == 200
    assert wording.NOT_ALL not in parts[-1]


@pytest.mark.parametrize("sentences", [380, 1000])
def test_what_is_too_long_without_a_page_says_so_and_keeps_its_end(sentences: int) -> None:
    long = answer(summary="这是一句不短的话。" * sentences, model=WRITTEN, clarify=["甲", "乙"])
    parts = render(long, Links())
    assert len(parts) == MOST_PARTS_WITHOUT_PAGE
    assert all(size(part) < LONGEST for part in parts)
    ends = [wording.NOT_ALL, wording.WRITTEN_BY_MODEL, wording.NOTE, "", "1. 甲", "2. 乙"]
    assert parts[-1].endswith("\n".join([*ends, wording.CHOOSE]))


def test_of_what_can_wait_in_danger_the_offer_of_a_person_stays() -> None:
    handover = {"kind": "urgent", "reason": "先保证安全。", "targets": []}
    notices = ["这是一句不短的话。" * 200]
    danger = answer(outcome="handover_urgent", handover=handover, notices=notices)
    _first, second = render(danger, Links())
    assert second.endswith(f"{wording.NOT_ALL}\n\n{wording.OFFER_PERSON}")
    assert size(second) < LONGEST
    assert f'<a href="{LINKS.whole}">' in render(danger, LINKS)[1]


def test_a_quotation_that_goes_on_is_shown_to_go_on() -> None:
    law = answer()["citations"][0]
    before = law | {"text": "可以解除合同；但是另有约定的除外。\n", "highlight": [0, 7]}
    assert "：可以解除合同；……" in render(answer(citations=[before]), Links())[0]
    to_the_end = before | {"highlight": [0, 17]}
    assert (
        "：可以解除合同；但是另有约定的除外。\n"
        in render(answer(citations=[to_the_end]), Links())[0]
    )


@pytest.mark.parametrize("kind", sorted(answering_wording.URGENT))
def test_what_is_said_in_danger_is_whole_in_the_first_message(kind: str) -> None:
    summary, hotlines = answering_wording.URGENT[kind]
    targets = [{"title": "市公共法律服务热线", "phone": "021-12345678"} for _ in hotlines]
    reason = answering_wording.URGENT_REASONS[kind]
    handover = {"kind": "urgent", "reason": reason, "targets": targets}
    choice = [answering_wording.NO_DANGER]
    danger = answer(outcome="handover_urgent", summary=summary, handover=handover, clarify=choice)
    first, second = render(danger, LINKS)
    assert first.startswith(reason)
    assert summary in first
    assert first.count("021-12345678") == len(hotlines)
    assert f"1. {answering_wording.NO_DANGER}" in second
    assert wording.OFFER_PERSON in second
    assert size(first) < LONGEST


def test_only_what_a_model_wrote_is_labelled() -> None:
    assert wording.WRITTEN_BY_MODEL not in render(answer(), Links())[0]
    assert wording.WRITTEN_BY_MODEL in render(answer(model=WRITTEN), Links())[0]
    reworded = answer(model={"name": "m", "generated": ["notices"]})
    assert wording.WRITTEN_BY_MODEL not in render(reworded, Links())[0]


def test_a_person_who_talks_is_not_interrupted() -> None:
    assert render(answer(outcome="handover_with_person"), LINKS) == []


def test_who_may_need_a_person_is_told_how() -> None:
    targets = [{"title": "12348热线", "phone": "12348", "hours": "每天24小时"}]
    handover = {"kind": "hotline", "reason": "没有足够把握", "targets": targets}
    [text] = render(answer(outcome="unanswerable_unsure", handover=handover), Links())
    assert "· 12348热线：12348，每天24小时" in text
    assert wording.OFFER_PERSON in text


def test_where_there_may_be_danger_whom_to_call_comes_before_the_answer() -> None:
    [first, *_] = render(answer(caution=answering_wording.IF_DANGER), Links())
    assert first.startswith(answering_wording.IF_DANGER)
