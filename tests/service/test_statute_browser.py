"""Looking things up in the laws that ship."""

from __future__ import annotations

import time
from datetime import date
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from knowledge.citations import LawBook
from service.auth import StaffRegister
from service.curation.statutes import Statutes
from service.errors import NotFound
from tests.conftest import TODAY, rooms_of


@pytest.fixture(scope="module")
def book(laws: LawBook) -> Statutes:
    return Statutes(laws.library, laws, TODAY)


def test_a_law_is_found_by_name_part_and_abbreviation(book: Statutes) -> None:
    assert len(book.laws()) > 350
    assert book.laws(words="民诉法")[0]["title"] == "中华人民共和国民事诉讼法"
    titles = [law["title"] for law in book.laws(words="法律援助")]
    assert "中华人民共和国法律援助法" in titles
    assert book.laws(words="没有这部法") == []


def test_laws_are_told_apart_by_whether_they_hold_today(book: Statutes) -> None:
    future = book.laws(state="future")
    assert future
    assert all(law["effective_from"] > TODAY for law in future)
    held = {law["id"] for law in book.laws(state="in_force")}
    assert "民法典" in held
    assert not held & {law["id"] for law in book.laws(state="past")}


def test_an_article_is_found_by_what_people_call_it(book: Statutes) -> None:
    [named] = book.named("民法典1079条")
    assert named == {
        "law": "民法典",
        "label": "第一千零七十九条",
        "name": "《中华人民共和国民法典》第一千零七十九条",
    }


def test_articles_are_found_by_all_of_the_words(book: Statutes) -> None:
    hits, count = book.search("拖欠 工资")
    assert count == len(hits) > 1
    assert any(h.law == "劳动法" and h.label == "第五十条" for h in hits)
    assert all("拖欠" in h.found for h in hits)
    hits, count = book.search("应当")
    assert len(hits) == 50 < count
    assert book.search("应当", everything=True)[1] > count
    assert book.search("  ") == ([], 0)


def test_a_law_shows_its_versions_with_how_sure_their_dates_are(book: Statutes) -> None:
    law = book.law("民法典")
    assert law["version"]["span"] == "2021年1月1日起"
    assert law["version"]["basis"] == "施行日期：来源写明"
    assert law["parts_of"][0]["articles"][0]["label"] == "第一条"
    several = next(entry for entry in book.laws() if entry["versions"] > 1)
    versions = book.law(several["id"])["versions"]
    assert len({v["id"] for v in versions}) == several["versions"]
    old = book.law(several["id"], versions[-1]["id"])
    assert old["version"]["id"] == versions[-1]["id"]


def test_an_article_shows_what_changed_and_what_rests_on_it(book: Statutes) -> None:
    page = book.article("劳动合同法", "第三十条")
    assert "劳动报酬" in page["text"]
    assert "faq-unpaid-wages" in [one["id"] for one in page["cited_by"]]
    assert page["neighbours"] == ("第二十九条", "第三十一条")
    several = [entry["id"] for entry in book.laws() if entry["versions"] > 1]
    changed = [
        page
        for law in several[:20]
        for page in [book.article(law, "第二条")]
        if len(page["history"]) > 1
    ]
    assert changed
    runs = [run for e in changed[0]["history"] for line in e["lines"] for run in line]
    assert {"ins", "del"} & {run["op"] for run in runs}


@pytest.mark.parametrize(
    ("law", "label", "version"),
    [("没有", "第一条", None), ("民法典", "第九千条", None), ("民法典", "第一条", "x"),
     ("faq-unpaid-wages", "问法", None)],
)  # fmt: skip
def test_what_is_not_held_is_not_found(
    book: Statutes, law: str, label: str, version: str | None
) -> None:
    with pytest.raises(NotFound):
        book.law(law, version) if version else book.article(law, label)


def test_every_search_answers_in_time(book: Statutes) -> None:
    book.law("民法典")  # who cites what is found out once
    for work in (
        lambda: book.laws(),
        lambda: book.search("的", everything=True),
        lambda: book.named("民法典1079条、劳动合同法第八十二条"),
        lambda: book.law("民法典"),
        lambda: book.article("公司法", "第三条"),
    ):
        start = time.process_time()
        work()
        assert time.process_time() - start < 0.3


def test_the_pages_show_it_to_staff_only(client: TestClient) -> None:
    _, token = StaffRegister(rooms_of(client).sessions).add("小王", ["curator"])
    headers = {"Authorization": f"Bearer {token}"}
    law = quote("劳动法")
    pages = {
        "/console/statutes?text=拖欠 工资": "克扣或者无故",
        f"/console/statutes/{law}": "第五十条",
        f"/console/statutes/{law}/{quote('第五十条')}": "引用这一条的内容",
        "/console/stale": "依据的法律将要改",
        "/console/imports": "把文件拖到这里",
    }
    for path, said in pages.items():
        assert client.get(path, follow_redirects=False).status_code == 303
        shown = client.get(path, headers=headers)
        assert shown.status_code == 200
        assert said in shown.text
    assert client.get(f"/console/statutes/{quote('没有')}", headers=headers).status_code == 404


def test_the_day_matters(laws: LawBook) -> None:
    before = Statutes(laws.library, laws, date(2020, 12, 31))
    assert before.article("民法典", "第一条")["text"] is None
