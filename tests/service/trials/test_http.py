"""The pages and endpoints over the running application, with the real answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import func, select

from service.auth import StaffRegister
from service.models import AnswerRecord, Conversation
from service.trials import TrialDesk
from tests.conftest import rooms_of

API = "/api/v1/staff"
Call = Callable[..., Response]


@pytest.fixture
def call(client: TestClient) -> Call:
    """A request as a reviewer, who may do all of this."""
    _, token = StaffRegister(rooms_of(client).sessions).add("复核", ["reviewer", "curator"])
    headers = {"Authorization": f"Bearer {token}"}

    def made(method: str, path: str, **given: Any) -> Response:
        return client.request(method, path, headers=headers, **given)

    return made


def finished(call: Call, path: str) -> dict[str, Any]:
    for _ in range(600):
        state: dict[str, Any] = call("GET", path).json()
        if not state["open"]:
            return state
        time.sleep(0.1)
    raise AssertionError(f"not finished: {state}")


def test_a_trial_answers_as_a_citizen_is_answered_and_keeps_nothing(
    client: TestClient, call: Call
) -> None:
    question = "邻居家的狗把我咬了不肯赔，我电话13800138000"
    tried = call("POST", f"{API}/trials", json={"question": question}).json()
    with rooms_of(client).sessions() as session:
        for table in (Conversation, AnswerRecord):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    told = client.post("/api/v1/questions", json={"question": question}).json()
    same = ("question", "outcome", "summary", "citations", "clarify", "masked")
    assert {k: tried["answer"][k] for k in same} == {k: told[k] for k in same}
    why = tried["why"]
    assert why["masked"] == ["手机号"]
    assert "13800138000" not in str(tried["answer"])
    checks = {c["id"]: c for c in why["checks"]}
    assert checks["guidance"]["passes"]
    assert "超过底线" in why["verdict"]
    best = why["guidance"][0]
    assert best["document"] in tried["shown"]
    assert best["published_on"]
    assert best["asked_as"]
    assert why["topics"][0]["p"] > 0.5
    assert why["steps"][-1]["name"]


def test_whoever_is_not_answered_is_told_by_how_much_it_was_missed(call: Call) -> None:
    body = {"question": "老板说我违反规定扣了半个月奖金我不服"}
    tried = call("POST", f"{API}/trials", json=body).json()
    assert tried["answer"]["outcome"] == "unanswerable_unsure"
    assert "没到底线" in tried["why"]["verdict"]
    checks = {c["id"]: c for c in tried["why"]["checks"]}
    assert checks["guidance"]["by"] == pytest.approx(
        checks["guidance"]["value"] - checks["guidance"]["floor"], abs=1e-4
    )


def test_danger_is_settled_before_anything_is_searched_for(call: Call) -> None:
    tried = call("POST", f"{API}/trials", json={"question": "我不想活了，准备跳楼"}).json()
    assert tried["answer"]["outcome"] == "handover_urgent"
    assert tried["why"]["settled_by"] == "有没有危险"
    assert not tried["why"]["searched"]


def test_an_earlier_question_is_heard(call: Call) -> None:
    body = {"question": "那要多少钱呢", "earlier": ["怎么申请法律援助"]}
    tried = call("POST", f"{API}/trials", json=body).json()
    alone = call("POST", f"{API}/trials", json={"question": body["question"]}).json()
    assert [one["question"] for one in tried["earlier"]] == body["earlier"]
    assert "法律援助" in tried["why"]["query"]
    assert "法律援助" not in alone["why"]["query"]
    assert tried["answer"]["outcome"].startswith("answered_")
    assert tried["answer"]["summary"] != alone["answer"]["summary"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"question": ""}, 400),
        ({"question": 5}, 422),
        ({"question": "长" * 20_000}, 400),
        ({"question": "\x01" * 50}, 400),
        ({"question": "好", "extra": 1}, 422),
        ({"question": "好", "region": "x"}, 422),
        ({"question": "好", "as_of": "昨天"}, 422),
        ({"question": "好", "earlier": ["一"] * 6}, 400),
        ({"question": "好", "revision": "none@1"}, 404),
    ],
)
def test_a_trial_of_nothing_is_refused(call: Call, body: dict[str, Any], status: int) -> None:
    response = call("POST", f"{API}/trials", json=body)
    assert response.status_code == status
    assert response.json()["error"]["message"]


def test_a_set_is_made_filled_and_asked_in_the_background(call: Call) -> None:
    made = call("POST", f"{API}/sets", json={"name": "每周"}).json()["id"]
    csv = "问题,结果\n民法典第一千零七十九条,给出指定的条文\n".encode("gb18030")
    filled = call("POST", f"{API}/sets/{made}/upload", files={"file": ("a.csv", csv)})
    assert filled.status_code == 201, filled.text
    run = call("POST", f"{API}/sets/{made}/runs").json()["id"]
    state = finished(call, f"{API}/set-runs/{run}")
    assert (state["status"], state["passed"], state["failed"]) == ("finished", 1, 0)
    assert state["asked_at"].endswith("+00:00")
    page = call("GET", f"/console/sets/runs/{run}?show=all")
    assert "民法典第一千零七十九条" in page.text
    assert "达到要求" in page.text


@pytest.mark.parametrize("path", [API + "/set-runs/{}", "/console/sets/runs/{}"])
def test_a_run_that_waits_goes_on_when_somebody_looks_at_it(
    client: TestClient, call: Call, path: str
) -> None:
    member, _ = StaffRegister(rooms_of(client).sessions).add("甲", ["reviewer"])
    desk = TrialDesk(rooms_of(client), client.app.state.serving)  # type: ignore[attr-defined]
    made = desk.sets.create(member, "每月")["id"]
    # As a process left it that ended before it came to it.
    run = desk.runs.ask_for(member, [desk.sets.add(member, made, [{"question": "离婚"}])])
    assert call("GET", path.format(run)).status_code == 200
    for _ in range(300):
        if not (state := desk.runs.read(run))["open"]:
            break
        time.sleep(0.1)
    assert state["status"] == "finished"


def test_a_draft_is_compared_and_its_page_says_which_answers_change(call: Call) -> None:
    document = call("GET", f"{API}/knowledge/documents/faq-dog-bite").json()
    if "published" not in document:
        pytest.fail(str(document))
    body = {k: v for k, v in document["published"]["body"].items() if k not in ("kind", "title")}
    body["answer"] += "\n先拍照。"
    saved = call(
        "POST",
        f"{API}/knowledge",
        json={
            "document": document["id"],
            "kind": "faq",
            "body": body,
            "base": document["newest"],
        },
    ).json()
    draft = saved["id"]
    tried = call("POST", f"{API}/trials", json={"question": body["question"], "revision": draft})
    assert tried.json()["with_draft"]["differs"]
    asked = call("POST", f"{API}/draft-comparisons", json={"revision": draft}).json()
    found = finished(call, f"{API}/draft-comparisons/{asked['id']}")
    assert found["finished"], found
    assert found["changed"] >= len(body["asks"]) // 2
    assert {tuple(c["what"]) for c in found["changes"]} == {("正文",)}
    page = call("GET", "/console/sets/compare", params={"revision": draft})
    assert f"这次修改会改变这 {found['changed']} 个回答" in page.text
    assert "<ins>" in page.text
    call("POST", f"{API}/knowledge/revisions/{draft}/discard")


@pytest.mark.parametrize(
    "path",
    [
        "/console/try",
        "/console/try?question=%01%01%01%01%01%01",
        "/console/try?question=好&as_of=x",
        "/console/try?question=好&region=x",
        "/console/try?question=<script>alert(1)</script>离婚",
        "/console/sets",
        "/console/sets/shipped",
        "/console/sets/compare",
        "/console/gaps?days=7&state=all",
    ],
)
def test_pages_open_whatever_is_typed(call: Call, path: str) -> None:
    page = call("GET", path)
    assert page.status_code == 200
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/console/sets/q_none", 404),
        ("/console/sets/runs/r_none", 404),
        ("/console/sets/compare?revision=none%401", 404),
        ("/console/sets/compare?comparison=d_none", 404),
        ("/console/gaps/g_none", 404),
        ("/console/gaps?days=8", 400),
        ("/console/gaps?kind=x", 400),
    ],
)
def test_what_is_not_there_is_said_so(call: Call, path: str, status: int) -> None:
    assert call("GET", path).status_code == status


def test_an_agent_may_read_sets_but_not_ask_or_change(client: TestClient) -> None:
    _, token = StaffRegister(rooms_of(client).sessions).add("坐席", ["agent"])
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/console/sets", headers=headers).status_code == 200
    for method, path in (
        ("GET", "/console/try"),
        ("GET", "/console/gaps"),
        ("POST", f"{API}/sets/shipped/runs"),
        ("POST", f"{API}/sets/shipped/copy"),
    ):
        assert client.request(method, path, headers=headers).status_code == 403
