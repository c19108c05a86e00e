"""`python -m service.evaluation.alarm`: learn to hear danger (`service.answering.danger`).

Lines: `cases/urgent.jsonl`, split `dev`, written in several sets by different hands, and, counting
less, questions of law we wrote to train the encoder and ways of asking the reviewed content. How
much each part proves, and the floors, come from lines of a set that table and likeness had not
seen: people of one hand write alike, and folds through a set flatter (recall .99 instead of .93 at
two false alarms in a hundred). Needs the extra `models` (scikit-learn comes with it).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.content import Card, Faq, Outside, content_folder, read_items
from knowledge import text
from knowledge.encoder import QUERY, OnnxEncoder, own_questions
from service.answering.alarm import Alarm, runs
from service.answering.danger import DangerModel, logit
from service.answering.urgent import fold, signs_of
from service.evaluation.benchmark import read_lines
from service.evaluation.urgent import shipped_cases

KEPT = 30_000  # runs of characters in the table
SEEN = 2  # lines a run must occur in
STRENGTH = 15.0  # inverse of the penalty of the table; 5 to 30 make no difference beyond chance
WIDTH, RIDGE, LANDMARKS = 2.0, 0.3, 1500  # of the likeness
ORDINARY, ORDINARY_SHARE = 2500, 0.5  # questions of law, and how much an ordinary line counts
SHARES = {"g": 3.0}  # plain cries, and plain questions, that must not be got wrong
FRESH = tuple("cdehijklmn")  # sets that the rules were not written on
# Share of the lines that only sound like danger: by the words alone, and after the second look.
FALSE_BY_WORDS, FALSE_ALARMS = 0.01, 0.02

Matrix = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Line = dict[str, Any]


@dataclass(frozen=True)
class Lines:
    """What is learned from: questions with their vectors and truth; ordinary ones have set ""."""

    questions: list[str]
    folded: list[str]
    vectors: Floats
    danger: npt.NDArray[np.bool_]
    kinds: list[str]
    sets: npt.NDArray[np.str_]
    share: Matrix

    @classmethod
    def of(cls, cases: Sequence[Line], ordinary: Sequence[str], encoder: OnnxEncoder) -> Lines:
        questions = [text.normalise(q) for q in [*(x["question"] for x in cases), *ordinary]]
        none = len(ordinary)
        return cls(
            questions,
            [fold(q) for q in questions],
            encoder.encode([QUERY + q for q in questions]),
            np.array([x["behaviour"] == "urgent" for x in cases] + [False] * none),
            [*(x["kind"] for x in cases), *[""] * none],
            np.array([x["set"] for x in cases] + [""] * none),
            np.array([SHARES.get(x["set"], 1.0) for x in cases] + [ORDINARY_SHARE] * none),
        )


def learn(lines: Lines, encoder: str) -> tuple[Alarm, DangerModel, dict[str, Any]]:
    """The table, the rest, and what was measured on sets not seen."""
    unseen = np.zeros((len(lines.questions), 2))  # logit of the table, likeness
    for name in FRESH:
        test = lines.sets == name
        table = fit_table(lines, np.flatnonzero(~test))
        landmarks, pull = fit_likeness(lines, np.flatnonzero(~test))
        unseen[test, 0] = [logit(table.hear(lines.folded[i])[0]) for i in np.flatnonzero(test)]
        unseen[test, 1] = _near(lines.vectors[test], landmarks) @ pull
    fresh = np.isin(lines.sets, FRESH)
    strength = np.array([signs_of(q).strength for q in np.array(lines.questions)[fresh]])
    features = np.column_stack(
        [unseen[fresh, 0], strength == 1, strength >= 2, unseen[fresh, 1]]
    ).astype(np.float64)
    danger = lines.danger[fresh]
    by_words, p_words = _combine(features[:, :3], danger)
    by_look, p_look = _combine(features, danger)
    words_floor = float(np.quantile(p_words[~danger], 1 - FALSE_BY_WORDS))
    at_once = p_words >= words_floor
    look_floor = _floor_for(p_look, at_once, danger)
    everything = np.arange(len(lines.questions))
    landmarks, pull = fit_likeness(lines, everything)
    model = DangerModel(
        by_words, round(words_floor, 3), by_look, round(look_floor, 3),
        landmarks, pull.astype(np.float32), WIDTH, encoder,
    )  # fmt: skip
    alarm = at_once | (p_look >= look_floor)
    measured = {
        "n": int(fresh.sum()),
        "by_words": {"recall": _share(at_once[danger]), "false_alarms": _share(at_once[~danger])},
        "both": {"recall": _share(alarm[danger]), "false_alarms": _share(alarm[~danger])},
        "floors": [model.words_floor, model.look_floor],
    }
    return fit_table(lines, everything), model, measured


def _floor_for(p: Matrix, at_once: npt.NDArray[np.bool_], danger: npt.NDArray[np.bool_]) -> float:
    """The lowest floor of the second look with which all false alarms together keep their share."""
    left = np.sort(p[~danger & ~at_once])[::-1]
    allowed = int(FALSE_ALARMS * (~danger).sum()) - int((at_once & ~danger).sum())
    return float(left[max(allowed, 0)]) + 1e-3


def fit_table(lines: Lines, rows: npt.NDArray[np.int64], *, kept: int = KEPT) -> Alarm:
    """The table from some of the lines."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression

    names = DictVectorizer(dtype=np.float32)
    counts = names.fit_transform([runs(lines.folded[i]) for i in rows])
    vocabulary = np.array(names.feature_names_)
    often = np.flatnonzero(counts.getnnz(axis=0) >= SEEN)
    truth, share = lines.danger[rows], lines.share[rows]

    def fit(columns: Any) -> tuple[Any, Any, Any]:
        weigh = TfidfTransformer(sublinear_tf=True)
        weighed = weigh.fit_transform(counts[:, columns])
        model = LogisticRegression(C=STRENGTH, max_iter=200, tol=1e-3)
        return weigh, weighed, model.fit(weighed, truth, sample_weight=share)

    weigh, _, model = fit(often)
    heaviest = np.argsort(-np.abs(model.coef_[0] * weigh.idf_))[:kept]
    chosen = often[np.sort(heaviest)]
    weigh, weighed, model = fit(chosen)
    named = np.array([place for place, i in enumerate(rows) if lines.kinds[i]])
    kinds = LogisticRegression(C=STRENGTH, max_iter=200, tol=1e-3)
    kinds.fit(weighed[named], [lines.kinds[rows[place]] for place in named])
    return Alarm(
        tuple(kinds.classes_.tolist()),
        {run: row for row, run in enumerate(vocabulary[chosen].tolist())},
        weigh.idf_.astype(np.float32),
        np.hstack([model.coef_.T, kinds.coef_.T]).astype(np.float32),
        np.concatenate([model.intercept_, kinds.intercept_]).astype(np.float32),
        0.5,
    )


def fit_likeness(lines: Lines, rows: npt.NDArray[np.int64]) -> tuple[Floats, Matrix]:
    """Landmarks (lines chosen by chance) and their pull: kernel ridge on ±1, by Nyström."""
    chosen = np.random.default_rng(0).permutation(rows)[:LANDMARKS]
    landmarks = lines.vectors[chosen].astype(np.float16).astype(np.float32)
    truth = np.where(lines.danger[rows], 1.0, -1.0)
    near = _near(lines.vectors[rows], landmarks)
    weighed = near * lines.share[rows][:, None]
    among = _near(landmarks, landmarks) + 1e-6 * np.eye(len(landmarks))
    pull = np.linalg.solve(weighed.T @ near + RIDGE * among, weighed.T @ truth)
    return landmarks, np.asarray(pull, np.float64)


def _near(vectors: Floats, landmarks: Floats) -> Matrix:
    near: Matrix = np.exp(-2 * WIDTH * (1 - (vectors @ landmarks.T).astype(np.float64)))
    return near


def _combine(features: Matrix, danger: npt.NDArray[np.bool_]) -> tuple[Floats, Matrix]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=500).fit(features, danger)
    weights = np.concatenate([model.coef_[0], model.intercept_]).astype(np.float32)
    return weights, model.predict_proba(features)[:, 1]


def _share(hits: npt.NDArray[np.bool_]) -> float:
    return round(float(hits.mean()), 4)


def ordinary_questions() -> list[str]:
    """What people ask when nobody is in danger: a sample of our training questions, the ways of
    asking the reviewed content, and nothing in which the rules see a sign."""
    own = sorted({x["question"] for x in read_lines(own_questions())})
    items = [item for path in sorted(content_folder().rglob("*.yaml")) for item in _items(path)]
    asked = sorted({a for i in items if not isinstance(i, Outside) for a in i.asks})
    outside = sorted({a for i in items if isinstance(i, Outside) for a in i.asks})
    random = np.random.default_rng(0)
    some = [own[i] for i in random.permutation(len(own))[:ORDINARY]]
    return [*outside, *(q for q in [*some, *asked] if not signs_of(q).strength)]


def _items(path: Path) -> list[Faq | Card | Outside]:
    if path.name == "repealed.yaml":
        return []
    return [i for i in read_items(path) if isinstance(i, Faq | Card | Outside)]


def main() -> None:
    """Write both files into the folder given, or the package, and print what was measured."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "answering"
    cases = [x for x in read_lines(shipped_cases()) if x["split"] == "dev"]
    encoder = OnnxEncoder()
    lines = Lines.of(cases, ordinary_questions(), encoder)
    table, model, measured = learn(lines, encoder.version)
    table.save(out / "alarm.npz")
    model.save(out / "danger.npz")
    print(json.dumps(measured))  # noqa: T201


if __name__ == "__main__":
    main()
