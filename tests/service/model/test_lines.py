"""Objects are read a line at a time, as soon as each is complete."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.model.lines import objects


def read(*pieces: str) -> list[object]:
    return list(objects(pieces))


def test_an_object_is_given_before_the_line_ends() -> None:
    given: list[str] = []

    def pieces() -> Iterator[str]:
        for piece in ('{"s": "甲"', ', "by": ["A1"]}', "\n", '{"s"', ': "乙"}'):
            given.append(piece)
            yield piece

    first = next(objects(pieces()))
    assert first == {"s": "甲", "by": ["A1"]}
    assert given == ['{"s": "甲"', ', "by": ["A1"]}']


@pytest.mark.parametrize(
    "whole",
    [
        '{"s": "甲"}\n{"s": "乙"}',
        '```json\n{"s": "甲"}\n{"s": "乙"}\n```',
        '[\n{"s": "甲"},\n{"s": "乙"}\n]',
        '[{"s": "甲"}, {"s": "乙"}]',
        '{"sentences": [{"s": "甲"}, {"s": "乙"}]}',
        '{\n"sentences": [\n  {\n  "s": "甲"}, {"s": "乙"}\n]\n}',
        '{"s": "甲"}, \n\n{"s": "乙"},',
    ],
)
def test_what_models_wrap_around_lines_does_no_harm(whole: str) -> None:
    assert read(*whole) == [{"s": "甲"}, {"s": "乙"}]


def test_a_broken_line_spoils_none_but_itself() -> None:
    assert read('好的，如下：\n{"s": "甲"}\n{"s": "乙\n{"s": "丙"}\n') == [
        {"s": "甲"},
        {"s": "丙"},
        "好的，如下：",
        '{"s": "乙',
    ]


@pytest.mark.parametrize("whole", ["", "\n\n", "[]", "```\n```"])
def test_nothing_is_nothing(whole: str) -> None:
    assert read(whole) == []


def test_depth_without_end_is_a_broken_line() -> None:
    assert read("[" * 100_000) == ["[" * 100_000]
