"""What is published answers without a restart, and questions go on meanwhile."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ingest import content
from ingest.pipeline import Incoming
from knowledge import store
from knowledge.library import Library
from knowledge.models import NATIONAL, Status
from service.assembly import Rooms
from service.serving import Serving
from tests.conftest import settings_for

QUESTION = "小区电梯里的广告费收入归谁所有，业主能不能要求物业公开"


def faq(asks: str, answer: str) -> Incoming:
    """A reviewed answer of staff, as it would be published."""
    item = content.Faq(
        kind="faq",
        id="faq-test-lift-advertising",
        topic="物业管理",
        region=NATIONAL,
        source="民法典",
        checked_on=date(2026, 11, 1),
        question=asks,
        asks=[asks, asks + "？", asks + "呢"],
        answer=answer,
        cites=["《民法典》第二百八十二条"],
    )
    return content.to_incoming(item, "staff")


@pytest.fixture
def serving(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """One that does not look for itself while a test lasts."""
    monkeypatch.setattr("service.serving._LOOK_SECONDS", 3600.0)
    monkeypatch.setattr("service.serving._LONGEST_ANSWER", 0.1)  # a test may hold one on purpose
    with opened(home) as serving:
        yield serving


@contextmanager
def opened(home: Path) -> Iterator[Serving]:
    rooms = Rooms(settings_for(home))
    serving = Serving(rooms)
    serving.open()
    yield serving
    serving.close()
    rooms.close()


def publish(serving: Serving, new: Incoming) -> None:
    with serving.rooms.sessions.begin() as session:
        for revision in store.all_revisions(session, Status.PUBLISHED).values():
            if revision.document_id == new.document.id:
                store.update_revision(session, revision, status=Status.WITHDRAWN)
        store.save_document(session, new.document)
        store.add_revision(session, new.revision, new.passages)


@pytest.mark.slow
def test_a_change_is_tried_then_published_and_answers_at_once(serving: Serving) -> None:
    new = faq(QUESTION, "归业主共有，扣除合理成本后由业主共同决定怎么用。")
    before = serving.answer(QUESTION).draft.trace.get("answered_by")
    assert before != new.document.id

    # Tried: an index of its own, and nothing of it stays.
    with serving.candidate([new]) as candidate:
        assert candidate.answer(QUESTION).draft.trace["answered_by"] == new.document.id
    assert serving.answer(QUESTION).draft.trace.get("answered_by") == before
    assert list(serving.rooms.settings.home.glob("candidate-*")) == []
    assert serving.status().current

    # Published: whoever was being answered ends with what he began with.
    publish(serving, new)
    assert not serving.status().current
    with serving.pipeline() as held:
        assert serving.refresh()
        assert serving.answer(QUESTION).draft.trace["answered_by"] == new.document.id
        assert held.answer(QUESTION).draft.trace.get("answered_by") == before
    assert serving.status().current
    assert not serving.refresh(), "nothing has changed since"


@pytest.mark.slow
def test_what_is_in_memory_is_not_searched_for_garbage_until_it_is_replaced(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(home) as serving:
        assert gc.get_freeze_count() > 100_000
        old = weakref.ref(serving.library)
        monkeypatch.setattr("service.serving.today_in_china", lambda: date(2026, 12, 24))
        assert serving.refresh(), "a new day is a new library"
        assert old() is None, "what was replaced is gone"
        assert gc.get_freeze_count() > 100_000
    assert gc.get_freeze_count() == 0


def test_what_another_process_published_is_looked_for_and_followed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.serving._LOOK_SECONDS", 0.5)
    with opened(home) as serving:
        publish(serving, faq(QUESTION, "归全体业主共有。物业公司应当公开收支。"))
        for _ in range(300):
            if serving.status().current and not serving.status().refreshing:
                break
            time.sleep(0.1)
        assert "公开收支" in serving.answer(QUESTION).draft.summary


@pytest.mark.slow
def test_after_failures_it_is_tried_again_more_and_more_seldom(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.serving._LOOK_SECONDS", 0.1)
    tried: list[float] = []

    def broken(*_args: object, **_how: object) -> None:
        tried.append(time.monotonic())
        raise OSError("磁盘满了")

    with opened(home) as serving:
        monkeypatch.setattr(serving.rooms, "build_index", broken)
        publish(serving, faq(QUESTION, "归业主共有。"))
        for _ in range(200):
            if len(tried) == 4:
                break
            time.sleep(0.1)
        waited = [after - before for before, after in pairwise(tried)]
        assert waited[0] >= 0.2
        assert waited[2] >= 0.8


@pytest.mark.slow
def test_a_refresh_that_fails_leaves_what_serves_and_says_so(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(serving, faq(QUESTION, "归业主共有。"))

    def broken(*_args: object, **_how: object) -> None:
        raise OSError("磁盘满了")

    monkeypatch.setattr(serving.rooms, "build_index", broken)
    serving.request_refresh()
    for _ in range(100):
        if serving.status().error:
            break
        time.sleep(0.1)
    assert "磁盘满了" in (serving.status().error or "")
    assert serving.answer("公司拖欠工资怎么办").outcome.answered


@pytest.mark.slow
def test_what_is_published_while_an_index_is_begun_is_not_taken_for_indexed(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Library.load

    def meanwhile(*args: Any) -> Library:
        read = load(*args)
        publish(serving, faq(QUESTION, "归业主共有。"))
        return read

    monkeypatch.setattr(Library, "load", meanwhile)
    serving.rooms.build_index()
    assert serving.rooms.stale()
