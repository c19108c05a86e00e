"""PDF, web pages and Markdown: paragraphs in reading order, without what is on every page."""

from __future__ import annotations

import pytest

from ingest.readers import BlockKind, Unreadable, read
from ingest.readers.metadata import metadata_of
from ingest.readers.passages import LEAST, MOST, pieces_of
from tests.ingest import papers

STYLE = (
    "<style>body{font:12pt/1.6 serif} table{border-collapse:collapse} "
    "td{border:1px solid;padding:4px}</style>"
)
LINES = [text for _, text in papers.POLICY]
TABLE = (
    "<table>"
    + "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in papers.PRICES)
    + "</table>"
)
HEAD = "<div style='font-size:9px;width:100%;text-align:center'>{}</div>"


@pytest.fixture(scope="module")
def policy() -> bytes:
    """Three pages with a running head and page numbers."""
    body = papers.paragraphs(LINES) + TABLE
    more = "<div style='break-before:page'></div>" + papers.paragraphs(LINES[6:-2])
    return papers.printed(
        STYLE + body + more * 2,
        display_header_footer=True,
        header_template=HEAD.format("普陀区司法局规范性文件汇编"),
        footer_template=HEAD.format("— <span class='pageNumber'></span> —"),
        margin={"top": "2.5cm", "bottom": "2.5cm", "left": "2.5cm", "right": "2.5cm"},
    )


def test_a_printed_pdf_gives_back_its_paragraphs(policy: bytes) -> None:
    document = read("办法.pdf", policy)
    assert document.title == "关于印发《普陀区公共法律服务便民办法》的通知"
    assert document.metadata["effective_from"] == "2026-07-01"
    texts = [b.text for b in document.blocks]
    assert LINES[6] in texts  # joined over its lines, without hyphens or spaces
    assert LINES[9] in texts
    assert not any("汇编" in text for text in texts)
    assert not any(text.startswith("—") for text in texts)
    [table] = [b for b in document.blocks if b.kind is BlockKind.TABLE]
    assert [list(row) for row in table.rows] == papers.PRICES
    assert "对照原件" in document.warnings[0]


def test_two_columns_are_read_one_after_the_other() -> None:
    columns = "<h2 style='text-align:center'>工作简报</h2><div style='columns:2;column-gap:1.2cm'>"
    document = read("简报.pdf", papers.printed(STYLE + columns + papers.paragraphs(LINES[6:]) * 3))
    texts = [b.text for b in document.blocks]
    assert document.title == "工作简报"
    assert texts.count(LINES[6]) == 3
    assert texts.index("二、服务事项") == texts.index(LINES[6]) + 1


def test_a_page_with_only_a_picture_among_others_is_named() -> None:
    pixel = (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
        "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    )
    body = (
        papers.paragraphs(LINES)
        + f"<div style='break-before:page'><img src='{pixel}' width=300 height=300></div>"
    )
    document = read("办法.pdf", papers.printed(STYLE + body))
    assert "第 2 页是图片，读不出文字，没有读入。" in document.warnings


def test_a_web_page_is_read_without_menu_footer_and_what_is_hidden() -> None:
    page = f"""<html><head><meta charset="gbk"><title>便民办法_普陀区人民政府</title></head><body>
    <div class="nav"><a>首页</a><a>政务公开</a></div><!-- 注释 -->
    <div class="content"><h1>普陀区公共法律服务便民办法</h1>{papers.paragraphs(LINES[4:])}
    <ul><li>带身份证</li></ul><p style="display: none">看不见</p><p>改<del>旧</del>新</p>
    <table><tr><td rowspan="2">免费</td><td>咨询</td></tr><tr><td>调解</td></tr></table></div>
    <div class="footer">沪ICP备1号</div></body></html>"""
    document = read("页.html", page.encode("gb18030"))
    assert document.title == "普陀区公共法律服务便民办法"
    for gone in ("首页", "ICP", "看不见", "旧", "注释"):
        assert gone not in document.text
    assert "改新" in document.text
    assert any(b.kind is BlockKind.ITEM and b.text == "带身份证" for b in document.blocks)
    [table] = [b for b in document.blocks if b.kind is BlockKind.TABLE]
    assert table.rows == (("免费", "咨询"), ("免费", "调解"))


def test_markdown_is_read_with_front_matter_lists_and_tables() -> None:
    text = (
        "---\nissuer: 普陀区司法局\npublished_on: 2026-06-18\n---\n# 服务须知\n\n## 怎么来\n\n"
        "坐地铁到**真如**站，\n再走五分钟。\n\n- 带[身份证](https://x)\n\n"
        "| 项目 | 收费 |\n|---|---|\n| 咨询 | 免费 |\n"
    )
    document = read("须知.md", text.encode())
    assert document.title == "服务须知"
    assert document.metadata == {"issuer": "普陀区司法局", "published_on": "2026-06-18"}
    assert "坐地铁到真如站，" in document.text
    assert "带身份证" in document.text
    assert document.blocks[-1].rows == (("项目", "收费"), ("咨询", "免费"))
    with pytest.raises(Unreadable, match="---"):
        read("坏.md", b"---\na: [\n---\n# x\n")


def test_an_article_is_never_cut_and_a_reference_is_no_article() -> None:
    long = "应当依法办理。" * 120
    text = (
        f"# 办法\n\n第一章 总则\n\n第一条 {long}\n\n有下列情形的：\n\n（一）甲；\n\n"
        "第二条 第一条规定的情形。\n\n第三条规定的不适用。\n"
    )
    pieces = pieces_of(read("办法.md", text.encode()))
    assert [p.label for p in pieces] == ["第一条", "第二条"]
    assert len(pieces[0].text) > MOST
    assert pieces[0].path == "第一章 总则"
    assert pieces[1].text.endswith("第三条规定的不适用。")


def test_prose_is_divided_between_sentences_into_pieces_of_a_readable_size() -> None:
    sentence = "公共法律服务中心应当公开服务事项、时间和电话，并及时更新。"
    text = "# 说明\n\n## 一、服务\n\n" + (sentence * 12 + "\n\n") * 6 + "## 二、很短\n\n一句。\n"
    pieces = pieces_of(read("说明.md", text.encode()))
    assert all(LEAST <= len(p.text) <= MOST for p in pieces[:-1])
    assert all(line.endswith("。") for p in pieces for line in p.text.split("\n"))
    assert "".join(p.text for p in pieces).count(sentence) == 72
    assert len({p.label for p in pieces}) == len(pieces)


def test_a_heading_without_anything_under_it_is_not_lost() -> None:
    text = "# 事项\n\n## 一、甲\n\n### （一）预约登记\n\n### （二）现场办理\n\n到窗口办。\n"
    words = "\n".join(f"{p.path} {p.text}" for p in pieces_of(read("x.md", text.encode())))
    assert "预约登记" in words
    assert "到窗口办。" in words


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["上海市人民政府令第24号", "（2025年11月3日公布）", "本办法自2026年1月1日起施行。"],
         {"document_number": "上海市人民政府令第24号", "published_on": "2025-11-03",
          "effective_from": "2026-01-01"}),
        (["沪司规〔2024〕5 号", "本通知自印发之日起施行，有效期5年。", "上海市司法局",
          "二〇二四年二月二十九日"],
         {"document_number": "沪司规〔2024〕5号", "issuer": "上海市司法局",
          "published_on": "2024-02-29", "effective_from": "2024-02-29",
          "effective_until": "2029-02-28"}),
        (["普通的一段话，2026年1月1日发生的事。"], {}),
    ],
)  # fmt: skip
def test_what_a_document_says_of_itself(lines: list[str], found: dict[str, str]) -> None:
    assert metadata_of(lines) == found
