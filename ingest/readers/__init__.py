"""Readers: the bytes of a file and its name become a `ReadDocument`, or a reason in Chinese.

`read` does it here and now; `read_apart` in a process of its own with bounded time and memory, for
what strangers have made. Nothing is fetched, and nothing that a file carries is run.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import PurePosixPath

import structlog

from ingest.readers.document import Block, BlockKind, ReadDocument, Unreadable
from ingest.readers.sniffing import ACCEPTED, MAX_BYTES, format_of

__all__ = [
    "ACCEPTED",
    "MAX_BYTES",
    "Block",
    "BlockKind",
    "ReadDocument",
    "Unreadable",
    "format_of",
    "read",
    "read_apart",
]

log = structlog.get_logger()
SECONDS = 120  # a PDF of 500 pages takes 60 on one core
_TOO_MUCH = "文件太复杂，{seconds} 秒里没有读完。请拆成几个文件，或者把要用的部分另存后再上传。"
_BROKEN = "文件读不出来，可能已经损坏。请用原来的程序打开确认，另存后再上传；还不行，请告诉管理员。"
_ENDED = (-signal.SIGXCPU, -signal.SIGKILL)  # by the limits of time, or of the machine's memory


def read(name: str, data: bytes) -> ReadDocument:
    """The document. Raises Unreadable with the reason and what to do."""
    form = format_of(name, data)
    stem = PurePosixPath(name.replace("\\", "/")).stem.strip()[:120] or "未命名"
    # Each reader brings a library that takes time to import, and a start of the service none.
    if form == "docx":
        from ingest.readers.word import read_word as reader
    elif form == "pdf":
        from ingest.readers.portable import read_pdf as reader
    elif form == "html":
        from ingest.readers.hypertext import read_html as reader
    elif form == "xlsx":
        from ingest.readers.spreadsheet import read_workbook as reader
    elif form == "csv":
        from ingest.readers.spreadsheet import read_csv as reader
    else:
        from ingest.readers.marked import read_marked as reader
    return reader(data, stem)


def read_apart(name: str, data: bytes, *, seconds: int = SECONDS) -> ReadDocument:
    """`read` in a process of its own, ended when it takes too long or too much memory."""
    command = [sys.executable, "-m", "ingest.readers", name, str(seconds)]
    try:
        done = subprocess.run(  # noqa: S603  (this very package)
            command, input=data, capture_output=True, timeout=seconds + 10, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable("file_too_complex", _TOO_MUCH.format(seconds=seconds)) from error
    if done.returncode in _ENDED or b"MemoryError" in done.stderr:
        raise Unreadable("file_too_complex", _TOO_MUCH.format(seconds=seconds))
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:  # our own fault: somebody has to see it
        tail = done.stderr[-2_000:].decode(errors="replace")
        log.error("reader.died", returncode=done.returncode, stderr=tail)
        raise Unreadable("file_broken", _BROKEN) from error
    if "code" in answer:
        raise Unreadable(answer["code"], answer["message"])
    return ReadDocument.from_json(answer)
