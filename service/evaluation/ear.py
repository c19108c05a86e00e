"""Train the network that listens for danger (`service.answering.ear`; extra `models`).

    python -m service.evaluation.ear BASE OUT [--real FILE ...]

BASE is the sentence-transformers folder that the encoder began from: its lower layers are trained
on, its word pieces stay. OUT receives `ear.onnx`. FILEs are the benchmark's `qa_pairs.jsonl`,
`lay_pairs.jsonl` and `statute_train.jsonl`. Then `python -m service.evaluation.alarm` weighs it.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from knowledge.encoder import QUERY
from knowledge.encoder.export import export_graph, halve_weights
from service.answering.ear import MAX_TOKENS
from service.evaluation.danger_lines import Line, lines_to_learn

LAYERS = 6  # of the encoder's twelve: half the time of a question
EPOCHS, BATCH, RATE, HEAD_RATE = 2, 48, 1e-4, 1e-3
WARMUP = 100  # steps
# Telling the kinds apart is learned with it, for what that teaches of danger; the table tells them
# better (.87 of the lines of `calib`, the network .72, both together .88).
KIND_SHARE = 0.3  # of the loss
WEIGHTY_SHARE = 2.0  # how much a line counts that counts more
KINDS = ("", "violence", "medical_fire", "minor", "self_harm", "fraud_now", "held", "threat")

log = logging.getLogger(__name__)


class Network(torch.nn.Module):
    """The lower layers, mean pooling over the mask, and one linear layer."""

    def __init__(self, transformer: Any, layers: int = LAYERS) -> None:
        super().__init__()
        transformer.encoder.layer = transformer.encoder.layer[:layers]
        for weights in transformer.embeddings.parameters():
            weights.requires_grad = False
        self.transformer = transformer
        self.head = torch.nn.Linear(transformer.config.hidden_size, 1 + len(KINDS))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """The logit of danger, (batch,)."""
        return self._heard(input_ids, attention_mask)[:, 0]

    def loss(self, ids: torch.Tensor, mask: torch.Tensor, lines: Sequence[Line]) -> torch.Tensor:
        heard = self._heard(ids, mask)
        danger = torch.tensor([float(x.danger) for x in lines])
        share = torch.tensor([WEIGHTY_SHARE if x.weighty else 1.0 for x in lines])
        kind = torch.tensor([KINDS.index(x.kind) for x in lines])
        told = binary_cross_entropy_with_logits(heard[:, 0], danger, reduction="none")
        return (told * share).mean() + KIND_SHARE * cross_entropy(heard[:, 1:], kind)

    def _heard(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1)
        out: torch.Tensor = self.head(mean)
        return out


def batches(
    lines: Sequence[Line], epochs: int, random: np.random.Generator
) -> Iterator[list[Line]]:
    """Lines of like length together, batches in any order. Of the easy lines each epoch takes
    others, so that they do not outweigh the rest."""
    turn = random.integers(epochs, size=len(lines))
    for epoch in range(epochs):
        rows = [i for i, x in enumerate(lines) if not x.easy or turn[i] == epoch]
        rows = [rows[i] for i in random.permutation(len(rows))]
        out = []
        for start in range(0, len(rows), BATCH * 40):
            some = sorted(rows[start : start + BATCH * 40], key=lambda i: len(lines[i].question))
            out += [some[j : j + BATCH] for j in range(0, len(some), BATCH)]
        for place in random.permutation(len(out)):
            yield [lines[i] for i in out[place]]


def train(network: Network, tokenizer: Any, lines: Sequence[Line], *, epochs: int = EPOCHS) -> None:
    """Train in place."""
    plan = list(batches(lines, epochs, np.random.default_rng(0)))
    layers = network.transformer.encoder.parameters()
    groups = [
        {"params": list(layers), "lr": RATE},
        {"params": network.head.parameters(), "lr": HEAD_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    slope = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, step / WARMUP) * (1 - step / len(plan))
    )
    network.train()
    for step, some in enumerate(plan, start=1):
        read = tokenizer(
            [QUERY + x.question for x in some],
            truncation=True, max_length=MAX_TOKENS, padding=True, return_tensors="pt",
        )  # fmt: skip
        loss = network.loss(read["input_ids"], read["attention_mask"], some)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        slope.step()
        if step % 50 == 0:
            log.info("step %d of %d: loss %.3f", step, len(plan), float(loss.detach()))
    network.eval()


def load(base: Path, layers: int = LAYERS) -> tuple[Network, Any]:
    """An untrained network on the lower layers of BASE, and its tokenizer."""
    torch.manual_seed(0)
    model = SentenceTransformer(
        str(base), device="cpu", model_kwargs={"attn_implementation": "eager"}
    )
    return Network(model[0].auto_model.float(), layers), model.tokenizer


def export(network: Network, target: Path) -> None:
    """Write the network as ONNX, weights kept as float16."""
    config = network.transformer.config
    with tempfile.TemporaryDirectory() as work:
        full = Path(work) / "full.onnx"
        export_graph(network, full, "heard", config.num_attention_heads, config.hidden_size)
        halve_weights(full, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--real", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    network, tokenizer = load(arguments.base)
    train(network, tokenizer, lines_to_learn(arguments.real))
    export(network, arguments.out / "ear.onnx")


if __name__ == "__main__":
    main()
