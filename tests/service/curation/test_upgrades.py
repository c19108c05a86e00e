"""An upgrade brings content: it never runs over what staff have edited."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from ingest.pipeline import Incoming, Report, apply
from knowledge import store
from knowledge.library import Library
from knowledge.models import Document, Kind, Passage, Revision, Status
from tests.service.curation.bureau import TODAY, Bureau, faq

ID = "faq-wages"


def item(answer: str, **changes: Any) -> dict[str, Any]:
    return faq(answer=answer, **changes) | {"id": ID, "kind": "faq"}


def newest(bureau: Bureau) -> str:
    identity: str = bureau.curation.document(bureau.author, ID)["newest"]
    return identity


def edit(bureau: Bureau, answer: str) -> dict[str, Any]:
    return bureau.save(document_id=ID, base=newest(bureau), answer=answer)


def test_what_nobody_touched_is_brought_up_to_date_silently(bureau: Bureau) -> None:
    bureau.ship(item("一"))
    report = bureau.ship(item("二"))
    assert (len(report.changed), report.to_review) == (1, [])
    assert bureau.answer_on(ID, TODAY) == "二"


def test_published_words_of_staff_go_on_and_the_new_version_arrives_as_a_draft(
    bureau: Bureau,
) -> None:
    bureau.ship(item("随附一"))
    bureau.publish(edit(bureau, "我们的"))
    report = bureau.ship(item("随附二"))
    assert bureau.answer_on(ID, TODAY) == "我们的"
    [waiting] = bureau.curation.document(bureau.author, ID)["incoming"]
    assert report.to_review == [waiting["id"]]
    assert (waiting["status"], waiting["author"]["name"]) == ("draft", "随附内容")
    assert waiting["note"] == "随附内容更新了，请比对"
    changes = bureau.curation.diff(bureau.author, newest(bureau), waiting["id"])
    assert [c["field"] for c in changes] == ["answer"]
    found = bureau.curation.find(bureau.author, status="incoming")
    assert [d["id"] for d in found["documents"]] == [ID]


def test_a_draft_of_staff_is_enough(bureau: Bureau) -> None:
    bureau.ship(item("随附一"))
    draft = edit(bureau, "正在改")
    bureau.ship(item("随附二"))
    assert bureau.answer_on(ID, TODAY) == "随附一"
    page = bureau.curation.document(bureau.author, ID)
    assert page["draft"]["id"] == draft["id"]
    assert len(page["incoming"]) == 1


def test_the_same_upgrade_again_brings_nothing_more(bureau: Bureau) -> None:
    bureau.ship(item("随附一"))
    bureau.publish(edit(bureau, "我们的"))
    bureau.ship(item("随附二"))
    report = bureau.ship(item("随附二"))
    assert (report.to_review, report.unchanged) == ([], 1)
    bureau.ship(item("随附三"))
    [waiting] = bureau.curation.document(bureau.author, ID)["incoming"]
    assert waiting["body"]["answer"] == "随附三"


def test_an_upgrade_that_was_turned_down_does_not_come_again(bureau: Bureau) -> None:
    bureau.ship(item("随附一"))
    bureau.publish(edit(bureau, "我们的"))
    [offered] = bureau.ship(item("随附二")).to_review
    bureau.curation.discard(bureau.author, offered)
    assert bureau.ship(item("随附二")).to_review == []
    assert bureau.curation.find(bureau.author, status="incoming")["documents"] == []


def test_an_upgrade_can_be_taken_over_by_one_reviewer(bureau: Bureau) -> None:
    """Nobody here wrote it, so whoever may publish can stand behind it."""
    bureau.ship(item("随附一"))
    bureau.publish(edit(bureau, "我们的"))
    [offered] = bureau.ship(item("随附二")).to_review
    bureau.curation.submit(bureau.chief, offered)
    bureau.curation.approve(bureau.chief, offered)
    assert bureau.answer_on(ID, TODAY) == "随附二"
    assert bureau.ship(item("随附三")).to_review == []
    assert bureau.answer_on(ID, TODAY) == "随附三"


def test_an_upgrade_can_be_merged_into_our_words(bureau: Bureau) -> None:
    bureau.ship(item("随附一"))
    bureau.publish(edit(bureau, "我们的"))
    [offered] = bureau.ship(item("随附二")).to_review
    merged = bureau.save(document_id=ID, base=newest(bureau), merges=offered, answer="合在一起")
    assert bureau.status(offered) is Status.WITHDRAWN
    bureau.publish(merged)
    assert bureau.answer_on(ID, TODAY) == "合在一起"


def test_what_staff_withdrew_stays_withdrawn(bureau: Bureau) -> None:
    bureau.ship(item("随附一"))
    bureau.curation.withdraw(bureau.reviewer, ID, "口径有争议")
    bureau.ship(item("随附一"))
    assert bureau.answer_on(ID, TODAY) is None
    bureau.ship(item("随附二"))
    assert bureau.answer_on(ID, TODAY) is None
    assert len(bureau.curation.document(bureau.author, ID)["incoming"]) == 1


def test_our_own_words_withdrawn_do_not_bring_back_the_shipped_ones(bureau: Bureau) -> None:
    bureau.ship(item("随附一"))
    done = bureau.publish(edit(bureau, "我们的"))
    bureau.curation.withdraw(bureau.reviewer, ID, "口径有争议")
    bureau.ship(item("随附一"), item("别的") | {"id": "faq-other"})
    assert bureau.answer_on(ID, TODAY) is None
    assert bureau.status(done) is Status.WITHDRAWN


def test_what_the_shipment_no_longer_has_stays_if_staff_edited_it(bureau: Bureau) -> None:
    bureau.ship(item("随附一"), item("别的") | {"id": "faq-other"})
    bureau.publish(edit(bureau, "我们的"))
    report = bureau.ship()
    assert bureau.answer_on(ID, TODAY) == "我们的"
    assert bureau.answer_on("faq-other", TODAY) is None
    assert len(report.withdrawn) == 1


def test_a_discarded_draft_leaves_the_item_to_upgrades(bureau: Bureau) -> None:
    bureau.ship(item("随附一"))
    draft = edit(bureau, "算了")
    bureau.curation.discard(bureau.author, draft["id"])
    assert bureau.ship(item("随附二")).to_review == []
    assert bureau.answer_on(ID, TODAY) == "随附二"


def test_an_edit_of_a_shipped_item_starts_from_its_words(bureau: Bureau) -> None:
    bureau.ship(item("随附一", notices=["注意时效"]))
    page = bureau.curation.document(bureau.author, ID)
    assert page["published"]["body"]["notices"] == ["注意时效"]
    assert page["published"]["author"]["name"] == "随附内容"
    edited = edit(bureau, "我们的")
    assert edited["base"] == page["published"]["id"]
    with bureau.sessions() as session:
        document = store.document(session, ID)
    assert document is not None
    assert document.origin == "content"


LAW = "工会法"


def law(start: date, words: str, until: date | None = None) -> Incoming:
    """One version of a law, as a package of statutes brings it."""
    identity = f"{LAW}@{start}#{words}"
    return Incoming(
        Document(id=LAW, kind=Kind.STATUTE, title="中华人民共和国工会法", origin="package"),
        Revision(
            id=identity,
            document_id=LAW,
            status=Status.PUBLISHED,
            source="随附",
            checked_on=start,
            published_on=start,
            effective_from=start,
            effective_until=until,
        ),
        (Passage(id=f"{identity}/1", revision_id=identity, ordinal=1, label="第一条", text=words),),
    )


def ship_laws(bureau: Bureau, *versions: Incoming) -> Report:
    with bureau.sessions.begin() as session:
        return apply(session, versions, Report("package"))


def read_in(bureau: Bureau, version: Incoming) -> dict[str, Any]:
    """A version of the law that a clerk imports, as a draft."""
    base = bureau.curation.document(bureau.author, LAW)["newest"]
    return bureau.curation.add(bureau.author, version, base=base)


def in_force(bureau: Bureau, days: Sequence[date]) -> list[str | None]:
    with bureau.sessions() as session:
        library = Library.load(session)
    found = (library.revision_in_force(LAW, day) for day in days)
    return [library.texts(r.id)[0].text if r else None for r in found]


def test_a_version_of_a_law_that_staff_read_in_goes_on_and_the_old_one_stays_over(
    bureau: Bureau,
) -> None:
    old, start = law(date(2020, 1, 1), "旧"), date(2026, 11, 1)
    ship_laws(bureau, old)
    ours = bureau.publish(read_in(bureau, law(start, "我们的")))
    days = (date(2026, 10, 31), start)
    assert in_force(bureau, days) == ["旧", "我们的"]
    report = ship_laws(bureau, old)
    assert (report.unchanged, report.changed, report.withdrawn) == (1, [], [])
    with bureau.sessions() as session:
        shipped = store.revision(session, old.revision.id)
    assert shipped is not None
    assert shipped.effective_until == date(2026, 10, 31)
    # The package catches up: what staff published for that day is what two of them stand behind.
    report = ship_laws(bureau, law(date(2020, 1, 1), "旧", days[0]), law(start, "随附的"))
    assert "工作人员已发布" in report.problems[0]
    assert bureau.status(ours) is Status.PUBLISHED
    assert in_force(bureau, days) == ["旧", "我们的"]
    # A version for another day is one of ours beside it, each in its time.
    ship_laws(bureau, old, law(date(2027, 1, 1), "再改"))
    assert in_force(bureau, (*days, date(2027, 1, 1))) == ["旧", "我们的", "再改"]


def test_what_staff_read_again_for_the_same_day_does_not_bring_back_the_shipped_text(
    bureau: Bureau,
) -> None:
    shipped = law(date(2020, 1, 1), "有错字")
    ship_laws(bureau, shipped)
    bureau.publish(read_in(bureau, law(date(2020, 1, 1), "没有错字")))
    ship_laws(bureau, shipped)
    assert bureau.status(shipped.revision.id) is Status.WITHDRAWN
    assert in_force(bureau, [TODAY]) == ["没有错字"]


def test_a_draft_of_a_law_is_still_the_one_to_work_on_after_an_upgrade(bureau: Bureau) -> None:
    old = law(date(2020, 1, 1), "旧")
    ship_laws(bureau, old)
    draft = read_in(bureau, law(date(2026, 11, 1), "一稿"))
    ship_laws(bureau, old)
    assert bureau.status(draft) is Status.DRAFT
    assert read_in(bureau, law(date(2026, 11, 1), "二稿"))["base"] == draft["id"]


def test_a_law_that_staff_withdrew_stays_withdrawn(bureau: Bureau) -> None:
    old = law(date(2020, 1, 1), "旧")
    ship_laws(bureau, old)
    bureau.curation.withdraw(bureau.reviewer, LAW, "已经废止")
    ship_laws(bureau, old)
    assert in_force(bureau, [TODAY]) == [None]
