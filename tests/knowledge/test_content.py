"""Facts of law in the content are checked against the statute text; what is unknown is marked."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Any, get_args

import pytest

from ingest import content
from ingest.content import AnyItem, Card, Faq, Outside, Rules, Topic, content_folder, read_items
from knowledge.citations import LawBook, Verdict
from knowledge.statutes import article_key, parse_number
from tests.conftest import TODAY

EVERYTHING: list[AnyItem] = [
    item
    for path in sorted(content_folder().rglob("*.yaml"))
    if path.name != "repealed.yaml"
    for item in read_items(path)
]
ITEMS = [i for i in EVERYTHING if isinstance(i, Faq | Card)]
RULES = [i for i in EVERYTHING if isinstance(i, Rules)]
OUTSIDE = [i for i in EVERYTHING if isinstance(i, Outside)]
FAQS = [i for i in ITEMS if isinstance(i, Faq)]
CARDS = [i for i in ITEMS if isinstance(i, Card)]
IDS = {i.id for i in ITEMS}


def by_id(item: Faq | Card) -> str:
    return item.id


def test_the_pack_is_as_large_as_promised() -> None:
    assert len(FAQS) >= 60
    assert sum(i.kind in ("service", "guide") for i in CARDS) >= 40
    assert {i.topic for i in FAQS} == set(get_args(Topic))


def test_every_id_is_used_once() -> None:
    assert [i for i, n in Counter(map(by_id, ITEMS)).items() if n > 1] == []


def test_what_is_outside_names_only_hotlines_that_exist() -> None:
    assert OUTSIDE
    assert {h for item in OUTSIDE for h in item.hotlines} <= IDS


def test_no_two_answers_claim_the_same_way_of_asking() -> None:
    """An answer and a guide may share one (the answer wins); two answers, or an answer and what is
    no legal matter, may not."""
    asks = Counter(ask for faq in FAQS for ask in {faq.question, *faq.asks})
    asks.update(ask for item in OUTSIDE for ask in set(item.asks))
    assert [ask for ask, n in asks.items() if n > 1] == []


@pytest.mark.parametrize("item", ITEMS, ids=by_id)
def test_every_citation_is_an_article_in_force(item: Faq | Card, laws: LawBook) -> None:
    for citation in item.cites:
        laws.cite(citation, TODAY)


@pytest.mark.parametrize("item", RULES, ids=lambda rules: rules.id)
def test_every_citation_of_a_table_of_rules_is_an_article_in_force(
    item: Rules, laws: LawBook
) -> None:
    assert item.cites
    for citation in item.cites:
        laws.cite(citation, TODAY)


@pytest.mark.parametrize("item", ITEMS, ids=by_id)
def test_every_law_named_in_the_words_is_verified(item: Faq | Card, laws: LawBook) -> None:
    """Also articles that the prose names in passing must exist and be in force; what is not held
    (regulations, interpretations) cannot be checked and is allowed only where it says so."""
    for checked in laws.check_text(words_of(item), TODAY):
        assert checked.verdict in (Verdict.VERIFIED, Verdict.NOT_HELD), checked


def words_of(item: Faq | Card) -> str:
    if isinstance(item, Faq):
        return "\n".join([item.answer, *item.notices])
    facts = (item.where, item.fee, item.deadline, item.hours, item.online)
    texts = [f.text for f in facts if f]
    return "\n".join([item.summary, item.who, *item.how, *item.materials, *item.notices, *texts])


_FIGURE = re.compile(
    r"([0-9][0-9,.]*|[一二两三四五六七八九十百千万]+)\s*"
    r"(个工作日|工作日|个月|年|日|天|小时|周岁|岁|万元|元|倍|%)"
)
_SAME = {"天": "日", "岁": "周岁", "个工作日": "工作日"}


def figures(text: str) -> set[tuple[float, str]]:
    """Periods, sums, ages and shares in a text, whatever numerals they are written in."""
    text = unicodedata.normalize("NFKC", text)
    found = set()
    for amount, unit in _FIGURE.findall(text):
        plain = amount.replace(",", "").rstrip(".")
        value = float(plain) if plain[:1].isdigit() else parse_number(plain.replace("万", ""))
        if value is not None:
            found.add((float(value), _SAME.get(unit, unit)))
    for share in re.findall(r"百分之([一二三四五六七八九十百]+)", text):
        found.add((float(parse_number(share) or 0), "%"))
    return found


@pytest.mark.parametrize("item", FAQS, ids=by_id)
def test_every_figure_of_an_answer_is_in_a_cited_article(item: Faq, laws: LawBook) -> None:
    law = "\n".join(laws.cite(c, TODAY).passage.text for c in item.cites)
    claimed = figures("\n".join([item.answer, *item.notices]))
    assert claimed - figures(law) - figures(item.facts) == set()


def test_the_figure_check_can_fail(laws: LawBook) -> None:
    article = laws.cite("法律援助法第四十三条", TODAY).passage.text
    assert figures("七日内") <= figures(article)
    assert figures("7天内") <= figures(article)
    assert not figures("10天内") <= figures(article)


@pytest.mark.parametrize("item", ITEMS, ids=by_id)
def test_every_pointer_leads_somewhere(item: Faq | Card) -> None:
    pointers = item.steps if isinstance(item, Faq) else item.related
    assert set(pointers) <= IDS


_TELEPHONE = re.compile(
    r"(?<!\d)(?:\d{3,4}-)?\d{7,8}(?!\d)|(?<!\d)(?:12\d{3}|96\d{4}|1[12][0-9])(?![\d件家人次年])"
)
KNOWN_NUMBERS = {str(i.phone.text) for i in CARDS if i.kind == "hotline" and i.phone} | {
    "12337",
    "021-12348",
}


@pytest.mark.parametrize("item", ITEMS, ids=by_id)
def test_no_telephone_number_appears_without_its_source(item: Faq | Card) -> None:
    facts: list[Any] = []
    if isinstance(item, Card):
        facts = [f for f in (item.phone, item.where, item.hours, item.online) if f]
    sourced = {n for f in facts for n in _TELEPHONE.findall(f.text)}
    loose = set(_TELEPHONE.findall(words_of(item))) - sourced
    assert {n for n in loose if n not in KNOWN_NUMBERS} == set()


def test_twelve_three_four_eight_never_claims_to_be_open_day_and_night() -> None:
    for item in ITEMS:
        for sentence in re.split(r"[。；\n]", words_of(item)):
            if "12348" in sentence and "7×24" in sentence:
                assert "不" in sentence or "12345" in sentence, (item.id, sentence)


def test_every_repealed_law_leads_to_articles_in_force(laws: LawBook) -> None:
    held = {d.title for d in laws.library.documents.values()}
    for gone in content.read_repealed():
        if gone.replaced_by not in held:
            continue
        for old, new in gone.articles.items():
            assert re.fullmatch(r"\d+(-\d+)?", old), (gone.law, old)
            for key in new:
                label = laws.check_text(f"{gone.replaced_by}第{key.replace('-', '条之')}", TODAY)
                document = laws.resolve(gone.replaced_by or "")
                revision = laws.library.revision_in_force(document or "", TODAY)
                labels = (
                    {article_key(p.label) for p in laws.library.texts(revision.id)}
                    if revision
                    else set()
                )
                assert key in labels, (gone.law, old, key, label)
