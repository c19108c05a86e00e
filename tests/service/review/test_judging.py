"""Verdicts, and follow-ups that end only when the question is answered better."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, select

from service.errors import Conflict
from service.models import AnswerRecord
from service.models.people import AuditEvent
from service.models.review import Review
from service.retention.deletion import delete_conversations
from service.review.judging import Judgement
from service.review.words import FollowUp, Verdict, better
from service.statistics.counts import Counts
from service.switches import Kind, Switches
from tests.service.office import at_once
from tests.service.review.room import API, CONSOLE, Answering, Room

REVIEWS = f"{API}/reviews"


def open_review(room: Room, verdict: str = "wrong") -> tuple[Any, dict[str, Any], str]:
    person = room.hire("甲")
    return person, person.judges(room.asked(), verdict, follow_up="new_faq"), REVIEWS


def test_a_right_answer_is_judged_and_done(room: Room) -> None:
    answer = room.asked()
    person = room.hire("甲")
    review = person.judges(answer, "correct")
    assert (review["status"], review["closed_because"]) == ("closed", "nothing_due")
    assert person.post(f"{API}/answers/{answer}/reviews", verdict="correct").status_code == 409


def test_labels_and_comment_are_kept_and_personal_data_are_not(room: Room) -> None:
    review = room.hire("甲").judges(
        room.asked(),
        "partial",
        labels=["期限有误", "引用错误"],
        comment="见市民13800138000所说",
        follow_up="routing",
    )
    assert review["labels"] == ["引用错误", "期限有误"]
    assert review["comment"] == "见市民[手机号]所说"
    assert review["status"] == "open"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"verdict": "wrong"}, "text_empty"),  # nothing to be done about it: say why
        ({"verdict": "correct", "comment": "字" * 20_000}, "text_too_long"),
        ({"verdict": "correct", "comment": "\x01\x02\x03\x04\x05\x06"}, "text_unreadable"),
        ({"verdict": "correct", "labels": ["没有的标签"]}, "label_unknown"),
        ({"verdict": "wrong", "follow_up": "mend_item"}, "target_unknown"),
        ({"verdict": "wrong", "follow_up": "mend_item", "target": "faq-none"}, "target_unknown"),
        ({"verdict": "great"}, "invalid_request"),
        ({"verdict": "correct", "answer": "x"}, "invalid_request"),
        ({"verdict": "correct", "labels": "引用错误"}, "invalid_request"),
    ],
)
def test_what_makes_no_sense_is_refused(room: Room, body: dict[str, Any], code: str) -> None:
    response = room.hire("甲").post(f"{API}/answers/{room.asked()}/reviews", **body)
    assert response.json()["error"]["code"] == code
    assert room.hire("乙").get(f"{REVIEWS}?status=closed").json()["total"] == 0


def test_an_item_to_mend_is_named_by_its_title(room: Room) -> None:
    room.published("law-test@1", "旧文", date(2020, 1, 1))
    review = room.hire("甲").judges(room.asked(), "wrong", follow_up="mend_item", target="law-test")
    assert review["target"] == {"id": "law-test", "title": "试验法"}


def test_a_follow_up_ends_only_when_the_question_is_answered_better(room: Room) -> None:
    person, review, url = open_review(room)
    url = f"{url}/{review['id']}"

    def refusal(verdict: str, version: int) -> str:
        return str(
            person.post(f"{url}/close", version=version, verdict=verdict).json()["error"]["code"]
        )

    assert refusal("correct", 0) == "rerun_missing"
    same = person.post(f"{url}/rerun", version=0).json()
    assert (same["rerun_differs"], same["version"]) == (False, 1)
    assert refusal("correct", 1) == "rerun_same"
    assert "还是原来的回答，不能结束" in person.get(f"{CONSOLE}/reviews/{review['id']}").text
    room.answering.says = "先向劳动监察投诉，也可以申请仲裁。"
    changed = person.post(f"{url}/rerun", version=1).json()
    assert changed["rerun_differs"]
    assert changed["before"]["summary"] == "可以先向劳动监察投诉。"
    assert changed["after"]["summary"] == "先向劳动监察投诉，也可以申请仲裁。"
    assert changed["after"]["versions"] == {"knowledge": "new"}
    page = person.get(f"{CONSOLE}/reviews/{review['id']}").text
    assert "可以先向劳动监察投诉。" in page
    assert "也可以申请仲裁。" in page
    for verdict in ("wrong", "unsafe", "cannot_judge"):
        assert refusal(verdict, 2) == "rerun_not_better", verdict
    closed = person.post(f"{url}/close", version=2, verdict="partial").json()
    assert (closed["status"], closed["closed_because"]) == ("closed", "better")
    assert closed["rerun_verdict"] == "partial"
    assert refusal("correct", 3) == "review_closed"
    with room.sessions() as session:
        actions = session.scalars(
            select(AuditEvent.action)
            .where(AuditEvent.subject_id == review["id"])
            .order_by(AuditEvent.id)
        ).all()
    assert actions == ["review.judge", "review.rerun", "review.rerun", "review.close"]


def test_the_question_is_asked_again_as_it_was_asked(room: Room) -> None:
    room.asked("c_1", "离婚怎么办", ago=timedelta(hours=3))
    answer = room.asked("c_1", "那孩子归谁", ago=timedelta(hours=2), region="310105")
    room.asked("c_1", "房子呢", ago=timedelta(hours=1))
    person = room.hire("甲")
    review = person.judges(answer, "wrong", follow_up="new_faq")
    person.post(f"{REVIEWS}/{review['id']}/rerun", version=0)
    [asked] = room.answering.asked
    assert asked["question"] == "那孩子归谁"
    assert asked["region"] == "310105"
    assert [turn.question for turn in asked["history"]] == ["离婚怎么办"]


def test_what_is_switched_off_is_not_said_when_it_is_asked_again(room: Room) -> None:
    person, review, url = open_review(room)
    chief = room.hire("主任", "administrator")
    Switches(room.sessions).set(chief.member, Kind.TOPIC, "劳动人事", off=True, comment="在改")
    person.post(f"{url}/{review['id']}/rerun", version=0)
    assert room.answering.asked[-1]["off"].topics == {"劳动人事"}


@pytest.mark.parametrize(
    ("before", "after", "is_better"),
    [
        ("unsafe", "wrong", True),
        ("wrong", "partial", True),
        ("partial", "correct", True),
        ("partial", "partial", False),
        ("partial", "wrong", False),
        ("wrong", "cannot_judge", False),
        ("cannot_judge", "partial", False),
        ("cannot_judge", "correct", True),
        ("correct", "correct", True),
    ],
)
def test_what_is_better(before: str, after: str, is_better: bool) -> None:
    assert better(Verdict(before), Verdict(after)) is is_better


def test_only_a_supervisor_ends_it_otherwise_and_says_why(room: Room) -> None:
    person, review, url = open_review(room)
    url = f"{url}/{review['id']}/decide"
    boss = room.hire("督导", "supervisor")
    assert person.post(url, version=0, reason="法律已废止").status_code == 403
    assert boss.post(url, version=0, reason=" ").json()["error"]["code"] == "text_empty"
    decided = boss.post(url, version=0, reason="法律已废止").json()
    assert decided["closed_because"] == "decided"
    assert decided["close_reason"] == "法律已废止"
    with room.sessions() as session:
        event = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "review.decide")
        ).one()
    assert event.actor == boss.member.id


def test_of_two_who_change_a_review_at_once_one_is_told(room: Room) -> None:
    person, review, _ = open_review(room)
    room.answering.says = "新的回答"
    room.reviews.rerun(person.member, review["id"], 0, room.answering)
    boss = room.hire("督导", "supervisor").member
    results = at_once(
        [
            lambda: room.reviews.close(person.member, review["id"], 1, Verdict.CORRECT),
            lambda: room.reviews.decide(boss, review["id"], 1, "不必了"),
        ]
    )
    assert sorted(isinstance(r, Conflict) for r in results) == [False, True], results


def test_what_is_erased_while_it_is_asked_again_is_not_brought_back(room: Room) -> None:
    person, review, _ = open_review(room)

    class Slow(Answering):
        def answer(self, question: str, **given: Any) -> Any:
            with room.sessions.begin() as session:
                counts = Counts(room.sessions, clock=room.clock)
                delete_conversations(session, counts, ["c_1"], at=room.clock())
            return super().answer(question, **given)

    with pytest.raises(Conflict, match="没有待办的跟进"):
        room.reviews.rerun(person.member, review["id"], 0, Slow(says="新的回答"))
    with room.sessions() as session:
        row = session.get_one(Review, review["id"])
        assert (row.rerun, row.rerun_by, row.status) == (None, None, "closed")


def test_two_who_judge_the_same_at_once_do_it_once(room: Room) -> None:
    answer = room.asked()
    people = [room.hire(name).member for name in ("甲", "乙")]
    fine = Judgement(verdict=Verdict.CORRECT)
    results = at_once([partial(room.reviews.judge, person, answer, fine) for person in people])
    refused = [r for r in results if isinstance(r, Exception)]
    # Either the second came while the first was at it, or after it, as a further opinion.
    assert all(isinstance(r, Conflict) for r in refused), results
    done = [p for p, r in zip(people, results, strict=True) if not isinstance(r, Exception)]
    assert done, results
    again = at_once([lambda: room.reviews.judge(done[0], answer, fine)] * 2)
    assert [getattr(r, "code", r) for r in again] == ["review_done"] * 2
    assert room.hire("丙").get(f"{REVIEWS}?status=closed").json()["total"] == len(done)


def test_ones_own_review_can_be_changed_and_another_s_cannot(room: Room) -> None:
    person, review, url = open_review(room)
    person.post(f"{url}/{review['id']}/rerun", version=0)
    changed = person.put(
        f"{url}/{review['id']}", version=1, verdict="partial", follow_up="routing"
    ).json()
    assert (changed["verdict"], changed["rerun_at"]) == ("partial", None)
    assert person.put(f"{url}/{review['id']}", version=1, verdict="wrong").status_code in (400, 409)
    refused = room.hire("乙").put(f"{url}/{review['id']}", version=2, verdict="correct")
    assert refused.json()["error"]["code"] == "review_not_own"


def test_others_regions_and_unknown_reviews_are_not_there(room: Room) -> None:
    _, review, url = open_review(room)
    stranger = room.hire("长宁", "supervisor", "310105")
    for ident in (review["id"], "v_none"):
        answers = [
            stranger.get(f"{url}/{ident}"),
            stranger.post(f"{url}/{ident}/rerun", version=0),
            stranger.post(f"{url}/{ident}/close", version=0, verdict="correct"),
            stranger.post(f"{url}/{ident}/decide", version=0, reason="不必了"),
            stranger.put(f"{url}/{ident}", version=0, verdict="correct"),
        ]
        assert [a.status_code for a in answers] == [404] * 5
    assert stranger.post(f"{API}/answers/a_1/reviews", verdict="correct").status_code == 404
    assert stranger.get(url).json()["total"] == 0


def test_curators_find_what_is_theirs_to_mend(room: Room) -> None:
    person = room.hire("甲")
    person.judges(room.asked(question="押金&定金 怎么退"), "wrong", follow_up="new_faq")
    person.judges(room.asked(), "wrong", follow_up="routing")
    curator = room.hire("编辑", "curator")
    [one] = curator.get(f"{API}/follow-ups").json()["reviews"]
    assert one["question"] == "押金&定金 怎么退"
    page = curator.get(f"{CONSOLE}/follow-ups").text
    assert "/console/knowledge/new?kind=faq&amp;question=%E6%8A%BC" in page
    assert f"review={one['id']}" in page
    assert person.get(f"{API}/follow-ups").status_code == 403


def test_what_was_erased_cannot_be_asked_again(room: Room) -> None:
    person, review, url = open_review(room)
    with room.sessions.begin() as session:
        session.execute(delete(AnswerRecord))
    gone = person.post(f"{url}/{review['id']}/rerun", version=0)
    assert gone.json()["error"]["code"] == "answer_erased"
    assert "已按规定清除" in person.get(f"{CONSOLE}/reviews/{review['id']}").text
    assert FollowUp.NEW_FAQ.value in person.get(f"{url}/{review['id']}").text


def test_the_page_of_follow_ups_shows_what_is_open_and_what_is_over(room: Room) -> None:
    person, _, _ = open_review(room)
    person.judges(room.asked(question="已经答对的"), "correct")
    page = person.get(f"{CONSOLE}/reviews/open").text
    assert "公司拖欠三个月工资怎么办" in page
    assert "已经答对的" not in page
    assert "已经答对的" in person.get(f"{CONSOLE}/reviews/open", status="closed").text
