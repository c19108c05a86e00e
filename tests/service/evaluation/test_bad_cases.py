"""A file that cannot be measured with says so in Chinese, and where."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from knowledge.encoder import OnnxEncoder
from service.answering.topics import shipped_topics
from service.errors import BadCases
from service.evaluation import topics
from service.evaluation.benchmark import read_lines


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "是空的"),
        (b"\x00\xff\xfe", "第 1 行"),
        (b'{"question": "a"}\n{"question":', "第 2 行"),
        (b'["question"]', "JSON 对象"),
        (b'{"question": ""}', "缺少字段 question"),
        ('{"问题": "离婚"}'.encode(), "缺少字段 question"),
        ("工资".encode("gb18030"), "UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadCases) as refused:
        list(read_lines(path, "question"))
    assert said in refused.value.message
    assert "cases.jsonl" in refused.value.message


def test_a_broken_archive_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"question": "a"}')[:-6])
    with pytest.raises(BadCases):
        list(read_lines(path, "question"))


def test_twenty_thousand_characters_and_one_class_are_measured_not_crashed_on(
    encoder: OnnxEncoder,
) -> None:
    figures = topics.evaluate(["长" * 20_000, "短"], ["甲", "乙"], shipped_topics(), encoder)
    assert figures["n"] == 2
