"""A kill switch through the running application: set over HTTP, heeded within two seconds."""

from __future__ import annotations

import time
from typing import Any

from fastapi.testclient import TestClient

from service.auth import StaffRegister
from tests.conftest import rooms_of

URL = "/api/v1/staff/switches"
WAGES = "公司拖欠三个月工资怎么办"


def ask(client: TestClient, question: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/api/v1/questions", json={"question": question}).json()
    return answer


def test_a_channel_is_switched_off_and_on(client: TestClient) -> None:
    _, token = StaffRegister(rooms_of(client).sessions).add("周督导", ["supervisor"])
    headers = {"Authorization": f"Bearer {token}"}
    body = {"kind": "channel", "key": "web", "off": True, "comment": "答错了，先停"}
    assert ask(client, WAGES)["outcome"] == "answered_faq"
    assert client.post(URL, json=body, headers=headers).status_code == 200
    time.sleep(2.1)
    stopped = ask(client, WAGES)
    assert stopped["outcome"] == "unanswerable_switched_off"
    assert "12348" in str(stopped["handover"])
    assert ask(client, "我不想活了")["outcome"] == "handover_urgent"
    body |= {"off": False, "comment": "已改好"}
    assert client.post(URL, json=body, headers=headers).status_code == 200
    time.sleep(2.1)
    assert ask(client, WAGES)["outcome"] == "answered_faq"
