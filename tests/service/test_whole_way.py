"""One citizen through the running application: asked, handed over, rated, pre-checked."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from service.auth import StaffRegister
from service.models import AnswerRecord
from tests.conftest import rooms_of

QUESTIONS = "/api/v1/questions"
TICKETS = "/api/v1/staff/handovers"


def ask(client: TestClient, question: str, conversation: str | None = None) -> dict[str, Any]:
    body = {"question": question} | ({"conversation": conversation} if conversation else {})
    answer: dict[str, Any] = client.post(QUESTIONS, json=body).json()
    return answer


@pytest.fixture
def agent(client: TestClient) -> dict[str, str]:
    _, token = StaffRegister(rooms_of(client).sessions).add("小王", ["agent", "supervisor"])
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def claimed(client: TestClient, agent: dict[str, str]) -> tuple[str, str]:
    """A conversation that a person owns, and its ticket."""
    conversation = ask(client, "转人工")["conversation"]
    client.post(f"/api/v1/conversations/{conversation}/handover", json={"consent": True})
    [ticket] = client.get(TICKETS, headers=agent).json()["tickets"]
    assert client.post(f"{TICKETS}/{ticket['id']}/claim", headers=agent).status_code == 200
    return conversation, ticket["id"]


def test_the_assistant_is_silent_while_a_person_owns_the_conversation(
    client: TestClient, agent: dict[str, str], claimed: tuple[str, str]
) -> None:
    conversation, ticket = claimed
    answer = ask(client, "我的电话13812345678，公司拖欠工资", conversation)
    assert answer["outcome"] == "handover_with_person"
    assert answer["citations"] == []
    assert "rating_token" not in answer
    seen = client.get(f"{TICKETS}/{ticket}?purpose=handle", headers=agent).json()
    said = [m["text"] for m in seen["messages"] if m["from"] == "citizen"]
    assert said == ["我的电话[手机号]，公司拖欠工资"]


def test_danger_is_heard_also_while_a_person_owns_the_conversation(
    client: TestClient, agent: dict[str, str], claimed: tuple[str, str]
) -> None:
    answer = ask(client, "我不想活了", claimed[0])
    assert answer["outcome"] == "handover_urgent"
    [alarm] = client.get("/api/v1/staff/urgent", headers=agent).json()["urgent"]
    assert alarm["answer"] == answer["id"]


def test_after_the_ticket_is_closed_the_assistant_answers_again(
    client: TestClient, agent: dict[str, str], claimed: tuple[str, str]
) -> None:
    conversation, ticket = claimed
    body = {"outcome": "solved", "summary": "已说明怎么申请仲裁"}
    assert client.post(f"{TICKETS}/{ticket}/close", json=body, headers=agent).status_code == 200
    assert ask(client, "公司拖欠三个月工资怎么办", conversation)["outcome"] == "answered_faq"


def test_an_answer_can_be_rated_once_by_whoever_got_it(client: TestClient) -> None:
    answer = ask(client, "公司拖欠三个月工资怎么办")
    rated = client.post("/api/v1/ratings", json={"token": answer["rating_token"], "level": 1})
    assert rated.status_code == 200
    assert rated.json()["ticket"]["status"] == "open"
    again = client.post("/api/v1/ratings", json={"token": answer["rating_token"], "level": 5})
    assert again.status_code == 409


def test_the_token_that_rates_is_not_kept_where_others_read(client: TestClient) -> None:
    answer = ask(client, "公司拖欠三个月工资怎么办")
    with Session(rooms_of(client).engine) as session:
        stored = session.get(AnswerRecord, answer["id"])
        assert stored is not None
        assert "rating_token" not in stored.answer


def test_the_pre_check_runs_as_a_conversation_to_its_result(client: TestClient) -> None:
    answer = ask(client, "法律援助预检")
    conversation = answer["conversation"]
    rounds = 0
    while answer["outcome"] == "clarify_legal_aid":
        assert answer["clarify"]
        answer = ask(client, answer["clarify"][0], conversation)
        rounds += 1
        assert rounds <= 12
    assert answer["outcome"] == "answered_legal_aid"
    assert answer["citations"]
    assert "法律援助机构" in answer["summary"]


def test_the_pre_check_can_be_left_for_a_question(client: TestClient) -> None:
    conversation = ask(client, "法律援助预检")["conversation"]
    ask(client, "公司拖欠三个月工资怎么办", conversation)
    answer = ask(client, "公司拖欠三个月工资怎么办", conversation)
    assert answer["outcome"] == "answered_faq"


def test_danger_inside_the_pre_check_comes_first(client: TestClient) -> None:
    conversation = ask(client, "法律援助预检")["conversation"]
    assert ask(client, "他现在拿刀砍我", conversation)["outcome"] == "handover_urgent"


@pytest.mark.parametrize("question", ["上诉期还有三天，没钱请律师", "劳动仲裁时效还剩最后两天了"])
def test_when_days_are_left_a_person_is_named_at_once(client: TestClient, question: str) -> None:
    answer = ask(client, question)
    assert any("四十四条" in notice for notice in answer["notices"])
    assert answer["handover"]
