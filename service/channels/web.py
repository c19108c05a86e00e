"""The web channel: the pages at `/` and `/legal-aid`, and questions over HTTP, answered as JSON or
as a stream of events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

import web
from service.conversations import Desk
from service.errors import NotFound, ServiceError

router = APIRouter()
log = structlog.get_logger()

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'"
)
SUGGESTIONS = (
    "公司拖欠三个月工资怎么办",
    "打官司没钱请律师怎么办",
    "想离婚对方不同意怎么办",
    "租房到期房东不退押金",
    "朋友借钱不还，只有微信记录",
    "楼上漏水把我家泡了，找谁赔",
)
_MEDIA = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}


class QuestionIn(BaseModel):
    """A question, with the thread it belongs to, the day whose law is asked for, and the place."""

    model_config = ConfigDict(extra="ignore")

    question: str
    conversation: Annotated[str, Field(max_length=40)] | None = None
    as_of: date | None = None
    region: Annotated[str, Field(pattern=r"^\d{6}$")] | None = None


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


@router.post("/api/v1/questions", summary="问一个问题")
def ask(
    body: QuestionIn, request: Request, accept: Annotated[str, Header()] = "application/json"
) -> Response:
    """Answer as one JSON object, or with `Accept: text/event-stream` as events `status`, `answer`
    or `error`. The answer is stored before it is sent."""
    desk = _desk(request)

    def answer() -> dict[str, Any]:
        return desk.ask(
            body.question, conversation=body.conversation, on=body.as_of, region=body.region
        )

    if "text/event-stream" in accept:
        return StreamingResponse(
            _events(answer), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )
    return JSONResponse(answer(), headers={"Cache-Control": "no-store"})


def _events(answer: Any) -> Iterator[str]:
    yield _event("status", {"stage": "received"})
    yield _event("status", {"stage": "searching"})
    try:
        yield _event("answer", answer())
    except ServiceError as error:
        yield _event("error", {"code": error.code, "message": error.message})
    except Exception:
        log.exception("stream.failed")
        yield _event("error", {"code": "internal", "message": "服务出了问题，请稍后再试。"})


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


@router.get("/api/v1/suggestions", summary="开场时的示例问题")
def suggestions() -> dict[str, tuple[str, ...]]:
    return {"questions": SUGGESTIONS}


@router.get("/", include_in_schema=False)
def page() -> FileResponse:
    return _file("index.html")


@router.get("/legal-aid", include_in_schema=False)
def legal_aid_page() -> FileResponse:
    return _file("legal-aid.html")


@router.get("/static/{name}", include_in_schema=False)
def static(name: str) -> FileResponse:
    return _file(name)


def _file(name: str) -> FileResponse:
    path = web.WIDGET / name
    if path.parent != web.WIDGET or path.suffix not in _MEDIA or not path.is_file():
        raise NotFound("not_found", "没有这个页面。")
    return FileResponse(
        path,
        media_type=_MEDIA[path.suffix],
        headers={"Content-Security-Policy": CSP, "Cache-Control": "no-cache"},
    )
