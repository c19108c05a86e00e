"""WeChat under load: every message answered exactly once, through a kill -9, and in time.

    python -m tests.benchmarks.wechat_load [--rate 100] [--seconds 60] [--fast-seconds 20]
                                           [--answering 1000] [--processes 1]
                                           [--database postgresql+psycopg://…] [--no-kill]

A real server in a process of its own, on a database made by the migrations, with the channel, the
desk and the records of answers behind it; only what answers is scripted, as this measures the
channel. The simulated platform sends callbacks at a fixed rate, whatever comes back, cuts each off
at five seconds and tries three times. First with answers that take 20 ms, for the time until a
callback is acknowledged; then with answers that take 1 to 20 seconds, and in the middle the server
is killed with SIGKILL and started again. Prints one JSON object, and ends with 1 if a message was
answered not at all or twice, a callback was cut off, or the acknowledgement was slow. A single
process that takes longer to start than the platform's three tries (about ten seconds) loses
callbacks that it never sees: with --processes 2 one of two is killed. Of the processor, what a
message takes in each part is told, of the service, the database and the platform; in the slow part
only with --no-kill, as who was killed takes its times along.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import func, select

from knowledge import store
from service import logging as service_logging
from service import migrations
from service.answering.draft import Answer, Draft, Outcome
from service.assembly import Rooms
from service.models import AnswerRecord
from service.serving import settle
from service.settings import Settings
from service.wechat.accounts import CONFIG, Accounts
from service.wechat.simulator import CUT, Callback, Platform
from tests.benchmarks.write_load import a_database
from tests.service.wechat.stage import KEY, account, application, free_port

ROOT = Path(__file__).parents[2]
MODULE = "tests.benchmarks.wechat_load"
PEOPLE = 2000
_STILL = 45.0  # seconds without a further answer, after which none will come


class Timed:
    """Answers after as long as the question says."""

    def answer(
        self, question: str, *, on: date | None = None, region: str | None = None, **_more: Any
    ) -> Answer:
        name, _, seconds = question.partition(" ")
        time.sleep(float(seconds))
        draft = Draft(question, on or date(2026, 11, 30), region or "310107")
        draft.question = question
        draft.settle(Outcome.ANSWERED_FAQ, f"答复{name}完")
        return Answer(draft, 1.0, {})


def server() -> FastAPI:
    """The service: what the product makes of the channel, with answers that take their time."""
    service_logging.configure("INFO", as_json=True)  # as in production
    app = application(Rooms(Settings(_env_file=None)), Timed())
    settle()  # as the product does when it has opened its library
    return app


class Server:
    """The service in a process of its own, which can be killed."""

    def __init__(self, port: int, home: Path, env: dict[str, str], processes: int) -> None:
        self._port, self._home, self._env, self._processes = port, home, env, processes
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> float:
        """Seconds until it answers."""
        began = time.monotonic()
        self._begin()
        while True:
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.close()
                return time.monotonic() - began
            except OSError:
                await asyncio.sleep(0.02)

    def _begin(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "--factory", f"{MODULE}:server"]
        command += ["--port", str(self._port), "--log-level", "error", "--no-access-log"]
        if self._processes > 1:
            command += ["--workers", str(self._processes)]
        with (self._home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._env, cwd=ROOT, stdout=log, stderr=log
            )

    async def kill(self) -> float:
        """SIGKILL in the middle of the work: of the only process, which is then started again, or
        of one of several, which whoever watches over them starts again. Seconds without any."""
        if self._process is None:
            return 0.0
        if self._processes > 1:
            os.kill(self._workers()[0], signal.SIGKILL)
            return 0.0
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        return await self.start()

    def _workers(self) -> list[int]:
        """The processes that serve, not the one that watches over them or tracks resources."""
        if self._process is None:
            return []
        parent = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        children = [int(pid) for pid in parent.read_text("ascii").split()]
        return [
            pid
            for pid in children
            if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
        ]

    def cpu(self) -> float:
        """Processor seconds of its processes so far, without one that was killed."""
        if self._process is None:
            return 0.0
        return sum(_cpu(pid) for pid in [self._process.pid, *self._workers()])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)


def _cpu(pid: int | str) -> float:
    """Processor seconds of a process so far, by itself and for the system."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _cpu_of_postgres() -> float:
    """Processor seconds of all its processes."""
    pids = (path.parent.name for path in Path("/proc").glob("[0-9]*/comm") if _is_postgres(path))
    return sum(map(_cpu, pids))


def _is_postgres(path: Path) -> bool:
    try:
        return path.read_text("utf-8") == "postgres\n"
    except OSError:
        return False


@dataclass
class Run:
    """Callbacks sent at a rate, with what became of each."""

    platform: Platform
    prefix: str

    async def send(self, rate: float, seconds: float, took: tuple[float, float]) -> list[Callback]:
        """Open loop: a callback is sent when it is due, however many are under way."""
        rng, tasks = random.Random(7), []  # noqa: S311
        began = time.monotonic()
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            words = f"{self.prefix}{number} {rng.uniform(*took):.2f}"
            tasks.append(asyncio.create_task(self.platform.text(f"o_{number % PEOPLE}", words)))
        return list(await asyncio.gather(*tasks))

    def answered(self) -> Counter[str]:
        """How often each message was answered."""
        said = (m.text for m in self.platform.delivered)
        starts = f"答复{self.prefix}"
        return Counter(
            text.removeprefix("答复").split("完")[0] for text in said if text.startswith(starts)
        )

    async def drain(self, messages: int) -> float:
        """Seconds until every message is answered, or nothing more comes."""
        began = came = time.monotonic()
        answered = 0
        while answered < messages and time.monotonic() - came < _STILL:
            await asyncio.sleep(0.2)
            if len(self.answered()) > answered:
                answered, came = len(self.answered()), time.monotonic()
        done = came - began
        await asyncio.sleep(3)  # for a second answer to one of them
        return done


def percentile(values: Sequence[float], share: float) -> float:
    return round(sorted(values)[max(0, math.ceil(share * len(values)) - 1)], 3)


def times(callbacks: Sequence[Callback]) -> dict[str, Any]:
    """Of the tries that were answered, and those that were cut off; a try while the server was down
    is neither."""
    answered = [c.seconds[-1] for c in callbacks if c.accepted]
    tries = [second for c in callbacks for second in c.seconds]
    return {
        "callbacks": len(callbacks),
        "tries": len(tries),
        "accepted": len(answered),
        "cut_off": sum(second >= CUT for second in tries),
        "p50_s": percentile(answered, 0.5),
        "p99_s": percentile(answered, 0.99),
        "max_s": percentile(answered, 1.0),
    }


@asynccontextmanager
async def _api(platform: Platform, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(platform.app, port=port, log_level="error", access_log=False)
    serving = uvicorn.Server(config)
    task = asyncio.create_task(serving.serve())
    while not serving.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield
    serving.should_exit = True
    await task


async def measure(
    home: Path,
    database: str,
    *,
    rate: float,
    seconds: float,
    fast_seconds: float,
    slow: tuple[float, float] = (1.0, 20.0),
    answering: int = 1000,
    processes: int = 1,
    kill: bool = True,
) -> dict[str, Any]:
    """Both runs, on a database that is empty or not there."""
    ports = free_port(), free_port()
    configured = {
        "api": f"http://127.0.0.1:{ports[1]}",
        "answering": answering,
        "sending": 8,
        "accounts": {KEY: account(reconcile=True)},
    }
    (home / CONFIG).write_text(json.dumps(configured), "utf-8")
    settings = Settings(_env_file=None, home=home, database_url=database)
    engine = store.connect(settings.database)
    migrations.upgrade(engine)
    env = os.environ | {
        "CONSULT_HOME": str(home),
        "CONSULT_DATABASE_URL": database,
        "CONSULT_SECRET": secrets.token_hex(20),
    }
    server = Server(ports[0], home, env, processes)
    url = f"http://127.0.0.1:{ports[0]}/wechat/{KEY}"
    platform = Platform(Accounts.load(home).accounts[KEY], url)
    async with _api(platform, ports[1]):
        await server.start()
        try:
            fast, used = Run(platform, "快"), _used(server)
            quick = await fast.send(rate, fast_seconds, (0.02, 0.02))
            await fast.drain(len(quick))
            used_fast = _per_message(used, _used(server), len(quick))
            load, used = Run(platform, "慢"), _used(server)
            under_way = asyncio.create_task(load.send(rate, seconds, slow))
            await asyncio.sleep(seconds / 2)
            down = await server.kill() if kill else 0.0
            callbacks = await under_way
            drained = await load.drain(len(callbacks))
            used_slow = None if kill else _per_message(used, _used(server), len(callbacks))
        finally:
            server.stop()
            await platform.close()
    with engine.connect() as connection:
        records = connection.scalar(select(func.count()).select_from(AnswerRecord)) or 0
    engine.dispose()
    once, slow_once = fast.answered(), load.answered()
    return {
        "rate_per_s": rate,
        "database": "postgresql" if database else "sqlite",
        "processes": processes,
        "answering_threads": answering,
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "fast": times(quick) | _counted(once, len(quick)) | {"processor_ms": used_fast},
        "slow": times(callbacks)
        | _counted(slow_once, len(callbacks))
        | {
            "answers_take_s": list(slow),
            "passive": sum(c.reply is not None for c in callbacks),
            "server_down_s": round(down, 1),
            "drained_after_s": round(drained, 1),
            "processor_ms": used_slow,
        },
        "answer_records": records,
    }


def _used(server: Server) -> dict[str, float]:
    """Processor seconds so far, by who took them."""
    platform = time.process_time()
    return {"service": server.cpu(), "database": _cpu_of_postgres(), "platform": platform}


def _per_message(
    before: Mapping[str, float], after: Mapping[str, float], messages: int
) -> dict[str, float]:
    return {who: round(1000 * (after[who] - before[who]) / messages, 1) for who in before}


def _counted(answered: Counter[str], messages: int) -> dict[str, int]:
    return {
        "answered_once": sum(count == 1 for count in answered.values()),
        "answered_twice": sum(count > 1 for count in answered.values()),
        "not_answered": messages - len(answered),
    }


def failures(result: dict[str, Any]) -> list[str]:
    """What was promised and did not hold."""
    wrong = []
    for name in ("fast", "slow"):
        part = result[name]
        for bad in ("answered_twice", "not_answered", "cut_off"):
            if part[bad]:
                wrong.append(f"{name}: {bad} {part[bad]}")
    if result["fast"]["p99_s"] > 1:
        wrong.append(f"fast: p99 {result['fast']['p99_s']} s")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--fast-seconds", type=float, default=20)
    parser.add_argument("--answering", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--database", default="")
    parser.add_argument("--no-kill", dest="kill", action="store_false")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="consult-wechat-") as home,
        a_database(arguments.database) as database,
    ):
        result = asyncio.run(
            measure(
                Path(home),
                database,
                rate=arguments.rate,
                seconds=arguments.seconds,
                fast_seconds=arguments.fast_seconds,
                answering=arguments.answering,
                processes=arguments.processes,
                kill=arguments.kill,
            )
        )
    wrong = failures(result)
    sys.stdout.write(json.dumps(result | {"failures": wrong}, ensure_ascii=False) + "\n")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
