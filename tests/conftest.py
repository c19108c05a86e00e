"""Fixtures: the real database by the real migrations, real Chroma, the real encoder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from knowledge.citations import LawBook
from knowledge.encoder import OnnxEncoder
from knowledge.library import Library
from knowledge.retrieval import Retriever
from service.answering.pipeline import Pipeline
from service.app import create_app
from service.assembly import Rooms
from service.models import Base
from service.settings import Settings
from tests.service import databases

_KNOWLEDGE = frozenset({"documents", "revisions", "passages", "knowledge_loads"})
TODAY = date(2026, 11, 26)

# The benchmark data that CI has beside the checkout; the product does not need it.
SHARED = Path(os.environ.get("CONSULT_BENCH", Path(__file__).parents[2] / "shared"))


def settings_for(home: Path) -> Settings:
    return Settings(_env_file=None, home=home)


@pytest.fixture(scope="session")
def encoder() -> OnnxEncoder:
    return OnnxEncoder()


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as `consult serve` leaves it after its first start; tests must not write to it.

    `CONSULT_TEST_HOME` names one that an earlier start left: a copy of it is brought up to date,
    which saves the minute of a first start to whoever runs a few tests again and again.
    """
    home = tmp_path_factory.mktemp("home")
    if ready := os.environ.get("CONSULT_TEST_HOME"):
        shutil.copytree(ready, home, dirs_exist_ok=True)
    rooms = Rooms(settings_for(home))
    rooms.prepare()
    rooms.close()
    return home


@pytest.fixture(scope="session")
def rooms(prepared_home: Path) -> Iterator[Rooms]:
    opened = Rooms(settings_for(prepared_home))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def library(rooms: Rooms) -> Library:
    return rooms.library


@pytest.fixture(scope="session")
def laws(rooms: Rooms) -> LawBook:
    return rooms.laws


@pytest.fixture(scope="session")
def retriever(rooms: Rooms) -> Iterator[Retriever]:
    with rooms.retriever() as opened:
        yield opened


@pytest.fixture(scope="session")
def pipeline(rooms: Rooms) -> Iterator[Pipeline]:
    with rooms.pipeline() as opened:
        yield opened


@pytest.fixture
def home(prepared_home: Path, tmp_path: Path) -> Path:
    """A prepared home of one's own, to write to."""
    return Path(shutil.copytree(prepared_home, tmp_path / "home"))


@pytest.fixture(scope="session")
def served(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One running application on a home of its own, for all tests over HTTP."""
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(prepared_home, home)
    with TestClient(create_app(Rooms(settings_for(home)))) as opened:
        yield opened


@pytest.fixture
def client(served: TestClient) -> TestClient:
    """The running application without anything that another test has left, but the knowledge."""
    with (
        Session(rooms_of(served).engine) as session,
        session.begin(),
        databases.unguarded(session.connection()),
    ):
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in _KNOWLEDGE:
                session.execute(delete(table))
    return served


def rooms_of(client: TestClient) -> Rooms:
    """The rooms behind a running application."""
    application = client.app
    assert isinstance(application, FastAPI)
    opened = application.state.rooms
    assert isinstance(opened, Rooms)
    return opened


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    """A sentence-transformers folder with a two-layer BERT of random weights."""
    pytest.importorskip("torch", reason="needs the extra `models`")
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    vocabulary = {
        t: i
        for i, t in enumerate(
            ["<s>", "<pad>", "</s>", "<unk>", *"公司拖欠工资怎么办离婚孩子归谁房东押金不退"]
        )
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_max_length=192
    )
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, pad_token_id=1, max_position_embeddings=256,
    )  # fmt: skip
    bare = tmp_path / "bare"
    BertModel(config).save_pretrained(bare)
    fast.save_pretrained(bare)
    folder = tmp_path / "tiny"
    sentence_transformers.SentenceTransformer(str(bare), device="cpu").save(str(folder))
    return folder
