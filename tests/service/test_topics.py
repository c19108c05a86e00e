"""Topics: the twenty, a second where two fit, and none for what is no legal matter."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from knowledge.encoder import QUERY, OnnxEncoder
from service.answering.routing import routes
from service.answering.run_table import RunTable
from service.answering.topics import NAMES, NOT_LEGAL, TopicModel, shipped_topics
from service.evaluation import topics


@pytest.fixture(scope="module")
def shipped() -> TopicModel:
    return shipped_topics()


def test_every_topic_leads_somewhere(shipped: TopicModel) -> None:
    assert set(shipped.labels) == {*NAMES, NOT_LEGAL}
    assert set(NAMES) == set(routes())


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("老公天天打牌不管家里，我想离婚", "婚姻家庭"),
        ("爷爷去世了没有立遗嘱，房子怎么分", "继承遗嘱"),
        ("老板拖着三个月工资不发", "劳动人事"),
        ("朋友借了五万块钱一直不还", "借贷债务"),
        ("楼上漏水把我家天花板泡坏了", "相邻与侵权"),
        ("物业费涨价没有经过业主同意", "物业管理"),
        ("被电瓶车撞了对方逃逸", "交通事故"),
        ("申请法律援助要带什么材料", "法律援助"),
    ],
)
def test_plain_questions_get_their_topic(
    shipped: TopicModel, encoder: OnnxEncoder, question: str, topic: str
) -> None:
    guess = shipped.guess(encoder.encode([QUERY + question])[0], question)
    assert topic in guess.names
    assert guess.not_legal < 0.5


@pytest.mark.parametrize("line", ["明天会下雨吗", "红烧肉怎么做", "帮我写一首诗"])
def test_what_is_no_legal_matter_is_a_class_of_its_own(
    shipped: TopicModel, encoder: OnnxEncoder, line: str
) -> None:
    assert shipped.guess(encoder.encode([QUERY + line])[0], line).not_legal > 0.5


def test_a_second_topic_is_named_only_when_it_is_nearly_as_likely(shipped: TopicModel) -> None:
    even = _model(bias=[0, 0, 0])
    assert len(even.guess(np.array([1, 0], np.float32), "问").names) == 2
    clear = _model(bias=[5, 0, 0])
    assert clear.guess(np.array([1, 0], np.float32), "问").names == ("甲",)


def test_vector_and_characters_are_heard_alike() -> None:
    """Two that know nothing of the question leave the word to the one that does."""
    vector = np.array([1, 0], np.float32)
    by_table = _model(bias=[0, 0, 0], runs=[0, 0, 6])
    assert by_table.guess(vector, "猫").names == ("丙",)
    assert len(by_table.guess(vector, "狗").names) == 2  # the table does not know it
    both = _model(bias=[6, 0, 0], runs=[0, 0, 6])
    p = both.probabilities(vector, "猫")
    assert p[0] == pytest.approx(p[2])
    assert p.sum() == pytest.approx(1)


def _model(bias: list[float], runs: list[float] | None = None) -> TopicModel:
    weights = np.array([runs or [0, 0, 0]], np.float32)
    table = RunTable({"猫": 0}, np.ones(1, np.float32), weights, np.zeros(3, np.float32))
    labels, nothing = ("甲", "乙", "丙"), np.zeros((3, 2), np.float32)
    return TopicModel(labels, nothing, np.array(bias, np.float32), "", table)


def test_a_topic_costs_far_less_than_five_milliseconds(
    shipped: TopicModel, encoder: OnnxEncoder
) -> None:
    vector = encoder.encode([QUERY + "公司拖欠工资"])[0]
    times = []
    for _ in range(50):
        began = time.perf_counter()
        shipped.guess(vector, "公司拖欠工资")
        times.append(time.perf_counter() - began)
    assert statistics.median(times) < 0.005


def test_other_labels_are_measured_by_folds_that_did_not_see_the_line(
    encoder: OnnxEncoder, shipped: TopicModel
) -> None:
    asked = [
        f"{thing}怎么{verb}" for thing in ("狗", "猫", "鱼") for verb in "洗喂养买卖找带玩看教"
    ]
    by_animal = [q[0] for q in asked]
    figures = topics.evaluate(asked, by_animal, shipped, encoder)
    assert figures["measured_by"] == "folds"
    assert figures["accuracy"] > 0.8
    shuffled = [by_animal[i * 7 % len(asked)] for i in range(len(asked))]
    assert topics.evaluate(asked, shuffled, shipped, encoder)["accuracy"] < 0.7
