"""Tables become cards and questions, a draft for each row; what cannot be one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge import store
from service.curation import BadFields
from service.curation.imports import Imports
from service.curation.papers import Paper
from service.errors import Conflict
from tests.ingest import papers
from tests.service.curation.bureau import TODAY, Bureau
from tests.service.curation.test_imports import PAPER, approved, imports_of

QUESTIONS = [
    ["问题", "答案", "依据", "问法"],
    ["拖欠工资怎么办", "先催要，再投诉。", "劳动法第五十条", "欠薪；不发工资；工钱要不到"],
    ["加班费怎么算", "看工时。", "劳动法第四百条", "加班"],
]


@pytest.fixture
def imports(bureau: Bureau, tmp_path: Path) -> Imports:
    return imports_of(bureau, tmp_path)


def test_rows_of_a_table_become_questions_and_say_what_is_missing(
    bureau: Bureau, imports: Imports
) -> None:
    data = papers.workbook([list(row) for row in QUESTIONS])
    seen, _ = imports.receive(bureau.author, "问答.xlsx", data)
    assert imports.preview(seen["id"])["form"] == "faq"
    saved = imports.save(
        bureau.author,
        seen["id"],
        form="faq",
        paper=Paper(title="", source="区司法局问答汇编", region="310107", topic="劳动人事"),
    )
    complete, partial = saved["drafts"]
    assert complete["missing"] == []
    assert any("至少写3条" in said for said in partial["missing"])
    assert any("没有第四百条" in said for said in partial["missing"])
    approved(bureau, complete)
    assert bureau.answer_on(complete["document"], TODAY) == "先催要，再投诉。"
    bureau.curation.submit(bureau.author, partial["revision"])
    with pytest.raises(Conflict, match="现在不能发布"):
        bureau.curation.approve(bureau.reviewer, partial["revision"])
    again, _ = imports.receive(bureau.author, "又.csv", "问题,答案\n拖欠工资怎么办,找人\n".encode())
    with pytest.raises(BadFields) as refused:
        imports.save(bureau.author, again["id"], form="service", paper=PAPER)
    assert "没有可以导入的行" in refused.value.fields["left_out"]
    assert imports.save(bureau.author, again["id"], form="faq", paper=PAPER)["skipped"] == [
        {"row": 2, "title": "拖欠工资怎么办", "why": "已有同名的一条"}
    ]


def test_a_row_that_cannot_be_a_draft_is_named_and_the_others_go_on(
    bureau: Bureau, imports: Imports
) -> None:
    putuo = bureau.hire("陈编辑", "curator", region="310107")
    long = "单位" * 150
    rows = [
        ["名称", "电话", "地区", "主管单位"],
        ["普陀的窗口", "021-1", "310107", "普陀区司法局"],
        ["长宁的窗口", "021-2", "310105", "长宁区司法局"],
        ["名" * 500, "021-3", "310107", long],
    ]
    seen, _ = imports.receive(putuo, "窗口.xlsx", papers.workbook(rows))
    saved = imports.save(putuo, seen["id"], form="service", paper=PAPER)
    assert [draft["row"] for draft in saved["drafts"]] == [2, 4]
    [skipped] = saved["skipped"]
    assert (skipped["row"], skipped["title"]) == (3, "长宁的窗口")
    assert "310107" in skipped["why"]
    with bureau.sessions() as session:
        cut = store.document(session, saved["drafts"][1]["document"])
    assert cut is not None
    assert (len(cut.title), len(cut.issuer)) == (400, 200)
