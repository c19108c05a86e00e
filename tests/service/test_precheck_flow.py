"""The pre-check as a conversation: what people reply, and how they get out of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.answering.choices import choose
from service.answering.precheck_flow import CHANGED, ENDED, FlowStep, LegalAidFlow, choices_of
from tests.service.precheck_paths import CASES, CHECK, walk

FLOW = LegalAidFlow(CHECK)
QUESTIONS = {q.id: q for q in CHECK.table.questions}


def talk(*replies: str) -> FlowStep | None:
    """The step after these replies; the state goes through JSON, as it does in the database."""
    step: FlowStep | None = FLOW.start()
    for reply in replies:
        assert step is not None
        assert step.state is not None, f"over before {reply}"
        step = FLOW.advance(json.loads(json.dumps(step.state)), reply)
    return step


def picked(question: str, reply: str) -> list[str] | None:
    asked = QUESTIONS[question]
    return choose(reply, choices_of(asked), many=asked.many)


def test_it_starts_with_what_it_is_and_the_first_question() -> None:
    step = FLOW.start()
    assert "不用填姓名" in step.text
    assert "1. 想找法律援助律师" in step.text
    assert len(step.options) == 3
    assert step.result is None


@pytest.mark.parametrize(
    "reply",
    ["1", "1.", "１", "1、", "(1)", "①", "1️⃣", "一", "第一个", "第1个", "选1", "我选1", "选项一",
     "1吧", "1 想找法律援助律师", "想找法律援助律师，先看看能不能申请", "想申请",
     "想找法律援助律师先看看能不能申请。", "想找法律援助律師，先看看能不能申請", "我想申请",
     "想找法律援助律师，先看看能不能深请"],
)  # fmt: skip
def test_a_number_a_label_and_a_near_label_are_understood(reply: str) -> None:
    assert picked("need", reply) == ["apply"]


@pytest.mark.parametrize(
    ("question", "reply", "options"),
    [
        ("lawyer", "没有", ["none"]),
        ("lawyer", "我没请律师", ["none"]),
        ("lawyer", "有", ["has"]),
        ("lawyer", "请了", ["has"]),
        ("household", "外地", ["other"]),
        ("household", "上海", ["shanghai"]),
        ("place", "普陀", ["putuo"]),
        ("place", "不知道", ["unknown"]),
        ("area", "老板欠工资", ["work"]),
        ("area", "家暴", ["family"]),
        ("family", "要抚养费", ["support"]),
        ("hardship", "付不起", ["hard"]),
        ("hardship", "付得起", ["can"]),
        ("proof", "1 3", ["relief", "judicial"]),
        ("proof", "1，3", ["relief", "judicial"]),
        ("proof", "1和3", ["relief", "judicial"]),
        ("proof", "一、三", ["relief", "judicial"]),
        ("proof", "低保、农民工", ["relief", "migrant"]),
        ("proof", "都没有", ["none"]),
        ("charge", "聋哑人", ["disabled"]),
    ],
)
def test_people_answer_in_their_own_words(question: str, reply: str, options: list[str]) -> None:
    assert picked(question, reply) == options


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("need", "4"), ("need", "0"), ("need", "1 2"), ("need", "12"), ("need", "-1"),
        ("need", ""), ("need", "？"), ("need", "。。。"), ("need", "今天天气真好"),
        ("family", "没有家暴"), ("family", "不是离婚"), ("household", "上海的最低工资是多少"),
        ("household", "不是上海户籍"), ("area", "公司欠我工资怎么办"), ("charge", "没有残疾"),
        ("lawyer", "律师费大概要多少"), ("place", "普陀区的法院在哪里"), ("proof", "1 9"),
        ("hardship", "我不困难"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_not_guessed(question: str, reply: str) -> None:
    assert picked(question, reply) is None


def test_every_option_is_reached_by_its_number_its_label_and_its_other_words() -> None:
    for question in QUESTIONS.values():
        for i, option in enumerate(question.options, start=1):
            for reply in (str(i), option.label, *option.also):
                assert picked(question.id, reply) == [option.id], (question.id, reply)


@pytest.mark.parametrize("reply", ["退出", "算了", "不查了", "算了吧", "不想查了。", "不用了谢谢"])
def test_it_can_be_left_at_any_time(reply: str) -> None:
    assert talk("1", reply) == FlowStep(None, ENDED)


def test_one_reply_that_is_not_understood_is_asked_again_and_the_second_leaves() -> None:
    once = talk("1", "楼上漏水")
    assert once is not None
    assert once.text.startswith("没有听懂")
    assert "是谁需要律师" in once.text
    assert talk("1", "楼上漏水", "漏水怎么赔") is None


def test_a_reply_that_is_understood_clears_the_count() -> None:
    step = talk("1", "啊？", "1", "啊？")
    assert step is not None
    assert "是哪一类事" in step.text


def test_a_wish_for_a_person_leaves_at_once() -> None:
    assert talk("1", "转人工") is None


def test_a_step_can_be_taken_back_and_all_begun_anew() -> None:
    back = talk("1", "1", "上一步")
    assert back is not None
    assert back.state == {"answers": {"need": "apply"}, "missed": 0}
    first = talk("上一步")
    assert first is not None
    assert first.state == {"answers": {}, "missed": 0}
    assert talk("1", "1", "重新开始") == FLOW.start()


def test_options_that_exclude_each_other_are_explained() -> None:
    step = talk("1", "3", "1", "1 8")
    assert step is not None
    assert "就不能再选别的" in step.text
    assert step.state == {"answers": walk_to_charge(), "missed": 1}


def walk_to_charge() -> dict[str, Any]:
    return {"need": "apply", "who": "detained", "area": "accused"}


def test_a_state_from_before_the_rules_changed_begins_anew() -> None:
    over = walk(CASES[0].path)
    for answers in ({"gone": "x"}, {"need": "gone"}, {"who": "self"}, over):
        step = FLOW.advance({"answers": answers, "missed": 0}, "1")
        assert step is not None
        assert step.text.startswith(CHANGED)
        assert step.state == {"answers": {}, "missed": 0}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.facts)
def test_the_conversation_ends_where_the_form_does(case: Any) -> None:
    answers = walk(case.path)
    replies = []
    for question, value in answers.items():
        ids = [o.id for o in QUESTIONS[question].options]
        chosen = value if isinstance(value, list) else [value]
        replies.append(" ".join(str(ids.index(option) + 1) for option in chosen))
    step = talk(*replies)
    assert step is not None
    assert step.state is None
    assert step.result == CHECK.evaluate(answers)
    assert step.text.startswith(step.result.label)


@settings(max_examples=200, deadline=None)
@given(replies=st.lists(st.text(max_size=12) | st.sampled_from("12345678"), max_size=14))
def test_no_reply_breaks_it(replies: list[str]) -> None:
    step: FlowStep | None = FLOW.start()
    for reply in replies:
        if step is None or step.state is None:
            return
        assert len(step.options) <= 8
        step = FLOW.advance(step.state, reply)
