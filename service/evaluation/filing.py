"""What the product's topics are learned from, and how (`service.answering.topics`).

    python -m service.evaluation.filing QA_PAIRS [OUT]

makes the table of weighted runs (extra `models`, for scikit-learn); `consult calibrate` fits the
part over vectors, which belongs to an encoder.

Two sources: the ways of asking in the reviewed content, each under the topic of its document, and
real questions. Those are read in the benchmark and stay there; `cases/topics_real.jsonl` says by
line number what each was filed under. People ask otherwise than we write: learned from the content
alone, .58 of the real questions went under the topic that a reader had given them, with both .70.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge import text
from knowledge.encoder import QUERY, Encoder
from knowledge.library import Library
from knowledge.models import Kind
from service.answering.run_table import RunTable
from service.answering.topics import NAMES, NOT_LEGAL, TopicModel, shipped_table, table_file
from service.errors import BadCases
from service.evaluation.benchmark import read_lines
from service.evaluation.fitting import Matrix, balanced, fit_softmax

KEPT_BACK = 4000  # real questions from this line on only report
_SECOND = 0.3  # how much of a line goes to its second topic
_PENALTY = 0.001  # this, the shares and STRENGTH: by folds of the real questions
_SPREAD = 4.0  # unit vectors times this, so that the penalty acts on all topics alike
_STRENGTH = 6.0  # inverse of the penalty of the table
_LABELS = (*NAMES, NOT_LEGAL)


@dataclass(frozen=True, slots=True)
class Filed:
    """A normalised question and its topic, perhaps with a second that is about as plausible."""

    question: str
    topics: tuple[str, ...]


def content_lines(library: Library) -> list[Filed]:
    """The ways of asking in the reviewed content, and what is no legal matter."""
    asked = {
        (text.normalise(passage.text), library.document_of(passage).topic)
        for passage in library.passages.values()
        if library.document_of(passage).kind not in (Kind.STATUTE, Kind.POLICY)
    }
    return [Filed(t, (topic,)) for t, topic in sorted(asked) if topic in _LABELS]


def real_lines(path: Path, *, kept_back: bool = False) -> list[Filed]:
    """Real questions of `qa_pairs.jsonl`: those to learn from, or those kept back. Raises BadCases
    for a file of another length, since the labels go by line number.

    Without those that a reader found to be no legal matter: most break off before they have said
    what it is about, and whoever writes so here must be asked, not turned away.
    """
    labels = {x["line"]: tuple(x["topics"]) for x in read_lines(_labels(), "topics")}
    questions = [text.normalise(x["question"]) for x in read_lines(path, "question")]
    if len(questions) != len(labels):
        message = f"{path.name} 有 {len(questions)} 行，标注说的那份 qa_pairs 有 {len(labels)} 行"
        raise BadCases("bad_cases", message)
    return [
        Filed(questions[number], topics)
        for number, topics in labels.items()
        if topics[0] != NOT_LEGAL and (number >= KEPT_BACK) == kept_back
    ]


def fit_topics(content: Sequence[Filed], real: Sequence[Filed], encoder: Encoder) -> TopicModel:
    """The part over vectors, with the table that ships. `real` may be empty, with what that costs
    (see above)."""
    lines = [*content, *real]
    vectors = encoder.encode([QUERY + line.question for line in lines]).astype(np.float64)
    rows, truth, shares = _weighed(content, real)
    weights = fit_softmax(
        vectors[rows] * _SPREAD, truth, len(_LABELS), penalty=_PENALTY, shares=shares
    )
    return TopicModel(
        _LABELS,
        (weights[:, :-1] * _SPREAD).astype(np.float32),
        weights[:, -1].astype(np.float32),
        encoder.version,
        shipped_table(),
    )


def fit_table(content: Sequence[Filed], real: Sequence[Filed]) -> RunTable:
    """The part over runs of characters."""
    from service.evaluation.run_table import fit_runs

    lines = [*content, *real]
    rows, truth, shares = _weighed(content, real)
    plains = [lines[row].question for row in rows]
    table, _ = fit_runs(plains, truth, shares, strength=_STRENGTH)
    return table


def _weighed(
    content: Sequence[Filed], real: Sequence[Filed]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Matrix]:
    """Rows of [*content, *real], the label of each, and how much it counts: a line with two topics
    is two rows. Rare topics of the content count up to more."""
    even = balanced(np.array([_LABELS.index(line.topics[0]) for line in content]))
    share = np.concatenate([even / even.mean(), np.ones(len(real))])
    out = []
    for row, line in enumerate([*content, *real]):
        parts = (1 - _SECOND, _SECOND) if len(line.topics) > 1 else (1.0,)
        for topic, part in zip(line.topics, parts, strict=True):
            out.append((row, _LABELS.index(topic), part * share[row]))
    rows, truth, shares = zip(*out, strict=True)
    return np.array(rows), np.array(truth), np.array(shares)


def _labels() -> Path:
    return Path(str(files("service.evaluation"))) / "cases" / "topics_real.jsonl"


def main() -> None:
    """Write the table into the folder given, or the package."""
    from service.assembly import Rooms
    from service.settings import Settings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("qa_pairs", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=table_file().parent)
    arguments = parser.parse_args()
    rooms = Rooms(Settings())
    rooms.prepare()
    table = fit_table(content_lines(rooms.library), real_lines(arguments.qa_pairs))
    np.savez_compressed(arguments.out / table_file().name, **table.arrays())


if __name__ == "__main__":
    main()
