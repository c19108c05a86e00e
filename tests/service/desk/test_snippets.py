"""Words to insert into a reply come from what is published, with what is unverified marked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service.handover import phrases
from tests.service.desk.conftest import FrontDesk, small_library

SNIPPETS = "/api/v1/staff/desk/snippets"
AT = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("老板拖欠工资", "faq-unpaid-wages"),
        ("想离婚", "faq-divorce"),
        ("12348", "hotline-12348"),
        ("法律服务中心", "service-service-hall"),
    ],
)
def test_the_answer_that_fits_comes_first(query: str, first: str) -> None:
    found = phrases.search(small_library(), query, "310107", AT)
    assert found[0]["id"] == first


def test_an_answer_is_given_whole_and_a_card_with_a_line_that_says_what_is_unverified() -> None:
    library = small_library()
    [answer, *_] = phrases.search(library, "拖欠工资怎么办", "310107", AT)
    assert answer["text"] == "先投诉，再申请劳动仲裁。"
    assert answer["source"] == "区司法局网页"
    [card, *_] = phrases.search(library, "普陀区公共法律服务中心", "310107", AT)
    assert card["line"].startswith("普陀区公共法律服务中心：电话 52656672（未核实")
    assert "地址 铜川路1809号（未核实" in card["line"]
    lines = phrases.lines(library, "310107", AT)
    assert [line["kind"] for line in lines] == ["hotline", "service"]
    assert lines[0]["text"] == "12348 公共法律服务热线：电话 12348"


@pytest.mark.parametrize("query", ["", "   ", "完全不相干的鲸鱼", "\x00\x01", "？！", "😀"])
def test_what_fits_nothing_finds_nothing(query: str) -> None:
    assert phrases.search(small_library(), query, "310107", AT) == []


def test_only_cards_that_hold_for_the_region_are_offered() -> None:
    found = phrases.search(small_library(), "离婚怎么办", "330100", AT)
    assert found == []


def test_snippets_over_http_are_for_who_replies(front: FrontDesk) -> None:
    _, agent = front.hire("小王")
    _, auditor = front.hire("小审", "auditor")
    found = front.client.get(SNIPPETS, params={"q": "离婚"}, headers=agent.headers)
    assert [one["id"] for one in found.json()["snippets"]] == ["faq-divorce"]
    assert front.client.get(SNIPPETS, params={"q": "离婚"}).status_code == 401
    refused = front.client.get(SNIPPETS, params={"q": "离婚"}, headers=auditor.headers)
    assert refused.status_code == 403
    long = front.client.get(SNIPPETS, params={"q": "长" * 2_000}, headers=agent.headers)
    assert long.status_code == 422
