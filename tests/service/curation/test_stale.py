"""What should be looked at again, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from knowledge import store
from knowledge.citations import LawBook
from knowledge.library import Library
from knowledge.models import Document, Kind, Passage, Revision, Status
from service.curation.stale import Stale, Wanted
from service.errors import BadRequest, Conflict, NotAllowed
from service.models import AuditEvent, Staff, now
from tests.service.curation.bureau import TODAY, Bureau, card

Versions = list[tuple[date, dict[str, str]]]
WORDS = "工资应当按月支付给劳动者本人。"


def law_of(versions: Versions) -> LawBook:
    """劳动法 in versions, each from a day on, with the words of its articles."""
    document = Document(id="劳动法", kind=Kind.STATUTE, title="中华人民共和国劳动法", origin="x")
    revisions, passages = [], []
    for number, (start, articles) in enumerate(versions):
        after = [s for s, _ in versions[number + 1 :]]
        identity = f"劳动法@{number}"
        revisions.append(
            Revision(
                id=identity,
                document_id="劳动法",
                status=Status.PUBLISHED,
                source="公报",
                checked_on=start,
                published_on=start - timedelta(days=60),
                effective_from=start,
                effective_until=after[0] - timedelta(days=1) if after else None,
            )
        )
        passages += [
            Passage(id=f"{identity}/{n}", revision_id=identity, ordinal=n, label=label, text=text)
            for n, (label, text) in enumerate(articles.items())
        ]
    return LawBook(Library([document], revisions, passages), {})


def stale(bureau: Bureau, versions: Versions | None = None) -> Stale:
    laws = law_of(versions) if versions else bureau.laws
    return Stale(bureau.sessions, lambda: laws.library, lambda: laws, bureau.clock)


def why(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(r["kind"], r["why"]) for item in found["items"] for r in item["reasons"]]


def checked(bureau: Bureau, days_ago: int, **changes: Any) -> dict[str, Any]:
    day = TODAY - timedelta(days=days_ago)
    return bureau.published(checked_on=day.isoformat(), **changes)


def test_what_is_fresh_is_not_listed(bureau: Bureau) -> None:
    checked(bureau, 10)
    assert stale(bureau).find(bureau.author, Wanted())["items"] == []


def test_what_was_checked_long_ago_is_listed_with_the_days(bureau: Bureau) -> None:
    checked(bureau, 181)
    [(kind, said)] = why(stale(bureau).find(bureau.author, Wanted()))
    assert kind == "old"
    assert said == "上次核对是2026年6月2日，已经181天。"
    assert stale(bureau).find(bureau.author, Wanted(checked_days=181))["items"] == []


def test_what_expires_soon_says_when(bureau: Bureau) -> None:
    draft = bureau.save(checked_on=TODAY.isoformat())
    bureau.publish(draft, ends_on=TODAY + timedelta(days=30))
    [(kind, said)] = why(stale(bureau).find(bureau.author, Wanted()))
    assert (kind, said) == ("expiring", "有效期到2026年12月30日，还有30天，到期后不再用来回答。")
    assert stale(bureau).find(bureau.author, Wanted(expiring_days=29))["items"] == []


def test_what_is_over_or_will_be_followed_is_not_listed_for_its_age(bureau: Bureau) -> None:
    old = checked(bureau, 200)
    start = TODAY + timedelta(days=10)
    new = bureau.save(
        document_id=old["document"], base=old["id"], answer="新", checked_on="2026-11-29"
    )
    bureau.publish(new, starts_on=start)
    for passed in (0, 10, 30):  # while the old one holds, and after that
        bureau.clock.at += timedelta(days=passed)
        assert why(stale(bureau).find(bureau.author, Wanted())) == []


@pytest.mark.parametrize(
    ("versions", "kind", "said"),
    [
        (
            [(date(2000, 1, 1), {"第五十条": "旧文。"}), (date(2026, 11, 29), {"第五十条": WORDS})],
            "law_changed",
            "文字改了，现行文字自2026年11月29日起",
        ),
        (
            [(date(2000, 1, 1), {"第五十条": WORDS}), (date(2027, 1, 1), {"第五十条": "新文。"})],
            "law_will_change",
            "自2027年1月1日起，《中华人民共和国劳动法》第五十条文字不同",
        ),
        (
            [(date(2000, 1, 1), {"第五十条": WORDS}), (date(2027, 1, 1), {"第一条": "新文。"})],
            "law_will_change",
            "没有这一条了",
        ),
        ([(date(2000, 1, 1), {"第一条": WORDS})], "law_gone", "依据的条文现在不成立"),
    ],
)
def test_a_law_that_changed_under_it_is_named_with_the_day(
    bureau: Bureau, versions: Versions, kind: str, said: str
) -> None:
    checked(bureau, 4)
    [(found, sentence)] = why(stale(bureau, versions).find(bureau.author, Wanted()))
    assert found == kind
    assert said in sentence


def test_a_law_whose_article_stayed_the_same_is_no_reason(bureau: Bureau) -> None:
    checked(bureau, 4)
    same: Versions = [
        (date(2000, 1, 1), {"第五十条": WORDS, "第一条": "甲"}),
        (date(2027, 1, 1), {"第五十条": WORDS, "第一条": "乙"}),
    ]
    assert stale(bureau, same).find(bureau.author, Wanted())["items"] == []


def test_facts_that_nobody_confirmed_and_what_was_not_found_are_named(bureau: Bureau) -> None:
    unsure = {"text": "12333", "certainty": "D", "source": "第三方"}
    body = card(phone=unsure, unknown=["周六开不开"], checked_on=TODAY.isoformat())
    bureau.publish(bureau.save(kind="service", **body))
    assert why(stale(bureau).find(bureau.author, Wanted())) == [
        ("unconfirmed", "电话（D）没有核实过，回答里标着“未核实”。"),
        ("unknown", "还没查到：周六开不开。"),
    ]


def test_what_somebody_wrote_who_left_needs_another_owner(bureau: Bureau) -> None:
    checked(bureau, 1)
    with bureau.sessions.begin() as session:
        session.execute(update(Staff).where(Staff.id == bureau.author.id).values(disabled_at=now()))
    [(kind, said)] = why(stale(bureau).find(bureau.other, Wanted()))
    assert kind == "owner_gone"
    assert "张编辑" in said


def test_filters_narrow_the_list_and_count_the_reasons(bureau: Bureau) -> None:
    checked(bureau, 200, question="问一")
    unsure = {"text": "1", "certainty": "C", "source": "x"}
    bureau.publish(bureau.save(kind="service", **card(phone=unsure)))
    found = stale(bureau).find(bureau.author, Wanted(reason="old"))
    assert [i["title"] for i in found["items"]] == ["问一"]
    assert (found["counts"]["old"], found["counts"]["unconfirmed"]) == (1, 1)
    assert stale(bureau).find(bureau.author, Wanted(kind="service"))["counts"]["old"] == 0
    assert stale(bureau).find(bureau.author, Wanted(topic="刑事"))["total"] == 0


def test_a_check_takes_it_off_the_list_and_says_who_and_how(bureau: Bureau) -> None:
    revision = checked(bureau, 200)
    list_of = stale(bureau)
    done = list_of.confirm(bureau.other, revision["id"], basis="对照官网今天的页面")
    assert done["checked_on"] == TODAY.isoformat()
    assert list_of.find(bureau.author, Wanted())["items"] == []
    with bureau.sessions() as session:
        stored = store.revision(session, revision["id"])
        assert stored is not None
        assert (stored.checked_on, stored.body["answer"]) == (TODAY, revision["body"]["answer"])
        [event] = session.query(AuditEvent).filter_by(action="knowledge.check")
        assert event.actor == bureau.other.id
        assert event.detail["basis"] == "对照官网今天的页面"
        assert event.detail["before"] == "2026-05-14"


@pytest.mark.parametrize(
    ("prepare", "basis", "error"),
    [
        (lambda b: checked(b, 200), " ", BadRequest),
        (lambda b: checked(b, 200), "长" * 501, BadRequest),
        (lambda b: b.save(), "看过了", Conflict),
    ],
)
def test_a_check_needs_a_basis_and_something_published(
    bureau: Bureau, prepare: Callable[[Bureau], dict[str, Any]], basis: str, error: type[Exception]
) -> None:
    revision = prepare(bureau)
    with pytest.raises(error):
        stale(bureau).confirm(bureau.other, revision["id"], basis=basis)


def test_somebody_with_a_region_does_not_vouch_for_what_holds_elsewhere(bureau: Bureau) -> None:
    revision = checked(bureau, 200, region="000000")
    local = bureau.hire("钱编辑", "curator", region="310107")
    assert stale(bureau).find(local, Wanted())["total"] == 1  # it holds here, so it can be seen
    with pytest.raises(NotAllowed):
        stale(bureau).confirm(local, revision["id"], basis="看过了")
