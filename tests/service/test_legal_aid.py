"""The pre-check over HTTP: stateless, with exact articles, and no other city's windows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from knowledge.citations import LawBook
from knowledge.library import Library
from service.answering.legal_aid import RULES, LegalAid
from service.errors import NotReady
from tests.conftest import TODAY
from tests.service.precheck_paths import CASES, walk

URL = "/api/v1/legal-aid"


@pytest.fixture(scope="module")
def legal_aid(library: Library, laws: LawBook) -> LegalAid:
    return LegalAid(library, laws, "310107")


def result_of(legal_aid: LegalAid, path: str) -> dict[str, Any]:
    result: dict[str, Any] = legal_aid.answer(walk(path), TODAY)["result"]
    return result


def test_the_page_begins_with_the_version_of_the_rules_and_the_first_question(
    served: TestClient,
) -> None:
    response = served.get(URL)
    assert response.headers["Cache-Control"] == "no-store"
    opening = response.json()
    assert opening["rules"]["version"].startswith(f"{RULES}@")
    assert opening["rules"]["checked_on"]
    assert opening["question"]["number"] == 1
    assert opening["question"]["id"] == "need"
    assert {"id", "label", "alone"} == opening["question"]["options"][0].keys()


def test_each_answer_brings_the_next_question_and_the_last_the_result(served: TestClient) -> None:
    answers: dict[str, Any] = {}
    path = walk("apply self work wages none other migrant putuo week")
    for number in range(1, len(path) + 1):
        question = served.post(f"{URL}/check", json={"answers": answers}).json()["question"]
        assert question["number"] == number
        answers[question["id"]] = path[question["id"]]
    reply = served.post(f"{URL}/check", json={"answers": answers}).json()
    result = reply["result"]
    assert result["verdict"] == "may_qualify"
    assert reply["rules"]["version"] in result["summary"]
    promised = {
        "verdict", "label", "lead", "reasons", "urgent", "missing", "where", "papers", "deadlines",
        "after", "remedies", "helps", "unknowns", "headings", "citations", "cards", "answers",
        "disclaimer", "summary", "as_of",
    }  # fmt: skip
    assert promised == result.keys()
    assert {"text", "cites", "source", "card"} == result["reasons"][0].keys()


def test_a_wrong_answer_is_refused_in_chinese(served: TestClient) -> None:
    response = served.post(f"{URL}/check", json={"answers": {"need": "money"}})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "unknown_option"
    assert "请从选项里选" in response.json()["error"]["message"]
    bodies: list[dict[str, Any]] = [{"answers": []}, {"answers": {}, "name": "张三"}]
    for body in [*bodies, {"answers": {"need": 1}}]:
        refused = served.post(f"{URL}/check", json=body)
        assert refused.status_code in (400, 422)
        assert refused.json()["error"]["message"]


def test_every_article_is_shown_in_its_exact_words(legal_aid: LegalAid, laws: LawBook) -> None:
    for case in CASES:
        result = result_of(legal_aid, case.path)
        texts = {c["cite"]: c["text"] for c in result["citations"]}
        for name in ("reasons", *result["headings"]):
            for line in result[name]:
                for cite in line["cites"]:
                    assert texts[cite] == laws.cite(cite, TODAY).passage.text
        assert all(c["in_force"] for c in result["citations"])


def test_every_card_is_there_with_its_source(legal_aid: LegalAid) -> None:
    for case in CASES:
        result = result_of(legal_aid, case.path)
        pointed = {line["card"] for name in result["headings"] for line in result[name]} - {None}
        assert pointed == result["cards"].keys()
        assert all(card["source"] and card["checked_on"] for card in result["cards"].values())


def test_what_is_not_verified_says_so_on_the_printed_page(legal_aid: LegalAid) -> None:
    summary = result_of(legal_aid, "apply self work wages none other migrant putuo none")["summary"]
    assert "铜川路1809号" in summary
    for line in summary.splitlines():
        if "铜川路1809号" in line or "52656672" in line:
            assert "未核实" in line


def test_a_telephone_number_is_printed_only_with_its_card(legal_aid: LegalAid) -> None:
    for case in CASES:
        result = result_of(legal_aid, case.path)
        phones = {card["phone"] for card in result["cards"].values() if card["phone"]}
        for number in re.findall(r"(?<!\d)\d{7,}(?!\d)", result["summary"]):
            assert any(number in phone for phone in phones), (case.facts, number)


def test_another_city_gets_no_window_of_this_district(
    legal_aid: LegalAid, library: Library
) -> None:
    result = result_of(legal_aid, "apply self work wages none other migrant elsewhere preserve")
    assert "当地的12348" in result["summary"]
    for words in ("铜川路", "52656672", "普陀区总工会"):
        assert words not in str(result)
    assert {library.documents[card].region for card in result["cards"]} == {"000000"}


def test_another_district_gets_the_city_and_not_this_district(
    legal_aid: LegalAid, library: Library
) -> None:
    result = result_of(legal_aid, "apply self work wages none shanghai none shanghai hard preserve")
    assert {library.documents[card].region for card in result["cards"]} == {"000000", "310000"}
    assert "hotline-12348" in result["cards"]


def test_help_that_leads_nowhere_is_left_out(legal_aid: LegalAid) -> None:
    result = result_of(legal_aid, "apply self work wages none other migrant elsewhere none")
    assert all(line["cites"] or line["card"] for line in result["helps"])


def test_without_published_rules_it_says_whom_to_ask(laws: LawBook) -> None:
    closed = LegalAid(Library([], [], []), laws, "310107")
    with pytest.raises(NotReady, match="12348"):
        closed.opening(TODAY)


def test_rules_whose_article_is_gone_are_not_used(library: Library) -> None:
    """Here: no law is held at all, so that not one article can be verified."""
    revision = library.revision_in_force(RULES, TODAY)
    assert revision is not None
    only_rules = Library([library.documents[RULES]], [revision], [])
    closed = LegalAid(only_rules, LawBook(only_rules, {}), "310107")
    with pytest.raises(NotReady, match="需要更新"):
        closed.check(TODAY)


def test_the_check_is_opened_once_a_day(legal_aid: LegalAid) -> None:
    assert legal_aid.check(TODAY) is legal_aid.check(TODAY)
