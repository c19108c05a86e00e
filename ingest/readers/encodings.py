"""Bytes as text: UTF-8 as everybody writes it now, GB18030 as older Chinese programs do."""

from __future__ import annotations

import re

from ingest.readers.document import Unreadable

_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{2,20})""", re.IGNORECASE)
_CHINESE = {"gb2312", "gbk", "gb18030", "hz-gb-2312", "x-gbk"}


def decode(data: bytes, *, html: bool = False) -> str:
    """The text of a file. Raises Unreadable when it is in neither encoding."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8-sig", "gb18030"]
        declared = _CHARSET.search(data[:4096]) if html else None
        if declared and declared[1].decode("ascii").lower() in (*_CHINESE, "big5"):
            name = declared[1].decode("ascii").lower()
            candidates.insert(0, "big5" if name == "big5" else "gb18030")
    for encoding in candidates:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(
        "file_encoding", "认不出文件的文字编码。请用记事本打开，另存为 UTF-8 后再上传。"
    )
