"""The search index: Chroma for vectors and bm25s for words, built beside the old one and switched.

A generation is a folder `index/<id>/` with `manifest.json`, `chroma/` and a `bm25-…/` a shelf; the
file `index/current` names the one that serves and is replaced atomically. With a Chroma server
(`CHROMA_URL`) the vectors live there, in collections whose names carry the generation.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import bm25s
import chromadb
import numpy as np
import numpy.typing as npt
from chromadb.api.client import Client
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings

from knowledge import text
from knowledge.encoder import QUERY, Encoder, Vectors, article_input
from knowledge.library import Library, Source
from knowledge.models import Kind, digest
from knowledge.statutes import short_title
from knowledge.vector_cache import VectorCache, shipped_vectors, vectors_of

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG when imported

Progress = Callable[[str, int, int], None]  # stage, done, total
Scores = npt.NDArray[np.float32]

# Measured on 24,000 articles: 98 % of the true nearest 200 in 3 ms, 6 s to build. Below the sync
# threshold vectors stay in a log that is read back, and the graph rebuilt, at every start: 8 s.
HNSW: CreateHNSWConfiguration = {
    "space": "ip",
    "ef_search": 300,
    "ef_construction": 200,
    "max_neighbors": 32,
    "sync_threshold": 1_000,
    "batch_size": 1_000,
}
AMENDING_LEVELS = frozenset({"修正案", "修改决定"})
FORMAT = "2"  # of the generation folder, and of how passages become terms


class Shelf(StrEnum):
    """Collections of vectors. Law not in force on the day of the build stands apart, because a
    `where` filter makes Chroma forty times slower than filtering the few results."""

    LAW = "law"
    LAW_DORMANT = "law_dormant"
    POLICY = "policy"  # apart, so that a policy that staff read in leaves the laws alone
    GUIDANCE = "guidance"


class IndexMissing(Exception):
    """There is no index yet, or it is of another format; build one."""


@dataclass(frozen=True)
class Manifest:
    """What a generation holds. `knowledge` equals `store.fingerprint` or the index is stale."""

    generation: str
    built_at: str
    built_for_on: str
    knowledge: str
    encoder: str
    format: str
    rows: dict[str, list[str]]  # shelf → passage ids, in order
    contents: dict[str, str] = field(default_factory=dict)  # shelf → fingerprint of all it was fed


def is_searched(source: Source) -> bool:
    """Amendments are already part of the laws they amend: held and citable, never an answer."""
    return source.document.level not in AMENDING_LEVELS


def shelf_of(source: Source, in_force: frozenset[str]) -> Shelf:
    """Where a passage stands in an index built for a day on which `in_force` revisions hold."""
    if source.document.kind is Kind.POLICY:
        return Shelf.POLICY
    if source.document.kind is not Kind.STATUTE:
        return Shelf.GUIDANCE
    return Shelf.LAW if source.revision.id in in_force else Shelf.LAW_DORMANT


def embedding_input(source: Source) -> str:
    """What the encoder reads: an article as a passage, a way of asking as a question, so that
    questions are compared with questions."""
    passage, document = source.passage, source.document
    if document.kind in (Kind.STATUTE, Kind.POLICY):
        heading = passage.path.rpartition(" > ")[2]  # the deepest one, as in training
        return article_input(short_title(document.title), passage.label, heading, passage.text)
    return QUERY + passage.text


def lexical_input(source: Source) -> str:
    """What the word index reads; numbers of articles only add noise."""
    if source.document.kind in (Kind.STATUTE, Kind.POLICY):
        title = short_title(source.document.title)
        return f"{title} {source.passage.path} {source.passage.text}"
    return source.passage.text


def lexicon(texts: Sequence[str], folder: Path, progress: Progress) -> None:
    """Build and save the word index of `texts` (BM25, Lucene's form, k1 1.5, b 0.75)."""
    vocabulary: dict[str, int] = {}
    tokens: list[list[int]] = []
    for done, one in enumerate(texts, start=1):
        tokens.append([vocabulary.setdefault(t, len(vocabulary)) for t in text.terms(one)])
        if done % 500 == 0 or done == len(texts):
            progress("建立词语索引", done, len(texts))
    retriever = bm25s.BM25(k1=1.5, b=0.75)
    if not vocabulary:
        return
    retriever.index((tokens, vocabulary), show_progress=False)
    retriever.save(str(folder), show_progress=False)


def _chroma(home: Path, generation: str, url: str | None) -> Client:
    settings = ChromaSettings(anonymized_telemetry=False)
    if url:
        parts = urlsplit(url)
        ssl = parts.scheme == "https"
        port = parts.port or (443 if ssl else 80)
        client = chromadb.HttpClient(parts.hostname or "", port, ssl=ssl, settings=settings)
    else:
        client = chromadb.PersistentClient(str(home / generation / "chroma"), settings)
    return cast(Client, client)  # the factories promise less than they give: no close()


def _quiet(_stage: str, _done: int, _total: int) -> None: ...


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One build at a time in a home, also among processes; whoever comes second waits."""
    with (home / "build.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(
    home: Path,
    library: Library,
    encoder: Encoder,
    *,
    on: date,
    knowledge: str,
    chroma_url: str | None = None,
    vectors: Path | None = None,
    reuse: Path | None = None,
    progress: Progress = _quiet,
) -> Manifest:
    """Build a generation beside the one that serves, then switch to it.

    `home` is the index folder; `knowledge` the store's fingerprint of what `library` holds;
    `vectors` a further file of ready vectors; `reuse` an index folder from whose generation shelves
    are copied that would come out the same (a change of our own content leaves the law alone: two
    seconds instead of thirteen). Killed at any point, the old index goes on serving and the
    unfinished folder is removed by the next build.
    """
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home):
        unfinished = {p.name.removeprefix("building-") for p in home.glob("building-*")}
        for name in unfinished:
            shutil.rmtree(home / f"building-{name}", ignore_errors=True)
        generation = uuid.uuid4().hex[:12]
        building = home / f"building-{generation}"
        building.mkdir()
        shelves = _shelves(library, library.revisions_in_force(on))
        manifest = Manifest(
            generation=generation,
            built_at=datetime.now(UTC).isoformat(timespec="seconds"),
            built_for_on=on.isoformat(),
            knowledge=knowledge,
            encoder=encoder.version,
            format=FORMAT,
            rows={shelf: [s.passage.id for s in kept] for shelf, kept in shelves.items()},
            contents={shelf: _content(kept) for shelf, kept in shelves.items()},
        )
        copied: set[Shelf] = set()
        if reuse and not chroma_url:
            copied = _copy_unchanged(reuse, manifest, building)
        client = _chroma(home, building.name, chroma_url)
        _fit_copies(client, copied, generation)
        new = {shelf: kept for shelf, kept in shelves.items() if shelf not in copied}
        cache = VectorCache(encoder.version)
        for ready in (shipped_vectors(), home / "vectors.npz", vectors):
            if ready:
                cache.load(ready)
        _fill(client, new, building, encoder, cache, progress)
        everything = {digest(embedding_input(s)) for kept in shelves.values() for s in kept}
        cache.save(home / "vectors.npz", everything & set(cache.keys()))
        client.close()
        (building / "manifest.json").write_text(json.dumps(asdict(manifest), ensure_ascii=False))
        building.rename(home / generation)
        _point_to(home, generation)
        # Another process may still read the previous generation; older ones go.
        old = _generations(home) - {generation, _previous(home, generation)}
        if chroma_url:
            _forget_collections(_chroma(home, generation, chroma_url), old | unfinished)
        for name in old:
            shutil.rmtree(home / name, ignore_errors=True)
        return manifest


def _shelves(library: Library, in_force: frozenset[str]) -> dict[Shelf, list[Source]]:
    """What stands on which shelf, by passage id."""
    shelves: dict[Shelf, list[Source]] = {shelf: [] for shelf in Shelf}
    for source in map(library.source, sorted(library.passages)):
        if is_searched(source):
            shelves[shelf_of(source, in_force)].append(source)
    return shelves


def _content(kept: Sequence[Source]) -> str:
    """The fingerprint of all that a shelf is made from, in its order."""
    return digest(*(t for s in kept for t in (s.passage.id, embedding_input(s), lexical_input(s))))


def _copy_unchanged(reuse: Path, manifest: Manifest, building: Path) -> set[Shelf]:
    """Copy the shelves that would come out as they are in the generation that serves in `reuse`,
    and say which. Its Chroma can only be copied whole: `_fit_copies` mends that."""
    try:
        serving = read_manifest(reuse)
    except IndexMissing:
        return set()
    if serving.encoder != manifest.encoder:
        return set()
    same = {s for s in Shelf if serving.contents.get(s) == manifest.contents[s]}
    if same:
        folder = reuse / serving.generation
        shutil.copytree(folder / "chroma", building / "chroma")
        for shelf in same:
            if (words := folder / f"bm25-{shelf}").exists():
                shutil.copytree(words, building / words.name)
    return same


def _fit_copies(client: Client, copied: set[Shelf], generation: str) -> None:
    """Name the collections that stay after this generation; remove those that will be made anew."""
    if not copied:
        return
    for collection in client.list_collections():
        shelf = Shelf(collection.name.partition("-")[0])
        if shelf in copied:
            collection.modify(name=f"{shelf}-{generation}")
        else:
            client.delete_collection(collection.name)


def _fill(
    client: Client,
    shelves: dict[Shelf, list[Source]],
    building: Path,
    encoder: Encoder,
    cache: VectorCache,
    progress: Progress,
) -> None:
    """Vectors and words of each shelf, into Chroma and into the folder."""
    generation = building.name.removeprefix("building-")
    total = sum(map(len, shelves.values()))
    done = 0
    for shelf, kept in shelves.items():
        matrix = vectors_of([embedding_input(s) for s in kept], encoder, cache, progress)
        collection = client.create_collection(
            f"{shelf}-{generation}", configuration={"hnsw": HNSW}, embedding_function=None
        )
        step = min(client.get_max_batch_size(), 2_000)
        for start in range(0, len(kept), step):
            some = matrix[start : start + step]
            ids = [str(i) for i in range(start, start + len(some))]
            collection.add(ids=ids, embeddings=some)
            done += len(some)
            progress("写入向量库", done, total)
        lexicon([lexical_input(s) for s in kept], building / f"bm25-{shelf}", progress)


def _point_to(home: Path, generation: str) -> None:
    partial = home / "current.partial"
    with partial.open("w") as file:
        file.write(generation)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(home / "current")


def _previous(home: Path, generation: str) -> str:
    others = [p for p in home.glob("*/manifest.json") if p.parent.name != generation]
    newest = max(others, key=lambda p: p.stat().st_mtime, default=None)
    return newest.parent.name if newest else ""


def _generations(home: Path) -> set[str]:
    return {manifest.parent.name for manifest in home.glob("*/manifest.json")}


def _forget_collections(client: Client, generations: set[str]) -> None:
    """Delete the vectors of these generations, and of no others: a server may serve several homes,
    each with its own."""
    with closing(client):
        for collection in client.list_collections():
            if collection.name.rpartition("-")[2] in generations:
                client.delete_collection(collection.name)


def read_manifest(home: Path) -> Manifest:
    """The manifest of the generation that serves. Raises IndexMissing."""
    try:
        generation = (home / "current").read_text().strip()
        manifest = Manifest(**json.loads((home / generation / "manifest.json").read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError) as error:
        raise IndexMissing(str(home)) from error
    if manifest.format != FORMAT or manifest.rows.keys() != set(Shelf):
        raise IndexMissing(f"an index of another version ({manifest.format})")
    return manifest


class SearchIndex:
    """The generation that serves, open for reading; safe to share between threads."""

    def __init__(self, home: Path, chroma_url: str | None = None) -> None:
        """Raises IndexMissing."""
        self.manifest = read_manifest(home)
        generation = self.manifest.generation
        client = _chroma(home, generation, chroma_url)
        self._collections: dict[Shelf, Collection] = {}
        self._words: dict[Shelf, bm25s.BM25] = {}
        self.ids: dict[Shelf, list[str]] = {}
        for shelf in Shelf:
            self.ids[shelf] = self.manifest.rows[shelf]
            self._collections[shelf] = client.get_collection(
                f"{shelf}-{generation}", embedding_function=None
            )
            folder = home / generation / f"bm25-{shelf}"
            if folder.exists():
                self._words[shelf] = bm25s.BM25.load(str(folder), mmap=True, show_progress=False)
        self._client = client

    def close(self) -> None:
        self._client.close()

    def counts(self) -> dict[str, tuple[int, int]]:
        """Shelf → (passages in the manifest, vectors in Chroma): equal, or something broke."""
        return {s: (len(self.ids[s]), self._collections[s].count()) for s in Shelf}

    def nearest(self, shelf: Shelf, vector: Vectors, k: int) -> dict[int, float]:
        """The k nearest rows of a shelf with their cosine; `vector` has length 1."""
        if not self.ids[shelf]:
            return {}
        found = self._collections[shelf].query(
            query_embeddings=vector[np.newaxis, :],
            n_results=min(k, len(self.ids[shelf])),
            include=["distances"],
        )
        distances = (found["distances"] or [[]])[0]
        pairs = zip(found["ids"][0], distances, strict=True)
        return {int(row): 1.0 - float(distance) for row, distance in pairs}

    def cosines(self, shelf: Shelf, vector: Vectors, rows: Sequence[int]) -> dict[int, float]:
        """The exact cosine of given rows."""
        if not rows:
            return {}
        found = self._collections[shelf].get(ids=[str(r) for r in rows], include=["embeddings"])
        matrix = np.asarray(found["embeddings"], dtype=np.float32)
        values = (matrix @ vector).tolist()
        return {int(row): value for row, value in zip(found["ids"], values, strict=True)}

    def word_scores(self, shelf: Shelf, terms: Sequence[str]) -> Scores:
        """BM25 of every row of a shelf for a question's terms (`knowledge.text.terms`)."""
        words = self._words.get(shelf)
        if words is None:
            return np.zeros(len(self.ids[shelf]), np.float32)
        known = [t for t in terms if t in words.vocab_dict]
        if not known:
            return np.zeros(len(self.ids[shelf]), np.float32)
        scores: Scores = np.asarray(words.get_scores(known), dtype=np.float32)
        return scores
