"""Numerals and labels, as laws write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.statutes import (
    article_key,
    article_label,
    count_paragraphs,
    format_number,
    has_item,
    label_of_key,
    parse_number,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "一"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (101, "一百零一"),
        (110, "一百一十"),
        (293, "二百九十三"),
        (1000, "一千"),
        (1001, "一千零一"),
        (1010, "一千零一十"),
        (1079, "一千零七十九"),
        (1260, "一千二百六十"),
    ],
)
def test_numbers_are_written_as_in_laws(number: int, text: str) -> None:
    assert format_number(number) == text
    assert parse_number(text) == number


@given(st.integers(1, 9999))
def test_every_number_survives_the_way_there_and_back(number: int) -> None:
    assert parse_number(format_number(number)) == number


@given(st.integers(1, 9999), st.one_of(st.none(), st.integers(1, 20)))
def test_every_label_has_a_key_and_back(number: int, inserted: int | None) -> None:
    label = article_label(number, inserted)
    key = article_key(label)
    assert key is not None
    assert label_of_key(key) == label


def test_what_is_no_number_is_none() -> None:
    assert parse_number("") is None
    assert parse_number("甲") is None
    assert parse_number("一二三") == 123


def test_numbers_beyond_what_laws_have_are_refused() -> None:
    with pytest.raises(ValueError, match="not an article number"):
        format_number(10_000)


def test_paragraphs_are_counted_without_items() -> None:
    text = "有下列情形之一的：\n（一）甲；\n（二）乙。\n前款规定不适用于丙。"
    assert count_paragraphs(text) == 2
    assert has_item(text, 2)
    assert not has_item(text, 3)
