"""A benchmark corpus as a knowledge base: the product's own index, search and answers over it."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from knowledge import index
from knowledge.encoder import OnnxEncoder, Vectors
from knowledge.index import Progress, SearchIndex, embedding_input
from knowledge.library import Library
from knowledge.models import Document, Kind, Passage, Revision, Status, digest
from knowledge.retrieval import Retriever
from knowledge.vector_cache import VectorCache, shipped_vectors
from service.errors import BadCases

ON = date(2026, 1, 1)  # any day: the benchmark's articles carry no dates


def read_lines(path: Path, *needed: str) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file, gzipped or not, each with the fields `needed`.

    Raises BadCases, with the number of the line, for anything else, and for a file without lines.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for line in file:
                number += 1
                if line.strip():
                    yield _checked(json.loads(line), needed)
    except (OSError, EOFError, ValueError) as error:
        message = f"{path.name} 第 {max(1, number)} 行附近读不了：要 UTF-8 文本，每行一个 JSON 对象"
        raise BadCases("bad_cases", message) from error
    except KeyError as error:
        raise BadCases(
            "bad_cases", f"{path.name} 第 {number} 行缺少字段 {error.args[0]}"
        ) from error
    if number == 0:
        raise BadCases("bad_cases", f"{path.name} 是空的")


def _checked(line: Any, needed: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(line, dict):
        raise ValueError("not an object")
    for field in needed:
        if line.get(field) in (None, ""):
            raise KeyError(field)
    return line


def benchmark_library(articles: Iterable[dict[str, Any]], guidance: Library | None) -> Library:
    """Articles {id, law, article, chapter, text} as a Library whose passages keep their ids, with
    the reviewed answers, cards and examples of `guidance` beside them."""
    documents: dict[str, Document] = {}
    revisions: dict[str, Revision] = {}
    passages = []
    for ordinal, article in enumerate(articles):
        law = article["law"]
        if law not in documents:
            documents[law] = Document(
                id=law, kind=Kind.STATUTE, title=law, origin="benchmark", level="法律"
            )
            revisions[law] = Revision(
                id=law, document_id=law, status=Status.PUBLISHED, source="", checked_on=ON
            )
        passages.append(
            Passage(
                id=article["id"],
                revision_id=law,
                ordinal=ordinal,
                label=article["article"],
                text=article["text"],
                path=article.get("chapter") or "",
            )
        )
    for passage in guidance.passages.values() if guidance else ():
        document = guidance.document_of(passage) if guidance else None
        if guidance and document and document.kind not in (Kind.STATUTE, Kind.POLICY):
            documents[document.id] = document
            revisions[passage.revision_id] = guidance.revisions[passage.revision_id]
            passages.append(passage)
    return Library(documents.values(), revisions.values(), passages)


def ready_vectors(
    library: Library, articles: list[dict[str, Any]], path: Path, encoder: OnnxEncoder
) -> VectorCache:
    """Given vectors, row by row those of `articles`. Raises ValueError if they are not this
    encoder's: a few rows are embedded anew and compared."""
    matrix = np.load(path, mmap_mode="r")
    if matrix.shape != (len(articles), encoder.dimensions):
        raise ValueError(f"{path}: {matrix.shape} is not ({len(articles)}, {encoder.dimensions})")
    inputs = [embedding_input(library.source(a["id"])) for a in articles]
    probe = np.linspace(0, len(articles) - 1, 16).astype(int)
    fresh: Vectors = encoder.encode([inputs[i] for i in probe])
    if float(np.median(np.sum(fresh * matrix[probe].astype(np.float32), axis=1))) < 0.98:
        raise ValueError(f"{path}: not the vectors of this encoder")
    cache = VectorCache(encoder.version)
    cache.put((digest(i) for i in inputs), np.asarray(matrix))
    return cache


@contextmanager
def open_benchmark(
    articles: Path,
    vectors: Path | None,
    encoder: OnnxEncoder,
    progress: Progress,
    guidance: Library | None = None,
) -> Iterator[Retriever]:
    """A retriever over an index of `articles`, built as the product builds its own, in a folder
    that is gone afterwards."""
    corpus = list(read_lines(articles))
    library = benchmark_library(corpus, guidance)
    with tempfile.TemporaryDirectory() as work:
        home = Path(work)
        ready = None
        if vectors:
            ready = home / "ready.npz"
            cache = ready_vectors(library, corpus, vectors, encoder)
            if guidance:
                cache.load(shipped_vectors())
            cache.save(ready, cache.keys())
        index.build(
            home, library, encoder, on=ON, knowledge="benchmark", vectors=ready, progress=progress
        )
        opened = SearchIndex(home)
        try:
            yield Retriever(opened, library, encoder)
        finally:
            opened.close()
