"""Word and Excel: what a reader of the final text sees, and nothing that was deleted."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import docx
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from structlog.testing import capture_logs

from ingest.readers import BlockKind, Unreadable, read, read_apart
from ingest.readers.passages import pieces_of
from ingest.readers.rows import fits, rows_of
from tests.ingest import papers


def test_a_policy_in_word_is_read_in_order_with_its_headings_and_dates() -> None:
    document = read("便民办法.docx", papers.word())
    assert document.title == "关于印发《普陀区公共法律服务便民办法》的通知"
    assert document.metadata == {
        "document_number": "普司规〔2026〕3号",
        "issuer": "普陀区司法局",
        "published_on": "2026-06-18",
        "effective_from": "2026-07-01",
        "effective_until": "2031-06-30",
    }
    headings = [(b.text, b.level) for b in document.blocks if b.kind is BlockKind.HEADING]
    assert [text for text, _ in headings[1:]] == [
        "一、总体要求",
        "二、服务事项",
        "（一）法律咨询",
        "（二）人民调解",
    ]
    kinds = [b.kind for b in document.blocks]
    assert kinds.index(BlockKind.TABLE) == len(kinds) - 3  # where it stands: before the signature
    assert document.warnings == ()


def test_deleted_text_does_not_come_back_and_inserted_text_counts() -> None:
    def change(opened: Any) -> None:
        papers.tracked(opened.paragraphs[6], "del", "收费五十元。")
        papers.tracked(opened.paragraphs[6], "ins", "一律免费。")
        gone = opened.add_paragraph("整段删去的话")
        mark = OxmlElement("w:del")
        properties = gone._p.get_or_add_pPr()
        run_properties = OxmlElement("w:rPr")
        run_properties.append(mark)
        properties.append(run_properties)
        for run in list(gone._p.iterchildren(qn("w:r"))):
            gone._p.remove(run)
        papers.tracked(gone, "del", "整段删去的话")
        hidden = opened.add_paragraph().add_run("隐藏的字")
        hidden.font.hidden = True

    document = read("x.docx", papers.word(change=change))
    assert "五十元" not in document.text
    assert "整段删去" not in document.text
    assert "隐藏的字" not in document.text
    assert "一律免费。" in document.text
    assert "修订" in document.warnings[0]


def test_text_boxes_and_comments_are_named_and_not_read() -> None:
    def change(opened: Any) -> None:
        paragraph = opened.add_paragraph("正文")
        picture, box, inner = (OxmlElement(t) for t in ("w:pict", "w:txbxContent", "w:p"))
        run, words = OxmlElement("w:r"), OxmlElement("w:t")
        words.text = "框里的联系电话"
        run.append(words)
        inner.append(run)
        box.append(inner)
        picture.append(box)
        paragraph.runs[0]._r.append(picture)
        opened.add_comment(opened.paragraphs[0].runs, text="这里要改", author="乙")

    document = read("x.docx", papers.word(change=change))
    assert "框里的" not in document.text
    assert "这里要改" not in document.text
    said = " ".join(document.warnings)
    assert "1 个文本框" in said
    assert "框里的联系电话" in said
    assert "1 条批注" in said


def test_the_numbers_that_word_writes_itself_are_counted() -> None:
    opened = docx.Document()
    opened.add_paragraph("普陀区法律援助工作规定")
    numbering = opened.part.numbering_part.element
    abstract = OxmlElement("w:abstractNum")
    abstract.set(qn("w:abstractNumId"), "77")
    level = OxmlElement("w:lvl")
    level.set(qn("w:ilvl"), "0")
    for tag, value in (("start", "1"), ("numFmt", "chineseCounting"), ("lvlText", "第%1条 ")):
        part = OxmlElement(f"w:{tag}")
        part.set(qn("w:val"), value)
        level.append(part)
    abstract.append(level)
    numbering.insert(0, abstract)
    instance = OxmlElement("w:num")
    instance.set(qn("w:numId"), "77")
    reference = OxmlElement("w:abstractNumId")
    reference.set(qn("w:val"), "77")
    instance.append(reference)
    numbering.append(instance)
    for text in ("为了做好法律援助，制定本规定。", "申请人应当如实说明。"):
        properties = opened.add_paragraph(text)._p.get_or_add_pPr()
        numbered = OxmlElement("w:numPr")
        for tag, value in (("ilvl", "0"), ("numId", "77")):
            part = OxmlElement(f"w:{tag}")
            part.set(qn("w:val"), value)
            numbered.append(part)
        properties.append(numbered)
    document = read("x.docx", papers.saved(opened))
    assert [p.label for p in pieces_of(document)] == ["第一条", "第二条"]


def test_cells_merged_in_a_word_table_stand_in_each_row() -> None:
    def change(opened: Any) -> None:
        grid = opened.tables[0]
        grid.cell(1, 1).merge(grid.cell(2, 1))

    document = read("x.docx", papers.word(change=change))
    rows = next(b.rows for b in document.blocks if b.kind is BlockKind.TABLE)
    assert rows[1][1] == rows[2][1] == "免费免费"


def test_rows_of_a_table_become_sentences_that_can_be_quoted() -> None:
    words = "\n".join(p.text for p in pieces_of(read("x.docx", papers.word())))
    assert "服务项目：人民调解；收费：免费；承办单位：区人民调解委员会。" in words


def test_a_workbook_is_read_with_values_merged_cells_and_no_hidden_sheet() -> None:
    def change(book: Any) -> None:
        sheet = book.active
        sheet.merge_cells("B2:B3")
        sheet["A6"] = "=1+1"
        secret = book.create_sheet("内部")
        secret["A1"], secret["B1"] = "不外传", "x"
        secret.sheet_state = "hidden"

    document = read("收费.xlsx", papers.workbook(papers.PRICES, change=change))
    [table] = document.blocks
    assert table.name == "收费"
    assert table.rows[1][1] == table.rows[2][1] == "免费"
    assert "不外传" not in document.text
    said = " ".join(document.warnings)
    assert "内部" in said
    assert "1 个公式" in said


def test_a_table_of_questions_is_known_by_its_header() -> None:
    rows: list[list[Any]] = [
        ["法律咨询常见问题", None, None, None],
        ["问题", "答复", "法律依据", "相似问法"],
        ["离婚冷静期多久", "三十日。", "《民法典》第一千零七十七条", "冷静期几天；离婚要等多久"],
        ["没有回答的", None, None, None],
    ]
    document = read("问答.xlsx", papers.workbook(rows))
    assert fits(document) == "faq"
    [row] = rows_of(document)
    assert row.number == 3
    assert row.fields == {
        "question": "离婚冷静期多久",
        "answer": "三十日。",
        "cites": ["《民法典》第一千零七十七条"],
        "asks": ["冷静期几天", "离婚要等多久"],
    }


def test_a_table_of_offices_is_a_table_of_cards() -> None:
    rows = [
        ["名称", "地址", "联系电话", "所需材料"],
        ["真如司法所", "真如路1号", "021-1", "1.身份证 2.申请书"],
    ]
    [row] = rows_of(read("窗口.xlsx", papers.workbook(rows)))
    assert row.kind == "service"
    assert row.fields["materials"] == ["身份证", "申请书"]
    assert fits(read("收费.xlsx", papers.workbook(papers.PRICES))) is None


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(",", "utf-8-sig"), (";", "gb18030"), ("\t", "utf-16")]
)
def test_a_csv_is_read_whatever_its_encoding_and_delimiter(delimiter: str, encoding: str) -> None:
    text = "\n".join(delimiter.join(row) for row in papers.PRICES)
    [table] = read("收费.csv", text.encode(encoding)).blocks
    assert [list(row) for row in table.rows] == papers.PRICES


def test_a_sheet_that_is_too_long_is_refused() -> None:
    text = "甲,乙\n" * 5_002
    with pytest.raises(Unreadable, match="超过 5000 行"):
        read("长.csv", text.encode())


def test_a_reader_that_breaks_is_not_called_too_slow_and_somebody_can_see_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_args: object, **_how: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([sys.executable, "-c", "1 / 0"], capture_output=True, check=False)

    monkeypatch.setattr(
        "ingest.readers.subprocess",
        SimpleNamespace(run=broken, TimeoutExpired=subprocess.TimeoutExpired),
    )
    with capture_logs() as logged, pytest.raises(Unreadable) as refused:
        read_apart("x.docx", b"PK")
    assert refused.value.code == "file_broken"
    assert "ZeroDivisionError" in logged[0]["stderr"]


def test_a_process_of_its_own_reads_the_same_and_is_ended_when_it_takes_too_long() -> None:
    data = papers.word()
    assert read_apart("x.docx", data) == read("x.docx", data)
    with pytest.raises(Unreadable) as refused:
        read_apart("x.docx", data, seconds=0)
    assert refused.value.code == "file_too_complex"
