"""What a draft would change, kept for whoever approves it."""

from __future__ import annotations

import pytest

from knowledge import store
from service.errors import NotFound
from tests.service.trials.laboratory import DIVORCE, Laboratory


@pytest.fixture(autouse=True)
def _published(laboratory: Laboratory) -> None:
    """What the store says is published is what the fake answers from."""
    with laboratory.sessions() as session:
        laboratory.told.versions = {"knowledge": store.fingerprint(session), "index": "i1"}


def test_an_author_sees_which_answers_a_draft_changes(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(member, "公司拖欠工资怎么办", "外星人离婚")
    draft = laboratory.draft("d@2", DIVORCE, "三十天，可以撤回。", "离婚冷静期多久", "外星人离婚")
    asked = laboratory.comparisons.ask_for(member, draft, [made])
    assert asked["open"]
    assert "正在比较" in asked["verdict"]
    laboratory.work()
    view = laboratory.comparisons.read(asked["id"])
    # The ways of asking of the draft and of what it replaces are asked beside the set.
    assert {c["question"] for c in view["changes"]} == {
        "外星人离婚",
        "离婚冷静期多久",
        "冷静期几天",
    }
    assert view["verdict"] == "这次修改会改变这 3 个回答（共问了 4 个）。"
    assert view["outdated"] == ""
    assert laboratory.opened_for == [member.id]  # with the rights of who asked


def test_a_draft_that_makes_a_right_answer_wrong_is_said_to(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    row = {"question": "冷静期几天", "outcome": ["answered"]}
    draft = laboratory.draft("d@2", DIVORCE, "三十天。", "离婚冷静期多久")
    asked = laboratory.comparisons.ask_for(member, draft, [laboratory.a_set(member, row)])
    laboratory.work()
    view = laboratory.comparisons.read(asked["id"])
    assert view["verdict"].endswith("，其中 1 个会从对变错。")
    assert view["changes"][0]["kind"] == "worse"


def test_the_approver_sees_what_the_author_saw_until_the_draft_or_the_rest_changes(
    laboratory: Laboratory,
) -> None:
    author = laboratory.hire()
    draft = laboratory.draft("d@2", DIVORCE, "三十天。", "离婚冷静期多久", "冷静期几天")
    laboratory.comparisons.ask_for(author, draft, [])
    laboratory.work()
    [seen] = laboratory.comparisons.of_revision(draft)
    assert seen["asked_by"] == author.name
    assert seen["outdated"] == ""
    laboratory.draft("d@2", DIVORCE, "三十一天。", "离婚冷静期多久", "冷静期几天")
    assert "草稿又改过" in laboratory.comparisons.of_revision(draft)[0]["outdated"]
    laboratory.draft("d@2", DIVORCE, "三十天。", "离婚冷静期多久", "冷静期几天")
    with laboratory.sessions.begin() as session:
        library = laboratory.told.library
        store.save_document(session, library.documents[DIVORCE])
        store.add_revision(session, library.versions(DIVORCE)[0], [])
    assert "知识库又有变化" in laboratory.comparisons.read(seen["id"])["outdated"]


def test_what_is_published_while_a_comparison_runs_spoils_it(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    draft = laboratory.draft("d@2", DIVORCE, "三十天。", "离婚冷静期多久")
    asked = laboratory.comparisons.ask_for(member, draft, [])
    answer = laboratory.told.answer

    def published(question: str, **given: object) -> object:
        laboratory.told.versions = {"knowledge": "k2", "index": "i2"}
        return answer(question, **given)

    laboratory.told.answer = published  # type: ignore[method-assign, assignment]
    laboratory.work()
    assert "不是同一个知识库" in laboratory.comparisons.read(asked["id"])["outdated"]


def test_the_half_of_a_comparison_is_no_run_of_a_set(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(member, "冷静期几天")
    draft = laboratory.draft("d@2", DIVORCE, "三十天。", "离婚冷静期多久")
    laboratory.comparisons.ask_for(member, draft, [made])
    laboratory.work()
    assert laboratory.runs.history(made["id"]) == []


def test_a_draft_that_may_not_be_seen_has_no_comparisons(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    draft = laboratory.draft("d@2", DIVORCE, "三十天。", "离婚冷静期多久")
    asked = laboratory.comparisons.ask_for(member, draft, [])
    laboratory.drafts.clear()
    for attempt in (
        lambda: laboratory.comparisons.read(asked["id"]),
        lambda: laboratory.comparisons.of_revision(draft),
        lambda: laboratory.comparisons.ask_for(member, draft, []),
        lambda: laboratory.comparisons.read("d_none"),
    ):
        with pytest.raises(NotFound):
            attempt()
