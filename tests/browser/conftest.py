"""A real server, a real browser, and people who sign in to it."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from langchain_core.language_models import BaseChatModel
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)
from sqlalchemy import func, select

from service.accounts import Accounts
from service.app import create_app
from service.assembly import Rooms
from service.channels.gate import Gate
from service.conversations import Desk
from service.model.endpoint import open_writer
from service.models import AnswerRecord
from service.serving import Serving
from tests.browser.abroad import foreign_site, opened
from tests.browser.seed import Seed
from tests.conftest import settings_for

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_CHROMIUM = next((path for path in map(shutil.which, _NAMES) if path), None)
# One machine asks for everybody here, and faster than people do.
_LIMITS = ("session_per_minute", "session_per_day", "address_per_minute", "site_per_second")
# Seconds that a busy machine has enough of, and what citizens are told of the model.
_MODEL: dict[str, Any] = {
    "model_first_seconds": 30.0,
    "model_total_seconds": 60.0,
    "model_display_name": "试验模型",
    "model_filing": "备案-1",
}
PASSWORD = "一串足够长的中文口令2026"
WIDE, PHONE = (1440, 900), (390, 844)


@dataclass
class Site:
    """Where the server is, and the rooms behind it; people sign in once in a session of tests."""

    url: str
    app: FastAPI
    rooms: Rooms
    serving: Serving
    browser: Browser
    bureau: str  # where a site that may embed the assistant is served (`abroad`)
    _signed_in: dict[str, BrowserContext] = field(default_factory=dict)
    _logins: dict[str, str] = field(default_factory=dict)

    def citizen(self, size: tuple[int, int] = PHONE) -> Page:
        """The page of somebody who has never been here."""
        page = self.browser.new_context(
            base_url=self.url, viewport=_viewport(size), locale="zh-CN"
        ).new_page()
        page.goto(self.url)
        return page

    def visitor(self, url: str, size: tuple[int, int] = WIDE) -> tuple[Page, list[str]]:
        """A page of another site, and what its console complains of."""
        page = self.browser.new_context(viewport=_viewport(size), locale="zh-CN").new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.goto(url)
        return page, wrong

    def embedded(self, view: str) -> tuple[Page, list[str]]:
        """The element on another site with its panel open: on a desktop, on a phone, or on a phone
        for the old; and what the console complains of."""
        page, wrong = self.visitor(self.bureau, WIDE if view == "desktop" else PHONE)
        opened(page)
        if view == "phone for the old":
            page.get_by_role("button", name="长辈版").click()
        return page, wrong

    def stranger(self) -> Page:
        """A page of somebody who has not signed in."""
        return self.browser.new_context(
            base_url=self.url, viewport=_viewport(WIDE), locale="zh-CN"
        ).new_page()

    def staff(self, roles: str, name: str = "", size: tuple[int, int] = WIDE) -> Page:
        """A page of somebody with these roles: invited, a password set, signed in by the form."""
        name = name or f"{roles} 甲"
        if name not in self._signed_in:
            self._signed_in[name] = self._sign_in(roles.split(), name)
        page = self._signed_in[name].new_page()
        page.set_viewport_size(_viewport(size))
        return page

    def _sign_in(self, roles: list[str], name: str) -> BrowserContext:
        login = self._logins[name] = f"u{len(self._signed_in)}-{roles[0]}"
        invitation = Accounts(self.rooms.sessions, None).invite(name, login, roles)
        context = self.browser.new_context(base_url=self.url, locale="zh-CN")
        page = context.new_page()
        page.goto(f"{self.url}/console/invitation/{invitation.token}")
        for box in page.locator("input[type=password]").all():
            box.fill(PASSWORD)
        page.get_by_role("main").get_by_role("button").first.click()
        page.wait_for_url("**/console/login**")
        page.get_by_label("登录名").fill(login)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(lambda url: "/login" not in url)
        page.close()
        return context

    def login_of(self, name: str) -> str:
        """By what name somebody signs in who has been `staff`."""
        return self._logins[name]

    def goto(self, page: Page, path: str) -> None:
        response = page.goto(self.url + path)
        assert response is not None
        assert response.ok, f"{path}: {response.status}"

    @contextmanager
    def limits(self, **chosen: int) -> Iterator[None]:
        """With the limits that the product has by default, or those that are chosen."""
        before, settings = self.app.state.gate, settings_for(self.rooms.settings.home)
        limited = settings.model_copy(update=chosen)
        self.app.state.gate = Gate(limited, lambda: self.rooms.sessions)
        try:
            yield
        finally:
            self.app.state.gate = before

    @contextmanager
    def model(self, model: BaseChatModel) -> Iterator[None]:
        """With a language model that writes the answers."""
        state, rooms = self.app.state, self.rooms
        before, settings = state.desk, rooms.settings.model_copy(update=_MODEL)
        state.desk = Desk(
            rooms.sessions,
            self.serving,
            channel="web",
            longest=settings.max_question_chars,
            people=state.handovers,
            rating_token=partial(state.ratings.token_for, "answer"),
            writer=open_writer(settings, rooms.sessions, lambda: rooms.laws, model),
        )
        try:
            yield
        finally:
            state.desk = before

    def stored(self, conversation: str) -> int:
        """How many answers of a conversation are kept."""
        asked = select(func.count()).where(AnswerRecord.conversation_id == conversation)
        with self.rooms.sessions() as session:
            return session.scalar(asked) or 0

    def until_published(self) -> None:
        """Wait for what was approved or withdrawn to be what answers: seconds on a quiet machine.

        Nobody waits for it on a page, so no page has a sign of it.
        """
        patience = time.monotonic() + 60
        while not (status := self.serving.status()).current or status.refreshing:
            assert time.monotonic() < patience, f"not published after a minute: {status}"
            time.sleep(0.1)


def send(citizen: Page, question: str) -> Locator:
    """Ask on the citizens' page; where the answer will be."""
    before = citizen.locator("article.turn").count()
    citizen.get_by_label("您的问题").fill(question)
    citizen.get_by_role("button", name="发送", exact=True).click()
    return citizen.locator("article.turn").nth(before)


def ask(citizen: Page, question: str) -> Locator:
    """Ask on the citizens' page; what was said to it, when it is there."""
    turn = send(citizen, question)
    agree = citizen.get_by_role("button", name="同意并发送")  # asked for once
    expect(turn.or_(agree)).to_be_visible()
    if agree.is_visible():
        agree.click()
        expect(turn).to_be_visible()
    expect(turn.locator(".wait")).to_have_count(0, timeout=20_000)
    return turn


def kept(page: Page) -> dict[str, Any]:
    """What a tab remembers of its conversation."""
    found: dict[str, Any] = page.evaluate("JSON.parse(sessionStorage.getItem('consult.session'))")
    return found


def listen(page: Page) -> None:
    """From now on keep what screen readers are told, for `heard`."""
    page.evaluate(
        """() => {
            window.said = [];
            const root = document.querySelector('legal-assistant')?.shadowRoot ?? document;
            const live = root.getElementById('live');
            new MutationObserver(() => live.textContent && window.said.push(live.textContent))
                .observe(live, { childList: true, characterData: true, subtree: true });
        }"""
    )


def heard(page: Page) -> list[str]:
    said: list[str] = page.evaluate("window.said")
    return said


def choose(page: Page, *entries: str) -> None:
    """Go by the menu, one entry after the other."""
    for entry in entries:
        page.get_by_role("navigation", name="后台").get_by_role(
            "link", name=entry, exact=True
        ).click()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _viewport(size: tuple[int, int]) -> ViewportSize:
    return {"width": size[0], "height": size[1]}


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page, a line each."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found]


@pytest.fixture(scope="package")
def site(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The product as `consult serve` runs it, on a home and a port of its own."""
    if _CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    home = tmp_path_factory.mktemp("site") / "home"
    shutil.copytree(prepared_home, home)
    port, bureau = free_port(), f"http://127.0.0.1:{free_port()}"
    sites = f"sites: [{{id: bureau, name: 区司法局网站, origins: ['{bureau}']}}]"
    (home / "sites.yaml").write_text(sites, "utf-8")
    rooms = Rooms(settings_for(home).model_copy(update=dict.fromkeys(_LIMITS, 10_000)))
    app = create_app(rooms)
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.05)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield Site(f"http://127.0.0.1:{port}", app, rooms, app.state.serving, browser, bureau)
        browser.close()
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="package")
def abroad(site: Site) -> Iterator[str]:
    """Where a site that may embed the assistant is served."""
    with foreign_site(site.bureau, site.url):
        yield site.bureau


@pytest.fixture(scope="package")
def filled(site: Site) -> dict[str, str]:
    """Two weeks of work on the site; the addresses of pages that have something on them."""
    with closing(Seed(site.url, site.rooms)) as seed:
        return seed.all()
