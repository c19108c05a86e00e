"""What the pre-check refuses: answers that cannot be, and tables that do not fit together."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from service.answering.conditions import OneOf, leaves, read_condition
from service.answering.precheck import LegalAidCheck
from service.answering.precheck_table import RulesError, Verdict
from service.errors import BadRequest
from tests.service.precheck_paths import CASES, CHECK, TABLE, after, walk

WAGES = walk("apply self work wages none other migrant putuo none")


@pytest.mark.parametrize(
    ("answers", "code", "named"),
    [
        ({"salary": "high"}, "unknown_question", "salary"),
        ({7: "apply"}, "unknown_question", "7"),
        ({"need": "money"}, "unknown_option", "money"),
        ({"need": True}, "wrong_type", "您想办哪一件事"),
        ({"need": None}, "wrong_type", "您想办哪一件事"),
        ({"need": ["apply"]}, "wrong_type", "您想办哪一件事"),
        ({**WAGES, "proof": []}, "wrong_type", "有没有下面的情况"),
        ({**WAGES, "proof": [["migrant"]]}, "wrong_type", "有没有下面的情况"),
        ({**WAGES, "proof": ["migrant"] * 99}, "too_many_answers", "选得太多"),
        ({**WAGES, "proof": ["migrant", "none"]}, "contradictory_answers", "都没有"),
        ({**WAGES, "urgent": ["week", "past"]}, "contradictory_answers", "不能同时选"),
        ({**WAGES, "family": "violence"}, "contradictory_answers", "家里的哪一件事"),
        ({"need": "refused", "who": "self"}, "contradictory_answers", "是谁需要律师"),
        ({"area": "work"}, "contradictory_answers", "是哪一类事"),
        ({str(i): "x" for i in range(60)}, "too_many_answers", "最多"),
        (["apply"], "wrong_type", "格式不对"),
        (None, "wrong_type", "格式不对"),
    ],
)
def test_answers_that_cannot_be_are_refused_in_chinese(answers: Any, code: str, named: str) -> None:
    for judge in (CHECK.next_question, CHECK.evaluate, CHECK.asked):
        with pytest.raises(BadRequest) as refused:
            judge(answers)
        assert refused.value.code == code
        assert named in refused.value.message


def test_one_option_need_not_be_written_as_a_list() -> None:
    assert CHECK.evaluate({**WAGES, "proof": "migrant"}) == CHECK.evaluate(WAGES)


def test_open_questions_are_missing_information_and_nothing_is_concluded() -> None:
    result = CHECK.evaluate({"need": "apply", "who": "self"})
    assert result.verdict is Verdict.MISSING
    assert [m.text for m in result.missing] == ["还没有回答：是哪一类事？"]
    assert result.reasons == ()
    assert result.answers[1] == ("是谁需要律师？", ("我本人",))


def test_the_same_answers_give_the_same_result() -> None:
    for case in CASES[:20]:
        assert after(case.path) == after(case.path)


def _broken(change: Any) -> str:
    table = deepcopy(TABLE)
    change(table)
    with pytest.raises(RulesError) as refused:
        LegalAidCheck(table)
    return str(refused.value)


def test_a_table_that_does_not_fit_together_says_where() -> None:
    def rule(table: dict[str, Any], name: str) -> Any:
        return next(r for r in table["rules"] if r["id"] == name)

    def set_to(name: str, key: str, value: Any) -> Any:
        return lambda table: rule(table, name).update({key: value})

    said = {
        "rules.brave 的条件写了没有的问题 weather": set_to("brave", "when", {"weather": ["sun"]}),
        "rules.brave 的条件写了“harm”没有的选项 sun": set_to("brave", "when", {"harm": ["sun"]}),
        "的条件写了“is”没有的选项 rich": set_to("brave", "when", {"is": ["rich"]}),
        "rules.brave.verdict：": set_to("brave", "verdict", "surely"),
        "rules.brave.text：不能是空的": set_to("brave", "text", " "),
        "rules.brave.when：“harm”后面要写一串": set_to("brave", "when", {"harm": "brave"}),
        "rules.brave.amount：是不认识的项": set_to("brave", "amount", 3),
        "rules.brave.cites.0：写法不对": set_to("brave", "cites", ["法援法32条"]),
        "rules.brave 没有写条文": set_to("brave", "cites", []),
        "rules 里的编号 brave 重复": lambda t: t["rules"].insert(0, rule(t, "brave")),
        "最后一条要没有 when": lambda t: t["rules"].pop(),
        "verdicts 缺少 ask_person": lambda t: t["verdicts"].pop("ask_person"),
        "缺少这一项": lambda t: t.pop("disclaimer"),
        "questions.who 的 when 用到了后面才问的 area": lambda t: t["questions"][2].update(
            when={"is": ["accused"]}
        ),
        "questions.need.options：太少了": lambda t: t["questions"][0].update(
            options=t["questions"][0]["options"][:1]
        ),
        "questions.charge 的 apart 写了没有的选项": lambda t: next(
            q for q in t["questions"] if q["id"] == "charge"
        ).update(apart=[["minor", "old"]]),
        "named.accused 的条件": lambda t: t["named"].update(accused={"is": ["exempt"]}),
        "sections.where.0 的条件写了“verdict”没有的选项": lambda t: t["sections"]["where"][
            0
        ].update(when={"verdict": ["sure"]}),
    }
    for words, change in said.items():
        assert words in _broken(change), words


def test_a_rule_may_not_look_at_the_verdict_that_it_makes() -> None:
    assert "没有的问题 verdict" in _broken(
        lambda t: t["rules"][0].update(when={"verdict": ["ask_person"]})
    )


@pytest.mark.parametrize(
    "raw",
    [
        None, {}, [], "all", {"all": []}, {"not": None}, {"all": {"a": ["b"]}}, {"a": []},
        {"a": "b"}, {"a": ["b", "b"]}, {"a": [True]}, {1: ["b"]},
        {"any": [{"a": ["b"]}], "c": ["d"]},
    ],
)  # fmt: skip
def test_a_condition_written_wrongly_is_refused(raw: Any) -> None:
    with pytest.raises(ValueError, match=r"[条写单]"):
        read_condition(raw)


def test_conditions_are_total() -> None:
    """A question that was not asked has no option: true or false, never an error."""
    condition = read_condition(
        {"any": [{"a": ["x"], "b": ["y"]}, {"not": {"all": [{"c": ["z"]}, {"is": ["n"]}]}}]}
    )
    assert condition.holds({})
    assert not condition.holds({"c": frozenset("z"), "is": frozenset("n")})
    assert condition.holds({"a": frozenset("x"), "b": frozenset("yq"), "c": frozenset("z")})
    assert OneOf("b", frozenset("y")) in set(leaves(condition))
