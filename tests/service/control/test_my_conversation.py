"""A citizen sees and erases what is stored, with the code of the conversation and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.answering.draft import Answer
from service.answering.pipeline import Pipeline
from service.api import citizen
from service.api.citizen import Guesses
from service.audit.log import AuditLog, Filters
from service.auth import Member
from service.conversations import Desk
from service.errors import NotFound, TooMany
from service.models import (
    AnswerRecord,
    AuditEvent,
    Base,
    Conversation,
    GapCluster,
    GapMember,
    HandoverMessage,
    HandoverTicket,
    QuestionSet,
    QuestionVector,
    Rating,
    RatingMove,
    RatingTicket,
    Review,
    SetQuestion,
    TrialResult,
    TrialRun,
)
from service.ratings import Ratings
from service.retention import MyConversation
from service.statistics.board import Board
from service.statistics.days import period_of
from tests.service.hall import START, Hall
from tests.service.office import at_once

CODE = "c_UnguessableCode0123"
URL = f"/api/v1/conversations/{CODE}"
KEY = "a key of the tests, long enough for everybody"


@pytest.fixture(autouse=True)
def nobody_has_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citizen, "_guesses", Guesses())


@pytest.fixture
def member(hall: Hall) -> Member:
    return hall.hire()[0]


def test_all_that_is_stored_is_shown(hall: Hall, member: Member) -> None:
    hall.asked(CODE, "我的手机[手机号]，公司拖欠工资")
    hall.asked(CODE, "要多少钱", at=START + timedelta(minutes=1))
    ticket = hall.closed_ticket(CODE, member)
    hall.asked(CODE, "谢谢您", "handover_with_person")
    hall.asked("c_other", "别人的事")
    shown = hall.client.get(URL).json()
    assert [a["question"] for a in shown["answers"]] == [
        "我的手机[手机号]，公司拖欠工资", "要多少钱",
    ]  # fmt: skip
    first = shown["answers"][0]
    assert first["citations"] == [{"law": "劳动法", "article": "第五十条", "text": "工资……"}]
    assert first["steps"] == [{"title": "劳动监察投诉", "phone": "12333"}]
    [talk] = shown["handovers"]
    assert [m["text"] for m in talk["messages"] if m["from"] == "staff"] == ["已经帮您查过"]
    assert member.name not in str(shown)
    assert ticket not in str(shown)
    assert shown["can_erase"]
    assert hall.client.get(URL).headers["Cache-Control"] == "no-store"


def test_what_staff_noted_for_themselves_is_not(hall: Hall, member: Member) -> None:
    hall.asked(CODE)
    ticket, _ = hall.handovers.open(CODE, consent=True)
    hall.handovers.claim(member, ticket["id"])
    hall.handovers.note(member, ticket["id"], "这个人来过三次")
    assert "来过三次" not in hall.client.get(URL).text


def test_what_is_erased_is_gone_everywhere(hall: Hall, member: Member) -> None:
    answer = hall.asked(CODE, "我叫李寻欢，在飞刀厂")
    hall.closed_ticket(CODE, member)
    other = hall.asked("c_other", "别人的事")
    with hall.sessions.begin() as session:
        session.add(review_of(answer, member))
    tried(hall, member, answer, "我叫李寻欢，在飞刀厂")
    tried(hall, member, other, "别人的事")
    gaps(hall, {answer: "only", other: "others"})
    response = hall.client.delete(URL)
    assert response.status_code == 200
    assert "评价只留下星级和月份" in response.json()["message"]
    with hall.sessions() as session:
        for table in Base.metadata.sorted_tables:
            rows = str(session.execute(select(table)).all())
            for word in ("李寻欢", "已经帮您查过", "请帮我看看", "飞刀厂"):
                assert word not in rows, (table.name, word)
            # Who of the staff read it stays on record, with the code that opens nothing now.
            if table.name not in ("access_records", "audit_events"):
                assert CODE not in rows, table.name
        assert session.scalars(select(Conversation.id)).all() == ["c_other"]
        for kept in (SetQuestion.answer_id, TrialResult.answer_id, GapMember.answer_id):
            assert session.scalars(select(kept)).all() == [other]
        assert sorted(session.scalars(select(QuestionVector.digest))) == ["centre", "others"]
        assert session.scalars(select(GapCluster.id)).all() == ["g_others"]
        erased = AuditEvent.action == "conversation.erase"
        [event] = session.scalars(select(AuditEvent).where(erased)).all()
    assert (event.action, event.actor) == ("conversation.erase", "citizen")
    assert event.detail["answers"] == 1


def tried(hall: Hall, member: Member, answer: str, question: str) -> None:
    """Staff took the question into a set, and a run has asked it."""
    what: dict[str, Any] = {
        "set_id": f"q_{answer}",
        "position": 0,
        "question": question,
        "earlier": [question],
        "expect": {},
        "answer_id": answer,
    }
    run = f"r_{answer}"
    with hall.sessions.begin() as session:
        session.add(QuestionSet(id=what["set_id"], name="常问", created_by=member.id))
        session.add(TrialRun(id=run, status="finished", asked_by=member.id, total=1, versions={}))
        session.flush()
        session.add(SetQuestion(id=f"t_{answer}", **what))
        session.add(TrialResult(run_id=run, key="k", cited=[], shown={}, why=[], **what))


def gaps(hall: Hall, texts: dict[str, str]) -> None:
    """Each answer is the only one of its cluster, under the digest of its text."""
    with hall.sessions.begin() as session:
        session.add(QuestionVector(digest="centre", encoder="e", vector=b"0"))
        for answer, text in texts.items():
            session.add(QuestionVector(digest=text, encoder="e", vector=b"1"))
            session.add(
                GapCluster(
                    id=f"g_{text}",
                    encoder="e",
                    total=b"1",
                    medoid_id=answer,
                    first_at=START,
                    last_at=START,
                )
            )
            session.flush()
            session.add(
                GapMember(
                    answer_id=answer,
                    kind="unsure",
                    cluster_id=f"g_{text}",
                    asked_at=START,
                    digest=text,
                )
            )


def test_a_vector_that_another_question_has_too_stays(hall: Hall) -> None:
    answer, other = hall.asked(CODE), hall.asked("c_other")
    gaps(hall, {answer: "same"})
    with hall.sessions.begin() as session:
        session.add(
            GapMember(
                answer_id=other,
                kind="unsure",
                cluster_id="g_same",
                asked_at=START,
                digest="same",
            )
        )
    for url, left in ((URL, 1), ("/api/v1/conversations/c_other", 0)):
        assert hall.client.delete(url).status_code == 200
        assert hall.count(GapCluster) == left
        assert hall.count(QuestionVector) == 1 + left  # and the centre


def test_who_has_the_code_finds_the_erasure_in_the_log(hall: Hall) -> None:
    hall.asked(CODE)
    assert hall.client.delete(URL).status_code == 200
    log = AuditLog(hall.sessions, {})
    for filters in (Filters(subject_id=CODE), Filters(text=CODE), Filters(actor="citizen")):
        [event] = log.page(filters)["events"]
        assert (event["action"], event["actor"]["name"]) == ("conversation.erase", "市民")
        assert CODE not in str(event)
    assert ("citizen", "市民") in log.actors()


def review_of(answer: str, member: Member) -> Review:
    return Review(
        id="r_1",
        answer_id=answer,
        conversation_id=CODE,
        asked_at=START,
        topic=None,
        outcome="answered_faq",
        region="310107",
        reviewer_id=member.id,
        verdict="wrong",
        labels=[],
        comment="市民在飞刀厂",
        follow_up="none",
        status="open",
    )


def test_erasing_twice_says_when_it_was(hall: Hall) -> None:
    hall.asked(CODE)
    first = hall.client.delete(URL).json()
    assert hall.client.delete(URL).json() == first
    gone = hall.client.get(URL)
    assert gone.status_code == 404
    assert gone.json()["error"]["code"] == "conversation_erased"
    with hall.sessions() as session:
        assert len(session.scalars(select(AuditEvent)).all()) == 1


def test_erasing_twice_at_once_is_erasing_once(hall: Hall) -> None:
    hall.asked(CODE)
    mine = MyConversation(hall.sessions, clock=hall.clock)
    results = at_once([lambda: mine.erase(CODE)] * 4)
    assert [r for r in results if isinstance(r, Exception)] == []
    assert len({str(r) for r in results}) == 1


@pytest.mark.parametrize("claimed", [False, True])
def test_while_a_person_is_asked_for_it_says_what_to_do(
    hall: Hall, member: Member, claimed: bool
) -> None:
    hall.asked(CODE)
    ticket, _ = hall.handovers.open(CODE, consent=True)
    if claimed:
        hall.handovers.claim(member, ticket["id"])
    assert not hall.client.get(URL).json()["can_erase"]
    refused = hall.client.delete(URL)
    assert refused.status_code == 409
    assert "撤回" in refused.json()["error"]["message"]
    assert hall.count(AnswerRecord) == hall.count(HandoverTicket) == 1
    hall.handovers.withdraw(CODE)
    assert hall.client.delete(URL).status_code == 200
    assert hall.count(HandoverMessage) == 0


@pytest.mark.parametrize("level", [1, 5])
def test_of_ratings_level_and_month_stay(hall: Hall, member: Member, level: int) -> None:
    answer = hall.asked(CODE)
    ticket = hall.closed_ticket(CODE, member)
    ratings = Ratings(hall.sessions, KEY, clock=hall.clock)
    for kind, event in (("answer", answer), ("handover", ticket)):
        ratings.rate(ratings.token_for(kind, event), level, ["便捷度"], "飞刀厂的事")
    if level == 1:
        with hall.sessions() as session:
            tickets = session.scalars(select(RatingTicket.id)).all()
        for rating_ticket in tickets:
            ratings.tickets.reply(member, rating_ticket, "飞刀厂的事我们看了")
    assert hall.client.delete(URL).status_code == 200
    with hall.sessions() as session:
        kept = session.scalars(select(Rating)).all()
        moves = session.scalars(select(RatingMove.text)).all()
        open_ones = session.scalars(
            select(RatingTicket.id).where(RatingTicket.status != "closed")
        ).all()
    assert [(r.level, r.month) for r in kept] == [(level, "2026-11")] * 2
    for rating in kept:
        assert (rating.comment, rating.aspects, rating.matter, rating.person) == ("", [], {}, "")
        assert rating.topic is None
        assert rating.handler_id == ""
        assert answer not in rating.event_id
        assert ticket not in rating.event_id
    assert not any("飞刀厂" in text for text in moves)
    assert not open_ones
    month = period_of("month", START.date())
    shown = Board(hall.sessions, clock=hall.clock).of(month)["figures"]["ratings"]
    assert shown["total"] == 2


def test_figures_stay(hall: Hall) -> None:
    hall.asked(CODE)
    board = Board(hall.sessions, clock=hall.clock)
    month = period_of("month", START.date())
    before = board.of(month)["figures"]
    hall.client.delete(URL)
    assert board.of(month)["figures"] == before


@pytest.mark.parametrize(
    ("code", "status"),
    [("c_nothing", 404), ("x" * 41, 422), ("c%20d", 422), ("%00", 422), ("'--", 422)],
)
def test_a_code_that_is_none(hall: Hall, code: str, status: int) -> None:
    url = f"/api/v1/conversations/{code}"
    assert hall.client.get(url).status_code == status
    assert hall.client.delete(url).status_code == status


def test_who_guesses_has_to_wait_and_others_do_not(hall: Hall) -> None:
    hall.asked(CODE)
    guesser = TestClient(hall.app, client=("192.0.2.1", 50_000))
    answers = [guesser.get(f"/api/v1/conversations/c_{n}") for n in range(12)]
    assert [a.status_code for a in answers] == [404] * 10 + [429] * 2
    assert "这个网络上输错的次数太多" in answers[-1].json()["error"]["message"]
    assert guesser.delete("/api/v1/conversations/c_x").status_code == 429
    assert hall.client.get("/api/v1/conversations/c_x").status_code == 404
    # Somebody else in the same network who has a code is not kept waiting.
    assert guesser.get(URL).status_code == 200
    assert guesser.delete(URL).status_code == 200


def test_a_network_is_one_guesser(hall: Hall) -> None:
    answers = []
    for n in range(11):
        guesser = TestClient(hall.app, client=(f"2001:db8::{n:x}", 50_000))
        answers.append(guesser.get(f"/api/v1/conversations/c_{n}").status_code)
    assert answers == [404] * 10 + [429]


def test_guesses_are_forgotten_in_time_and_bounded() -> None:
    at = 0.0
    guesses = Guesses(most=2, seconds=10, addresses=3, clock=lambda: at)
    for _ in range(2):
        guesses.missed("a")
    with pytest.raises(TooMany):
        guesses.missed("a")
    at = 10.5
    guesses.missed("a")
    for n in range(50):
        guesses.missed(f"b{n}")
    assert len(guesses._misses) == 3


class Erasing:
    """Answers like the pipeline, and meanwhile the citizen erases the conversation."""

    def __init__(self, pipeline: Pipeline, hall: Hall) -> None:
        self._pipeline, self._hall = pipeline, hall

    def answer(self, question: str, **how: Any) -> Answer:
        answer = self._pipeline.answer(question, **how)
        self._hall.client.delete(URL).raise_for_status()
        return answer


def test_a_question_whose_conversation_is_erased_meanwhile_is_not_stored(
    hall: Hall, pipeline: Pipeline
) -> None:
    hall.asked(CODE, "公司拖欠工资")
    desk = Desk(hall.sessions, Erasing(pipeline, hall), channel="web", longest=2000)
    with pytest.raises(NotFound, match="已清除"):
        desk.ask("要多少钱", conversation=CODE)
    assert hall.count(AnswerRecord) == 0
    assert hall.count(Conversation) == 0
