"""The channel put together: accounts, threads, and what is said to each kind of message."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

import httpx
import structlog

from service.assembly import Rooms
from service.channels.wechat import wording
from service.channels.wechat.responding import People, Responder
from service.conversations import Answers, Desk
from service.handover import Handovers
from service.model.writing import Writer
from service.ratings import Ratings
from service.signing import Signer, signing_key
from service.wechat.accounts import Account, Accounts
from service.wechat.client import Client
from service.wechat.codec import BadSignature, Codec, Query
from service.wechat.delivery import Post, Respond
from service.wechat.messages import Incoming, Kind, read, text_reply
from service.wechat.outbox import Outbox
from service.wechat.people import Talks
from service.wechat.tokens import Tokens
from service.wechat.vault import Vault

log = structlog.get_logger()
_FRESH = 300  # seconds that a callback's time may differ from ours
SUCCESS = "success"  # what ends a callback without a reply
ANSWER_DAYS = 30  # for which the page of an answer can be opened
PURPOSE = "wechat-answer"


@dataclass(frozen=True)
class Channel:
    """All accounts, at work between `start` and `stop` of their post."""

    accounts: dict[str, Account]
    codecs: dict[str, Codec]
    post: Post
    http: httpx.Client

    async def receive(self, key: str, query: Query, body: bytes) -> str:
        """The body of the response to a callback. Raises CodecError."""
        began = time.monotonic()
        if not query.timestamp.isdecimal() or abs(time.time() - int(query.timestamp)) > _FRESH:
            raise BadSignature("too old, or our clock is wrong")
        codec, account = self.codecs[key], self.accounts[key]
        fields, lock = codec.open(body, query)
        incoming = read(fields)
        if account.original_id is not None and incoming.to != account.original_id:
            raise BadSignature("for another account")
        incoming, reply = to_say(account, incoming)
        if reply is None:
            self.post.show_typing(key, incoming.openid)
        said, received = await self.post.receive(key, incoming, reply=reply, began=began)
        log.info(
            "wechat.callback",
            account=key,
            kind=incoming.kind.value,
            message=received.id,
            tries=received.tries,
            passive=said is not None,
            ms=round((time.monotonic() - began) * 1000),
        )
        if said is None:
            return SUCCESS
        return codec.reply(text_reply(incoming, said, int(received.at.timestamp())), lock)

    def stop(self) -> None:
        self.post.stop()
        self.http.close()


def to_say(account: Account, incoming: Incoming) -> tuple[Incoming, list[str] | None]:
    """What is said at once, or None for words that are to be answered: they are its `text`."""
    match incoming.kind:
        case Kind.TEXT | Kind.VOICE if incoming.text.strip():
            return incoming, None
        case Kind.CLICK:
            return _clicked(account, incoming)
        case Kind.FOLLOW:
            return incoming, [_greeting(account, incoming.scene)]
        case Kind.SCAN:
            parlour = account.parlours.get(incoming.scene)
            return incoming, [wording.SCANNED.format(name=parlour.name)] if parlour else []
        case Kind.UNFOLLOW | Kind.OTHER:
            return incoming, []
    return incoming, [wording.NOT_READABLE.get(incoming.name, wording.UNKNOWN)]


def _clicked(account: Account, incoming: Incoming) -> tuple[Incoming, list[str] | None]:
    action, _, said = incoming.text.partition(":")
    if action == "ask" and said:
        return replace(incoming, text=said), None
    if incoming.text == "do:person":
        return replace(incoming, text="转人工"), None
    if incoming.text == "do:help":
        return incoming, [_greeting(account, "")]
    return incoming, [wording.MENU_CHANGED]


def _greeting(account: Account, scene: str) -> str:
    parlour = account.parlours.get(scene)
    at = wording.AT_PARLOUR.format(name=parlour.name) if parlour else ""
    return wording.GREETING.format(name=account.name, parlour=at)


def open_channel(
    rooms: Rooms, answers: Answers, people: Handovers, ratings: Ratings, writer: Writer | None
) -> Channel | None:
    """The channel of an installation, started; None where no account is configured.
    Raises BadAccounts."""
    accounts = Accounts.load(rooms.settings.home)
    if not accounts.accounts:
        return None
    desk = Desk(
        rooms.sessions,
        answers,
        channel="wechat",
        longest=rooms.settings.max_question_chars,
        people=people,
        rating_token=partial(ratings.token_for, "answer"),
        writer=writer,
    )
    return start(rooms, accounts, desk, people)


def start(rooms: Rooms, configured: Accounts, desk: Desk, people: People) -> Channel:
    """The channel over a desk."""
    key, sessions = signing_key(rooms.settings), rooms.sessions
    vault, accounts = Vault(key), configured.accounts
    responder = Responder(
        desk=desk,
        talks=Talks(sessions),
        outbox=Outbox(sessions, vault, worker=""),
        accounts=accounts,
        people=people,
        answers=Signer(key, PURPOSE),
    )
    return assemble(rooms, configured, responder)


def assemble(rooms: Rooms, configured: Accounts, respond: Respond) -> Channel:
    """The channel over whatever answers."""
    vault, http = Vault(signing_key(rooms.settings)), httpx.Client(trust_env=False)
    tokens, accounts = Tokens(rooms.sessions, vault), configured.accounts
    clients = {
        key: Client(key, account, tokens, api=configured.api, http=http)
        for key, account in accounts.items()
    }
    post = Post(
        rooms.sessions,
        accounts,
        vault,
        clients,
        tokens,
        respond,
        answering=configured.answering,
        sending=configured.sending,
        later=wording.LATER,
    )
    post.start()
    codecs = {key: account.codec() for key, account in accounts.items()}
    return Channel(accounts, codecs, post, http)
