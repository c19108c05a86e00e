"""Lines that measure doubt: what was asked, what would have been right, and what was found.

Our own are `cases/doubt.jsonl`: {question, kind, split}, with `articles` (民法典第五条) that decide
a legal question; `also`, those that readers found among what was shown where none of `articles` was
(only reported on: what is fitted is judged as strictly as the benchmark); and `documents`: the ids
of those reviewed answers and cards, among the nearest six, that answer it (judged one by one;
absent where nobody has looked). Kinds: `legal`, `service`, `near` (ours, but no article of national
law answers it) and `outside` (nothing for us). Half of them, split `calib`, may be fitted on; the
other half, `report`, only reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

from knowledge import text
from knowledge.citations import LawBook
from knowledge.index import Progress
from knowledge.library import Library
from service.answering.compose import Search, articles_to_show
from service.answering.confidence import Features, candidate_features, features_of
from service.answering.draft import Draft
from service.evaluation.benchmark import read_lines


@dataclass(frozen=True)
class Judged:
    """A question with the passages that decide it and the documents that answer it, where known."""

    question: str
    kind: str
    articles: frozenset[str] = frozenset()
    documents: frozenset[str] | None = None  # None: nobody has looked
    also: frozenset[str] = frozenset()  # passages that readers found to decide it too


@dataclass(frozen=True)
class Observation:
    """What the search found for a line, and whether it was right; None where nobody knows."""

    judged: Judged
    features: Features
    law_right: bool | None
    candidates: tuple[tuple[Features, bool], ...]  # of reviewed answers, where judged


def shipped_cases() -> Path:
    return Path(str(files("service.evaluation"))) / "cases" / "doubt.jsonl"


def read_own(laws: LawBook, on: date, split: str | None, path: Path | None = None) -> list[Judged]:
    """Our own lines of one split (all if None). Raises LookupError for an article not in force."""
    return [
        Judged(
            line["question"],
            line["kind"],
            frozenset(laws.cite(a, on).passage.id for a in line.get("articles", ())),
            frozenset(line["documents"]) if "documents" in line else None,
            frozenset(laws.cite(a, on).passage.id for a in line.get("also", ())),
        )
        for line in read_lines(path or shipped_cases())
        if split in (None, line["split"])
    ]


def read_asked(split: str) -> list[Judged]:
    """Lines of `behaviours.jsonl` for which the reviewed answers were judged: questions as people
    ask them about what we have written on. Their articles are few of many, so law is not judged."""
    return [
        Judged(line["question"], "asked", documents=frozenset(line["documents"]))
        for line in read_lines(shipped_cases().with_name("behaviours.jsonl"))
        if line.get("split") == split
    ]


def read_benchmark(path: Path, library: Library) -> list[Judged]:
    """A benchmark's questions, {question, relevant}; ids as in its articles."""
    return [
        Judged(line["question"], "legal", frozenset(line["relevant"]) & library.passages.keys())
        for line in read_lines(path, "question", "relevant")
    ]


def read_by_label(path: Path, laws: LawBook, on: date) -> list[Judged]:
    """A benchmark's questions, {question, relevant: [law/label#…]}, with the articles that we hold
    under the same name and number. Where a law has been renumbered since, this judges too hard."""
    judged = []
    for line in read_lines(path, "question", "relevant"):
        held = set()
        for reference in line["relevant"]:
            law, _, label = reference.partition("#")[0].partition("/")
            with suppress(LookupError):
                held.add(laws.cite(f"《{law}》{label}", on).passage.id)
        judged.append(Judged(line["question"], "legal", frozenset(held)))
    return judged


def observe(
    search: Search, lines: Sequence[Judged], on: date, region: str,
    progress: Progress,
) -> Iterator[Observation]:  # fmt: skip
    """Search for each line and compare what was found with what was right."""
    for done, judged in enumerate(lines, start=1):
        draft = Draft(raw=judged.question, on=on, region=region)
        draft.question = judged.question
        draft.query = text.normalise(judged.question)
        search(draft)
        progress("查找", done, len(lines))
        if draft.found.law and draft.found.guidance:
            yield Observation(
                judged,
                features_of(draft),
                _law_right(draft, judged),
                tuple(_candidates(draft, judged)),
            )


def _law_right(draft: Draft, judged: Judged) -> bool | None:
    if judged.kind == "legal":
        return any(h.id in judged.articles for h in articles_to_show(draft.found.law))
    return None if judged.kind in ("service", "asked") else False


def _candidates(draft: Draft, judged: Judged) -> Iterator[tuple[Features, bool]]:
    """Only what a person has judged: an answer may be right and cite other articles."""
    fitting = frozenset[str]() if judged.kind == "outside" else judged.documents
    if fitting is None:
        return
    for candidate in draft.candidates:
        fits = candidate.hit.source.document.id in fitting
        yield candidate_features(draft, candidate), fits


def of_kind(lines: Iterable[Judged], *kinds: str) -> list[Judged]:
    return [line for line in lines if line.kind in kinds]
