"""The opening hours that cards have: as the words say, with a source, and shown with each step."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest

from ingest.content import Card, content_folder, read_items
from knowledge.library import Library
from service.answering.cards import Cards
from service.answering.hours import ALWAYS, SHANGHAI, Opening


def at(text: str) -> datetime:
    """2026-10-01 09:00 in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


CARDS = [
    item
    for path in sorted(content_folder().rglob("*.yaml"))
    if path.name != "repealed.yaml"
    for item in read_items(path)
    if isinstance(item, Card) and item.opening
]


def test_the_hours_of_a_card_say_the_same_in_words_and_in_figures() -> None:
    assert len(CARDS) >= 7
    for card in CARDS:
        body = card.model_dump(mode="json", exclude_defaults=True)
        opening = Opening.of_card(body)
        assert opening
        assert card.opening
        assert card.hours
        words = re.sub(r"\s", "", card.hours.text)
        if opening.days == "workdays":
            said = re.findall(r"(\d{1,2}:\d\d)[–-](\d{1,2}:\d\d)", words)
            assert [f"{a.zfill(5)}-{b.zfill(5)}" for a, b in said] == card.opening.times
            assert "节假日除外" in words
        elif opening.days == "daily":
            assert "7×24" in words
        else:
            assert "紧急" in words or "急救" in words


def test_hours_that_are_not_known_are_not_made_up() -> None:
    known = {card.id for card in CARDS}
    assert "hotline-12348" not in known
    assert not known & {"hotline-12356", "hotline-12368", "hotline-12333", "hotline-12338"}


@pytest.mark.parametrize(
    ("opening", "wrong"),
    [
        ("{days: weekdays, times: ['09:00-11:30']}", "days 只能写"),
        ("{days: workdays, times: ['9:00-11:30']}", "时间段要写成"),
        ("{days: workdays, times: ['09:00-25:00']}", "时间段要写成"),
        ("{days: workdays, times: ['13:30-16:30', '09:00-11:30']}", "从早到晚"),
        ("{days: workdays, times: ['09:00-11:30', '11:00-16:30']}", "不能重叠"),
        ("{days: workdays}", "要写 times"),
        ("{days: always, times: ['09:00-11:30']}", "always 不写"),
    ],
)
def test_a_card_with_unreadable_hours_is_refused_in_chinese(
    tmp_path_factory: pytest.TempPathFactory, opening: str, wrong: str
) -> None:
    with pytest.raises(ValueError, match=wrong):
        read_card(tmp_path_factory, f"{HOURS}\n  opening: {opening}")


HOURS = "hours: {text: 某时, certainty: D, source: 某处}"


def test_a_card_cannot_have_hours_without_a_source(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with pytest.raises(ValueError, match="hours 里写明"):
        read_card(tmp_path_factory, "opening: {days: always}")


def read_card(folders: pytest.TempPathFactory, lines: str) -> None:
    path = folders.mktemp("cards") / "card.yaml"
    path.write_text(
        "- id: service-somewhere\n  kind: service\n  title: 某处\n  topic: 法律援助\n"
        "  region: '310107'\n  summary: 某事\n  source: 某处\n  checked_on: 2026-11-23\n"
        f"  asks: [一, 二, 三]\n  {lines}\n",
        "utf-8",
    )
    read_items(path)


def test_a_next_step_says_whether_the_window_is_open_at_that_moment(library: Library) -> None:
    moments = iter([at("2026-11-30 10:00"), at("2026-11-30 12:00"), at("2026-10-01 10:00")])
    cards = Cards(library, lambda: next(moments))
    said = []
    for _ in range(3):
        step = cards.step("service-legal-aid-apply", date(2026, 11, 30), "310107")
        assert step
        said.append((step.open_now or "").removesuffix("（未核实，请先致电核实）"))
    assert said == [
        "现在开放，到11:30",
        "现在是午休，13:30再开",
        "国庆放假，下次开放是10月8日（周四）9:00",
    ]


def test_whom_to_call_says_whether_they_are_there_but_not_in_an_emergency(
    library: Library,
) -> None:
    cards = Cards(library, lambda: at("2026-11-30 10:00"))
    ids = ("hotline-12345", "hotline-12348", "hotline-110")
    on = date(2026, 11, 30)
    everyone, lawyers, police = cards.targets(ids, on)
    assert "全天不休" in (everyone.open_now or "")
    assert "未核实" in (everyone.open_now or "")
    assert lawyers.open_now is None
    assert police.open_now == ALWAYS
    assert all(t.open_now is None for t in cards.targets(ids, on, urgent=True))
