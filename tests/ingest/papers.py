"""Real files, made by the libraries that read and write them, and by a real browser for PDF."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

CHROMIUM = Path("/usr/bin/chromium")

POLICY = [
    ("", "普陀区司法局文件"),
    ("", "普司规〔2026〕3号"),
    ("", "关于印发《普陀区公共法律服务便民办法》的通知"),
    ("", "各街道、镇司法所，各有关单位："),
    (
        "",
        "现将《普陀区公共法律服务便民办法》印发给你们，请遵照执行。"
        "本办法自2026年7月1日起施行，有效期至2031年6月30日。",
    ),
    ("", "一、总体要求"),
    (
        "",
        "公共法律服务中心应当公开服务事项、服务时间和咨询电话，对老年人、残疾人提供上门服务。"
        "来访群众提出的问题不属于本中心职责的，首次接待的工作人员应当告知承办单位和联系方式。",
    ),
    ("", "二、服务事项"),
    ("", "（一）法律咨询"),
    (
        "",
        "在工作日提供免费当面咨询，每次一般不超过三十分钟；情况复杂的，可以预约第二次咨询。"
        "咨询人应当如实说明情况，工作人员不得收取任何费用，不得介绍咨询人与律师私下签订合同。",
    ),
    ("", "（二）人民调解"),
    (
        "",
        "当事人双方同意的，由中心调解室受理。调解达成协议的，可以制作调解协议书，"
        "并依照《中华人民共和国人民调解法》第三十三条自协议生效之日起三十日内共同申请司法确认。",
    ),
    ("", "普陀区司法局"),
    ("", "2026年6月18日"),
]  # fmt: skip
PRICES = [
    ["服务项目", "收费", "承办单位"],
    ["法律咨询", "免费", "区公共法律服务中心"],
    ["人民调解", "免费", "区人民调解委员会"],
    ["公证", "按规定标准收取", "普陀公证处"],
]


def saved(opened: Any) -> bytes:
    out = io.BytesIO()
    opened.save(out)
    return out.getvalue()


def word(*, table: bool = True, change: Callable[[Any], None] | None = None) -> bytes:
    """The policy as a Word file, with a table before the signature."""
    opened = docx.Document()
    for at, (style, text) in enumerate(POLICY):
        if table and at == len(POLICY) - 2:
            grid = opened.add_table(len(PRICES), 3)
            for row, cells in zip(grid.rows, PRICES, strict=True):
                for cell, value in zip(row.cells, cells, strict=True):
                    cell.text = value
        opened.add_paragraph(text, style or None)
    if change:
        change(opened)
    return saved(opened)


def tracked(paragraph: Any, tag: str, text: str) -> None:
    """Add text to a paragraph as somebody who tracks changes would insert (ins) or delete (del)."""
    change = OxmlElement(f"w:{tag}")
    change.set(qn("w:id"), "1")
    change.set(qn("w:author"), "甲")
    run = OxmlElement("w:r")
    words = OxmlElement("w:delText" if tag == "del" else "w:t")
    words.text = text
    run.append(words)
    change.append(run)
    paragraph._p.append(change)


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The zipped file with one more part, or another in place of one."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            if part.filename != name:
                new.writestr(part, old.read(part), zipfile.ZIP_DEFLATED)
        new.writestr(name, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def workbook(rows: list[list[Any]], *, change: Callable[[Any], None] | None = None) -> bytes:
    opened = openpyxl.Workbook()
    sheet = opened.active
    assert sheet is not None
    sheet.title = "收费"
    for row in rows:
        sheet.append(row)
    if change:
        change(opened)
    return saved(opened)


def printed(html: str, **options: Any) -> bytes:
    """A web page printed to PDF by Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("no Chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content(html)
        data: bytes = page.pdf(format="A4", **options)
        browser.close()
    return data


def paragraphs(lines: list[str]) -> str:
    return "".join(f"<p style='text-indent:2em'>{line}</p>" for line in lines)


def plain_pdf(pages: list[str], *, extra: bytes = b"") -> bytes:
    """A PDF of nothing but Latin lines, by hand, in which `extra` goes into the trailer."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    for text in pages:
        stream = b"BT /F1 12 Tf 72 720 Td (%s) Tj ET" % text.encode()
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources"
            b" << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
            % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    return _assembled(objects, extra)


def scanned_pdf() -> bytes:
    """A PDF of one page that is only a picture."""
    pixels = bytes(range(256)) * 4
    image = (
        b"<< /Type /XObject /Subtype /Image /Width 32 /Height 32 /ColorSpace /DeviceGray"
        b" /BitsPerComponent 8 /Length %d >>\nstream\n%s\nendstream" % (len(pixels), pixels)
    )
    stream = b"q 500 0 0 700 50 50 cm /Im1 Do Q"
    return _assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
            b" /Resources << /XObject << /Im1 5 0 R >> >> >>",
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
            image,
        ]
    )


def _assembled(objects: list[bytes], extra: bytes = b"") -> bytes:
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF" % (size, extra, start)
    return out
