"""The index is built beside the old one, switched at once, and never disagrees silently."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from chromadb.api.client import Client

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
    assert opened.counts() == {shelf: (2, 2) if shelf is Shelf.LAW else (0, 0) for shelf in Shelf}
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


def test_a_server_forgets_the_vectors_of_generations_that_are_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is a database of Chroma's own that all generations share, as on a server."""
    embedded = index._chroma

    def server(_home: Path, _generation: str, url: str | None) -> Client:
        return embedded(tmp_path / "server", "all", url and None)

    monkeypatch.setattr(index, "_chroma", server)
    with closing(server(tmp_path, "", None)) as client:
        client.create_collection("law-of-another-home")

    def of_server(home: Path, encoder: HashEncoder) -> str:
        library, url = library_of(LABOUR), "http://vectors:8000"
        made = index.build(home, library, encoder, on=ON, knowledge="k", chroma_url=url)
        return made.generation

    home = tmp_path / "index"
    with pytest.raises(KeyboardInterrupt):
        of_server(home, Killed())
    generations = [of_server(home, HashEncoder()) for _ in range(3)]
    with closing(server(tmp_path, "", None)) as client:
        names = {c.name for c in client.list_collections()}
    kept = {f"{shelf}-{generation}" for shelf in Shelf for generation in generations[1:]}
    assert names == kept | {"law-of-another-home"}


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


def faq(question: str, *asks: str, version: str) -> tuple[Document, Revision, list[Passage]]:
    document, revision, passages = law(question, *asks, version=version)
    return replace(document, kind=Kind.FAQ, level=""), revision, passages


def _found(home: Path, library: Library, question: str) -> list[tuple[str, float]]:
    opened = SearchIndex(home)
    try:
        found = Retriever(opened, library, HashEncoder()).search(question, on=ON)
        return [(h.id, round(h.score, 5)) for h in (*found.law, *found.guidance)]
    finally:
        opened.close()


def test_a_shelf_that_stays_as_it_is_is_copied_and_answers_as_if_made_anew(tmp_path: Path) -> None:
    before = library_of(LABOUR, faq("欠薪", "老板欠工资怎么办", version="1"))
    after = library_of(LABOUR, faq("欠薪", "公司拖欠工资怎么办", "工资不发", version="2"))
    home, anew = tmp_path / "home", tmp_path / "anew"
    build(home, before)
    written: list[int] = []

    def listen(stage: str, _done: int, total: int) -> None:
        if stage == "写入向量库":
            written.append(total)

    index.build(home, after, HashEncoder(), on=ON, knowledge="k", reuse=home, progress=listen)
    assert set(written) == {2}  # the two ways of asking, and no law
    build(anew, after)
    for question in ("工资应当按月支付", "拖欠工资"):
        assert _found(home, after, question) == _found(anew, after, question) != []


def test_a_policy_stands_apart_from_the_laws_and_is_found_among_them(tmp_path: Path) -> None:
    document, revision, passages = law("普陀区法律援助实施办法", "经济困难标准按本市规定执行。")
    policy = (replace(document, kind=Kind.POLICY, level=""), revision, passages)
    build(tmp_path, library_of(LABOUR))
    encoder = Counting()
    both = library_of(LABOUR, policy)
    index.build(tmp_path, both, encoder, on=ON, knowledge="k", reuse=tmp_path)
    assert encoder.texts == 1
    opened = SearchIndex(tmp_path)
    found = Retriever(opened, both, HashEncoder()).search("经济困难标准按本市规定", on=ON)
    assert found.law[0].source.document.kind is Kind.POLICY
    assert {h.source.document.title for h in found.law} == {policy[0].title, "劳动法"}
    assert opened.counts()[Shelf.LAW] == (2, 2)
    opened.close()


def test_a_shelf_is_not_copied_when_a_heading_of_its_texts_has_changed(tmp_path: Path) -> None:
    build(tmp_path, library_of(LABOUR))
    renamed = (replace(LABOUR[0], title="新劳动法"), *LABOUR[1:])
    encoder = Counting()
    index.build(tmp_path, library_of(renamed), encoder, on=ON, knowledge="k", reuse=tmp_path)
    assert encoder.texts == 2


def test_two_builds_at_once_in_one_home_wait_for_each_other(tmp_path: Path) -> None:
    libraries = [library_of(law(f"法{i}", f"条文{i}。")) for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(lambda one: build(tmp_path, one), libraries))
    assert index.read_manifest(tmp_path) in built
    SearchIndex(tmp_path).close()
    assert list(tmp_path.glob("building-*")) == []


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


def test_a_reviewed_answer_is_found_with_how_near_its_third_way_of_asking_is(
    tmp_path: Path,
) -> None:
    question = "公司拖欠工资怎么办"
    wages = ("公司拖欠工资怎么办", "公司拖欠工资咋办", "公司欠工资", "拖欠", "工资什么时候发")
    others = ("天气怎么办", "押金不退怎么办")
    library = library_of(
        LABOUR, faq("wages", *wages, version="1"), faq("others", *others, version="1")
    )
    build(tmp_path, library)
    with closing(SearchIndex(tmp_path)) as opened:
        found = Retriever(opened, library, HashEncoder()).search(question, on=ON).guidance
    asked = HashEncoder().encode([question])[0]

    def near(*ways: str) -> list[float]:
        return sorted((HashEncoder().encode(ways) @ asked).tolist(), reverse=True)

    first = {h.source.document.id: h for h in found}
    assert list(first) == ["wages", "others"]
    assert first["wages"].cosine == pytest.approx(1.0, abs=1e-5)
    assert first["wages"].third == pytest.approx(near(*wages)[2], abs=1e-3)
    # Two ways are no three: no nearer than the farthest of all that was found.
    assert first["others"].third == pytest.approx(near(*wages, *others)[-1], abs=1e-3)


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
