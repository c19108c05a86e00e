"""Pages of other sites that embed the assistant, and a connection that can be cut."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Locator, Page, expect

OPEN = "打开公共法律咨询助手"


def opened(page: Page) -> Locator:
    """The panel of the element on a page, once its button is pressed."""
    page.get_by_role("button", name=OPEN).click()
    expect(page.get_by_label("您的问题")).to_be_focused()
    return page.get_by_role("dialog", name=re.compile("公共法律咨询助手"))


@contextmanager
def foreign_site(url: str, server: str) -> Iterator[None]:
    """A site at `url` with the assistant of `server` on its pages, under a policy as strict as it
    can be: `/` as an element (`?lang=…`), `/frame` in a frame."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, _, lang = self.path.partition("lang=")
            framed = self.path.startswith("/frame")
            body = (_frame(server) if framed else _element(server, lang)).encode()
            policy = (
                f"default-src 'none'; frame-src {server}"
                if framed
                else f"default-src 'none'; script-src {server}; connect-src {server}; "
                "img-src 'self'; require-trusted-types-for 'script'"
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    host, _, port = url.removeprefix("http://").partition(":")
    with ThreadingHTTPServer((host, int(port)), Pages) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield
        httpd.shutdown()


def _element(server: str, lang: str) -> str:
    language = f' lang="{lang}"' if lang else ""
    return f"""<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>某局</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/icon"><script type="module" src="{server}/widget.js"></script></head>
<body><main><h1>某局</h1><p id="own">正文</p></main>
<legal-assistant site="bureau"{language}></legal-assistant></body></html>"""


def _frame(server: str) -> str:
    return f"""<!doctype html><html lang="zh-CN">
<head><meta charset="utf-8"><title>某局</title></head>
<body><main><h1>某局</h1>
<iframe title="公共法律咨询助手" width="420" height="700" src="{server}/embed?site=bureau"></iframe>
</main></body></html>"""


class Wire:
    """A relay to a server. `cut(n)` cuts the next n answers to questions in the middle, `drop()`
    cuts all that is under way now."""

    def __init__(self, port: int) -> None:
        self._port, self._cuts = port, 0
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.was_cut = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, times: int) -> None:
        self._cuts = times

    def drop(self) -> None:
        for near in list(self._open):
            with suppress(OSError):  # closed there already
                near.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._port)) as far:
            doomed = threading.Event()
            self._open.add(near)
            back = threading.Thread(target=self._back, args=(near, far, doomed), daemon=True)
            back.start()
            while part := _received(near):
                if self._cuts and b"POST /api/v1/questions" in part:
                    self._cuts -= 1
                    doomed.set()
                far.sendall(part)
            back.join(1)
            self._open.discard(near)

    def _back(self, near: socket.socket, far: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):  # closed there already
            while part := _received(far):
                if doomed.is_set():
                    self.was_cut += 1
                    # The head, and a bit of the stream.
                    near.sendall(part[: part.find(b"\r\n\r\n") + 40])
                    break
                near.sendall(part)
            near.shutdown(socket.SHUT_RDWR)


def _received(wire: socket.socket) -> bytes:
    try:
        return wire.recv(65536)
    except OSError:
        return b""
