"""Puts the parts together: migrate, read in what ships, build the index if need be, open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import structlog
import yaml
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from ingest import content, shipped
from knowledge import index, store
from knowledge.citations import LawBook
from knowledge.encoder import OnnxEncoder
from knowledge.index import IndexMissing, Progress, SearchIndex
from knowledge.library import Library
from knowledge.retrieval import RANKING, Retriever
from service import migrations
from service.answering.confidence import Calibration, CalibrationMismatch, shipped_calibration
from service.answering.pipeline import Pipeline
from service.answering.sensitive import Words
from service.answering.topics import TopicModel, shipped_topics
from service.errors import NotReady
from service.settings import Settings

log = structlog.get_logger()


# Asked once before the first citizen does, so that dictionaries, graphs and caches are loaded.
_WARM_UP = ("公司拖欠工资，民法典第五百七十七条怎么规定", "法律援助怎么申请")


def _quiet(_stage: str, _done: int, _total: int) -> None: ...


@dataclass
class Rooms:
    """The database, encoder and index of one home; each is opened when first needed."""

    settings: Settings

    @cached_property
    def engine(self) -> Engine:
        self.settings.home.mkdir(parents=True, exist_ok=True)
        return store.connect(self.settings.database)

    @cached_property
    def sessions(self) -> sessionmaker[Session]:
        return sessionmaker(self.engine, expire_on_commit=False)

    @cached_property
    def encoder(self) -> OnnxEncoder:
        folder = self.settings.encoder
        return OnnxEncoder(Path(folder) if folder else None)

    @cached_property
    def library(self) -> Library:
        with self.sessions() as session:
            return Library.load(session, content.read_repealed())

    @cached_property
    def laws(self) -> LawBook:
        return LawBook(self.library, abbreviations())

    def prepare(self, progress: Progress = _quiet) -> None:
        """Everything a first start needs; quick when there is nothing to do."""
        migrations.upgrade(self.engine)
        with self.sessions.begin() as session:
            for report in shipped.load(session):
                log.info(
                    "knowledge.loaded",
                    origin=report.origin,
                    added=len(report.added),
                    changed=len(report.changed),
                    withdrawn=len(report.withdrawn),
                    problems=len(report.problems),
                )
        if self.stale():
            self.build_index(progress)

    def stale(self) -> str | None:
        """Why the index does not fit the store, or None."""
        try:
            manifest = index.read_manifest(self.settings.index_home)
        except IndexMissing as missing:
            return f"没有可用的索引（{missing}）"
        with self.sessions() as session:
            if manifest.knowledge != store.fingerprint(session):
                return "索引与知识库内容不一致"
        if manifest.encoder != self.encoder.version:
            return "索引由另一个编码器建立"
        return None

    def build_index(self, progress: Progress = _quiet) -> index.Manifest:
        """Build beside and switch; see `knowledge.index.build`."""
        with self.sessions() as session:
            # Before the seconds of reading: what is published in them then makes the index stale,
            # where it would be missing from an index that says it has it.
            fingerprint = store.fingerprint(session)
            library = Library.load(session, content.read_repealed())
        return index.build(
            self.settings.index_home,
            library,
            self.encoder,
            on=store.today_in_china(),
            knowledge=fingerprint,
            chroma_url=self.settings.chroma_url or None,
            reuse=self.settings.index_home,
            progress=progress,
        )

    def forget(self) -> None:
        """Read what is published anew when it is next asked for."""
        for name in ("library", "laws"):
            self.__dict__.pop(name, None)

    @contextmanager
    def retriever_of(self, library: Library, folder: str) -> Iterator[Retriever]:
        """A retriever over another library, with an index in a folder of its own."""
        home = Path(folder)
        index.build(
            home,
            library,
            self.encoder,
            on=store.today_in_china(),
            knowledge="candidate",
            reuse=self.settings.index_home,
        )
        opened = SearchIndex(home)
        try:
            yield Retriever(opened, library, self.encoder)
        finally:
            opened.close()

    @contextmanager
    def retriever(self) -> Iterator[Retriever]:
        """The retriever over the index that serves. Raises NotReady."""
        reason = self.stale()
        if reason:
            raise NotReady("index_not_ready", f"{reason}，请运行 consult index。")
        opened = SearchIndex(self.settings.index_home, self.settings.chroma_url or None)
        try:
            yield Retriever(opened, self.library, self.encoder)
        finally:
            opened.close()

    @property
    def topics(self) -> TopicModel:
        """The topics fitted for this home, or those that ship. Raises NotReady for another
        encoder's."""
        own = self.settings.home / "topics.npz"
        topics = TopicModel.load(own) if own.exists() else shipped_topics()
        if topics.encoder != self.encoder.version:
            raise NotReady(
                "topics_mismatch", "主题模型是为另一个编码器做的，请运行 consult calibrate。"
            )
        return topics

    @cached_property
    def words(self) -> Words:
        """The sensitive words, those of this home over those that ship."""
        return Words(self.settings.words_file)

    @property
    def calibration(self) -> Calibration:
        """The calibration made for this home, or the one that ships. Raises NotReady if it was
        made for another encoder or another way of searching."""
        own = self.settings.home / "calibration.json"
        try:
            return Calibration.load(
                own if own.exists() else shipped_calibration(),
                encoder=self.encoder.version,
                ranking=RANKING,
            )
        except CalibrationMismatch as mismatch:
            raise NotReady(
                "calibration_mismatch", f"{mismatch}，请运行 consult calibrate。"
            ) from mismatch

    def pipeline_over(self, retriever: Retriever) -> Pipeline:
        """Answers over a retriever of any law; its library's citations are checked against it."""
        laws = self.laws
        if retriever.library is not self.library:
            laws = LawBook(retriever.library, abbreviations())
        return Pipeline(
            retriever,
            laws,
            region=self.settings.region,
            region_name=self.settings.region_name,
            calibration=self.calibration,
            topics=self.topics,
            words=self.words,
            versions=retriever.versions,
        )

    @contextmanager
    def pipeline(self) -> Iterator[Pipeline]:
        """The answering pipeline over the index that serves. Raises NotReady."""
        with self.retriever() as retriever:
            pipeline = self.pipeline_over(retriever)
            for question in _WARM_UP:
                pipeline.answer(question)
            yield pipeline

    def close(self) -> None:
        self.engine.dispose()


def abbreviations() -> dict[str, str]:
    """民诉法 → 民事诉讼法."""
    text = (files("knowledge") / "lexicon" / "abbreviations.yaml").read_text("utf-8")
    loaded: dict[str, str] = yaml.load(text, Loader=yaml.CSafeLoader)
    return loaded
