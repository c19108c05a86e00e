"""A service with one account, the platform that it talks to, and citizens: all over real HTTP."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine, func, select

from service.answering.draft import Answer, Draft, Handover, Outcome, Target, Turn
from service.api import handovers as handover_api
from service.app import Edge, install_errors
from service.assembly import Rooms
from service.auth import StaffRegister
from service.channels.wechat import callback
from service.channels.wechat.channel import Channel
from service.handover import Handovers, minutes_later
from service.ratings import Ratings
from service.settings import Settings
from service.wechat.accounts import CONFIG, Accounts
from service.wechat.simulator import Callback, Platform

KEY = "demo"
AES = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_AES = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbA"


def account(**changes: Any) -> dict[str, Any]:
    """The configuration of one account, as in `wechat.yaml`."""
    return {
        "name": "普陀公共法律服务",
        "appid": "wxtest00000000",
        "original_id": "gh_test",
        "secret": "geheim",
        "token": "abcdefgh",
        "aes_key": AES,
        "mode": "safe",
        "parlours": {"changfeng": {"name": "长风新村街道服务站", "region": "310107"}},
    } | changes


class Scripted:
    """Answers as a question says: `slow 3` takes three seconds, `long` is long, and so on."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.regions: list[str | None] = []
        self.histories: list[tuple[Turn, ...]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def answer(
        self,
        question: str,
        *,
        on: date | None = None,
        region: str | None = None,
        history: Sequence[Turn] = (),
        with_person: bool = False,
        **_more: Any,
    ) -> Answer:
        self.asked.append(question)
        self.regions.append(region)
        self.histories.append(tuple(history))
        if self.broken:
            raise RuntimeError("broken on purpose")
        word, _, number = question.partition(" ")
        if word == "slow":
            time.sleep(float(number.split()[0]))
        if word == "gated":
            self.gate.wait(20)
        draft = Draft(question, on or date(2026, 11, 30), region or "310107")
        draft.question = question
        draft.settle(Outcome.ANSWERED_FAQ, f"答：{question}")
        if word == "long":
            draft.settle(Outcome.ANSWERED_FAQ, "这是一句很长的回答。" * int(number))
        if word == "danger":
            target = Target(title="报警", phone="110")
            draft.handover = Handover("urgent", "先保证安全。", (target,))
            draft.settle(Outcome.HANDOVER_URGENT, "请马上打110。")
        if word == "choices":
            draft.clarify = ["甲事怎么办", "乙事怎么办"]
        if question == "转人工":
            draft.handover = Handover("person", "您要求找人。", ())
            draft.settle(Outcome.HANDOVER_REQUESTED, "好的。")
        if with_person:
            draft.handover = None
            draft.settle(Outcome.HANDOVER_WITH_PERSON, "工作人员正在和您对话。")
        return Answer(draft, 1.0, {})


@dataclass
class Stage:
    """What a test has in its hands."""

    rooms: Rooms
    app: FastAPI
    platform: Platform
    answers: Scripted
    handovers: Handovers
    url: str
    _loop: asyncio.AbstractEventLoop = field(repr=False)

    def run(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(60)

    def say(self, openid: str, words: str, **more: str) -> Callback:
        told: Callback = self.run(self.platform.text(openid, words, **more))
        return told

    def event(self, openid: str, event: str, key: str = "") -> Callback:
        told: Callback = self.run(self.platform.event(openid, event, key))
        return told

    def send(self, openid: str, **fields: str) -> Callback:
        told: Callback = self.run(self.platform.message(openid, fields))
        return told

    @property
    def channel(self) -> Channel:
        channel: Channel = self.app.state.wechat
        return channel

    def count(self, table: Any, *conditions: Any) -> int:
        with self.rooms.sessions() as session:
            return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0

    def eventually(self, true: Callable[[], Any], seconds: float = 8.0) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, "it did not come to pass"
            time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def application(rooms: Rooms, answers: Any) -> FastAPI:
    """The channel and the desk behind it, without index and encoder."""
    app = FastAPI(redirect_slashes=False)
    app.state.rooms = rooms
    app.state.serving = answers
    app.state.staff = StaffRegister(rooms.sessions)
    app.state.ratings = Ratings.of(rooms.sessions, rooms.settings)
    app.state.handovers = Handovers(
        rooms.sessions, due=minutes_later(60), region=rooms.settings.region
    )
    app.include_router(callback.router)
    app.include_router(handover_api.router)
    app.add_middleware(Edge)
    install_errors(app)
    return app


@contextmanager
def stage(
    engine: Engine,
    home: Path,
    *,
    permission: bool = True,
    platform: dict[str, Any] | None = None,
    top: dict[str, Any] | None = None,
    **changes: Any,
) -> Iterator[Stage]:
    """The service on a database, with an account that differs from the usual by `changes`."""
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(_env_file=None, home=home, database_url=url, secret=secrets.token_hex(20))
    ports = free_port(), free_port()
    configured = {
        "api": f"http://127.0.0.1:{ports[1]}",
        "accounts": {KEY: account(**changes)},
    } | (top or {})
    (home / CONFIG).write_text(json.dumps(configured), "utf-8")  # JSON is YAML
    rooms, answers = Rooms(settings), Scripted()
    app = application(rooms, answers)
    callback_url = f"http://127.0.0.1:{ports[0]}/wechat/{KEY}"
    simulated = Platform(
        Accounts.load(home).accounts[KEY], callback_url, permission=permission, **(platform or {})
    )
    with serving({ports[0]: app, ports[1]: simulated.app}) as loop:
        yield Stage(rooms, app, simulated, answers, app.state.handovers, callback_url, loop)
        asyncio.run_coroutine_threadsafe(simulated.close(), loop).result(10)
    rooms.close()


@contextmanager
def serving(apps: dict[int, Any]) -> Iterator[asyncio.AbstractEventLoop]:
    """Servers on their ports, in a loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    servers = [
        uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="on"))
        for port, app in apps.items()
    ]
    tasks = [asyncio.run_coroutine_threadsafe(server.serve(), loop) for server in servers]
    try:
        until = time.monotonic() + 20
        while not all(server.started for server in servers):
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.01)
        yield loop
    finally:
        for server in servers:
            server.should_exit = True
        for task in tasks:
            task.result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
