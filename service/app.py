"""The composition root of the HTTP process."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.accounts import AddressLimit
from service.api.routers import ROUTERS as API
from service.assembly import Rooms
from service.auth import StaffRegister
from service.channels import web
from service.channels.gate import Cors, Gate
from service.channels.wechat import callback as wechat
from service.console import pages
from service.console.routers import ROUTERS as CONSOLE
from service.conversations import Desk
from service.errors import ServiceError
from service.handover import Handovers, Live, Presence, UrgentWatch, minutes_later
from service.model.endpoint import open_writer
from service.ratings import Ratings
from service.retention import Housekeeping
from service.serving import Serving

log = structlog.get_logger()
MAX_BODY = 256 * 1024  # bytes; 20,000 characters must still get a proper answer about length
UPLOADS, MAX_UPLOAD = "/api/v1/staff/imports", 20 * 1024 * 1024  # documents to read in


def create_app(rooms: Rooms) -> FastAPI:
    """The application over prepared rooms (`Rooms.prepare`); it closes them when it ends."""
    longest = rooms.settings.max_question_chars
    writer = open_writer(rooms.settings, rooms.sessions, lambda: rooms.laws)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        serving: Serving = app.state.serving
        serving.open()
        app.state.desk = Desk(
            rooms.sessions,
            serving,
            channel="web",
            longest=longest,
            people=app.state.handovers,
            rating_token=partial(app.state.ratings.token_for, "answer"),
            writer=writer,
        )
        housekeeping = Housekeeping(rooms.sessions, files=rooms.settings.home / "imports")
        housekeeping.start()
        yield
        housekeeping.stop()
        del app.state.desk
        serving.close()
        rooms.close()

    app = FastAPI(
        title="普陀区公共法律咨询助手",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.rooms = rooms
    app.state.writer = writer
    app.state.serving = Serving(rooms)
    app.state.staff = StaffRegister(rooms.sessions)
    app.state.sign_in_limit = AddressLimit()
    app.state.ratings = Ratings.of(rooms.sessions, rooms.settings)
    app.state.handovers = Handovers(
        rooms.sessions,
        due=minutes_later(rooms.settings.handover_due_minutes),
        region=rooms.settings.region,
        rating_token=partial(app.state.ratings.token_for, "handover"),
        presence=Presence(lambda: app.state.serving.library),
    )
    app.state.gate = Gate(rooms.settings, lambda: rooms.sessions)
    app.state.urgent = UrgentWatch(rooms.sessions)
    app.state.live = Live(rooms.sessions)
    for router in (web.router, wechat.router, *API, *CONSOLE):
        app.include_router(router)
    app.add_middleware(Cors, sites=app.state.gate.sites)
    app.add_middleware(Edge)
    install_errors(app)
    return app


class Edge:
    """What every request gets: an id in logs and response, safe headers, and a bounded body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(6)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > (MAX_UPLOAD if scope["path"] == UPLOADS else MAX_BODY):
                raise HTTPException(413)
            return message

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
            await send(message)

        await self._app(scope, bounded, marked)


def _error(
    request: Request, status: int, code: str, message: str, details: Mapping[str, Any] | None = None
) -> Response:
    """As JSON; to a person who looks at the console, as a page."""
    if request.url.path.startswith("/console"):
        return pages.error_page(request, status, message)
    return JSONResponse({"error": {"code": code, "message": message, **(details or {})}}, status)


_HTTP_MESSAGES = {
    400: ("invalid_request", "请求格式不对：请求内容不是有效的 JSON。"),
    404: ("not_found", "没有这个页面。"),
    405: ("method_not_allowed", "不支持这种请求方式。"),
    413: ("too_large", "内容太大了。"),
}


def install_errors(app: FastAPI) -> None:
    """Every error leaves as {"error": {"code", "message"}}, with a message in Chinese."""

    @app.exception_handler(ServiceError)
    async def service_error(request: Request, error: ServiceError) -> Response:
        response = _error(request, error.status, error.code, error.message, error.details)
        if "retry_after_s" in error.details:
            response.headers["Retry-After"] = str(error.details["retry_after_s"])
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, 11.6.1
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        where = ".".join(str(p) for p in error.errors()[0]["loc"][1:]) or "请求内容"
        return _error(request, 422, "invalid_request", f"请求格式不对：{where}。")

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        code, message = _HTTP_MESSAGES.get(error.status_code, ("http_error", "请求没有成功。"))
        return _error(request, error.status_code, code, message)

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> Response:
        log.error("request.failed", exc_info=error)
        return _error(request, 500, "internal", "服务出了问题，请稍后再试；着急请拨打12348。")
