"""The files that browsers get, compressed and with a tag to ask by; nothing is built beforehand.

The element's stylesheet is that of the page, put in terms of its host at the first request: lengths
in the size that the element sets instead of that of a page it does not know, and the element's
width in place of the window's.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

import web
from service.errors import NotFound

_MEDIA = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}
_PAGE_SHEETS = ("page.css", "talk.css", "mine.css")
_OWN_SHEET = "panel.css"
_PIXELS_A_REM = 16


@dataclass(frozen=True, slots=True)
class _Content:
    plain: bytes
    packed: bytes
    tag: str

    @classmethod
    def of(cls, plain: bytes) -> _Content:
        tag = hashlib.sha256(plain).hexdigest()[:20]
        return cls(plain, gzip.compress(plain, mtime=0), f'"{tag}"')


@lru_cache(maxsize=100)
def _read(path: Path, _changed: int) -> _Content:
    return _Content.of(path.read_bytes())


@lru_cache(maxsize=1)
def _element_sheet(_changed: tuple[int, ...]) -> _Content:
    return _Content.of(element_sheet().encode())


def file(request: Request, name: str, headers: dict[str, str]) -> Response:
    """A file of the widget's folder. Raises NotFound for anything else."""
    path = web.WIDGET / name
    if path.parent != web.WIDGET or path.suffix not in _MEDIA or not path.is_file():
        raise NotFound("not_found", "没有这个页面。")
    return _respond(request, _read(path, path.stat().st_mtime_ns), _MEDIA[path.suffix], headers)


def sheet(request: Request, headers: dict[str, str]) -> Response:
    """The element's stylesheet."""
    names = (*_PAGE_SHEETS, _OWN_SHEET)
    changed = tuple((web.WIDGET / name).stat().st_mtime_ns for name in names)
    return _respond(request, _element_sheet(changed), "text/css", headers)


def _respond(
    request: Request, content: _Content, media_type: str, headers: dict[str, str]
) -> Response:
    headers = headers | {
        "ETag": content.tag,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }
    if content.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(content.packed, media_type=media_type, headers=headers)
    return Response(content.plain, media_type=media_type, headers=headers)


def element_sheet() -> str:
    """The page's sheets for a shadow root, and what is only the element's."""
    page = "\n".join((web.WIDGET / name).read_text("utf-8") for name in _PAGE_SHEETS)
    return in_shadow(page) + (web.WIDGET / _OWN_SHEET).read_text("utf-8")


def in_shadow(page: str) -> str:
    """A sheet of a page as one of a shadow root, whose content stands in `.panel`."""
    page = re.sub(r"/\*.*?\*/", "", page, flags=re.DOTALL)
    blocks = re.split(r"(@media[^{]*)", page)
    return "".join(
        _query(block) if block.startswith("@media") else _rules(block) for block in blocks
    )


def _query(condition: str) -> str:
    """The width of the window is that of the panel; everything else stays a question of media."""
    if "width" not in condition:
        return condition
    in_pixels = re.sub(r"([\d.]+)rem", lambda m: f"{float(m[1]) * _PIXELS_A_REM:g}px", condition)
    return in_pixels.replace("@media", "@container consult")


def _rules(block: str) -> str:
    block = re.sub(r"(?<![\w.])(-?[\d.]+)rem\b", r"calc(\1 * var(--rem))", block)
    block = re.sub(r":root\.elder|html\.elder|(?<![\w-])\.elder(?= )", ":host(.elder)", block)
    block = re.sub(r":root\b", ":host", block)
    return re.sub(r"(^|[{}\n,]\s*)(?:html|body)(?=[\s,{:])", r"\1.panel", block)
