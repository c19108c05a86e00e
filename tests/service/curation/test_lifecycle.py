"""From a draft to what citizens are told, and back: always by two people."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from knowledge import store
from knowledge.models import Status
from service.curation import BadFields
from service.errors import BadRequest, Conflict, NotAllowed, NotFound
from service.models import AuditEvent
from tests.service.curation.bureau import TODAY, Bureau, faq
from tests.service.office import at_once

TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)


def test_a_new_answer_is_a_draft_that_nobody_is_told(bureau: Bureau) -> None:
    draft = bureau.save()
    assert draft["status"] == "draft"
    assert draft["author"]["name"] == "张编辑"
    assert draft["document"].startswith("faq-")
    assert bureau.answer_on(draft["document"], TODAY) is None


def test_an_approved_answer_is_what_citizens_are_told(bureau: Bureau) -> None:
    done = bureau.published(answer="先催要，再仲裁。")
    assert (done["status"], done["approver"]["name"]) == ("published", "王复核")
    assert bureau.answer_on(done["document"], TODAY) == "先催要，再仲裁。"
    with bureau.sessions() as session:
        texts = [p.text for p in store.published_passages(session)]
    assert texts == ["公司不发工资怎么办", "老板欠薪", "工资没发", "拖欠工资"]


def test_every_save_is_a_revision_and_only_the_last_is_open(bureau: Bureau) -> None:
    first = bureau.save()
    second = bureau.save(document_id=first["document"], base=first["id"], answer="二")
    third = bureau.save(document_id=first["document"], base=second["id"], answer="三")
    page = bureau.curation.document(bureau.author, first["document"])
    assert [r["id"] for r in page["history"]] == [third["id"], second["id"], first["id"]]
    assert [r["status"] for r in page["history"]] == ["draft", "withdrawn", "withdrawn"]
    assert [r["body"]["answer"] for r in page["history"]] == ["三", "二", "先协商，再仲裁。"]
    assert page["draft"]["id"] == third["id"]


def test_the_same_words_again_are_not_a_new_revision(bureau: Bureau) -> None:
    first = bureau.save()
    again = bureau.save(document_id=first["document"], base=first["id"])
    assert again["id"] == first["id"]
    bureau.publish(first)
    with pytest.raises(BadRequest, match="没有需要保存的改动"):
        bureau.save(document_id=first["document"], base=first["id"])


def test_nobody_approves_what_he_wrote(bureau: Bureau) -> None:
    draft = bureau.save(bureau.chief)
    bureau.curation.submit(bureau.chief, draft["id"])
    with pytest.raises(NotAllowed, match="没有参与编写的人"):
        bureau.curation.approve(bureau.chief, draft["id"])
    assert bureau.status(draft) is Status.IN_REVIEW


def test_nobody_approves_a_chain_that_he_wrote_a_part_of(bureau: Bureau) -> None:
    """The chief wrote first, somebody else last; yet part of what goes out is the chief's."""
    first = bureau.save(bureau.chief)
    last = bureau.save(bureau.author, first["document"], base=first["id"], answer="改过")
    bureau.curation.submit(bureau.author, last["id"])
    with pytest.raises(NotAllowed):
        bureau.curation.approve(bureau.chief, last["id"])
    bureau.curation.approve(bureau.reviewer, last["id"])


def test_a_draft_for_a_wider_region_is_approved_by_somebody_responsible_there(
    bureau: Bureau,
) -> None:
    first = bureau.published()
    wider = bureau.save(document_id=first["document"], base=first["id"], region="310000")
    bureau.curation.submit(bureau.author, wider["id"])
    local = bureau.hire("周复核", "reviewer", region="310107")
    with pytest.raises(NotAllowed, match="改了适用地区"):
        bureau.curation.approve(local, wider["id"])
    assert bureau.status(wider) is Status.IN_REVIEW
    bureau.curation.approve(bureau.reviewer, wider["id"])


def test_the_chain_begins_anew_after_a_publication(bureau: Bureau) -> None:
    first = bureau.publish(bureau.save(bureau.chief), bureau.chief)
    last = bureau.save(bureau.author, first["document"], base=first["id"], answer="改过")
    bureau.curation.submit(bureau.author, last["id"])
    done = bureau.curation.approve(bureau.chief, last["id"])
    assert done["approver"]["name"] == "赵主任"
    assert bureau.status(first) is Status.WITHDRAWN


def test_of_two_approvers_at_once_one_wins(bureau: Bureau) -> None:
    draft = bureau.save()
    bureau.curation.submit(bureau.author, draft["id"])
    approvers = [bureau.reviewer, bureau.chief]
    done = at_once([partial(bureau.curation.approve, m, draft["id"]) for m in approvers])
    assert sorted(type(r).__name__ for r in done) == ["Conflict", "dict"]
    with bureau.sessions() as session:
        query = select(AuditEvent.subject_id).where(AuditEvent.action == "knowledge.publish")
        assert session.scalars(query).all() == [draft["id"]]


def test_approving_and_sending_back_at_once_leaves_one_of_them(bureau: Bureau) -> None:
    draft = bureau.save()
    bureau.curation.submit(bureau.author, draft["id"])
    done = at_once(
        [
            lambda: bureau.curation.approve(bureau.reviewer, draft["id"]),
            lambda: bureau.curation.send_back(bureau.chief, draft["id"], "再看看"),
        ]
    )
    assert sum(isinstance(r, Conflict) for r in done) == 1
    assert bureau.status(draft) in (Status.PUBLISHED, Status.DRAFT)


def test_a_draft_cannot_be_approved_before_it_is_submitted(bureau: Bureau) -> None:
    draft = bureau.save()
    with pytest.raises(Conflict, match="没有提交复核"):
        bureau.curation.approve(bureau.reviewer, draft["id"])


def test_what_is_sent_back_carries_the_comment_and_can_be_mended(bureau: Bureau) -> None:
    draft = bureau.save()
    bureau.curation.submit(bureau.author, draft["id"], note="按热线反馈补充")
    back = bureau.curation.send_back(bureau.reviewer, draft["id"], "缺少时效的提醒")
    assert back["status"] == "draft"
    assert back["moves"][-1]["comment"] == "缺少时效的提醒"
    mended = bureau.save(document_id=draft["document"], base=draft["id"], notices=["注意时效"])
    assert bureau.publish(mended)["status"] == "published"
    with pytest.raises(BadRequest, match="退回的意见"):
        bureau.curation.send_back(bureau.reviewer, mended["id"], "  ")


def test_a_save_takes_what_is_in_review_out_of_review(bureau: Bureau) -> None:
    draft = bureau.save()
    bureau.curation.submit(bureau.author, draft["id"])
    bureau.save(document_id=draft["document"], base=draft["id"], answer="等一下，再改")
    with pytest.raises(Conflict):
        bureau.curation.approve(bureau.reviewer, draft["id"])
    assert bureau.curation.queue(bureau.reviewer) == []


def test_the_queue_shows_what_waits_longest_first_with_changes_and_why_not(bureau: Bureau) -> None:
    first = bureau.published()
    newer = bureau.save(bureau.chief, first["document"], base=first["id"], answer="先催要。")
    bureau.curation.submit(bureau.chief, newer["id"], note="口径改了")
    other = bureau.save(question="加班费怎么算")
    bureau.curation.submit(bureau.author, other["id"])
    [a, b] = bureau.curation.queue(bureau.chief)
    assert (a["id"], b["id"]) == (newer["id"], other["id"])
    assert [c["field"] for c in a["changes"]] == ["answer"]
    assert "您写的内容" in a["barred"]
    assert b["barred"] is None
    assert (a["against"], b["against"]) == (first["id"], None)
    assert "没有复核发布的权限" in bureau.curation.queue(bureau.author)[1]["barred"]


def test_withdrawing_takes_effect_at_once_and_says_why(bureau: Bureau) -> None:
    done = bureau.published()
    page = bureau.curation.withdraw(bureau.reviewer, done["document"], "标准变了")
    assert page["published"] is None
    assert page["history"][0]["moves"][-1]["comment"] == "标准变了"
    assert bureau.answer_on(done["document"], TODAY) is None
    with pytest.raises(Conflict, match="没有发布的版本"):
        bureau.curation.withdraw(bureau.reviewer, done["document"], "再撤一次")


def test_rolling_back_brings_old_words_before_another_person_again(bureau: Bureau) -> None:
    old = bureau.published(answer="旧的说法")
    new = bureau.save(document_id=old["document"], base=old["id"], answer="新的说法")
    bureau.publish(new)
    back = bureau.curation.roll_back(bureau.chief, old["document"], old["id"])
    assert back["status"] == "in_review"
    assert back["id"] not in (old["id"], new["id"])
    assert bureau.answer_on(old["document"], TODAY) == "新的说法"
    with pytest.raises(NotAllowed):
        bureau.curation.approve(bureau.chief, back["id"])
    bureau.curation.approve(bureau.reviewer, back["id"])
    assert bureau.answer_on(old["document"], TODAY) == "旧的说法"


def test_words_that_were_never_published_do_not_come_back_for_their_author_to_approve(
    bureau: Bureau,
) -> None:
    done = bureau.published(answer="旧的说法")
    own = bureau.save(bureau.chief, done["document"], base=done["id"], answer="自己的说法")
    bureau.curation.discard(bureau.chief, own["id"])
    with pytest.raises(Conflict, match="没有发布过"):
        bureau.curation.roll_back(bureau.author, done["document"], own["id"])
    history = bureau.curation.history(bureau.author, done["document"])
    assert {view["id"]: view["returnable"] for view in history} == {
        own["id"]: False,
        done["id"]: True,
    }


def test_rolling_back_does_not_run_over_a_draft_of_somebody_else(bureau: Bureau) -> None:
    old = bureau.published()
    bureau.publish(bureau.save(document_id=old["document"], base=old["id"], answer="新"))
    page = bureau.curation.document(bureau.author, old["document"])
    bureau.save(bureau.other, old["document"], base=page["newest"], answer="正在改")
    with pytest.raises(Conflict, match="正在改这一条"):
        bureau.curation.roll_back(bureau.author, old["document"], old["id"])


def test_a_withdrawn_answer_can_be_brought_back(bureau: Bureau) -> None:
    done = bureau.published()
    bureau.curation.withdraw(bureau.reviewer, done["document"], "误撤")
    back = bureau.curation.roll_back(bureau.author, done["document"], done["id"])
    bureau.curation.approve(bureau.reviewer, back["id"])
    assert bureau.answer_on(done["document"], TODAY) == "先协商，再仲裁。"


def test_a_draft_is_given_up_by_its_author_or_a_reviewer_only(bureau: Bureau) -> None:
    draft = bureau.save()
    with pytest.raises(NotAllowed, match="别人的稿子"):
        bureau.curation.discard(bureau.other, draft["id"])
    bureau.curation.discard(bureau.author, draft["id"])
    assert bureau.status(draft) is Status.WITHDRAWN
    another = bureau.save()
    bureau.curation.discard(bureau.reviewer, another["id"])
    with pytest.raises(Conflict):
        bureau.curation.discard(bureau.reviewer, another["id"])


def test_a_publication_can_be_set_for_a_day(bureau: Bureau) -> None:
    old = bureau.published(answer="旧")
    new = bureau.save(document_id=old["document"], base=old["id"], answer="新")
    starts = TODAY + timedelta(days=7)
    bureau.publish(new, starts_on=starts)
    document = old["document"]
    days = [TODAY, starts - timedelta(days=1), starts, starts + timedelta(days=400)]
    assert [bureau.answer_on(document, day) for day in days] == ["旧", "旧", "新", "新"]
    page = bureau.curation.document(bureau.author, document)
    assert page["published"]["id"] == old["id"]
    assert [r["id"] for r in page["scheduled"]] == [new["id"]]


def test_what_is_published_at_once_replaces_what_was_set_for_later(bureau: Bureau) -> None:
    old = bureau.published(answer="旧")
    later = bureau.save(document_id=old["document"], base=old["id"], answer="排定")
    bureau.publish(later, starts_on=TODAY + timedelta(days=7))
    now = bureau.save(document_id=old["document"], base=later["id"], answer="马上")
    bureau.publish(now)
    for day in (TODAY, TODAY + timedelta(days=30)):
        assert bureau.answer_on(old["document"], day) == "马上"
    assert bureau.status(old) is Status.WITHDRAWN


def test_an_answer_ends_with_its_last_day(bureau: Bureau) -> None:
    done = bureau.publish(bureau.save(), ends_on=TOMORROW)
    document = done["document"]
    assert bureau.answer_on(document, TOMORROW) == "先协商，再仲裁。"
    assert bureau.answer_on(document, TOMORROW + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "field"),
    [
        (YESTERDAY, None, "starts_on"),
        (None, YESTERDAY, "ends_on"),
        (TOMORROW, TODAY, "ends_on"),
        (date(2099, 1, 1), None, "starts_on"),
    ],
)
def test_impossible_dates_are_refused(
    bureau: Bureau, starts_on: date | None, ends_on: date | None, field: str
) -> None:
    draft = bureau.save()
    bureau.curation.submit(bureau.author, draft["id"])
    with pytest.raises(BadFields) as refused:
        bureau.curation.approve(bureau.reviewer, draft["id"], starts_on=starts_on, ends_on=ends_on)
    assert list(refused.value.fields) == [field]


def test_a_title_changes_for_citizens_only_with_the_publication(bureau: Bureau) -> None:
    old = bureau.published(question="旧问题")
    new = bureau.save(document_id=old["document"], base=old["id"], question="新问题")
    assert bureau.curation.document(bureau.author, old["document"])["title"] == "旧问题"
    bureau.publish(new)
    assert bureau.curation.document(bureau.author, old["document"])["title"] == "新问题"


def test_who_works_for_one_region_changes_nothing_of_another(bureau: Bureau) -> None:
    putuo = bureau.hire("陈编辑", "curator", region="310107")
    changning = bureau.hire("周编辑", "curator", region="310105")
    ours = bureau.published()
    national = bureau.published(region="000000", question="全国的")
    with pytest.raises(NotFound):
        bureau.curation.document(changning, ours["document"])
    with pytest.raises(NotFound):
        bureau.save(changning, ours["document"], base=ours["id"], answer="改", region="310105")
    assert bureau.curation.document(putuo, national["document"])["title"] == "全国的"
    with pytest.raises(BadFields) as refused:
        bureau.save(putuo, national["document"], base=national["id"], answer="改", region="000000")
    assert "310107" in refused.value.fields["region"]
    with pytest.raises(NotAllowed, match="不只在您负责的地区"):
        bureau.save(putuo, national["document"], base=national["id"], answer="改")
    assert bureau.save(putuo, ours["document"], base=ours["id"], answer="改")["status"] == "draft"
    shown = [d["id"] for d in bureau.curation.find(changning)["documents"]]
    assert shown == [national["document"]]


def test_each_step_is_on_record(bureau: Bureau) -> None:
    done = bureau.published()
    bureau.curation.withdraw(bureau.reviewer, done["document"], "标准变了")
    with bureau.sessions() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    steps = [(e.action, e.actor) for e in events if e.action.startswith("knowledge.")]
    assert steps == [
        ("knowledge.save", bureau.author.id),
        ("knowledge.submit", bureau.author.id),
        ("knowledge.publish", bureau.reviewer.id),
        ("knowledge.withdraw", bureau.reviewer.id),
    ]
    assert faq()["answer"] not in str([e.detail for e in events])
