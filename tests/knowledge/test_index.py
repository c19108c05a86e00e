"""The index is built beside the old one, switched at once, and never disagrees silently."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from knowledge import index
from knowledge.encoder import Vectors
from knowledge.index import IndexMissing, SearchIndex, Shelf
from knowledge.library import Library
from knowledge.models import Document, Kind, Passage, Revision, Status
from knowledge.retrieval import Retriever
from tests.fakes import HashEncoder

ON = date(2026, 6, 1)


def law(
    name: str, *texts: str, start: date | None = None, until: date | None = None, version: str = "1"
) -> tuple[Document, Revision, list[Passage]]:
    document = Document(id=name, kind=Kind.STATUTE, title=name, origin="test", level="法律")
    revision = Revision(
        id=f"{name}@{version}",
        document_id=name,
        status=Status.PUBLISHED,
        source="s",
        checked_on=ON,
        effective_from=start,
        effective_until=until,
    )
    passages = [
        Passage(
            id=f"{revision.id}/{i}", revision_id=revision.id, ordinal=i, label=f"第{i}条", text=t
        )
        for i, t in enumerate(texts, start=1)
    ]
    return document, revision, passages


def library_of(*laws: tuple[Document, Revision, list[Passage]]) -> Library:
    return Library(
        {item[0].id: item[0] for item in laws}.values(),
        [item[1] for item in laws],
        [p for item in laws for p in item[2]],
    )


def build(home: Path, library: Library, knowledge: str = "k") -> index.Manifest:
    return index.build(home, library, HashEncoder(), on=ON, knowledge=knowledge)


LABOUR = law("劳动法", "工资应当按月支付。", "每日工作不超过八小时。")


def test_a_built_index_finds_what_it_holds(tmp_path: Path) -> None:
    library = library_of(LABOUR)
    build(tmp_path, library)
    opened = SearchIndex(tmp_path)
    found = Retriever(opened, library, HashEncoder()).search("工资按月支付", on=ON)
    assert found.law[0].source.passage.text == "工资应当按月支付。"
    assert opened.counts() == {Shelf.LAW: (2, 2), Shelf.LAW_DORMANT: (0, 0), Shelf.GUIDANCE: (0, 0)}
    opened.close()


def test_without_an_index_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        SearchIndex(tmp_path)


class Killed(HashEncoder):
    """An encoder that is killed in the middle of a build."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        raise KeyboardInterrupt(f"{len(texts)} texts were left")


def test_killed_while_building_the_old_index_goes_on_serving(tmp_path: Path) -> None:
    old = build(tmp_path, library_of(LABOUR), "old")
    with pytest.raises(KeyboardInterrupt):
        index.build(
            tmp_path, library_of(law("新法", "全新的条文。")), Killed(), on=ON, knowledge="new"
        )
    assert index.read_manifest(tmp_path) == old
    SearchIndex(tmp_path).close()
    build(tmp_path, library_of(LABOUR), "next")
    assert list(tmp_path.glob("building-*")) == []


@pytest.mark.parametrize("stage", ["建立词语索引", "写入向量库"])
def test_killed_at_any_stage_the_old_index_goes_on_serving(tmp_path: Path, stage: str) -> None:
    old = build(tmp_path, library_of(LABOUR), "old")

    def kill(at: str, _done: int, _total: int) -> None:
        if at == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.build(
            tmp_path, library_of(LABOUR), HashEncoder(), on=ON, knowledge="new", progress=kill
        )
    assert index.read_manifest(tmp_path) == old


def test_a_broken_pointer_is_a_missing_index_not_a_crash(tmp_path: Path) -> None:
    build(tmp_path, library_of(LABOUR))
    (tmp_path / "current").write_text("no-such-generation")
    with pytest.raises(IndexMissing):
        SearchIndex(tmp_path)


class Counting(HashEncoder):
    """Counts what it is asked to embed."""

    def __init__(self) -> None:
        super().__init__()
        self.texts = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        return super().encode(texts)


def test_only_new_passages_are_embedded(tmp_path: Path) -> None:
    encoder = Counting()
    index.build(tmp_path, library_of(LABOUR), encoder, on=ON, knowledge="1")
    assert encoder.texts == 2
    grown = library_of(LABOUR, law("公证法", "公证机构依法设立。"))
    index.build(tmp_path, grown, encoder, on=ON, knowledge="2")
    assert encoder.texts == 3


def test_law_that_starts_after_the_build_is_found_from_its_day_on(tmp_path: Path) -> None:
    old = law("商标法", "旧的规定：商标注册。", until=date(2026, 12, 31), version="old")
    new = law("商标法", "新的规定：商标注册。", start=date(2027, 1, 1), version="new")
    library = library_of(old, new)
    build(tmp_path, library)
    opened = SearchIndex(tmp_path)
    retriever = Retriever(opened, library, HashEncoder())

    def texts(on: date) -> list[str]:
        return [h.source.passage.text[:2] for h in retriever.search("商标注册", on=on).law]

    assert texts(ON) == ["旧的"]
    assert texts(date(2026, 12, 31)) == ["旧的"]
    assert texts(date(2027, 1, 1)) == ["新的"]
    opened.close()


def test_an_index_of_another_encoder_is_refused(tmp_path: Path) -> None:
    library = library_of(LABOUR)
    build(tmp_path, library)
    opened = SearchIndex(tmp_path)
    with pytest.raises(ValueError, match="another encoder"):
        Retriever(opened, library, HashEncoder(version="other"))
    opened.close()


def test_vectors_of_the_fake_encoder_are_the_same_in_every_process() -> None:
    [vector] = HashEncoder().encode(["工资"])
    assert np.isclose(np.linalg.norm(vector), 1)
    assert vector[:3].round(3).tolist() == pytest.approx(HashEncoder.FIRST_THREE, abs=1e-3)
