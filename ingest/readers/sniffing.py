"""What a file is, by its bytes and not by its name; what is not safe to open is refused here."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath

from ingest.readers.document import Unreadable

MAX_BYTES = 20 * 1024 * 1024
_MAX_PARTS = 5_000
_MAX_PART = 64 * 1024 * 1024  # bytes of one part, unpacked
_MAX_UNPACKED = 200 * 1024 * 1024
_MAX_RATIO = 120  # tables of one repeated word reach 60
_RATIO_FROM = 4 * 1024 * 1024  # small parts may be as repetitive as they like

_NAMES = {
    "docx": "Word 文档（.docx）",
    "xlsx": "Excel 表格（.xlsx）",
    "pdf": "PDF 文件",
    "html": "网页文件",
    "text": "纯文本",
    "old_office": "旧版 Office 文件",
}
_EXTENSIONS = {
    ".docx": "docx",
    ".xlsx": "xlsx",
    ".pdf": "pdf",
    ".html": "html",
    ".htm": "html",
    ".md": "md",
    ".markdown": "md",
    ".txt": "md",
    ".csv": "csv",
}
ACCEPTED = tuple(_EXTENSIONS)
_MACROS = (".docm", ".dotm", ".xlsm", ".xltm", ".xlam")
_OLD = {".doc": ".docx", ".wps": ".docx", ".rtf": ".docx", ".xls": ".xlsx", ".et": ".xlsx"}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTITIES = tuple(
    mark.encode(code)
    for mark in ("<!DOCTYPE", "<!ENTITY")
    for code in ("utf-8", "utf-16-le", "utf-16-be")
)


def format_of(name: str, data: bytes) -> str:
    """docx, xlsx, pdf, html, md or csv. Raises Unreadable for anything else, for a name that says
    otherwise than the bytes, and for what is encrypted, has macros, or would unpack to too much."""
    extension = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if not data.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        raise Unreadable("file_empty", "这是一个空文件，请检查后重新选择。")
    if len(data) > MAX_BYTES:
        raise Unreadable("file_too_large", "文件超过 20 MB。请拆成几个，或者去掉大图后另存再上传。")
    if extension in _MACROS:
        raise Unreadable("file_has_macros", _MACRO_ADVICE)
    if extension in _OLD:
        raise Unreadable(
            "file_old_format",
            f"读不了旧格式（{extension}）。请在 Word、Excel 或 WPS 里打开，"
            f"另存为 {_OLD[extension]} 后再上传。",
        )
    wanted = _EXTENSIONS.get(extension)
    if wanted is None:
        raise Unreadable(
            "file_type",
            f"只能导入这些类型：{'、'.join(ACCEPTED)}。这个文件是“{extension or '没有扩展名'}”。",
        )
    found = _by_bytes(data)
    if found == "old_office":
        raise Unreadable("file_encrypted_or_old", _ole_advice(data))
    text_like = wanted in ("md", "csv", "html") and found in ("text", "html")
    if found != wanted and not text_like:
        raise Unreadable(
            "file_lies",
            f"文件名的扩展名是 {extension}，内容却是{_NAMES.get(found, '读不懂的二进制数据')}，"
            "两者对不上，没有导入。请用原来的程序打开，另存后再上传。",
        )
    if wanted == "html" and found != "html":
        raise Unreadable("file_lies", "文件名是网页（.html），内容里却没有网页标记，没有导入。")
    return wanted


_MACRO_ADVICE = (
    "文件带有宏（可以自动运行的程序），为安全起见不导入。请另存为不带宏的 .docx 或 .xlsx。"
)


def _by_bytes(data: bytes) -> str:
    if data.startswith(_OLE):
        return "old_office"
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK"):
        return _in_zip(data)
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text"  # UTF-16, as Excel saves "Unicode text"
    if b"\x00" in data:
        return "binary"
    marks = (
        b"<!doctype html",
        b"<html",
        b"<head",
        b"<body",
        b"<div",
        b"<p",
        b"<table",
        b"<article",
    )
    if head.startswith(b"<") and any(mark in data[:20_000].lower() for mark in marks):
        return "html"
    return "text"


def _in_zip(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            _refuse_bombs(parts)
            names = {part.filename.lower() for part in parts}
            if any(name.endswith(("vbaproject.bin", "vbadata.xml")) for name in names):
                raise Unreadable("file_has_macros", _MACRO_ADVICE)
            if any(part.flag_bits & 0x1 for part in parts):
                raise Unreadable("file_encrypted", _ENCRYPTED)
            kind = (
                "docx"
                if "word/document.xml" in names
                else "xlsx"
                if "xl/workbook.xml" in names
                else "zip"
            )
            for part in parts if kind != "zip" else ():
                if part.filename.lower().endswith((".xml", ".rels")):
                    _refuse_entities(archive.read(part))
            return kind
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        EOFError,
        OSError,
        ValueError,
    ) as error:
        raise Unreadable(
            "file_broken", "文件损坏，打不开。请用原来的程序打开确认，另存后再上传。"
        ) from error


def _refuse_bombs(parts: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    too_much = (
        len(parts) > _MAX_PARTS
        or unpacked > _MAX_UNPACKED
        or any(part.file_size > _MAX_PART for part in parts)
        or (unpacked > _RATIO_FROM and unpacked / packed > _MAX_RATIO)
    )
    if too_much:
        raise Unreadable(
            "file_bomb",
            "文件解压后大得不正常，为安全起见不导入。请把内容复制到一个新文件里再上传。",
        )


def _refuse_entities(xml: bytes) -> None:
    """Office never writes a document type; whoever does wants entities expanded or files read."""
    if any(mark in xml for mark in _ENTITIES):
        raise Unreadable(
            "file_entities", "文件里有正常文档不会有的外部引用（XML 实体），为安全起见不导入。"
        )


_ENCRYPTED = "文件加了密码，读不了。请打开后取消密码保护，另存再上传。"


def _ole_advice(data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return _ENCRYPTED
    return (
        "内容是旧版 Office 格式（.doc、.xls）。请在 Word、Excel 或 WPS 里打开，"
        "另存为 .docx 或 .xlsx。"
    )
