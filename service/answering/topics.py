"""Which of the twenty topics a question belongs to, or none: one matrix over its vector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.encoder import Vectors

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
    """Softmax regression over the encoder's vector of a question.

    `labels` are NAMES and NOT_LEGAL in the order of the rows of `weights`, (labels, dimensions).
    """

    labels: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    encoder: str

    @classmethod
    def load(cls, path: Path) -> TopicModel:
        with np.load(path, allow_pickle=False) as stored:
            return cls(
                tuple(stored["labels"].tolist()),
                stored["weights"].astype(np.float32),
                stored["bias"].astype(np.float32),
                str(stored["encoder"]),
            )

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            labels=np.array(self.labels),
            weights=self.weights.astype(np.float16),
            bias=self.bias.astype(np.float16),
            encoder=np.array(self.encoder),
        )

    def probabilities(self, vector: Vectors) -> npt.NDArray[np.float32]:
        """One a label, adding up to 1."""
        logits = self.weights @ vector + self.bias
        raised = np.exp(logits - logits.max())
        out: npt.NDArray[np.float32] = raised / raised.sum()
        return out

    def guess(self, vector: Vectors) -> TopicGuess:
        """The topic of a question from its vector."""
        p = dict(zip(self.labels, self.probabilities(vector).tolist(), strict=True))
        not_legal = p.pop(NOT_LEGAL, 0.0)
        legal = max(1e-9, sum(p.values()))
        (first, one), (second, two) = sorted(p.items(), key=lambda pair: -pair[1])[:2]
        names = (first, second) if two >= _SECOND * one else (first,)
        return TopicGuess(names, one / legal, not_legal, tuple(p.items()))


@cache
def shipped_topics() -> TopicModel:
    return TopicModel.load(Path(str(files("service.answering"))) / "topics.npz")
