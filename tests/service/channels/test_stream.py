"""Events while an answer is made: as they are heard, with a sign of life in between."""

from __future__ import annotations

from typing import Any

import pytest

from service.channels import web
from tests.service.channels.counter import QUESTIONS, Counter


def streamed(counter: Counter, question: str) -> str:
    response = counter.client.post(
        QUESTIONS, json={"question": question}, headers={"Accept": "text/event-stream"}
    )
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["cache-control"] == "no-store"
    return response.text


def test_verified_sentences_go_out_before_the_answer(counter: Counter) -> None:
    desk = counter.app.state.desk

    class Writing:
        again = desk.again

        def ask(self, question: str, *, hear: Any, **given: Any) -> Any:
            hear("status", {"stage": "composing"})
            hear("sentence", {"text": "可以投诉。", "sources": [], "ai": True})
            return desk.ask(question, **given)

    counter.app.state.desk = Writing()
    events = [
        line.removeprefix("event: ")
        for line in streamed(counter, "拖欠工资").splitlines()
        if line.startswith("event: ")
    ]
    assert events == ["status", "status", "status", "sentence", "answer"]


def test_a_long_silence_is_broken_by_a_sign_of_life(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "_HEARTBEAT_SECONDS", 0.05)
    text = streamed(counter, "slow 0.4 拖欠工资")
    assert text.count(": still here\n\n") >= 3
    assert text.rstrip().splitlines()[-2] == "event: answer"


def test_what_goes_wrong_is_said_as_an_event(counter: Counter) -> None:
    counter.assistant.broken = True
    text = streamed(counter, "拖欠工资")
    assert '"code": "internal"' in text
    assert "broken on purpose" not in text
