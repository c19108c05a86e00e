"""Conditions, exceptions and deadlines that an answer leaves out are put beside it."""

from __future__ import annotations

from service.answering import wording
from service.model.evidence import Evidence
from service.model.omissions import missing
from service.model.verification import Sentence

DIVORCE = Evidence(
    "A1",
    "《民法典》第一千零八十二条",
    "女方在怀孕期间、分娩后一年内或者终止妊娠后六个月内，男方不得提出离婚；"
    "但是，女方提出离婚或者人民法院认为确有必要受理男方离婚请求的除外。",
)
QUESTION = "老婆怀孕了能离婚吗"


def said(*sentences: str, source: Evidence = DIVORCE) -> list[Sentence]:
    return [Sentence(text, (source,)) for text in sentences]


def test_an_exception_that_is_left_out_is_quoted_word_for_word() -> None:
    first, second = DIVORCE.text.split("；")
    (notice,) = missing(said(f"{first}。"), QUESTION)
    assert notice == wording.MODEL_OMITTED.format(name=DIVORCE.name, text=second)


def test_what_is_said_in_other_words_is_not_said_again() -> None:
    told = said(
        "女方怀孕期间、分娩后一年内或者终止妊娠后六个月内，男方不得提出离婚。",
        "但是女方自己提出离婚，或者人民法院认为确有必要受理男方离婚请求的除外。",
    )
    assert missing(told, QUESTION) == []


def test_its_words_without_its_force_do_not_say_it() -> None:
    """Cut off before 不得, the sentence has nearly all the words and says nothing."""
    first = DIVORCE.text.split("；")[0]
    notices = missing(said("女方在怀孕期间、分娩后一年内或者终止妊娠后六个月内，男方。"), QUESTION)
    assert any(first in notice for notice in notices)


def test_a_deadline_that_is_left_out_is_quoted() -> None:
    source = Evidence(
        "S1", "解答", "不服仲裁裁决的，可以起诉。应当在收到裁决书之日起十五日内起诉。"
    )
    (notice,) = missing(said("不服仲裁裁决的，可以起诉。", source=source), "不服怎么办")
    assert "应当在收到裁决书之日起十五日内起诉。" in notice


def test_a_deadline_with_another_figure_is_not_said() -> None:
    source = Evidence("S1", "解答", "应当在收到裁决书之日起十五日内起诉。")
    assert missing(said("应当在收到裁决书之日起五日内起诉。", source=source), "")


def test_a_passage_that_nobody_named_has_nothing_to_add_unless_the_answer_rests_on_it() -> None:
    other = Evidence("S1", "解答", "逾期不起诉的，裁决生效。")
    told = said(*DIVORCE.text.replace("；", "。\n").splitlines())
    assert missing(told, QUESTION) == []
    assert len(missing(told, QUESTION, [other])) == 1


def test_many_are_cut_with_a_word_about_the_rest() -> None:
    names = "甲乙丙丁戊己庚辛壬癸"
    text = "".join(f"逾期不交{name}类材料的，不予受理。" for name in names)
    notices = missing(said("应当交材料。", source=Evidence("S1", "解答", text)), "交乙类材料")
    assert len(notices) == 7
    assert notices[-1] == wording.MODEL_MORE
    assert "乙类" in notices[0]
