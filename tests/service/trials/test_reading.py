"""Questions from lines, tables and spreadsheets."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from openpyxl import Workbook

from service.errors import BadRequest
from service.trials.reading import MOST_QUESTIONS, lines_of, read_file


def spreadsheet(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_each_line_is_a_question_and_a_hash_begins_a_remark() -> None:
    assert lines_of("欠薪怎么办\n\n# 婚姻\n  离婚要多久 \r\n") == [
        {"question": "欠薪怎么办"},
        {"question": "离婚要多久"},
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_encodings_that_offices_use(encoding: str) -> None:
    text = "问题,引用,备注\n离婚要多久,民法典第一千零七十七条；民法典第一千零七十六条,老问题\n"
    assert read_file("题.csv", text.encode(encoding)) == [
        {
            "question": "离婚要多久",
            "cites": ["民法典第一千零七十七条", "民法典第一千零七十六条"],
            "note": "老问题",
        }
    ]


def test_a_table_without_a_heading_is_a_column_of_questions() -> None:
    assert [r["question"] for r in read_file("a.csv", "欠薪怎么办\n离婚要多久\n".encode())] == [
        "欠薪怎么办",
        "离婚要多久",
    ]


def test_a_spreadsheet_is_read_with_its_dates_and_empty_rows() -> None:
    from datetime import datetime

    content = spreadsheet(
        ["问题", "日期", "应给出"],
        ["离婚要多久", datetime(2020, 5, 1), "faq-divorce"],  # noqa: DTZ001 (as openpyxl has it)
        [None, None, None],
    )
    assert read_file("题.xlsx", content) == [
        {"question": "离婚要多久", "as_of": "2020-05-01", "shows": ["faq-divorce"]}
    ]


def test_a_spreadsheet_that_breaks_further_on_is_refused() -> None:
    whole, broken = spreadsheet(["问题"], ["离婚要多久"]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(broken, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename.startswith("xl/worksheets/"):
                content = content[: content.rindex(b"</row>")]
            new.writestr(part, content)
    with pytest.raises(BadRequest, match="不是可以打开的"):
        read_file("题.xlsx", broken.getvalue())


def test_json_lines_carry_expectations() -> None:
    line = json.dumps({"question": "离婚要多久", "expect": ["answered"], "id": "b1"})
    assert read_file("a.jsonl", line.encode()) == [
        {"question": "离婚要多久", "outcome": ["answered"]}
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", b"%PDF", "只能上传"),
        ("a", b"x", "只能上传"),
        ("a.xlsx", b"no zip", "不是可以打开的"),
        ("a.csv", b"\xff\xfe\x00\x00\x01", "不是文字"),
        ("a.csv", b"", "没有读到问题"),
        ("a.csv", "问题,备注\n,有备注没问题\n".encode(), "第1个没有写问题"),
        ("a.jsonl", b"{", "第1行不是有效的 JSON"),
        ("a.jsonl", b"[1]", "第1行应当是"),
        ("a.jsonl", b'{"question": 5}', "第1行的 question"),
        ("a.jsonl", b'{"question": "x", "cites": [5]}', "第1行的 cites"),
        ("a.jsonl", b"[" * 100_000, "不是有效的 JSON"),
        ("a.txt", "问\n".encode() * (MOST_QUESTIONS + 1), "最多加"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_is_wrong(
    name: str, content: bytes, said: str
) -> None:
    with pytest.raises(BadRequest, match=said):
        read_file(name, content)
