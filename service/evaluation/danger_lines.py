"""Lines from which danger is learned (`service.answering.danger`): table and network take the same.

Our own lines (`cases/urgent.jsonl`, split `dev`), questions of law and ways of asking that we wrote
for other ends, and, where the benchmark's files are given, real questions. These are read there and
stay there; `cases/urgent_real.jsonl` says by line number which of them tell of danger
(`urgent` true) or may (null: left out). What of them the shipped model had rung for or half heard
was read for that; the rest counts as ordinary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ingest.content import Card, Faq, Outside, content_folder, read_items
from knowledge import text
from knowledge.encoder import own_questions
from service.answering.urgent import signs_of
from service.evaluation.benchmark import read_lines
from service.evaluation.urgent import shipped_cases

OWN = 2500  # of the questions of law that we wrote to train the encoder
KEPT_BACK = {"qa_pairs": 3500}  # real questions from this line on only report
# Plain cries and questions that must not be got wrong (g), and what earlier lines had left out:
# danger in passing, and much ado about nothing dangerous (n2 to n6), people who are lost (n7).
WEIGHTY = frozenset({"g", "n2", "n3", "n4", "n5", "n6", "n7"})


@dataclass(frozen=True)
class Line:
    """A normalised question; `easy` where it is one of very many that are plainly ordinary,
    `weighty` where it counts more than others."""

    question: str
    danger: bool
    kind: str = ""
    set: str = ""
    easy: bool = False

    @property
    def weighty(self) -> bool:
        return self.set in WEIGHTY


def own_lines(split: str) -> list[Line]:
    """Our lines of one split."""
    return [
        Line(text.normalise(x["question"]), x["behaviour"] == "urgent", x["kind"], x["set"])
        for x in read_lines(shipped_cases())
        if x["split"] == split
    ]


def lines_to_learn(real: Sequence[Path] = ()) -> list[Line]:
    """Everything to learn from; `real`: files of the benchmark, each line with a `question`."""
    ordinary = [Line(text.normalise(q), danger=False, easy=True) for q in ordinary_questions()]
    learned = [line for path in real for line in real_lines(path)]
    measured = {x.question for split in ("calib", "test", "unseen") for x in own_lines(split)}
    lines = [*own_lines("dev"), *ordinary, *learned]
    return [x for x in lines if x.question not in measured]


def real_lines(path: Path, *, kept_back: bool = False) -> list[Line]:
    """Real questions of one file: those to learn from or those kept back."""
    labels = {x["line"]: x for x in read_lines(_labels(), "file", "line") if x["file"] == path.stem}
    border = KEPT_BACK.get(path.stem)
    lines = []
    for number, x in enumerate(read_lines(path, "question")):
        label: dict[str, Any] = labels.get(number, {"urgent": False, "kind": ""})
        behind = border is not None and number >= border
        if label["urgent"] is not None and behind == kept_back:
            danger = bool(label["urgent"])
            question = text.normalise(x["question"])
            lines.append(Line(question, danger, label["kind"], "real", easy=not danger))
    return lines


def ordinary_questions() -> list[str]:
    """What people ask when nobody is in danger: a sample of our training questions, the ways of
    asking the reviewed content, and nothing in which the rules see a sign."""
    own = sorted({x["question"] for x in read_lines(own_questions())})
    items = [item for path in sorted(content_folder().rglob("*.yaml")) for item in _items(path)]
    asked = sorted({a for i in items if not isinstance(i, Outside) for a in i.asks})
    outside = sorted({a for i in items if isinstance(i, Outside) for a in i.asks})
    random = np.random.default_rng(0)
    some = [own[i] for i in random.permutation(len(own))[:OWN]]
    return [*outside, *(q for q in [*some, *asked] if not signs_of(q).strength)]


def _items(path: Path) -> list[Faq | Card | Outside]:
    if path.name == "repealed.yaml":
        return []
    return [i for i in read_items(path) if isinstance(i, Faq | Card | Outside)]


def _labels() -> Path:
    return Path(str(files("service.evaluation"))) / "cases" / "urgent_real.jsonl"
