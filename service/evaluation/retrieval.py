"""`consult eval retrieval`: the product's own retriever on a benchmark corpus and questions."""

from __future__ import annotations

import gzip
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from knowledge import index, text
from knowledge.encoder import OnnxEncoder, Vectors
from knowledge.index import Progress, SearchIndex, VectorCache, embedding_input
from knowledge.library import Library
from knowledge.models import Document, Kind, Passage, Revision, Status, digest
from knowledge.retrieval import Retriever
from service.evaluation.metrics import ranking_metrics

ON = date(2026, 1, 1)  # any day: the benchmark's articles carry no dates


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def benchmark_library(articles: list[dict[str, Any]]) -> Library:
    """Articles {id, law, article, chapter, text} as a Library whose passages keep their ids."""
    documents, revisions, passages = {}, {}, []
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


def evaluate(
    questions: Path,
    articles: Path,
    vectors: Path | None,
    progress: Progress,
    run_file: Path | None = None,
) -> dict[str, Any]:
    """Build an index of `articles` as the product builds its own, search every question, score.

    `run_file` receives the ranking in TREC format. Returns n, the metrics, and the median time of
    one search in milliseconds.
    """
    corpus = list(read_lines(articles))
    judged = list(read_lines(questions))
    library = benchmark_library(corpus)
    encoder = OnnxEncoder()
    with tempfile.TemporaryDirectory() as work:
        home = Path(work)
        ready = None
        if vectors:
            ready = home / "ready.npz"
            cache = ready_vectors(library, corpus, vectors, encoder)
            cache.save(ready, cache.keys())
        index.build(
            home, library, encoder, on=ON, knowledge="benchmark", vectors=ready, progress=progress
        )
        opened = SearchIndex(home)
        retriever = Retriever(opened, library, encoder)
        runs, times = [], []
        for done, line in enumerate(judged, start=1):
            began = time.perf_counter()
            found = retriever.search(text.normalise(line["question"]), on=ON, limit=100)
            times.append((time.perf_counter() - began) * 1000)
            runs.append([(h.id, h.score) for h in found.law])
            progress("检索", done, len(judged))
        opened.close()
    if run_file:
        _write_run(run_file, runs)
    relevant = [set(line["relevant"]) for line in judged]
    return {
        "n": len(judged),
        "articles": len(corpus),
        **ranking_metrics([[i for i, _ in run] for run in runs], relevant),
        "search_ms_p50": round(median(times), 1),
    }


def _write_run(path: Path, runs: list[list[tuple[str, float]]]) -> None:
    """TREC's run format: question, Q0, document, rank, score, name of the run."""
    with path.open("w", encoding="utf-8") as file:
        for number, run in enumerate(runs):
            for rank, (passage, score) in enumerate(run, start=1):
                file.write(f"{number} Q0 {passage.replace(' ', '_')} {rank} {score:.5f} consult\n")
