"""Two people edit the same item: the second is told, and loses nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from knowledge.models import Status
from service.curation import EditedMeanwhile
from service.errors import BadRequest, Conflict, NotAllowed
from tests.service.curation.bureau import Bureau
from tests.service.office import at_once


def words(bureau: Bureau, revision: str) -> Any:
    return bureau.curation.revision(bureau.author, revision)["body"]["answer"]


def clash(bureau: Bureau) -> tuple[dict[str, Any], dict[str, Any], EditedMeanwhile]:
    """张 and 李 both began from the same publication; 张 saved first."""
    old = bureau.published(answer="原来的话")
    theirs = bureau.save(bureau.author, old["document"], base=old["id"], answer="张写的话")
    with pytest.raises(EditedMeanwhile) as told:
        bureau.save(bureau.other, old["document"], base=old["id"], answer="李写的话")
    return old, theirs, told.value


def test_the_second_is_told_who_when_and_what_differs(bureau: Bureau) -> None:
    _, theirs, told = clash(bureau)
    assert "张编辑" in told.message
    assert told.details["newest"] == theirs["id"]
    assert told.details["at"] == theirs["saved_at"]
    [change] = told.details["changes"]
    assert change["field"] == "answer"
    runs = {(run["op"], run["text"]) for line in change["lines"] for run in line}
    assert {("del", "张写"), ("ins", "李写")} <= runs


def test_the_words_of_the_second_are_kept_aside(bureau: Bureau) -> None:
    old, theirs, told = clash(bureau)
    kept = told.details["kept"]
    assert words(bureau, kept) == "李写的话"
    page = bureau.curation.document(bureau.other, old["document"])
    assert page["draft"]["id"] == theirs["id"]
    assert [(a["id"], a["author"]["name"]) for a in page["asides"]] == [(kept, "李编辑")]
    assert bureau.curation.find(bureau.other, status="aside")["counts"]["aside"] == 1


def test_what_is_set_aside_does_not_rename_a_document_that_is_not_published_yet(
    bureau: Bureau,
) -> None:
    first = bureau.save(question="一问")
    bureau.save(document_id=first["document"], base=first["id"], question="二问")
    with pytest.raises(EditedMeanwhile):
        bureau.save(bureau.other, first["document"], base=first["id"], question="另一问")
    assert bureau.curation.document(bureau.author, first["document"])["title"] == "二问"


def test_what_is_aside_cannot_be_published_past_the_other(bureau: Bureau) -> None:
    _, _, told = clash(bureau)
    with pytest.raises(Conflict, match="合并"):
        bureau.curation.submit(bureau.other, told.details["kept"])


def test_after_comparing_the_second_saves_on_top(bureau: Bureau) -> None:
    old, theirs, told = clash(bureau)
    merged = bureau.save(
        bureau.other,
        old["document"],
        base=told.details["newest"],
        merges=told.details["kept"],
        answer="张和李的话",
    )
    assert merged["base"] == theirs["id"]
    page = bureau.curation.document(bureau.other, old["document"])
    assert (page["draft"]["id"], page["asides"]) == (merged["id"], [])
    assert bureau.status(theirs) is Status.WITHDRAWN
    assert words(bureau, theirs["id"]) == "张写的话"


def test_all_who_wrote_a_merged_draft_are_its_authors(bureau: Bureau) -> None:
    old = bureau.published(answer="原来的话")
    bureau.save(bureau.author, old["document"], base=old["id"], answer="张写的话")
    with pytest.raises(EditedMeanwhile) as told:
        bureau.save(bureau.chief, old["document"], base=old["id"], answer="赵写的话")
    details = told.value.details
    merged = bureau.save(
        bureau.author, old["document"], base=details["newest"], merges=details["kept"], answer="合"
    )
    bureau.curation.submit(bureau.author, merged["id"])
    with pytest.raises(NotAllowed):
        bureau.curation.approve(bureau.chief, merged["id"])


def test_a_third_save_in_between_is_a_conflict_again_and_keeps_one_draft_aside(
    bureau: Bureau,
) -> None:
    old, theirs, told = clash(bureau)
    bureau.save(bureau.author, old["document"], base=theirs["id"], answer="张又改了")
    with pytest.raises(EditedMeanwhile) as again:
        bureau.save(
            bureau.other,
            old["document"],
            base=told.details["newest"],
            merges=told.details["kept"],
            answer="李合并的话",
        )
    page = bureau.curation.document(bureau.other, old["document"])
    assert [a["id"] for a in page["asides"]] == [again.value.details["kept"]]
    assert words(bureau, again.value.details["kept"]) == "李合并的话"


def test_a_publication_in_between_is_told_as_well(bureau: Bureau) -> None:
    old = bureau.published(answer="原来的话")
    bureau.publish(bureau.save(document_id=old["document"], base=old["id"], answer="新的话"))
    with pytest.raises(EditedMeanwhile, match="张编辑"):
        bureau.save(bureau.other, old["document"], base=old["id"], answer="李写的话")


def test_two_windows_of_one_person_are_no_conflict(bureau: Bureau) -> None:
    old = bureau.published(answer="原来的话")
    first = bureau.save(document_id=old["document"], base=old["id"], answer="一")
    second = bureau.save(document_id=old["document"], base=old["id"], answer="二")
    assert second["base"] == first["id"]


def test_of_two_saves_at_the_same_moment_one_is_the_draft_and_the_other_is_kept(
    bureau: Bureau,
) -> None:
    old = bureau.published(answer="原来的话")
    people = [(bureau.author, "张"), (bureau.other, "李"), (bureau.chief, "赵")]
    done = at_once(
        [
            partial(bureau.save, member, old["document"], base=old["id"], answer=answer)
            for member, answer in people
        ]
    )
    assert sum(isinstance(r, dict) for r in done) == 1
    assert sum(isinstance(r, EditedMeanwhile) for r in done) == 2
    page = bureau.curation.document(bureau.author, old["document"])
    kept = [page["draft"], *page["asides"]]
    assert sorted(r["body"]["answer"] for r in kept) == sorted(["张", "李", "赵"])


def test_a_draft_of_another_item_is_no_base(bureau: Bureau) -> None:
    one, other = bureau.published(), bureau.published(question="另一个")
    with pytest.raises(BadRequest, match="另一条内容"):
        bureau.save(document_id=one["document"], base=other["id"], answer="改")
