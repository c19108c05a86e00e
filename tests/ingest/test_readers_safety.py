"""What is not opened: every refusal says in Chinese why and what to do."""

from __future__ import annotations

import io
import zipfile

import pytest

from ingest.readers import MAX_BYTES, Unreadable, read
from tests.ingest import papers

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WORD = papers.word(table=False)
REFUSED = {
    "an empty file": ("a.docx", b"", "空文件"),
    "blanks only": ("a.md", b" \n\n ", "空文件"),
    "a big one": ("a.pdf", b"%PDF-" + b"x" * MAX_BYTES, "20 MB"),
    "macros by name": ("a.docm", WORD, "宏"),
    "macros inside": ("a.docx", papers.with_part(WORD, "word/vbaProject.bin", b"x"), "宏"),
    "an old format": ("a.doc", OLE, "另存为 .docx"),
    "an old format in disguise": ("a.docx", OLE + b"x" * 600, "旧版 Office"),
    "a password on Word": ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "密码"),
    "Word called PDF": ("a.pdf", WORD, "对不上"),
    "PDF called Word": ("a.docx", papers.plain_pdf(["x"]), "对不上"),
    "a program called CSV": ("a.csv", b"MZ\x90\x00\x03\x00", "对不上"),
    "any zip called Word": (
        "a.docx",
        papers.with_part(b"PK\x05\x06" + b"\0" * 18, "x", b"1"),
        "对不上",
    ),
    "a program": ("a.exe", b"MZ", "只能导入这些类型"),
    "no extension": ("a", b"x", "没有扩展名"),
    "a broken zip": ("a.xlsx", b"PK\x03\x04garbage", "损坏"),
    "text called a page": ("a.html", "只是文字".encode(), "没有网页标记"),
    "entities": (
        "a.docx",
        papers.with_part(
            WORD,
            "word/document.xml",
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        ),
        "XML 实体",
    ),
    "entities in UTF-16": (
        "a.docx",
        papers.with_part(WORD, "word/styles.xml", "<!DOCTYPE a []><a/>".encode("utf-16")),
        "XML 实体",
    ),
    "a bomb by ratio": (
        "a.docx",
        papers.with_part(WORD, "word/x.bin", b"0" * 30_000_000),
        "不正常",
    ),
    "a bomb in one part": (
        "a.docx",
        papers.with_part(WORD, "word/x.bin", b"0" * 70_000_000),
        "不正常",
    ),
    "a broken PDF": ("a.pdf", b"%PDF-1.7\nnothing", "损坏"),
    "a scan": ("a.pdf", papers.scanned_pdf(), "扫描件读不出文字，请"),
    "no text at all": ("a.docx", papers.saved(__import__("docx").Document()), "没有读出任何文字"),
    "an unknown encoding": ("a.md", b"\xff\xff\xff\xfe\x81", "文字编码"),
}


def corrupt() -> bytes:
    """A Word document whose first part is not what its compression says."""
    data = bytearray(WORD)
    at = data.index(b"word/document.xml") + len(b"word/document.xml")
    data[at : at + 40] = b"\xff" * 40
    return bytes(data)


REFUSED["a corrupt stream"] = ("a.docx", corrupt(), "损坏")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name: str) -> None:
    file_name, data, said = REFUSED[name]
    with pytest.raises(Unreadable) as refused:
        read(file_name, data)
    assert said in refused.value.message
    assert refused.value.message.endswith("。")


def test_many_small_parts_are_a_bomb_too() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(5_001):
            archive.writestr(f"word/{number}", b"")
        archive.writestr("word/document.xml", b"<a/>")
    with pytest.raises(Unreadable, match="不正常"):
        read("a.docx", out.getvalue())


def test_a_pdf_of_too_many_pages_is_refused() -> None:
    with pytest.raises(Unreadable, match="501 页"):
        read("a.pdf", papers.plain_pdf(["x"] * 501))


def test_a_pdf_with_a_password_is_refused() -> None:
    protected = (
        b"/Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -44 /O <"
        + b"12" * 32
        + b"> /U <"
        + b"34" * 32
        + b"> >> /ID [<00> <00>]"
    )
    with pytest.raises(Unreadable, match="密码"):
        read("a.pdf", papers.plain_pdf(["secret"], extra=protected))


def test_scripts_in_a_page_are_words_of_nobody() -> None:
    page = "<html><body><script>alert('坏')</script><p onclick='x()'>正文里的一句话。</p></body>"
    assert read("a.html", page.encode()).text == "正文里的一句话。"
