"""Finding what there is, what uses it, and what differs."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from service.curation.difference import between
from service.errors import BadRequest, NotFound
from service.models import AnswerRecord, Conversation
from tests.service.curation.bureau import TODAY, Bureau, card


def titles(bureau: Bureau, **wanted: object) -> list[str]:
    found = bureau.curation.find(bureau.author, **wanted)  # type: ignore[arg-type]
    return [d["title"] for d in found["documents"]]


def test_pages_follow_each_other_without_gap_or_repetition(bureau: Bureau) -> None:
    bureau.ship(
        *(
            {
                **card(title=f"随附{i}"),
                "id": f"service-{i}",
                "kind": "service",
            }
            for i in range(5)
        )
    )
    for i in range(4):
        bureau.save(question=f"自编{i}")
    seen: list[str] = []
    before = None
    for _ in range(10):
        page = bureau.curation.find(bureau.author, before=before, limit=2)
        seen += [d["title"] for d in page["documents"]]
        before = page["next"]
        if before is None:
            break
    assert seen == [f"自编{i}" for i in (3, 2, 1, 0)] + [f"随附{i}" for i in range(5)]
    with pytest.raises(NotFound):
        bureau.curation.find(bureau.author, before="faq-nowhere")


def test_filters(bureau: Bureau) -> None:
    bureau.published(question="欠薪", answer="百分之百_有效")
    bureau.save(bureau.other, question="离婚", topic="婚姻家庭", region="000000")
    waiting = bureau.save(question="工伤")
    bureau.curation.submit(bureau.author, waiting["id"])
    assert titles(bureau, text="之百_") == ["欠薪"]
    assert titles(bureau, text="%") == []
    assert titles(bureau, topic="婚姻家庭") == titles(bureau, region="000000") == ["离婚"]
    assert titles(bureau, author=bureau.other.id) == ["离婚"]
    assert titles(bureau, status="in_review") == ["工伤"]
    assert titles(bureau, status="draft") == ["离婚"]
    assert titles(bureau, status="nonsense") == []
    assert titles(bureau, kind="service") == []
    assert titles(bureau, checked_before=date(2026, 11, 27)) == ["欠薪"]
    counts = bureau.curation.find(bureau.author)["counts"]
    assert (counts["published"], counts["draft"], counts["in_review"]) == (1, 1, 1)


def test_states_by_day(bureau: Bureau) -> None:
    draft = bureau.save()
    bureau.publish(draft, ends_on=TODAY + timedelta(days=1))
    assert titles(bureau, status="ending") == ["公司不发工资怎么办"]
    bureau.clock.at += timedelta(days=3)
    assert titles(bureau, status="published") == []
    assert titles(bureau, status="withdrawn") == ["公司不发工资怎么办"]
    later = bureau.save(question="以后")
    bureau.publish(later, starts_on=TODAY + timedelta(days=30))
    assert titles(bureau, status="scheduled") == ["以后"]


def test_what_points_to_a_card_is_listed_with_where(bureau: Bureau) -> None:
    step = bureau.curation.save(
        bureau.author, document_id=None, kind="service", body=card(), base=None
    )
    bureau.publish(step)
    bureau.published(question="欠薪", steps=[step["document"]])
    bureau.save(question="还没发布", steps=[step["document"]])
    used = bureau.curation.document(bureau.author, step["document"])["used_by"]
    assert [(u["title"], u["where"]) for u in used] == [("欠薪", "下一步")]


def test_how_often_an_answer_was_given_lately(bureau: Bureau) -> None:
    done = bureau.published()
    at = bureau.clock.at
    with bureau.sessions.begin() as session:
        session.add(Conversation(id="c_1", channel="web"))
        session.flush()
        for number, (days, by) in enumerate(
            [(1, done["document"]), (2, done["document"]), (40, done["document"]), (1, "faq-x")]
        ):
            session.add(
                AnswerRecord(
                    id=f"a_{number}",
                    conversation_id="c_1",
                    asked_at=at - timedelta(days=days),
                    question="问",
                    outcome="answered_faq",
                    topic="劳动人事",
                    confidence=1.0,
                    region="310107",
                    took_ms=1.0,
                    answer={},
                    trace={"answered_by": by},
                )
            )
    assert bureau.curation.document(bureau.author, done["document"])["shown"] == 2


def test_a_difference_is_told_word_by_word() -> None:
    old = {"answer": "先协商，再仲裁。\n不变", "asks": ["甲", "乙"], "where": {"text": "1号"}}
    new = {"answer": "先协商，再申请仲裁。\n不变", "asks": ["甲", "丙"], "where": {"text": "2号"}}
    answer, asks, where = between(old, new)
    assert (answer.label, asks.label, where.label) == ("回答", "问法", "地点的内容")
    assert answer.lines[0] == (("same", "先协商，再"), ("ins", "申请"), ("same", "仲裁。"))
    assert answer.lines[1] == (("same", "不变"),)
    assert asks.lines == ((("same", "甲"),), (("del", "乙"),), (("ins", "丙"),))


def test_a_long_table_shows_what_changed_and_a_little_around_it() -> None:
    rows = [{"id": f"row-{i}", "period": "十五日"} for i in range(100)]
    changed = [dict(row) for row in rows]
    changed[50]["period"] = "三十日"
    [change] = between({"table": {"rows": rows}}, {"table": {"rows": changed}})
    ops = [op for line in change.lines for op, _ in line]
    assert len(change.lines) < 15
    assert (ops.count("skip"), ops.count("ins"), ops.count("del")) == (2, 1, 1)


def test_only_revisions_of_one_document_are_compared(bureau: Bureau) -> None:
    one, other = bureau.save(), bureau.save(question="另一个")
    with pytest.raises(BadRequest):
        bureau.curation.diff(bureau.author, one["id"], other["id"])
    with pytest.raises(NotFound):
        bureau.curation.diff(bureau.author, one["id"], "faq-x@1")
