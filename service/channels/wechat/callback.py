"""The callback of each account at `/wechat/{account}`, the page of an answer, and what staff see of
a citizen's quota. The threads behind run from the start of the application to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, FastAPI, Path, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

import web
from service.auth import Member
from service.channels.web import CSP
from service.channels.wechat.channel import ANSWER_DAYS, PURPOSE, Channel, open_channel
from service.errors import BadRequest, NotFound, NotReady
from service.handover import ledger
from service.models import AnswerRecord
from service.permits import require
from service.signing import BadToken, ExpiredToken, Signer, signing_key
from service.wechat.accounts import BadAccounts
from service.wechat.codec import MAX_BODY, BadSignature, CodecError, Query, TooLarge
from service.wechat.desk import reach

log = structlog.get_logger()
_LONGEST_VALUE = 200  # characters of anything in the address


@asynccontextmanager
async def _at_work(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    app.state.wechat = None
    try:
        app.state.wechat = await run_in_threadpool(
            open_channel,
            state.rooms,
            state.serving,
            state.handovers,
            state.ratings,
            getattr(state, "writer", None),
        )
    except BadAccounts as error:
        # Web and console go on; `consult wechat check` says the same.
        log.error("wechat.not_started", reason=error.message)
        app.state.wechat = error
    yield
    if isinstance(app.state.wechat, Channel):
        await run_in_threadpool(app.state.wechat.stop)


router = APIRouter(include_in_schema=False, lifespan=_at_work)


def _channel(request: Request, account: str) -> Channel:
    """The channel, if it has this account. Raises NotFound, NotReady."""
    found = getattr(request.app.state, "wechat", None)
    if isinstance(found, BadAccounts):
        raise NotReady("wechat_config", "公众号没有启动：配置有误。")
    if not isinstance(found, Channel) or account not in found.accounts:
        raise NotFound("not_found", "没有这个页面。")
    return found


def _query(request: Request) -> Query:
    values = request.query_params
    if any(len(value) > _LONGEST_VALUE for value in values.values()):
        raise BadSignature("a value is too long")
    names = ("signature", "timestamp", "nonce", "msg_signature", "encrypt_type")
    return Query(**{name: values.get(name, "") for name in names})


async def _body(request: Request) -> bytes:
    """Raises TooLarge, before more than that is held."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge
    return body


def _refused(account: str, error: CodecError) -> Response:
    log.warning("wechat.refused_callback", account=account, reason=str(error))
    return Response(status_code=error.status)


# Both spellings: the platform follows no redirect.
@router.get("/wechat/{account}")
@router.get("/wechat/{account}/")
async def verify(account: str, request: Request) -> Response:
    """The platform asks whether this address is ours: its own word, back as it came."""
    channel = _channel(request, account)
    try:
        channel.codecs[account].check(_query(request))
    except CodecError as error:
        return _refused(account, error)
    return Response(request.query_params.get("echostr", ""), media_type="text/plain")


@router.post("/wechat/{account}")
@router.post("/wechat/{account}/")
async def receive(account: str, request: Request) -> Response:
    """A message or an event; answered within five seconds, by a reply or by `success`."""
    channel = _channel(request, account)
    try:
        said = await channel.receive(account, _query(request), await _body(request))
    except CodecError as error:
        return _refused(account, error)
    except ClientDisconnect:  # cut off before it was read: it will be tried again
        return Response(status_code=400)
    kind = "application/xml" if said.startswith("<") else "text/plain"
    return Response(said, media_type=kind)


class TokenIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(min_length=1, max_length=512)]


@router.get("/answer")
def answer_page() -> FileResponse:
    """The page of one answer; which one stands in the fragment, which is sent to nobody."""
    headers = {"Content-Security-Policy": CSP, "Cache-Control": "no-cache"}
    return FileResponse(web.WIDGET / "answer.html", media_type="text/html", headers=headers)


@router.post("/api/v1/answers/mine")
def read_answer(body: TokenIn, request: Request) -> dict[str, Any]:
    """The answer that a link out of WeChat is for, with what lets its bearer rate it."""
    state = request.app.state
    signer = Signer(signing_key(state.rooms.settings), PURPOSE)
    try:
        [answer_id] = signer.read(body.token, no_older_than=timedelta(days=ANSWER_DAYS))
    except ExpiredToken as error:
        raise BadRequest(
            "answer_token_expired", f"链接已过期：{ANSWER_DAYS}天内可以打开。请在微信里再问一次。"
        ) from error
    except (BadToken, ValueError) as error:
        raise BadRequest(
            "answer_token_invalid", "链接不完整，请从微信里的消息重新打开。"
        ) from error
    with state.rooms.sessions() as session:
        record = session.get(AnswerRecord, answer_id)
    if record is None:
        raise NotFound("answer_unknown", "这个回答已经清除。请在微信里再问一次。")
    rating = state.ratings.token_for("answer", answer_id)
    # Links are passed on: who has one sees this answer, and gets no key to the conversation.
    answer = {name: value for name, value in record.answer.items() if name != "conversation"}
    return {**answer, "rating_token": rating, "asked_at": record.asked_at.isoformat()}


@router.get("/api/v1/staff/handovers/{handover}/wechat")
def wechat_reach(
    handover: Annotated[str, Path(max_length=40)],
    request: Request,
    member: Annotated[Member, Depends(require("handover:read"))],
) -> dict[str, Any]:
    """{reach}: how many messages can still reach the citizen, or null when he is not in WeChat."""
    return {"reach": reach_of(request, member, handover)}


def reach_of(request: Request, member: Member, handover: str) -> dict[str, Any] | None:
    """Whether and how words reach the citizen of a ticket (`service.wechat.desk.reach`). Raises
    NotFound."""
    channel = getattr(request.app.state, "wechat", None)
    sessions = request.app.state.rooms.sessions
    with sessions() as session:
        conversation = ledger.seen(session, member, handover).conversation_id

    def can_push(account: str) -> bool:
        return (
            isinstance(channel, Channel)
            and account in channel.accounts
            and channel.post.can_push(account)
        )

    return reach(sessions, conversation, can_push=can_push)
