"""Files become drafts: shown first, saved once, approved by somebody else, the old version gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingest.readers import read
from knowledge import store
from knowledge.library import Library
from knowledge.models import DateBasis, Status
from service.curation import BadFields
from service.curation.import_preview import plain_title
from service.curation.imports import Imports
from service.curation.papers import Paper, fingerprint
from service.errors import BadRequest, Conflict, NotAllowed, NotFound
from service.models import AuditEvent
from tests.ingest import papers
from tests.service.curation.bureau import TODAY, Bureau
from tests.service.office import at_once

PAPER = Paper(
    title="普陀区公共法律服务便民办法",
    source="普陀区司法局普司规〔2026〕3号",
    region="310107",
    document_number="普司规〔2026〕3号",
    issuer="普陀区司法局",
    published_on=date(2026, 6, 18),
    effective_from=date(2026, 7, 1),
    effective_until=date(2031, 6, 30),
)
WORD = papers.word()


@pytest.fixture
def imports(bureau: Bureau, tmp_path: Path) -> Imports:
    return imports_of(bureau, tmp_path)


def imports_of(bureau: Bureau, folder: Path) -> Imports:
    """What is published is read from the database each time; a file is read in this process."""

    def library() -> Library:
        with bureau.sessions() as session:
            return Library.load(session)

    return Imports(
        bureau.sessions, folder / "imports", library, lambda: bureau.laws, bureau.clock, read=read
    )


def library_of(bureau: Bureau) -> Library:
    with bureau.sessions() as session:
        return Library.load(session)


def brought(
    bureau: Bureau, imports: Imports, data: bytes | None = None, **save: Any
) -> dict[str, Any]:
    """A policy that was read in and saved as a draft; the draft."""
    seen, _ = imports.receive(bureau.author, "便民办法.docx", data or WORD)
    saved = imports.save(bureau.author, seen["id"], form="policy", **{"paper": PAPER, **save})
    draft: dict[str, Any] = saved["drafts"][0]
    return draft


def approved(bureau: Bureau, draft: dict[str, Any]) -> dict[str, Any]:
    bureau.curation.submit(bureau.author, draft["revision"])
    return bureau.curation.approve(bureau.reviewer, draft["revision"])


def test_what_was_read_is_shown_before_anything_is_saved(bureau: Bureau, imports: Imports) -> None:
    seen, is_new = imports.receive(bureau.author, "C:\\文件\\便民办法.docx", papers.word())
    assert is_new
    assert seen["file_name"] == "便民办法.docx"
    assert seen["status"] == "read"
    preview = imports.preview(seen["id"])
    assert preview["form"] == preview["suggested"] == "policy"
    assert preview["fields"]["document_number"] == "普司规〔2026〕3号"
    assert [p["label"] for p in preview["passages"]] == [
        "第1段",
        "第一部分",
        "第二部分（一）",
        "第二部分（二）",
    ]
    assert [(c["law"], c["verdict"]) for c in preview["citations"]] == [
        ("中华人民共和国人民调解法", "no_such_law")
    ]
    assert library_of(bureau).documents == {}
    with bureau.sessions() as session:
        assert store.all_documents(session) == {}


def test_a_policy_is_published_by_somebody_else_with_its_own_dates(
    bureau: Bureau, imports: Imports
) -> None:
    draft = brought(bureau, imports)
    bureau.curation.submit(bureau.author, draft["revision"])
    with pytest.raises(NotAllowed):
        bureau.curation.approve(bureau.author, draft["revision"])
    bureau.curation.approve(bureau.reviewer, draft["revision"])
    library = library_of(bureau)
    revision = library.revision_in_force(draft["document"], TODAY)
    assert revision is not None
    assert revision.effective_from == date(2026, 7, 1)
    assert revision.effective_until == date(2031, 6, 30)
    assert revision.date_basis is DateBasis.TEXT
    assert library.revision_in_force(draft["document"], date(2026, 6, 30)) is None
    assert library.revision_in_force(draft["document"], date(2031, 7, 1)) is None
    source = library.source(library.texts(revision.id)[1].id)
    assert source.name == "《普陀区公共法律服务便民办法》第一部分"
    assert source.passage.path == "一、总体要求"
    assert source.revision.source == PAPER.source


def test_the_same_file_again_changes_nothing(
    bureau: Bureau, imports: Imports, tmp_path: Path
) -> None:
    draft = brought(bureau, imports)
    seen, is_new = imports.receive(bureau.other, "另一个名字.docx", WORD)
    assert not is_new
    assert seen["status"] == "saved"
    with pytest.raises(Conflict, match="已经生成了草稿"):
        imports.save(bureau.other, seen["id"], form="policy", paper=PAPER)
    with bureau.sessions() as session:
        assert list(store.all_revisions(session)) == [draft["revision"]]
    [kept] = (tmp_path / "imports").iterdir()
    assert kept.name == fingerprint(kept.read_bytes())


def test_of_two_who_send_the_same_file_at_once_both_get_the_same_import(
    bureau: Bureau, imports: Imports
) -> None:
    data = WORD
    sent = at_once(
        [partial(imports.receive, m, "x.docx", data) for m in (bureau.author, bureau.other)]
    )
    assert len({view["id"] for view, _ in sent}) == 1
    assert sorted(is_new for _, is_new in sent) == [False, True]
    saved = at_once(
        [
            lambda: imports.save(bureau.author, sent[0][0]["id"], form="policy", paper=PAPER)
            for _ in range(2)
        ]
    )
    assert [isinstance(s, Conflict) for s in saved].count(True) == 1
    with bureau.sessions() as session:
        assert len(store.all_revisions(session)) == 1


def test_a_new_version_takes_the_old_ones_place_in_the_same_step(
    bureau: Bureau, imports: Imports
) -> None:
    first = brought(bureau, imports)
    approved(bureau, first)
    new = papers.word(
        change=lambda o: o.add_paragraph("本中心周六也接待来访群众，节假日除外。" * 4)
    )
    seen, _ = imports.receive(bureau.author, "便民办法（2026修订）.docx", new)
    preview = imports.preview(seen["id"])
    assert [(s["id"], s["why"]) for s in preview["same"]] == [(first["document"], "文号相同")]
    assert all(p["like"] is None for p in preview["passages"])  # of what it replaces
    second = imports.save(
        bureau.author, seen["id"], form="policy", paper=PAPER, replaces=first["document"]
    )["drafts"][0]
    assert second["document"] == first["document"]
    assert bureau.status(first["revision"]) is Status.PUBLISHED
    approved(bureau, second)
    assert bureau.status(first["revision"]) is Status.WITHDRAWN
    library = library_of(bureau)
    assert {p.revision_id for p in library.passages.values()} == {second["revision"]}


def test_a_new_version_may_be_called_otherwise_from_its_publication_on(
    bureau: Bureau, imports: Imports
) -> None:
    first = brought(bureau, imports)
    approved(bureau, first)
    changed = replace(
        PAPER, title="上海市公共法律服务便民办法", region="310000", issuer="市司法局", topic="公证"
    )
    data = papers.word(table=False)
    second = brought(bureau, imports, data, paper=changed, replaces=first["document"])
    with bureau.sessions() as session:
        before = store.document(session, first["document"])
    assert before is not None
    assert (before.title, before.region) == (PAPER.title, "310107")
    candidate = bureau.curation.incoming(bureau.author, second["revision"]).document
    differing = bureau.curation.diff(bureau.author, first["revision"], second["revision"])
    assert {"title", "region", "issuer", "topic"} < {change["field"] for change in differing}
    approved(bureau, second)
    with bureau.sessions() as session:
        after = store.document(session, first["document"])
    assert after == candidate
    assert after is not None
    assert (after.title, after.region, after.issuer, after.topic) == (
        changed.title,
        changed.region,
        changed.issuer,
        changed.topic,
    )


def test_an_approver_does_not_change_the_dates_of_a_document(
    bureau: Bureau, imports: Imports
) -> None:
    draft = brought(bureau, imports)
    bureau.curation.submit(bureau.author, draft["revision"])
    tomorrow = date(2026, 12, 1)
    for dates in ({"starts_on": tomorrow}, {"ends_on": tomorrow}):
        with pytest.raises(BadFields) as refused:
            bureau.curation.approve(bureau.reviewer, draft["revision"], **dates)
        assert refused.value.fields.keys() == dates.keys()
    bureau.curation.approve(bureau.reviewer, draft["revision"])


def test_a_version_that_starts_later_leaves_the_old_one_until_then(
    bureau: Bureau, imports: Imports
) -> None:
    first = brought(bureau, imports)
    approved(bureau, first)
    later = replace(PAPER, published_on=TODAY, effective_from=date(2027, 1, 1))
    new = papers.word(table=False)
    second = brought(bureau, imports, new, paper=later, replaces=first["document"])
    approved(bureau, second)
    library = library_of(bureau)
    days = {TODAY: first, date(2026, 12, 31): first, date(2027, 1, 1): second}
    for day, expected in days.items():
        held = library.revision_in_force(first["document"], day)
        assert held is not None
        assert held.id == expected["revision"]
    assert bureau.status(first["revision"]) is Status.PUBLISHED


def test_a_copy_of_what_is_published_is_flagged(bureau: Bureau, imports: Imports) -> None:
    approved(bureau, brought(bureau, imports))
    copied = papers.POLICY[6][1].replace("老年人、残疾人", "老年人")
    other = "窗口应当整洁有序，物品摆放整齐，" * 8
    text = f"# 窗口服务规范\n\n## 一、首问负责\n\n{copied}\n\n## 二、别的\n\n{other}保持安静。\n"
    seen, _ = imports.receive(bureau.author, "规范.md", text.encode())
    first, second = imports.preview(seen["id"])["passages"]
    assert first["like"]["name"] == "《普陀区公共法律服务便民办法》第一部分"
    assert first["like"]["share"] > 0.8
    assert second["like"] is None


def test_passages_that_are_not_wanted_stay_out(bureau: Bureau, imports: Imports) -> None:
    draft = brought(bureau, imports, left_out=[0])
    with bureau.sessions() as session:
        labels = [p.label for p in store.passages_of(session, draft["revision"])]
    assert labels == ["第一部分", "第二部分（一）", "第二部分（二）"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"source": ""}, "source"),
        ({"published_on": None, "effective_from": None}, "published_on"),
        ({"effective_until": date(2020, 1, 1)}, "effective_until"),
        ({"effective_from": date(2020, 1, 1)}, "effective_from"),
        ({"region": "普陀"}, "region"),
    ],
)
def test_what_is_missing_is_said_field_by_field(
    bureau: Bureau, imports: Imports, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadFields) as refused:
        brought(bureau, imports, paper=replace(PAPER, **change))
    assert field in refused.value.fields
    [row] = imports.page()["imports"]
    assert row["status"] == "read"  # nothing lost: it can be put right and saved


def test_a_save_that_fails_can_be_done_again(bureau: Bureau, imports: Imports) -> None:
    first = brought(bureau, imports)
    seen, _ = imports.receive(bureau.other, "新.docx", papers.word(table=False))
    with pytest.raises(Conflict, match="有人正在改"):
        imports.save(
            bureau.other, seen["id"], form="policy", paper=PAPER, replaces=first["document"]
        )
    assert imports.preview(seen["id"])["status"] == "read"
    approved(bureau, first)
    saved = imports.save(
        bureau.other, seen["id"], form="policy", paper=PAPER, replaces=first["document"]
    )
    assert saved["status"] == "saved"


def test_drafts_that_were_given_up_can_be_made_again(bureau: Bureau, imports: Imports) -> None:
    draft = brought(bureau, imports)
    bureau.curation.discard(bureau.author, draft["revision"])
    assert brought(bureau, imports)["revision"] != draft["revision"]


def test_a_file_that_is_not_wanted_waits_for_being_sent_again(
    bureau: Bureau, imports: Imports
) -> None:
    seen, _ = imports.receive(bureau.author, "x.docx", WORD)
    assert imports.discard(bureau.author, seen["id"])["status"] == "discarded"
    with pytest.raises(Conflict, match="不导入"):
        imports.save(bureau.author, seen["id"], form="policy", paper=PAPER)
    again, is_new = imports.receive(bureau.author, "x.docx", WORD)
    assert (again["id"], again["status"], is_new) == (seen["id"], "read", False)


def test_a_file_that_cannot_be_read_leaves_nothing(
    bureau: Bureau, imports: Imports, tmp_path: Path
) -> None:
    with pytest.raises(BadRequest, match="扫描件读不出文字"):
        imports.receive(bureau.author, "扫描.pdf", papers.scanned_pdf())
    assert imports.page() == {"imports": [], "next": None}
    assert not (tmp_path / "imports").exists()


def test_the_list_goes_on_where_the_page_before_ended(bureau: Bureau, imports: Imports) -> None:
    for number in range(5):
        imports.receive(bureau.author, "x.md", f"# 说明\n\n第{number}份的内容。\n".encode())
    first = imports.page(limit=2)
    second = imports.page(limit=2, before=first["next"])
    third = imports.page(limit=2, before=second["next"])
    ids = [i["id"] for page in (first, second, third) for i in page["imports"]]
    assert len(set(ids)) == 5
    assert third["next"] is None
    with pytest.raises(NotFound):
        imports.page(before="i_0")


def test_what_was_done_is_on_record(bureau: Bureau, imports: Imports) -> None:
    brought(bureau, imports)
    with bureau.sessions() as session:
        actions = [e.action for e in session.query(AuditEvent).order_by(AuditEvent.id)]
    assert [a for a in actions if a.startswith("import.")] == ["import.read", "import.save"]


def test_somebody_with_a_region_cannot_import_for_another(bureau: Bureau, imports: Imports) -> None:
    local = bureau.hire("钱编辑", "curator", region="310107")
    seen, _ = imports.receive(local, "x.docx", WORD)
    with pytest.raises(BadFields, match="1处"):
        imports.save(local, seen["id"], form="policy", paper=replace(PAPER, region="000000"))


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("关于印发《普陀区便民办法（2026年修订）》的通知", "普陀区便民办法"),
        ("中华人民共和国民法典", "民法典"),
        ("2026年 普陀区法律援助须知", "普陀区法律援助须知"),
    ],
)
def test_titles_are_compared_without_what_changes_between_versions(title: str, plain: str) -> None:
    assert plain_title(title) == plain
