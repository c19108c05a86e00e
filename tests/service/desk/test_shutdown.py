"""A server must be able to stop while people listen."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from service.auth import StaffRegister
from tests.service import databases
from tests.service.desk.conftest import listening

_SERVER = """
import sys, uvicorn
from knowledge import store
from tests.service.databases import sessions_of
from tests.service.desk.conftest import FrontDesk
engine = store.connect(sys.argv[1])
front = FrontDesk(engine, sessions_of(engine))
config = uvicorn.Config(front.app, port=0, log_level="error", timeout_graceful_shutdown=30)
server = uvicorn.Server(config)
startup = server.startup
async def started(sockets=None):
    await startup(sockets)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
server.startup = started
server.run()
"""


def test_a_server_that_is_told_to_stop_ends_its_streams_and_stops(tmp_path: Path) -> None:
    """Well before the grace of thirty seconds after which uvicorn would cut them."""
    with databases.sqlite(tmp_path) as engine:
        _, token = StaffRegister(databases.sessions_of(engine)).add("小王", ["agent"])
        headers = {"Authorization": f"Bearer {token}"}
        command = [sys.executable, "-c", _SERVER, str(engine.url)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            assert port, "the server did not start"
            url = f"http://127.0.0.1:{port}"
            with listening(url, headers) as one, listening(url, headers) as two:
                one.next("queue")
                two.next("queue")
                asked = time.monotonic()
                server.send_signal(signal.SIGTERM)
                one.ends()
                two.ends()
            # uvicorn ends its work, and then itself by the signal that it was sent.
            assert server.wait(10) == -signal.SIGTERM
            assert time.monotonic() - asked < 10
