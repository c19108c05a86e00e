"""Sets of questions: made, filled, copied, put away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.audit import Purpose
from service.errors import BadRequest, Conflict, NotAllowed, NotFound
from service.models import AccessRecord, AnswerRecord, Conversation
from service.models.people import AuditEvent
from service.retention import MyConversation
from service.trials import shipped
from tests.service.office import at_once
from tests.service.trials.laboratory import DIVORCE, Laboratory


def asked(session: Session, answer: str, question: str, minute: int, region: str) -> None:
    session.add(
        AnswerRecord(
            id=answer,
            conversation_id="c_1",
            asked_at=datetime(2026, 11, 30, 1, minute, tzinfo=UTC),
            question=question,
            outcome="answered_faq",
            topic=None,
            confidence=0.5,
            region=region,
            took_ms=1.0,
            answer={},
            trace={},
        )
    )


def test_a_set_keeps_its_questions_in_order_masked_and_once(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(
        member,
        "离婚冷静期多久",
        {"question": "我电话13800138000，被拖欠工资", "note": "打给 13800138000"},
        "离婚冷静期多久",
    )
    assert (made["added"], made["passed_over"]) == (2, 1)
    again = laboratory.sets.add(member, made["id"], [{"question": "离婚冷静期多久"}])
    assert (again["added"], again["passed_over"]) == (0, 1)
    kept = laboratory.sets.read(made["id"])["questions"]
    assert [q["question"] for q in kept] == ["离婚冷静期多久", "我电话[手机号]，被拖欠工资"]
    assert kept[1]["note"] == "打给 [手机号]"


def test_all_questions_are_taken_or_none_and_the_wrong_one_is_named(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(member)
    rows: list[dict[str, Any]] = [
        {"question": "好的问题"},
        {"question": "坏的", "cites": ["民法典第九千条"]},
    ]
    with pytest.raises(BadRequest, match=r"第2个：.*核对不上"):
        laboratory.sets.add(member, made["id"], rows)
    assert laboratory.sets.read(made["id"])["questions"] == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": ""}, "请先写下"),
        ({"question": "长" * 2001}, "太长"),
        ({"question": "\x01\x02\x03\x04\x05\x06\x07"}, "不像文字"),
        ({"question": "好", "as_of": "昨天"}, "日期要写成"),
        ({"question": "好", "region": "普陀"}, "六位"),
        ({"question": "好", "earlier": ["一"] * 6}, "最多写5个"),
        ({"question": "好", "note": "长" * 501}, "备注最多"),
    ],
)
def test_what_is_no_question_is_refused(
    laboratory: Laboratory, row: dict[str, Any], said: str
) -> None:
    member = laboratory.hire()
    with pytest.raises(BadRequest, match=said):
        laboratory.sets.add(member, laboratory.a_set(member)["id"], [row])


def test_a_question_is_changed_and_removed_and_anothers_is_not_found(
    laboratory: Laboratory,
) -> None:
    member = laboratory.hire()
    one = laboratory.a_set(member, "离婚冷静期多久", "冷静期几天")
    other = laboratory.a_set(member, "别的")
    first, second = (q["id"] for q in one["questions"])
    row = {"question": "离婚冷静期多久", "outcome": ["answered"], "shows": ["离婚冷静期多久"]}
    changed = laboratory.sets.change(member, one["id"], first, row)["questions"][0]
    assert changed["expect"] == {"outcome": ["answered"], "shows": [DIVORCE]}
    assert changed["expected"] == ["直接回答", "给出“离婚冷静期多久”"]
    left = laboratory.sets.remove(member, one["id"], second)["questions"]
    assert [q["id"] for q in left] == [first]
    for wrong in (second, other["questions"][0]["id"]):
        with pytest.raises(NotFound):
            laboratory.sets.remove(member, one["id"], wrong)


def test_the_set_that_ships_is_copied_not_changed(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    with pytest.raises(Conflict, match="复制"):
        laboratory.sets.add(member, shipped.ID, [{"question": "好"}])
    with pytest.raises(Conflict, match="复制"):
        laboratory.sets.archive(member, shipped.ID)
    copied = laboratory.sets.copy(member, shipped.ID)
    assert not copied["fixed"]
    assert [q["expect"] for q in copied["questions"]] == [
        q["expect"] for q in laboratory.sets.read(shipped.ID)["questions"]
    ]


def test_a_set_that_was_put_away_is_gone_from_the_list_and_cannot_be_filled(
    laboratory: Laboratory,
) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(member, "冷静期几天")
    laboratory.sets.archive(member, made["id"])
    assert [s["id"] for s in laboratory.sets.all()] == [shipped.ID]
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: laboratory.sets.read(made["id"]),
        lambda: laboratory.sets.archive(member, made["id"]),
        lambda: laboratory.sets.add(member, made["id"], [{"question": "好"}]),
        lambda: laboratory.sets.rename(member, made["id"], "新名", ""),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()


def test_two_who_fill_a_set_at_once_lose_nothing(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(member)["id"]
    fill = [
        lambda n=n: laboratory.sets.add(member, made, [{"question": f"问题{n}"}]) for n in range(6)
    ]
    assert not [r for r in at_once(fill) if isinstance(r, Exception)]
    kept = laboratory.sets.read(made)["questions"]
    assert sorted(q["question"] for q in kept) == [f"问题{n}" for n in range(6)]
    assert [q["position"] for q in kept] == list(range(6))


def test_questions_of_citizens_come_with_what_was_asked_before_and_are_on_record(
    laboratory: Laboratory,
) -> None:
    with laboratory.sessions.begin() as session:
        session.add(Conversation(id="c_1", channel="web"))
        session.flush()
        asked(session, "a_1", "我想离婚", 0, "310107")
        asked(session, "a_2", "那孩子归谁", 1, "310107")
    reviewer = laboratory.hire()
    made = laboratory.a_set(reviewer)["id"]
    filled = laboratory.sets.add_from_answers(reviewer, made, ["a_2"], purpose=Purpose.REVIEW)
    [question] = filled["questions"]
    assert (question["question"], question["earlier"]) == ("那孩子归谁", ["我想离婚"])
    with laboratory.sessions() as session:
        [record] = session.scalars(select(AccessRecord))
        assert (record.staff_id, record.subject_id) == (reviewer.id, "a_2")
    curator = laboratory.hire("curator")
    with pytest.raises(NotAllowed):
        laboratory.sets.add_from_answers(curator, made, ["a_2"], purpose=Purpose.REVIEW)
    elsewhere = laboratory.hire("reviewer", "310101")
    for ids in (["a_2"], ["a_9"]):
        with pytest.raises(NotFound):
            laboratory.sets.add_from_answers(elsewhere, made, ids, purpose=Purpose.REVIEW)


def test_what_was_taken_from_a_conversation_goes_with_it(laboratory: Laboratory) -> None:
    with laboratory.sessions.begin() as session:
        session.add(Conversation(id="c_1", channel="web"))
        session.flush()
        asked(session, "a_1", "我想离婚，我叫李寻欢", 0, "310107")
        asked(session, "a_2", "那孩子归谁", 1, "310107")
    reviewer = laboratory.hire()
    made = laboratory.a_set(reviewer, "离婚冷静期多久")
    filled = laboratory.sets.add_from_answers(reviewer, made["id"], ["a_2"], purpose=Purpose.REVIEW)
    taken = filled["questions"][1]
    # Staff may write it anew, and copy it: it is a citizen's all the same.
    laboratory.sets.change(
        reviewer, made["id"], taken["id"], {"question": "孩子归谁", "earlier": taken["earlier"]}
    )
    copied = laboratory.sets.copy(reviewer, made["id"])
    run = laboratory.run(reviewer, made)
    assert len(laboratory.runs.results(run)) == 2
    assert MyConversation(laboratory.sessions).erase("c_1")
    for one in (made, copied):
        left = laboratory.sets.read(one["id"])["questions"]
        assert [q["question"] for q in left] == ["离婚冷静期多久"]
    assert [r["question"] for r in laboratory.runs.results(run)] == ["离婚冷静期多久"]


def test_what_is_erased_at_that_moment_is_not_taken(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with laboratory.sessions.begin() as session:
        session.add(Conversation(id="c_1", channel="web"))
        session.flush()
        asked(session, "a_1", "我想离婚", 0, "310107")
    reviewer = laboratory.hire()
    made = laboratory.a_set(reviewer)["id"]
    add = laboratory.sets.add

    def meanwhile(*given: Any) -> dict[str, Any]:
        MyConversation(laboratory.sessions).erase("c_1")
        return add(*given)

    monkeypatch.setattr(laboratory.sets, "add", meanwhile)
    with pytest.raises(Conflict, match="市民刚刚删除"):
        laboratory.sets.add_from_answers(reviewer, made, ["a_1"], purpose=Purpose.REVIEW)
    assert laboratory.sets.read(made)["questions"] == []


def test_every_change_of_a_set_is_on_record_without_the_questions(laboratory: Laboratory) -> None:
    member = laboratory.hire()
    made = laboratory.a_set(member, "冷静期几天")
    laboratory.sets.rename(member, made["id"], "新名", "说明")
    laboratory.sets.archive(member, made["id"])
    with laboratory.sessions() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [e.action for e in events if e.subject_id == made["id"]] == [
        "question_set.create",
        "question_set.fill",
        "question_set.rename",
        "question_set.archive",
    ]
    assert not any("冷静期" in str(e.detail) for e in events)
