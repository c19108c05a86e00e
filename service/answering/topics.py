"""Which of the twenty topics a question belongs to, or none: one matrix over its vector, which the
search needs anyway, and a table of weighted runs of characters. Each sees what the other misses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.encoder import Vectors
from service.answering.run_table import RunTable

NOT_LEGAL = "非法律事项"
NAMES = (
    "婚姻家庭", "继承遗嘱", "劳动人事", "借贷债务", "合同纠纷", "房屋纠纷", "物业管理",
    "相邻与侵权", "交通事故", "医疗食药", "消费维权", "征收旧改", "刑事", "行政", "诈骗与网络",
    "小微企业", "诉讼与执行", "法律援助", "公共法律服务", "投诉与信访",
)  # fmt: skip

# A second topic is named when it is at least half as likely as the first: a loan from a
# partner is both 婚姻家庭 and 借贷债务, and what helps with either helps.
_SECOND = 0.5


@dataclass(frozen=True, slots=True)
class TopicGuess:
    """The likeliest topic, perhaps a second, how likely the first is, and how likely it is that
    the question is no legal matter. The default is that of a question not yet looked at."""

    names: tuple[str, ...] = ()
    sure: float = 0.0
    not_legal: float = 0.0
    all: tuple[tuple[str, float], ...] = ()

    def probability(self, topic: str) -> float:
        return next((p for name, p in self.all if name == topic), 0.0)


@dataclass(frozen=True)
class TopicModel:
    """Softmax regression over the encoder's vector of a question, and one over its runs of
    characters, which belongs to no encoder.

    `labels` are NAMES and NOT_LEGAL in the order of the rows of `weights`, (labels, dimensions),
    and of the outputs of `table`.
    """

    labels: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    encoder: str
    table: RunTable

    @classmethod
    def load(cls, path: Path) -> TopicModel:
        """The part over vectors from a file, with the table that ships."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(
                tuple(stored["labels"].tolist()),
                stored["weights"].astype(np.float32),
                stored["bias"].astype(np.float32),
                str(stored["encoder"]),
                shipped_table(),
            )

    def save(self, path: Path) -> None:
        """Without the table."""
        np.savez_compressed(
            path,
            labels=np.array(self.labels),
            weights=self.weights.astype(np.float16),
            bias=self.bias.astype(np.float16),
            encoder=np.array(self.encoder),
        )

    def probabilities(self, vector: Vectors, question: str) -> npt.NDArray[np.float32]:
        """One a label, adding up to 1: the geometric mean of what both say."""
        said = _log_softmax(self.weights @ vector + self.bias)
        logits = self.table.logits(question)
        if logits is not None:
            said = (said + _log_softmax(logits)) * np.float32(0.5)
        out: npt.NDArray[np.float32] = np.exp(_log_softmax(said))
        return out

    def guess(self, vector: Vectors, question: str) -> TopicGuess:
        """The topic of a normalised question, whose vector that is."""
        p = dict(zip(self.labels, self.probabilities(vector, question).tolist(), strict=True))
        not_legal = p.pop(NOT_LEGAL, 0.0)
        legal = max(1e-9, sum(p.values()))
        (first, one), (second, two) = sorted(p.items(), key=lambda pair: -pair[1])[:2]
        names = (first, second) if two >= _SECOND * one else (first,)
        return TopicGuess(names, one / legal, not_legal, tuple(p.items()))


def _log_softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    shifted = logits - logits.max()
    out: npt.NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum())
    return out


def table_file() -> Path:
    return Path(str(files("service.answering"))) / "topic_runs.npz"


@cache
def shipped_table() -> RunTable:
    """The table that `python -m service.evaluation.filing` makes."""
    with np.load(table_file(), allow_pickle=False) as stored:
        return RunTable.of(stored)


@cache
def shipped_topics() -> TopicModel:
    return TopicModel.load(Path(str(files("service.answering"))) / "topics.npz")
