"""Train the encoder: data → training → ONNX → figures → model card (extra `models`).

    python -m knowledge.encoder.training BENCH BASE OUT [--only-questions --vectors F]

BENCH is a folder with `articles.jsonl.gz`, `statute_train.jsonl`, `lay_pairs.jsonl`,
`qa_pairs.jsonl` and, to report on, `statute_calib.jsonl` and `statute_test.jsonl`. BASE is a
sentence-transformers folder to start from. OUT receives `passage/` and `question/`
(sentence-transformers), `onnx/` (what the product runs) and `record.json` (what was done and what
it gave; the model card is written from it).

The stages, each a function below:
  1 adapt          a sentence of an article → the rest of it; a question → its answer
  2 contrast       questions → articles, with hard negatives, both networks one
  3 label          articles that a question and its answer both lead to, as labels for contrast
  4 average        weights of 3 and 2: flatter minima carry over better (Wortsman et al. 2022)
  5 fit_questions  the network for questions alone, passages frozen, against the whole corpus
                   (ADORE: Zhan et al. 2021). Cheap enough for two CPU cores, and vectors of
                   passages that others have made stay valid. `--only-questions` does just this.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from torch.nn.functional import normalize

from knowledge.encoder import MAX_TOKENS, PASSAGE, QUERY, article_input, export, own_questions
from knowledge.text import normalise

TEMPERATURE = 0.02
QUESTION_TEMPERATURE = 0.03
HELD_BACK = 10  # one in ten of our own questions is kept for measuring and calibration

log = logging.getLogger(__name__)

State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Corpus:
    """Articles as the encoder reads them, and where each stands."""

    inputs: list[str]
    texts: list[str]
    rows: dict[str, int]  # id → row
    by_label: dict[str, list[int]]  # 民法典/第五条 → rows, older versions of a law included


@dataclass(frozen=True)
class Example:
    """A question with the rows of its articles; its weight in the loss."""

    question: str
    relevant: tuple[int, ...]
    weight: float = 1.0


@dataclass
class Tower:
    """A sentence-transformers model as a thing that can be trained."""

    model: SentenceTransformer
    rng: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311

    @classmethod
    def load(cls, folder: Path) -> Tower:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = SentenceTransformer(str(folder), device=device)
        model.max_seq_length = MAX_TOKENS
        model[0].auto_model.float()
        return cls(model)

    @property
    def network(self) -> torch.nn.Module:
        network: torch.nn.Module = self.model[0].auto_model
        return network

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors with gradients, (len(texts), dimensions)."""
        batch = self.model.tokenizer(
            list(texts), padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        ).to(self.model.device)
        hidden = self.network(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        return normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors without gradients, on the CPU, float32."""
        self.network.eval()
        found = self.model.encode(list(texts), batch_size=64, normalize_embeddings=True)
        return torch.from_numpy(np.asarray(found, dtype=np.float32))

    def state(self) -> State:
        return {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    def train(self, steps: Iterator[torch.Tensor], count: int, rate: float) -> float:
        """Take `count` steps down the losses of `steps`; returns their running mean at the end."""
        weights = [p for p in self.network.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(weights, lr=rate, weight_decay=0.01)
        warm = count // 10 + 1
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser,
            lambda s: min((s + 1) / warm, max(0.02, (count - s) / max(1, count - warm + 1))),
        )
        self.network.train()
        mean = 0.0
        for step in range(count):
            loss = next(steps)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
            schedule.step()
            self.network.train()
            mean = loss.item() if step == 0 else 0.95 * mean + 0.05 * loss.item()
            if step % 50 == 49:
                log.info("step %d of %d, loss %.3f", step + 1, count, mean)
        return round(mean, 4)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def read_corpus(path: Path) -> Corpus:
    """Articles {id, law, article, chapter, text}."""
    lines = read_lines(path)
    by_label: dict[str, list[int]] = defaultdict(list)
    for row, line in enumerate(lines):
        by_label[f"{line['law']}/{line['article']}"].append(row)
    return Corpus(
        [article_input(x["law"], x["article"], x.get("chapter") or "", x["text"]) for x in lines],
        [x["text"] for x in lines],
        {x["id"]: row for row, x in enumerate(lines)},
        dict(by_label),
    )


def read_judged(path: Path, corpus: Corpus) -> list[Example]:
    """Questions with ids of relevant articles."""
    return [
        Example(normalise(x["question"]), tuple(corpus.rows[i] for i in x["relevant"]))
        for x in read_lines(path)
    ]


def read_own(corpus: Corpus, *, held_back: bool = False) -> list[Example]:
    """Our own questions, either those to train on or those held back, in the corpus at hand."""
    chosen = [x for x in read_lines(own_questions()) if x.get("held_back", False) == held_back]
    found = [
        Example(
            normalise(x["question"]),
            tuple(row for label in x["articles"] for row in corpus.by_label.get(label, ())),
        )
        for x in chosen
    ]
    return [example for example in found if example.relevant]


def shuffled_batches(
    examples: Sequence[Example], size: int, rng: random.Random
) -> Iterator[list[Example]]:
    """Endless batches of questions of like length, so that padding stays small."""
    while True:
        order = rng.sample(examples, len(examples))
        batches = []
        for start in range(0, len(order), size * 8):
            pool = sorted(order[start : start + size * 8], key=lambda e: len(e.question))
            batches += [pool[i : i + size] for i in range(0, len(pool), size)]
        rng.shuffle(batches)
        yield from batches


def in_batch_loss(left: torch.Tensor, right: torch.Tensor, banned: torch.Tensor) -> torch.Tensor:
    """Cross entropy of row i of `left` against row i of `right`; `banned` are no negatives."""
    logits = (left @ right.T / TEMPERATURE).masked_fill(banned, -1e4)
    return torch.nn.functional.cross_entropy(logits, torch.arange(len(left), device=logits.device))


def adapt(
    tower: Tower, corpus: Corpus, answered: Sequence[tuple[str, str]], steps: int, size: int = 256
) -> float:
    """Stage 1: three batches of inverse cloze to one of question → answer."""
    long_enough = [row for row, text in enumerate(corpus.texts) if text.count("。") > 1]

    def cloze(row: int) -> tuple[str, str]:
        sentences = corpus.texts[row].split("。")
        taken = tower.rng.randrange(len(sentences) - 1)
        rest = "。".join(sentences[:taken] + sentences[taken + 1 :])
        return QUERY + sentences[taken], PASSAGE + rest

    def losses() -> Iterator[torch.Tensor]:
        for step in range(steps):
            if step % 4 == 3 and answered:
                pairs = tower.rng.sample(answered, min(size, len(answered)))
                texts = [(QUERY + q, PASSAGE + a) for q, a in pairs]
            else:
                rows = tower.rng.sample(long_enough, min(size, len(long_enough)))
                texts = [cloze(row) for row in rows]
            left, right = (tower.vectors(side) for side in zip(*texts, strict=True))
            banned = torch.zeros(len(left), len(right), dtype=torch.bool, device=left.device)
            yield in_batch_loss(left, right, banned)

    return tower.train(losses(), steps, 4e-5)


def contrast(
    tower: Tower, corpus: Corpus, examples: Sequence[Example], epochs: float, size: int = 64,
    negatives: int = 4, rate: float = 3e-5,
) -> float:  # fmt: skip
    """Stage 2: questions against articles, each with hard negatives from the tower's own ranks
    4–60; articles relevant to a question are never its negatives."""
    questions = tower.encode([QUERY + e.question for e in examples])
    passages = tower.encode(corpus.inputs)
    depth = min(60, len(passages))
    near = {
        id(e): [r for r in ranked if r not in e.relevant]
        for e, ranked in zip(
            examples, (questions @ passages.T).topk(depth).indices[:, 3:].tolist(), strict=True
        )
    }
    steps = math.ceil(epochs * len(examples) / size)

    def losses() -> Iterator[torch.Tensor]:
        for batch in shuffled_batches(examples, size, tower.rng):
            rows = [tower.rng.choice(e.relevant) for e in batch]
            for e in batch:
                rows += tower.rng.sample(near[id(e)], min(negatives, len(near[id(e)])))
            left = tower.vectors([QUERY + e.question for e in batch])
            right = tower.vectors([corpus.inputs[row] for row in rows])
            banned = torch.tensor(
                [[r in e.relevant and j != i for j, r in enumerate(rows)]
                 for i, e in enumerate(batch)]
            )  # fmt: skip
            yield in_batch_loss(left, right, banned.to(left.device))

    return tower.train(losses(), steps, rate)


def label(
    tower: Tower, corpus: Corpus, answered: Sequence[tuple[str, str]], depth: int = 4
) -> list[Example]:
    """Stage 3: articles among the first `depth` both for a question and for its answer."""
    passages = tower.encode(corpus.inputs)
    depth = min(depth, len(passages))

    def nearest(texts: list[str]) -> list[list[int]]:
        found: list[list[int]] = (tower.encode(texts) @ passages.T).topk(depth).indices.tolist()
        return found

    by_question = nearest([QUERY + q for q, _ in answered])
    by_answer = nearest([QUERY + a for _, a in answered])
    both = (
        Example(q, tuple(r for r in one if r in other))
        for (q, _), one, other in zip(answered, by_question, by_answer, strict=True)
    )
    return [example for example in both if example.relevant]


def average(states: Sequence[State], shares: Sequence[float]) -> State:
    """Stage 4: weights as a weighted mean; what is no number is taken from the first."""
    first = states[0]
    return {
        name: sum((s[name] * w for s, w in zip(states, shares, strict=True)), torch.zeros(()))
        if first[name].is_floating_point()
        else first[name]
        for name in first
    }


def fit_questions(
    tower: Tower, passages: torch.Tensor, examples: Sequence[Example], epochs: float,
    size: int = 64, rate: float = 3e-5,
) -> float:  # fmt: skip
    """Stage 5: move questions towards the frozen vectors of their articles and away from all the
    others; the embeddings of word pieces stay, for there are few questions."""
    for parameter in tower.network.embeddings.parameters():
        parameter.requires_grad = False
    passages = passages.to(tower.model.device)
    steps = math.ceil(epochs * len(examples) / size)

    def losses() -> Iterator[torch.Tensor]:
        for batch in shuffled_batches(examples, size, tower.rng):
            vectors = tower.vectors([QUERY + e.question for e in batch])
            yield frozen_loss(vectors @ passages.T / QUESTION_TEMPERATURE, batch)

    loss = tower.train(losses(), steps, rate)
    for parameter in tower.network.parameters():
        parameter.requires_grad = True
    return loss


def frozen_loss(logits: torch.Tensor, batch: Sequence[Example]) -> torch.Tensor:
    """Mean over questions and their articles of −log p(article | it or any not relevant one)."""
    rows = torch.tensor([i for i, e in enumerate(batch) for _ in e.relevant])
    columns = torch.tensor([r for e in batch for r in e.relevant])
    shares = torch.tensor([e.weight / len(e.relevant) for e in batch for _ in e.relevant])
    rows, columns, shares = (t.to(logits.device) for t in (rows, columns, shares))
    relevant = torch.zeros(logits.shape, dtype=torch.bool, device=logits.device)
    relevant[rows, columns] = True
    others = torch.logsumexp(logits.masked_fill(relevant, -1e9), 1)[rows]
    wanted = logits[rows, columns]
    return (shares * (torch.logaddexp(wanted, others) - wanted)).sum() / len(batch)


def figures(
    questions: Tower, passages: torch.Tensor, judged: Sequence[Example]
) -> dict[str, float]:
    """R@5, R@100 and MRR@10 by cosine alone; `consult eval retrieval` measures the product."""
    if not judged:
        return {}
    vectors = questions.encode([QUERY + e.question for e in judged])
    ranked = (vectors @ passages.T).topk(min(100, len(passages))).indices.tolist()
    recall = {5: 0.0, 100: 0.0}
    reciprocal = 0.0
    for example, run in zip(judged, ranked, strict=True):
        for depth in recall:
            recall[depth] += len(set(run[:depth]) & set(example.relevant)) / len(example.relevant)
        reciprocal += next((1 / k for k, r in enumerate(run[:10], 1) if r in example.relevant), 0.0)
    n = len(judged)
    return {
        "n": n, "R@5": round(recall[5] / n, 4), "R@100": round(recall[100] / n, 4),
        "MRR@10": round(reciprocal / n, 4),
    }  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How long each stage trains; the defaults reproduce the shipped weights."""

    adapt_steps: int = 400
    contrast_epochs: float = 4
    label_epochs: float = 5
    question_epochs: float = 3
    only_questions: bool = False


def train(
    bench: Path, base: Path, out: Path, plan: Plan, passages: torch.Tensor | None = None
) -> dict[str, Any]:
    """Run the stages, write OUT, and return the record. `passages` are ready vectors of the corpus
    by the network in `base` (only with `only_questions`)."""
    corpus = read_corpus(bench / "articles.jsonl.gz")
    real = read_judged(bench / "statute_train.jsonl", corpus)
    own = read_own(corpus)
    record: dict[str, Any] = {"base": base.name, "plan": vars(plan), "stages": {}}
    record["data"] = {"articles": len(corpus.inputs), "real": len(real), "own": len(own)}
    tower = Tower.load(base)
    if not plan.only_questions:
        lay = read_judged(bench / "lay_pairs.jsonl", corpus)
        answered = [
            (normalise(x["question"]), x["answer"]) for x in read_lines(bench / "qa_pairs.jsonl")
        ]
        record["data"] |= {"lay": len(lay), "answered": len(answered)}
        record["stages"]["adapt"] = adapt(tower, corpus, answered, plan.adapt_steps)
        labelled = [*real, *real, *lay]
        record["stages"]["contrast"] = contrast(tower, corpus, labelled, plan.contrast_epochs)
        second = tower.state()
        pseudo = label(tower, corpus, answered)
        record["data"]["pseudo"] = len(pseudo)
        record["stages"]["label"] = contrast(
            tower, corpus, [*labelled, *pseudo], plan.label_epochs, size=96, rate=2.5e-5
        )
        tower.network.load_state_dict(average([tower.state(), second], [0.6, 0.4]))
    tower.model.save(str(out / "passage"))
    vectors = passages if passages is not None else tower.encode(corpus.inputs)
    judged = {
        name: read_judged(bench / f"statute_{name}.jsonl", corpus) for name in ("calib", "test")
    } | {"own": read_own(corpus, held_back=True)}
    record["before"] = {name: figures(tower, vectors, lines) for name, lines in judged.items()}
    record["stages"]["fit_questions"] = fit_questions(
        tower, vectors, [*real, *real, *own], plan.question_epochs
    )
    record["after"] = {name: figures(tower, vectors, lines) for name, lines in judged.items()}
    tower.model.save(str(out / "question"))
    export.export_towers(out / "question", out / "passage", out / "onnx")
    (out / "record.json").write_text(json.dumps(record, ensure_ascii=False, indent=1), "utf-8")
    return record


def main() -> None:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", type=Path)
    parser.add_argument("base", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only-questions", action="store_true")
    parser.add_argument("--question-epochs", type=float, default=Plan.question_epochs)
    parser.add_argument("--vectors", type=Path, help="ready vectors of the corpus by BASE")
    arguments = parser.parse_args()
    ready = None
    if arguments.vectors:
        ready = torch.from_numpy(np.load(arguments.vectors).astype(np.float32))
    plan = Plan(only_questions=arguments.only_questions, question_epochs=arguments.question_epochs)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.manual_seed(1)
    record = train(arguments.bench, arguments.base, arguments.out, plan, ready)
    print(json.dumps(record, ensure_ascii=False))  # noqa: T201 — a command's answer


if __name__ == "__main__":
    main()
