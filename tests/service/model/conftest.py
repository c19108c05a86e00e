"""A writer over a database of its own, with a model that a test chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from langchain_core.language_models import BaseChatModel
from sqlalchemy.orm import Session, sessionmaker

from knowledge.citations import LawBook
from service.model.breaker import Breaker
from service.model.budget import Budget
from service.model.calling import Caller, Limits
from service.model.writing import About, Writer
from tests.service import databases

WriterOf = Callable[..., Writer]


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[sessionmaker[Session]]:
    with databases.sqlite(tmp_path) as engine:
        yield databases.sessions_of(engine)


@pytest.fixture
def writer_of(counted: sessionmaker[Session], laws: LawBook) -> WriterOf:
    """Makes a writer of a chat model; limits in seconds."""

    def make(
        model: BaseChatModel,
        *,
        first: float = 5.0,
        total: float = 20.0,
        at_once: int = 4,
        calls: int = 0,
        of_conversation: int = 0,
        failures: int = 1000,
    ) -> Writer:
        budget = Budget(counted, calls=calls, tokens=0, of_conversation=of_conversation)
        limits = Limits(first=first, total=total, at_once=at_once)
        caller = Caller(model, limits, budget, Breaker(failures, 30))
        return Writer(caller, lambda: laws, About("试验模型", "备案-1", "上海市普陀区"))

    return make
