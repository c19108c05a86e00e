"""The web channel: the pages, the element that other sites embed, and questions over HTTP, answered
as JSON or as a stream of events."""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Annotated, Any

import anyio.from_thread
import structlog
from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from service.channels import assets
from service.channels.gate import CONSENT_VERSION, Caller, Gate
from service.channels.gate.callers import KEY_HEADER, SESSION_HEADER
from service.channels.gate.gate import Asked
from service.channels.gate.sessions import LASTS
from service.conversations import Desk
from service.errors import ServiceError
from service.model.writing import Hear

router = APIRouter()
log = structlog.get_logger()

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "require-trusted-types-for 'script'; frame-ancestors "
)
CSP = f"{_POLICY}'self'"
SUGGESTIONS = (
    "公司拖欠三个月工资怎么办",
    "打官司没钱请律师怎么办",
    "想离婚对方不同意怎么办",
    "租房到期房东不退押金",
    "朋友借钱不还，只有微信记录",
    "楼上漏水把我家泡了，找谁赔",
)
_HEARTBEAT_SECONDS = 10.0  # proxies cut a stream that is silent for long
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
# Streamed questions are answered here, so that who stops listening does not stop the answer.
_answering = ThreadPoolExecutor(32, thread_name_prefix="answering")

Answering = Callable[[Hear], dict[str, Any]]
Event = tuple[str, dict[str, Any]]
Site = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,40}$")]


class QuestionIn(BaseModel):
    """A question, with the thread it belongs to, the day whose law is asked for, the place, and
    the version of the notice about data that was agreed to."""

    model_config = ConfigDict(extra="ignore")

    question: str
    conversation: Annotated[str, Field(max_length=40)] | None = None
    as_of: date | None = None
    region: Annotated[str, Field(pattern=r"^\d{6}$")] | None = None
    consent: Annotated[str, Field(max_length=20)] | None = None


class SessionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site: Site = "home"


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _gate(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


def _caller(request: Request) -> Caller:
    return Caller.of(request)


TheGate = Annotated[Gate, Depends(_gate)]
TheCaller = Annotated[Caller, Depends(_caller)]
Key = Annotated[str | None, Header(alias=KEY_HEADER, pattern=r"^[A-Za-z0-9-]{16,64}$")]


@router.post("/api/v1/web-sessions", summary="网页开始一次会话")
def start_session(body: SessionIn, gate: TheGate, caller: TheCaller) -> JSONResponse:
    """Public, for our own pages and those of registered sites: half an hour, renewed by use."""
    token, site = gate.start(body.site, caller)
    content = {
        "session": token,
        "lasts_s": int(LASTS.total_seconds()),
        "site": site.name,
        "consent": CONSENT_VERSION,
    }
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


@router.post("/api/v1/questions", summary="问一个问题")
def ask(
    body: QuestionIn,
    desk: Annotated[Desk, Depends(_desk)],
    gate: TheGate,
    caller: TheCaller,
    accept: Annotated[str, Header()] = "application/json",
    key: Key = None,
) -> Response:
    """Answer as one JSON object, or with `Accept: text/event-stream` as events `status`, `sentence`
    (of a language model, verified; the answer has them all again), `answer` or `error`. The answer
    is stored before it is sent. With an `Idempotency-Key`, the same question sent again within a
    day gets the stored answer, also while the first is still being answered. A browser needs a
    session of `POST /api/v1/web-sessions`; other programs need none."""
    admission = gate.admit(_asked(body, key), caller)

    def answer(hear: Hear) -> dict[str, Any]:
        return admission.answer(
            lambda beside: desk.ask(
                body.question,
                conversation=body.conversation,
                on=body.as_of,
                region=body.region,
                hear=hear,
                beside=beside,
            ),
            desk.again,
        )

    headers = {SESSION_HEADER: admission.renewed} if admission.renewed else {}
    if "text/event-stream" in accept:
        return StreamingResponse(
            _Stream(answer).events(),
            media_type="text/event-stream",
            headers=headers | _STREAM_HEADERS,
        )
    return JSONResponse(answer(_deaf), headers=headers | {"Cache-Control": "no-store"})


def _asked(body: QuestionIn, key: str | None) -> Asked:
    return Asked(
        question=body.question,
        conversation=body.conversation,
        on=body.as_of.isoformat() if body.as_of else None,
        region=body.region,
        key=key,
        consent=body.consent,
    )


def _deaf(_name: str, _data: dict[str, Any]) -> None: ...


class _Stream:
    """A question that is being answered in a thread of its own, from now on, and what is heard of
    it. Whoever stops listening does not stop the answer from being made and kept."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self._heard: asyncio.Queue[Event] = asyncio.Queue()
        self._loop = anyio.from_thread.run_sync(asyncio.get_running_loop)
        self._hear("status", {"stage": "received"})
        context = contextvars.copy_context()  # the id of the request, for the log
        _answering.submit(context.run, self._run)

    def _run(self) -> None:
        self._hear("status", {"stage": "searching"})
        try:
            self._hear("answer", self._answer(self._hear))
        except ServiceError as error:
            self._hear("error", {"code": error.code, "message": error.message, **error.details})
        except Exception:
            log.exception("stream.failed")
            self._hear("error", {"code": "internal", "message": "服务出了问题，请稍后再试。"})

    def _hear(self, name: str, data: dict[str, Any]) -> None:
        self._loop.call_soon_threadsafe(self._heard.put_nowait, (name, data))

    async def events(self) -> AsyncIterator[str]:
        while True:
            try:
                name, data = await asyncio.wait_for(self._heard.get(), _HEARTBEAT_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            yield f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
            if name in ("answer", "error"):
                return


@router.get("/api/v1/suggestions", summary="开场时的示例问题")
def suggestions() -> dict[str, tuple[str, ...]]:
    return {"questions": SUGGESTIONS}


@router.get("/", include_in_schema=False)
def page(request: Request) -> Response:
    return _file(request, "index.html")


@router.get("/embed", include_in_schema=False)
def embedded_page(request: Request, gate: TheGate, site: str = "") -> Response:
    """The page in a frame, for sites that allow no scripts of others: only theirs may frame it."""
    origins = " ".join(gate.sites.required(site).origins)
    headers = {"Content-Security-Policy": f"{CSP} {origins}".rstrip()}
    return assets.file(request, "index.html", headers)


@router.get("/legal-aid", include_in_schema=False)
def legal_aid_page(request: Request) -> Response:
    return _file(request, "legal-aid.html")


@router.get("/widget.js", include_in_schema=False)
def element(request: Request) -> Response:
    return _file(request, "widget.js")


@router.get("/widget.css", include_in_schema=False)
def element_sheet(request: Request) -> Response:
    return assets.sheet(request, {})


@router.get("/static/{name}", include_in_schema=False)
def static(request: Request, name: str) -> Response:
    return _file(request, name)


def _file(request: Request, name: str) -> Response:
    return assets.file(request, name, {"Content-Security-Policy": CSP})
