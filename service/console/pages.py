"""How a page is made: a template, the member who looks, and what every page needs beside."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import web
from service.answering.outcomes import OUTCOME_NAMES
from service.auth import ROLE_NAMES, Member
from service.console.navigation import menu_of
from service.errors import NotFound

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_CHINA = ZoneInfo("Asia/Shanghai")
_MEDIA = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STATUSES = {
    "draft": "草稿",
    "in_review": "待复核",
    "published": "已发布",
    "withdrawn": "已撤下",
}
_KINDS = {
    "statute": "法律",
    "policy": "政策文件",
    "service": "服务",
    "guide": "办事指南",
    "faq": "常见问题",
    "hotline": "热线",
    "outside": "非法律事项",
    "rules": "规则表",
}

router = APIRouter(include_in_schema=False)


def _moment(at: datetime | str | None, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """A point in time as the clock in Shanghai shows it; a dash for none."""
    if at is None or at == "":
        return "—"
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(_CHINA).strftime(pattern)


def _day(on: date | str | None) -> str:
    return "—" if not on else str(on)


def _percent(share: float | None, digits: int = 0) -> str:
    return "—" if share is None else f"{share * 100:.{digits}f}%"


def _query(current: dict[str, Any], **changes: Any) -> str:
    """A query string: the current filters with some changed; None and empty values leave."""
    merged = {**current, **changes}
    kept = {k: v for k, v in merged.items() if v not in (None, "", [], False)}
    return f"?{urlencode(kept, doseq=True)}" if kept else "?"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(web.CONSOLE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "moment": _moment,
        "day": _day,
        "percent": _percent,
        "outcome": lambda key: OUTCOME_NAMES.get(key, key),
        "status": lambda key: _STATUSES.get(key, key),
        "kind": lambda key: _KINDS.get(key, key),
        "role": lambda key: ROLE_NAMES.get(key, key),
        "compact": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
        "path": lambda value: quote(str(value), safe=""),
    }
    made.globals |= {"query": _query, "OUTCOMES": OUTCOME_NAMES}
    made.globals |= {"STATUSES": _STATUSES, "KINDS": _KINDS}
    return made


_TEMPLATES = _environment()


def render(
    request: Request, member: Member | None, template: str, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """The page of `template`. It knows `member` and `menu`, and whatever is in `context`."""
    text = _TEMPLATES.get_template(template).render(
        member=member,
        menu=menu_of(member) if member else [],
        here=request.url.path,
        csrf=getattr(request.state, "csrf", ""),
        **context,
    )
    return HTMLResponse(text, status, headers={"Content-Security-Policy": CSP, **_UNKEPT})


_UNKEPT = {"Cache-Control": "no-store"}  # a shared desk's back button must not show a conversation


def error_page(request: Request, status: int, message: str) -> Response:
    """What a person sees instead of a page: the way to sign in, or what went wrong."""
    if status == 401:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/console/login?next={quote(wanted, safe='')}", 303)
    member: Member | None = getattr(request.state, "member", None)
    return render(request, member, "error.html", status=status, message=message)


@router.get("/console/static/{name}")
def static(name: str) -> FileResponse:
    path = web.CONSOLE / name
    if path.parent != web.CONSOLE or path.suffix not in _MEDIA or not path.is_file():
        raise NotFound("not_found", "没有这个文件。")
    return FileResponse(path, media_type=_MEDIA[path.suffix], headers={"Cache-Control": "no-cache"})
