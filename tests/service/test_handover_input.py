"""Whatever is wrong with what is sent to the desk is said in Chinese, and nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import BadRequest
from service.handover import words
from service.models import (
    HandoverMessage,
    HandoverTicket,
)
from tests.service.office import QUEUE, Office, path


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "需要您同意"),
        ({"consent": False}, 400, "需要您同意"),
        ({"consent": "true"}, 422, "consent"),
        ({"consent": 1}, 422, "consent"),
        ({"consent": None}, 422, "consent"),
        ({"consent": True, "note": "长" * 20_000}, 400, "补充说明太长"),
        ({"consent": True, "note": "\x01\x02\x03\x04\x05\x06"}, 400, "不是文字"),
        ({"consent": True, "note": 5}, 422, "note"),
        ({"consent": True, "note": ["a"]}, 422, "note"),
        ({"consent": True, "contact": "打我电话"}, 400, "回电号码"),
        ({"consent": True, "contact": "110"}, 400, "回电号码"),
        ({"consent": True, "contact": "1" * 20_000}, 400, "回电号码"),
        ({"consent": True, "contact": "11010519491231002X"}, 400, "回电号码"),
        ({"consent": True, "contact": 13800138000}, 422, "contact"),
        ({"consent": True, "answer": "a_of_somebody_else"}, 404, "没有您说的那个回答"),
        ({"consent": True, "answer": "a'; DROP TABLE handovers --"}, 422, "answer"),
        ({"consent": True, "answer": "a\x00"}, 422, "answer"),
        ({"consent": True, "staff": "s_1"}, 422, "staff"),
        ([], 422, "请求格式不对"),
        ("text", 422, "请求格式不对"),
        (None, 422, "请求格式不对"),
    ],
)
def test_a_request_that_is_wrong_is_refused_and_stores_nothing(
    office: Office, body: Any, status: int, said: str
) -> None:
    office.asked("c_1")
    response = office.client.post(path("c_1"), json=body)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]
    assert office.count(HandoverTicket) == office.count(HandoverMessage) == 0


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe\x00", b'{"consent": tru'])
def test_a_broken_body_gets_a_clear_error(office: Office, raw: bytes) -> None:
    response = office.client.post(
        path("c_1"), content=raw, headers={"Content-Type": "application/json"}
    )
    assert response.status_code in (400, 422)
    assert response.json()["error"]["message"].startswith("请求格式不对")


@pytest.mark.parametrize(
    ("conversation", "status"), [("c_unknown", 404), ("x" * 41, 422), ("c%00", 422), ("%E4", 422)]
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_a_conversation_that_is_not_there_has_no_ticket(
    office: Office, conversation: str, status: int, method: str
) -> None:
    body = {"consent": True} if method == "POST" else None
    response = office.client.request(method, path(conversation), json=body)
    assert response.status_code == status
    assert response.json()["error"]["message"]


def test_the_answer_of_another_conversation_is_none_of_theirs(office: Office) -> None:
    office.asked("c_1")
    elsewhere = office.asked("c_2")
    assert office.open("c_1", answer=elsewhere).status_code == 404
    assert office.count(HandoverTicket) == 0


@pytest.mark.parametrize("after", ["-1", "x", "99999999999999999999", "1.5", ""])
def test_a_number_of_a_message_must_be_one(office: Office, after: str) -> None:
    office.asked("c_1")
    office.ticket("c_1")
    assert office.client.get(path("c_1"), params={"after": after}).status_code == 422


@pytest.mark.parametrize("action", ["claim", "release", "reply", "note", "close"])
@pytest.mark.parametrize("handover", ["h_unknown", "h%00", "x" * 41])
def test_a_ticket_that_is_not_there_cannot_be_worked_on(
    office: Office, action: str, handover: str
) -> None:
    _, desk = office.hire("小王")
    bodies: dict[str, dict[str, Any]] = {
        "reply": {"text": "您好"},
        "note": {"text": "备注"},
        "close": {"outcome": "solved", "summary": "已答复"},
    }
    response = desk.do(handover, action, **bodies.get(action, {}))
    assert response.status_code in (404, 422)
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("action", ["reply", "note"])
@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"text": ""}, 400, "请写下"),
        ({"text": " \n\t "}, 400, "请写下"),
        ({"text": "\u200b\u200b"}, 400, "请写下"),
        ({"text": "\x00"}, 400, "请写下"),
        ({"text": "长" * 20_000}, 400, "太长"),
        ({"text": "\x01\x02\x03\x04\x05\x06"}, 400, "不是文字"),
        ({"text": 5}, 422, "text"),
        ({}, 422, ""),
    ],
)
def test_words_of_staff_must_be_words(
    office: Office, action: str, body: dict[str, Any], status: int, said: str
) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1")
    _, desk = office.hire("小王")
    desk.do(handover, "claim")
    before = office.count(HandoverMessage)
    response = desk.do(handover, action, **body)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]
    assert office.count(HandoverMessage) == before


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"outcome": "solved", "summary": ""}, 400, "处理情况"),
        ({"outcome": "solved", "summary": "长" * 20_000}, 400, "太长"),
        ({"outcome": "withdrawn", "summary": "好"}, 400, "处理结果只能是"),
        ({"outcome": "不归我管", "summary": "好"}, 400, "处理结果只能是"),
        ({"outcome": "solved"}, 422, "summary"),
        ({"outcome": "referred", "summary": "不归我们管"}, 400, "找谁、怎么联系"),
        ({"outcome": "referred", "summary": "好", "referral": {"to": "12333"}}, 422, "referral"),
        (
            {
                "outcome": "referred",
                "summary": "好",
                "referral": {"to": " ", "contact": "12333", "passed_on": False},
            },
            400,
            "转介给谁",
        ),
        (
            {
                "outcome": "referred",
                "summary": "好",
                "referral": {"to": "人社热线", "contact": "", "passed_on": False},
            },
            400,
            "怎么联系",
        ),
        (
            {
                "outcome": "solved",
                "summary": "好",
                "referral": {"to": "人社", "contact": "12333", "passed_on": False},
            },
            400,
            "其他结果不填",
        ),
    ],
)
def test_closing_without_saying_how_is_refused(
    office: Office, body: dict[str, Any], status: int, said: str
) -> None:
    office.asked("c_1")
    handover = office.ticket("c_1")
    _, desk = office.hire("小王")
    desk.do(handover, "claim")
    response = desk.do(handover, "close", **body)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]
    assert office.seen_by_citizen("c_1")["status"] == "claimed"


@pytest.mark.parametrize(
    "params",
    [
        {"status": "open"},
        {"limit": "0"},
        {"limit": "101"},
        {"before": "h'"},
        {"order": "random"},
        {"mine": "perhaps"},
    ],
)
def test_a_queue_that_makes_no_sense_is_refused(office: Office, params: dict[str, str]) -> None:
    _, desk = office.hire("小王")
    assert desk.get(QUEUE, **params).status_code == 422


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("  ", ""),
        ("13800138000", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("021-52564588", "02152564588"),
        ("（021）5256 4588转801", "02152564588转801"),
        ("52564588", "52564588"),
    ],
)
def test_a_number_to_call_back_is_kept_as_it_is_dialled(given: str, kept: str) -> None:
    assert words.phone(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "12800138000",
        "1380013800",
        "138001380001",
        "12345",
        "00852 2345 6789",
        "6222021234567890128",
    ],
)
def test_what_is_no_number_to_call_back_is_refused(given: str) -> None:
    with pytest.raises(BadRequest, match="回电号码"):
        words.phone(given)
