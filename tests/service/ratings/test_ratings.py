"""Rating: bad input first, one rating an event, three bonds, counts without anything personal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from knowledge import store
from knowledge.models import Document, Kind, Passage, Revision, Status
from service.errors import Conflict, NotFound
from service.models import AnswerRecord, HandoverTicket, Rating, RatingTicket
from service.ratings import Ratings, person_of
from service.signing import Signer
from tests.service.ratings.conftest import KEY, Bureau, at_once


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "token"),
        ({"level": 5}, 422, "token"),
        ({"token": "x"}, 422, "level"),
        ({"token": "x", "level": "5"}, 422, "level"),
        ({"token": "x", "level": 5.0}, 422, "level"),
        ({"token": "x", "level": True}, 422, "level"),
        ({"token": "x", "level": None}, 422, "level"),
        ({"token": 5, "level": 5}, 422, "token"),
        ({"token": ["x"], "level": 5}, 422, "token"),
        ({"token": "x", "level": 5, "aspects": "便捷度"}, 422, "aspects"),
        ({"token": "x", "level": 5, "aspects": [1]}, 422, "aspects"),
        ({"token": "x", "level": 5, "aspects": ["便捷度"] * 21}, 422, "aspects"),
        ({"token": "x", "level": 5, "comment": 5}, 422, "comment"),
        ({"token": "x", "level": 5, "stars": 5}, 422, "stars"),
        ({"token": "", "level": 5}, 400, "凭证无效"),
        ({"token": "x", "level": 5}, 400, "凭证无效"),
        ({"token": "长" * 20_000, "level": 5}, 400, "凭证无效"),
        ({"token": "x" * 20_000, "level": 5}, 400, "凭证无效"),
        ({"token": "a.b.c", "level": 5}, 400, "凭证无效"),
        ({"token": "\x00", "level": 5}, 400, "凭证无效"),
        ([1, 2], 422, "请求内容"),
        ("text", 422, "请求内容"),
        (None, 422, "请求内容"),
    ],
)
def test_bad_input_gets_a_clear_error(bureau: Bureau, body: object, status: int, said: str) -> None:
    response = bureau.post(body)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]
    assert bureau.count(Rating) == 0


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("level", 0, "五个等级"),
        ("level", 6, "五个等级"),
        ("level", -1, "五个等级"),
        ("level", 10**30, "五个等级"),
        ("aspects", ["长得好看"], "评价方面只能选"),
        ("aspects", ["服务态度"], "评价方面只能选"),  # nobody served in person
        ("comment", "差" * 501, "501字"),
        ("comment", "差" * 20_000, "太长"),
    ],
)
def test_with_a_good_token_too_only_a_rating_is_taken(
    bureau: Bureau, field: str, value: object, said: str
) -> None:
    response = bureau.post({"token": bureau.token(), "level": 5, field: value})
    assert response.status_code == 400
    assert said in response.json()["error"]["message"]
    assert bureau.count(Rating) == 0


def test_half_a_character_is_no_comment(bureau: Bureau) -> None:
    raw = b'{"token": "x", "level": 5, "comment": "\\ud800"}'
    response = bureau.http.post(
        "/api/v1/ratings", content=raw, headers={"Content-Type": "application/json"}
    )
    assert response.status_code in (400, 422)
    assert bureau.ratings.rate(bureau.token(), 5, comment="好\ud800\x00")["level"] == 5


def test_a_token_that_is_not_ours_rates_nothing(bureau: Bureau) -> None:
    token = bureau.token()
    body, stamp, signature = token.split(".")
    other = bureau.token().split(".")
    later = Signer(KEY, "rating").sign("answer", "a_1").split(".")[1]
    forged = [
        token[:-1],
        token[: len(token) // 2],
        token + "A",
        body + "." + stamp,
        f"{body}.{stamp}.{signature[::-1]}",
        f"{other[0]}.{stamp}.{signature}",  # another event under this signature
        f"{body}.{later[::-1]}.{signature}",  # another date
        Signer("another key that is long enough as well", "rating").sign("answer", "a_1"),
        Signer(KEY, "password").sign("answer", "a_1"),  # signed for another purpose
        Signer(KEY, "rating").sign("person", "a_1"),  # of a kind that is not rated
        Signer(KEY, "rating").sign("answer"),
        Signer(KEY, "rating").sign("answer", "a_1", "b"),
    ]
    for wrong in forged:
        for path in ("/api/v1/ratings", "/api/v1/ratings/mine"):
            body_ = {"token": wrong} | ({"level": 5} if path.endswith("ratings") else {})
            response = bureau.post(body_, path)
            assert response.status_code == 400, wrong
            assert response.json()["error"]["code"] == "rating_token_invalid"
    assert bureau.count(Rating) == 0


def test_a_token_expires_for_rating_but_not_for_reading(bureau: Bureau) -> None:
    early, late = bureau.token(), bureau.token()
    bureau.ratings.rate(early, 2)
    bureau.clock.at = datetime.now(UTC) + timedelta(days=29)
    assert bureau.post({"token": early, "level": 2}).status_code == 200
    bureau.clock.at = datetime.now(UTC) + timedelta(days=31)
    refused = bureau.post({"token": late, "level": 5})
    assert refused.status_code == 400
    assert "30天" in refused.json()["error"]["message"]
    assert bureau.ratings.read(early)["level"] == 2


def test_what_is_gone_or_goes_on_cannot_be_rated(bureau: Bureau) -> None:
    agent = bureau.hire("agent")
    answer, going_on = bureau.answer(), bureau.handover(agent, close=False)
    with bureau.sessions.begin() as session:
        session.execute(delete(AnswerRecord).where(AnswerRecord.id == answer))
    sign = bureau.ratings.token_for
    for token, status in (
        (sign("answer", answer), 404),
        (sign("answer", "a_never_was"), 404),
        (sign("handover", bureau.answer()), 404),  # the id of another kind of event
        (sign("answer", bureau.handover(agent)), 404),
        (sign("handover", going_on), 409),
    ):
        assert bureau.post({"token": token, "level": 5}).status_code == status
        assert bureau.post({"token": token}, "/api/v1/ratings/mine").status_code == 404
    assert bureau.count(Rating) == 0


def test_a_token_is_made_for_what_can_be_rated_only(bureau: Bureau) -> None:
    with pytest.raises(ValueError, match="person"):
        bureau.ratings.token_for("person", "p_1")


@pytest.mark.parametrize(
    ("level", "label", "ticket"),
    [
        (5, "非常满意", False),
        (4, "满意", False),
        (3, "基本满意", False),
        (2, "不满意", True),
        (1, "非常不满意", True),
    ],
)
def test_the_lower_two_of_five_levels_open_a_ticket(
    bureau: Bureau, level: int, label: str, ticket: bool
) -> None:
    rated = bureau.post({"token": bureau.token(), "level": level}).json()
    assert (rated["level"], rated["label"], rated["counted"]) == (level, label, True)
    assert (rated["ticket"] is not None) == ticket
    assert bureau.count(RatingTicket) == ticket


def test_the_same_level_again_changes_nothing(bureau: Bureau) -> None:
    token = bureau.token()
    first = bureau.post({"token": token, "level": 2, "comment": "慢"}).json()
    bureau.clock.at += timedelta(days=1)
    again = bureau.post({"token": token, "level": 2, "comment": "别的话"}).json()
    other_token_same_event = bureau.ratings.read(token)
    assert first == again == other_token_same_event
    with bureau.sessions() as session:
        assert session.scalars(select(Rating.comment)).all() == ["慢"]


def test_another_level_is_refused_and_the_first_stays(bureau: Bureau) -> None:
    token = bureau.token()
    bureau.post({"token": token, "level": 4})
    refused = bureau.post({"token": token, "level": 1})
    assert refused.status_code == 409
    assert "满意" in refused.json()["error"]["message"]
    assert bureau.ratings.read(token)["level"] == 4
    assert bureau.count(RatingTicket) == 0


def test_many_at_once_leave_one_rating_and_one_ticket(bureau: Bureau) -> None:
    token = bureau.token()
    results = at_once(24, lambda _: bureau.ratings.rate(token, 1))
    assert all(result == results[0] for result in results)
    assert (bureau.count(Rating), bureau.count(RatingTicket)) == (1, 1)


def test_of_different_levels_at_once_exactly_one_is_stored(bureau: Bureau) -> None:
    token = bureau.token()
    results = at_once(24, lambda number: bureau.ratings.rate(token, number % 5 + 1))
    stored = bureau.ratings.read(token)["level"]
    for number, result in enumerate(results):
        if number % 5 + 1 == stored:
            assert result["level"] == stored
        else:
            assert isinstance(result, Conflict)
    assert bureau.count(Rating) == 1
    assert bureau.count(RatingTicket) == (stored <= 2)


def test_many_events_at_once_lose_none(bureau: Bureau) -> None:
    tokens = [bureau.token() for _ in range(48)]
    results = at_once(48, lambda number: bureau.ratings.rate(tokens[number], number % 5 + 1))
    assert [result["level"] for result in results] == [number % 5 + 1 for number in range(48)]
    assert bureau.count(Rating) == 48


@pytest.mark.parametrize("number", ["13800138000", "１３８００１３８０００", "138 0013 8000"])
def test_a_comment_is_stored_without_personal_data(bureau: Bureau, number: str) -> None:
    bureau.ratings.rate(bureau.token(), 1, comment=f"打我电话{number}说清楚")
    with bureau.sessions() as session:
        assert session.scalars(select(Rating.comment)).all() == ["打我电话[手机号]说清楚"]


def the_rating(bureau: Bureau) -> Rating:
    with bureau.sessions() as session:
        return session.scalars(select(Rating)).one()


def test_the_person_is_a_pseudonym_of_the_conversation(bureau: Bureau) -> None:
    conversation = bureau.conversation()
    for _ in range(2):
        bureau.ratings.rate(bureau.token(bureau.answer(conversation)), 5)
    bureau.ratings.rate(bureau.token(), 5)
    with bureau.sessions() as session:
        people = session.scalars(select(Rating.person)).all()
    assert sorted(map(people.count, set(people))) == [1, 2]
    assert person_of(conversation) in people
    assert conversation not in json.dumps(people)


def faq(bureau: Bureau, document_id: str, answer: str) -> str:
    """A published answer; gives the id of its passage."""
    document = Document(id=document_id, kind=Kind.FAQ, title="拖欠工资怎么办", origin="content")
    revision = Revision(
        id=f"{document_id}#1",
        document_id=document_id,
        status=Status.PUBLISHED,
        source="本区",
        checked_on=date(2026, 11, 1),
        author="甲",
        approver="乙",
        body={"answer": answer},
    )
    passage = Passage(
        id=f"{document_id}#1/1", revision_id=revision.id, ordinal=1, label="问法", text="欠薪"
    )
    with bureau.sessions.begin() as session:
        store.save_document(session, document)
        store.add_revision(session, revision, [passage])
        service = replace(document, id="service-x", kind=Kind.SERVICE)
        store.save_document(session, service)
        card = replace(revision, id="service-x#1", document_id="service-x", body={"summary": "投"})
        store.add_revision(
            session, card, [replace(passage, id="service-x#1/1", revision_id="service-x#1")]
        )
    return passage.id


@pytest.mark.parametrize(
    ("outcome", "answer", "kind", "handler", "documents"),
    [
        (
            "answered_faq",
            {"summary": "先投诉。", "steps": [{"id": "service-x"}], "citations": [{}]},
            ("knowledge", "faq-wages"),
            {"author": "甲", "approver": "乙", "revision": "faq-wages#1"},
            ["faq-wages", "service-x"],
        ),
        (
            "answered_service",
            {"summary": "投", "steps": [{"id": "service-x"}], "citations": []},
            ("knowledge", "service-x"),
            {"author": "甲", "revision": "service-x#1"},
            ["service-x"],
        ),
        (
            "answered_law",
            {"summary": "第五十条", "steps": [{"id": "service-x"}], "citations": [{}]},
            ("law", "law"),
            {},
            ["service-x"],
        ),
        ("answered_smalltalk", {"summary": "您好"}, ("assistant", "assistant"), {}, []),
        ("unanswerable_unsure", {"summary": "先投诉。"}, ("assistant", "assistant"), {}, []),
    ],
)
def test_an_answer_is_bound_to_what_it_was_given_from(
    bureau: Bureau,
    outcome: str,
    answer: dict[str, Any],
    kind: tuple[str, str],
    handler: dict[str, str],
    documents: list[str],
) -> None:
    passage = faq(bureau, "faq-wages", "先投诉。")
    trace = {"hits": {"guidance": [{"passage": passage}, {"passage": "service-x#1/1"}]}}
    event = bureau.answer(outcome=outcome, answer=answer, trace=trace)
    bureau.ratings.rate(bureau.token(event), 5)
    rating = the_rating(bureau)
    assert (rating.handler_kind, rating.handler_id) == kind
    assert handler.items() <= rating.handler.items()
    assert rating.matter == {"outcome": outcome, "documents": documents}
    assert (rating.topic, rating.region) == ("劳动人事", "310107")


def test_a_handover_is_bound_to_who_claimed_it(bureau: Bureau) -> None:
    agent = bureau.hire("agent")
    bureau.ratings.rate(bureau.token(bureau.handover(agent)), 4, ["服务态度", "服务态度"])
    rating = the_rating(bureau)
    assert (rating.handler_kind, rating.handler_id) == ("staff", agent.id)
    assert rating.handler == {"name": agent.name}
    assert rating.aspects == ["服务态度"]


def test_a_handover_that_nobody_took_is_bound_to_the_assistant(bureau: Bureau) -> None:
    conversation = bureau.conversation()
    ticket = bureau.handovers.open(conversation, consent=True)[0]["id"]
    bureau.handovers.withdraw(conversation)
    bureau.ratings.rate(bureau.token(ticket), 3)
    assert the_rating(bureau).handler_kind == "assistant"


def test_nothing_is_counted_where_nothing_was_rated(bureau: Bureau) -> None:
    counts = bureau.http.get("/api/v1/ratings/summary").json()
    assert counts["total"] == 0
    assert counts["satisfied"] == {"n": 0, "share": None}
    assert counts["months"] == []


def test_counts_are_by_level_and_by_month_in_shanghai(bureau: Bureau) -> None:
    for at, level in (
        (datetime(2026, 11, 30, 15, 59, tzinfo=UTC), 5),
        (datetime(2026, 11, 30, 15, 59, tzinfo=UTC), 3),
        (datetime(2026, 11, 30, 16, 0, tzinfo=UTC), 1),  # December has begun in Shanghai
    ):
        bureau.clock.at = at
        bureau.ratings.rate(bureau.token(), level)
    counts = bureau.http.get("/api/v1/ratings/summary").json()
    assert counts["total"] == 3
    assert {row["level"]: row["n"] for row in counts["levels"]} == {5: 1, 4: 0, 3: 1, 2: 0, 1: 1}
    assert counts["satisfied"] == {"n": 2, "share": 0.6667}
    assert [(m["month"], m["total"], m["satisfied"]["share"]) for m in counts["months"]] == [
        ("2026-11", 2, 1.0),
        ("2026-12", 1, 0.0),
    ]
    assert counts["tickets"] == {"open": 1, "closed": 0}
    assert "待区司法局确认" in counts["note"]


def test_an_accepted_appeal_takes_the_rating_out_of_the_counts_and_keeps_it(bureau: Bureau) -> None:
    agent, supervisor = bureau.hire("agent"), bureau.hire("supervisor")
    ticket = bureau.bad_rating()
    bureau.ratings.rate(bureau.token(), 5)
    bureau.tickets.appeal(agent, ticket, "评价的是别的事")
    bureau.tickets.decide(supervisor, ticket, accepted=True, reason="属实")
    counts = bureau.ratings.summary()
    assert (counts["total"], counts["excluded"]) == (1, 1)
    assert counts["satisfied"] == {"n": 1, "share": 1.0}
    assert counts["tickets"] == {"open": 0, "closed": 0}
    assert bureau.count(Rating) == 2


def test_the_public_counts_hold_nothing_personal(bureau: Bureau) -> None:
    agent = bureau.hire("agent")
    event = bureau.handover(agent)
    ticket = bureau.bad_rating(event, comment="王某某的态度很差")
    with bureau.sessions() as session:
        conversation = session.scalars(select(HandoverTicket.conversation_id)).one()
    shown = bureau.http.get("/api/v1/ratings/summary").text
    for secret in (event, ticket, conversation, agent.id, agent.name, "王某某", "劳动人事"):
        assert secret not in shown


def test_the_form_offers_what_is_taken(bureau: Bureau) -> None:
    form = bureau.http.get("/api/v1/ratings/form").json()
    assert [row["label"] for row in form["levels"]][::4] == ["非常满意", "非常不满意"]
    agent = bureau.hire("agent")
    for kind, event in (("answer", bureau.answer()), ("handover", bureau.handover(agent))):
        body = {"token": bureau.token(event), "level": 5, "aspects": form["aspects"][kind]}
        body["comment"] = "好" * form["max_comment_chars"]
        assert bureau.post(body).status_code == 200


def test_a_rating_survives_what_was_rated(bureau: Bureau) -> None:
    event = bureau.answer()
    token = bureau.token(event)
    ticket = bureau.bad_rating(event)
    with bureau.sessions.begin() as session:
        session.execute(delete(AnswerRecord))
    assert bureau.ratings.read(token)["level"] == 1
    reader = bureau.hire("supervisor")
    assert bureau.tickets.read(reader, ticket)["event"]["id"] == event


def test_two_installations_share_tokens_only_with_the_key(bureau: Bureau) -> None:
    token = bureau.token()
    assert Ratings(bureau.sessions, KEY, clock=bureau.clock).rate(token, 5)["level"] == 5
    with pytest.raises(NotFound):
        Ratings(bureau.sessions, KEY, clock=bureau.clock).read(bureau.token())
