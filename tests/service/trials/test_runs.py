"""Sets asked in the background: one at a time, kept, stopped, cut off, compared."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import BadRequest, Conflict, NotFound
from service.trials.comparison import compare
from service.trials.runs import TrialRuns
from tests.service.trials.laboratory import DIVORCE, WAGES, Laboratory, Told


def test_a_run_keeps_every_answer_and_what_was_wrong_with_it(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(
        member,
        {"question": "离婚冷静期多久", "outcome": ["answered"], "shows": [DIVORCE]},
        {"question": "外星人", "outcome": ["answered"]},
        "公司拖欠工资怎么办",
    )
    run = laboratory.run(member, made)
    state = laboratory.runs.read(run)
    assert state["status"] == "finished"
    assert (state["done"], state["passed"], state["failed"]) == (3, 1, 1)
    assert state["knowledge"] == "k1"
    right, wrong, open_ = laboratory.runs.results(run)
    assert right["passed"] is True
    assert right["cited"] == ["民法典第一千零七十七条"]
    assert set(right["shown"]) == {DIVORCE, WAGES}
    assert wrong["why"] == ["应当直接回答，实际是“说没有把握”"]
    assert open_["passed"] is None


def test_a_follow_up_is_asked_after_the_questions_before_it(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    row = {"question": "那要多久", "earlier": ["离婚冷静期多久"], "outcome": ["answered"]}
    run = laboratory.run(member, laboratory.a_set(member, row))
    assert laboratory.told.asked == ["离婚冷静期多久", "那要多久"]
    assert laboratory.runs.read(run)["passed"] == 1


def test_a_run_asks_what_was_in_the_set_when_it_was_asked_for(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(member, "冷静期几天")
    run = laboratory.runs.ask_for(member, [laboratory.sets.read(made["id"])])
    laboratory.sets.remove(member, made["id"], made["questions"][0]["id"])
    laboratory.work()
    assert [r["question"] for r in laboratory.runs.results(run)] == ["冷静期几天"]


def test_what_two_sets_ask_is_asked_once_unless_both_expect_something(
    laboratory: Laboratory,
) -> None:
    member = laboratory.hire()
    one = laboratory.a_set(member, "一", {"question": "二", "outcome": ["answered"]})
    other = laboratory.a_set(member, "一", "二", {"question": "三", "outcome": ["answered"]})
    third = laboratory.a_set(member, {"question": "三", "outcome": ["clarify"]})
    results = laboratory.runs.results(laboratory.run(member, one, other, third))
    assert [r["question"] for r in results] == ["一", "二", "三", "三"]
    assert results[1]["passed"] is False


def test_a_run_that_is_stopped_keeps_what_was_asked(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(member, "一", "二", "三")
    run = laboratory.runs.ask_for(member, [made])

    class Stopped(Told):
        def answer(self, question: str, **given: Any) -> Any:
            if question == "二":
                laboratory.runs.cancel(member, run)
            return super().answer(question, **given)

    laboratory.runs.work(Stopped(), laboratory.drafts_of)
    state = laboratory.runs.read(run)
    assert (state["status"], state["done"]) == ("cancelled", 1)
    assert [r["question"] for r in laboratory.runs.results(run)] == ["一"]
    with pytest.raises(Conflict, match="已停止"):
        laboratory.runs.cancel(member, run)


def test_a_run_cut_off_by_a_restart_is_shown_as_such_and_lets_the_next_go(
    laboratory: Laboratory,
) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(member, "一", "二")
    first = laboratory.runs.ask_for(member, [made])

    class Killed(BaseException):
        """What ends a process is no Exception."""

    class Dying(Told):
        def answer(self, question: str, **given: Any) -> Any:
            if question == "二":
                raise Killed
            return super().answer(question, **given)

    with pytest.raises(Killed):
        laboratory.runs.work(Dying(), laboratory.drafts_of)
    second = laboratory.runs.ask_for(member, [made])
    assert laboratory.work() == 0  # the first may still be going on in another process
    laboratory.clock.later(minutes=3)
    after = TrialRuns(laboratory.sessions, clock=laboratory.clock)
    assert after.read(first)["status_label"] == "中断"
    assert after.work(laboratory.told, laboratory.drafts_of) == 1
    assert after.read(second)["status"] == "finished"
    assert [r["question"] for r in after.results(first)] == ["一"]


def test_what_breaks_is_a_run_that_failed_not_one_that_waits_for_ever(
    laboratory: Laboratory,
) -> None:
    member = laboratory.hire()

    class Broken(Told):
        def answer(self, *_question: Any, **_given: Any) -> Any:
            raise RuntimeError("the index is gone")

    run = laboratory.runs.ask_for(member, [laboratory.a_set(member, "一")])
    laboratory.runs.work(Broken(), laboratory.drafts_of)
    state = laboratory.runs.read(run)
    assert state["status"] == "failed"
    assert "日志" in state["problem"]
    assert "index" not in state["problem"]


def test_runs_are_asked_for_within_bounds(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    with pytest.raises(BadRequest, match="还没有问题"):
        laboratory.runs.ask_for(member, [laboratory.sets.read(laboratory.a_set(member)["id"])])
    with pytest.raises(BadRequest, match="请选"):
        laboratory.runs.ask_for(member, [])
    made = laboratory.a_set(member, "一")
    for _ in range(20):
        laboratory.runs.ask_for(member, [made])
    with pytest.raises(Conflict, match="排队的太多"):
        laboratory.runs.ask_for(member, [made])
    with pytest.raises(NotFound):
        laboratory.runs.read("r_none")


def test_history_is_of_the_set_newest_first_a_page_at_a_time(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    one, other = laboratory.a_set(member, "一"), laboratory.a_set(member, "二")
    runs = [laboratory.run(member, one) for _ in range(3)]
    laboratory.run(member, other)
    page = laboratory.runs.history(one["id"], limit=2)
    assert [r["id"] for r in page] == runs[:0:-1]
    rest = laboratory.runs.history(one["id"], before=page[-1]["id"])
    assert [r["id"] for r in rest] == runs[:1]


def test_two_runs_are_compared_by_what_a_citizen_reads(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(
        member,
        {"question": "离婚冷静期多久", "outcome": ["answered"]},
        {"question": "外星人", "outcome": ["answered"]},
        "公司拖欠工资怎么办",
        "没有变的",
    )
    before = laboratory.runs.results(laboratory.run(member, made))
    laboratory.told.table = {"外星人": WAGES, "公司拖欠工资怎么办": DIVORCE}
    after = laboratory.runs.results(laboratory.run(member, made))
    found = compare(before, after)
    assert found["sentence"] == "新答对 1、新答错 1、答案变了 1"
    assert [(c["kind"], c["question"]) for c in found["changes"]] == [
        ("worse", "离婚冷静期多久"),
        ("better", "外星人"),
        ("changed", "公司拖欠工资怎么办"),
    ]
    worse, _, changed = found["changes"]
    assert worse["what"] == ["结果", "正文", "引用的条文", "给出的内容"]
    assert {run["op"] for line in changed["words"] for run in line} >= {"del", "ins"}
    assert compare(after, after)["sentence"] == "4 个问题的回答都没有变。"


def test_questions_that_only_one_run_asked_are_counted_not_compared() -> None:
    row: dict[str, Any] = {
        "key": "1", "set_id": "q", "passed": None, "outcome": "answered_faq", "summary": "一",
        "cited": [], "shown": {}, "position": 0, "question": "问",
    }  # fmt: skip
    found = compare([row], [row | {"key": "2"}])
    assert found["counts"]["only_after"] == found["counts"]["only_before"] == 1
    assert found["changes"] == []
    assert found["sentence"] == "没有可以比较的问题。"
