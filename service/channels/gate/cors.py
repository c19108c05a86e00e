"""Answers to browsers whether a page of another site may talk to us: its exact origin, or nothing.

Only what the assistant itself needs is open to other sites. The code of the element is open to them
too, since modules are fetched under the same rules.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.channels.gate.callers import KEY_HEADER, PROOF_HEADER, SESSION_HEADER, Caller
from service.channels.gate.sites import Sites

_OPEN = (
    "/widget.js",
    "/widget.css",
    "/static/",
    "/api/v1/web-sessions",
    "/api/v1/questions",
    "/api/v1/suggestions",
    "/api/v1/notices",
    "/api/v1/conversations/",
    "/api/v1/ratings",
)
_METHODS = "GET, POST, DELETE"
_HEADERS = f"Content-Type, {KEY_HEADER}, {SESSION_HEADER}, {PROOF_HEADER}"
_MAX_AGE_SECONDS = 600


class Cors:
    """ASGI middleware; never `*`, never with credentials."""

    def __init__(self, app: ASGIApp, sites: Sites) -> None:
        self._app, self._sites = app, sites

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        caller = Caller.of(HTTPConnection(scope))
        foreign = bool(caller.origin) and not caller.own
        allowed = foreign and self._sites.allows(caller.origin)
        response = self._answered(scope, foreign=foreign, allowed=allowed)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if allowed:
                    headers["Access-Control-Allow-Origin"] = caller.origin
                    headers["Access-Control-Expose-Headers"] = f"{SESSION_HEADER}, Retry-After"
            await send(message)

        await (response or self._app)(scope, receive, marked)

    @staticmethod
    def _answered(scope: Scope, *, foreign: bool, allowed: bool) -> Response | None:
        """What is answered here; None for what goes on."""
        asks = "access-control-request-method" in Headers(scope=scope)
        if scope["method"] == "OPTIONS" and asks and allowed:
            return Response(
                status_code=204,
                headers={
                    "Access-Control-Allow-Methods": _METHODS,
                    "Access-Control-Allow-Headers": _HEADERS,
                    "Access-Control-Max-Age": str(_MAX_AGE_SECONDS),
                },
            )
        if foreign and not allowed and scope["method"] not in ("GET", "HEAD"):
            message = "这个网站没有登记使用本服务。您可以直接拨打12348咨询。"
            return JSONResponse(
                {"error": {"code": "origin_not_allowed", "message": message}}, status_code=403
            )
        return None
