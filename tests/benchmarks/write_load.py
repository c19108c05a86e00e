"""Ratings and hand-overs written by many clients at once over HTTP: none lost, none double.

    python -m tests.benchmarks.write_load [--writes 10000] [--clients 64] [--processes 1]
                                          [--database postgresql+psycopg://…]

A real server on a database made by the migrations: SQLite in a new folder, or a schema of its own
in the named PostgreSQL, dropped afterwards. Some citizens rate an answer; others are handed over,
served, and rate that. Of the requests of citizens every fifth is sent twice at the same moment,
half of these ratings with another level; every ticket is claimed by two agents at once, and every
bad rating answered by two. What the server acknowledged is then compared with the database. Prints
one JSON object, and ends with 1 if anything is lost, double, or won by two.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import random
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import func, insert, make_url, select, text
from sqlalchemy.orm import Session, sessionmaker

from knowledge import store
from service import migrations
from service.api import handovers as handover_api
from service.api import ratings as rating_api
from service.app import Edge, install_errors
from service.auth import StaffRegister
from service.handover import Handovers, minutes_later
from service.models import (
    AnswerRecord,
    Conversation,
    HandoverMessage,
    HandoverTicket,
    Rating,
    RatingMove,
    RatingTicket,
)
from service.ratings import Ratings
from service.settings import Settings
from tests.benchmarks.http_latency import free_port, get

TWICE = 0.2  # of the requests of citizens
HANDED_OVER = 0.25  # of all citizens
AGENTS = 16
_WRITES_A_CITIZEN = 2.3  # a little less than on average, so that there are enough
ROOT = Path(__file__).parents[2]
MODULE = "tests.benchmarks.write_load"


def application() -> FastAPI:
    """The server: what the product makes of these two rooms, without index and encoder."""
    settings = Settings(_env_file=None)
    sessions = sessionmaker(store.connect(settings.database), expire_on_commit=False)
    app = FastAPI()
    app.state.staff = StaffRegister(sessions)
    app.state.ratings = Ratings.of(sessions, settings)
    app.state.handovers = Handovers(sessions, due=minutes_later(60), region=settings.region)
    app.include_router(handover_api.router)
    app.include_router(rating_api.router)
    app.add_middleware(Edge)
    install_errors(app)
    return app


@dataclass
class Ledger:
    """What was sent, and what the server said."""

    ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    twice: int = 0
    races: int = 0
    levels: dict[tuple[str, str], int] = field(default_factory=dict)  # event → level stored
    claimed: dict[str, str] = field(default_factory=dict)  # hand-over → its agent
    said: set[str] = field(default_factory=set)  # words of agents, all different
    moved: dict[str, str] = field(default_factory=dict)  # ticket → words of who answered first

    def check(self, right: bool, what: str) -> None:
        if not right:
            self.wrong.append(what)

    @property
    def writes(self) -> int:
        """What should be there once: ratings; hand-overs opened, claimed, closed; words; moves."""
        return len(self.levels) + 3 * len(self.claimed) + len(self.said) + len(self.moved)

    def add(self, other: Ledger) -> None:
        """Take in what another client has on record."""
        for mine, theirs in ((self.ms, other.ms), (self.wrong, other.wrong)):
            mine.extend(theirs)  # type: ignore[arg-type]
        self.statuses += other.statuses
        self.twice, self.races = self.twice + other.twice, self.races + other.races
        self.levels |= other.levels
        self.claimed |= other.claimed
        self.said |= other.said
        self.moved |= other.moved


@dataclass(frozen=True)
class Answer:
    status: int
    json: dict[str, Any]


class Client:
    """One client, that serves one citizen after another. Its second connection is for what is sent
    twice, or by two agents, at the same moment."""

    def __init__(self, port: int, number: int, ratings: Ratings, agents: dict[str, str]) -> None:
        self._connections = [HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(2)]
        self._beside = ThreadPoolExecutor(1)
        self._ratings, self._agents, self._number = ratings, agents, number
        self._random = random.Random(number)  # noqa: S311
        self._words = itertools.count()
        self.ledger = Ledger()

    def serve(self, names: Iterator[str]) -> Ledger:
        for name in names:
            if self._random.random() < HANDED_OVER:
                self._hand_over(f"c_{name}")
            else:
                self._rate("answer", f"a_{name}")
        self._beside.shutdown()
        return self.ledger

    def _hand_over(self, conversation: str) -> None:
        """Open, claim (two agents at once), reply, close, rate."""
        path = f"/api/v1/conversations/{conversation}/handover"
        body = {"consent": True, "note": "请帮帮我"}
        opened = self._once_or_twice(path, body, body)
        ids = {answer.json.get("id") for answer in opened}
        created = [answer.status for answer in opened].count(201)
        self.ledger.check(len(ids) == 1 and created == 1, f"opened {created} of {ids}")
        ticket = str(ids.pop())
        queue = f"/api/v1/staff/handovers/{ticket}"
        winner, _ = self._race(f"{queue}/claim", [{}, {}])
        self.ledger.claimed[ticket] = winner
        words = self._new_words()
        replied = self._post(f"{queue}/reply", {"text": words}, winner)
        self.ledger.check(replied.status == 201, f"reply {replied}")
        self.ledger.said.add(words)
        closed = self._post(f"{queue}/close", {"outcome": "solved", "summary": "已说明"}, winner)
        self.ledger.check(closed.status == 200, f"close {closed}")
        self._rate("handover", ticket)

    def _rate(self, kind: str, event: str) -> None:
        level = self._random.randint(1, 5)
        body = {"token": self._ratings.token_for(kind, event), "level": level, "comment": "如题"}
        other = body if self._random.random() < 0.5 else body | {"level": level % 5 + 1}
        answers = self._once_or_twice("/api/v1/ratings", body, other)
        taken = [answer.json for answer in answers if answer.status == 200]
        refused = [answer for answer in answers if answer.status == 409]
        stored = {rating["level"] for rating in taken}
        right = len(stored) == 1 and len(taken) + len(refused) == len(answers)
        right = right and bool(refused) == (len(answers) == 2 and other is not body)
        self.ledger.check(right, f"rated {[answer.status for answer in answers]}")
        self.ledger.levels[kind, event] = stored.pop()
        if taken[0]["ticket"] is not None:
            ticket = taken[0]["ticket"]["id"]
            words = [self._new_words() for _ in range(2)]
            path = f"/api/v1/staff/rating-tickets/{ticket}/reply"
            _, which = self._race(path, [{"text": text} for text in words])
            self.ledger.moved[ticket] = words[which]

    def _race(self, path: str, bodies: list[dict[str, Any]]) -> tuple[str, int]:
        """Two agents do the same at once; gives who won, and which of the two that was."""
        self.ledger.races += 1
        agents = self._random.sample(list(self._agents), 2)
        answers = self._both(path, bodies, agents)
        codes = [answer.status for answer in answers]
        self.ledger.check(sorted(codes) == [200, 409], f"race for {path.split('/')[-1]}: {codes}")
        which = codes.index(200)
        return agents[which], which

    def _once_or_twice(
        self, path: str, body: dict[str, Any], other: dict[str, Any]
    ) -> list[Answer]:
        if self._random.random() >= TWICE:
            return [self._post(path, body)]
        self.ledger.twice += 1
        return self._both(path, [body, other], ["", ""])

    def _both(self, path: str, bodies: list[dict[str, Any]], agents: list[str]) -> list[Answer]:
        second = self._beside.submit(self._post, path, bodies[1], agents[1], 1)
        return [self._post(path, bodies[0], agents[0]), second.result()]

    def _post(self, path: str, body: dict[str, Any], agent: str = "", which: int = 0) -> Answer:
        headers = {"Content-Type": "application/json"}
        if agent:
            headers["Authorization"] = f"Bearer {self._agents[agent]}"
        began = time.perf_counter()
        self._connections[which].request("POST", path, json.dumps(body).encode(), headers)
        response = self._connections[which].getresponse()
        raw = response.read()
        self.ledger.ms.append((time.perf_counter() - began) * 1000)
        self.ledger.statuses[response.status] += 1
        return Answer(response.status, json.loads(raw))

    def _new_words(self) -> str:
        return f"答复{self._number}-{next(self._words)}"


def compare(sessions: sessionmaker[Session], ledger: Ledger) -> None:
    """Note in the ledger whatever the database has less, more or otherwise than was said."""
    with sessions() as session:
        rated = session.execute(select(Rating.event_kind, Rating.event_id, Rating.level)).all()
        handed = session.execute(
            select(HandoverTicket.id, HandoverTicket.claimed_by, HandoverTicket.status)
        ).all()
        by_staff = HandoverMessage.sender == "staff"
        said = session.scalars(select(HandoverMessage.text).where(by_staff)).all()
        moved = session.execute(select(RatingMove.ticket_id, RatingMove.text)).all()
        tickets = session.scalar(select(func.count()).select_from(RatingTicket))
    bad = sum(level <= 2 for level in ledger.levels.values())
    check = ledger.check
    check(len(rated) == len(ledger.levels), f"{len(rated)} ratings of {len(ledger.levels)}")
    check({(r[0], r[1]): r[2] for r in rated} == ledger.levels, "ratings are not as acknowledged")
    check(len(handed) == len(ledger.claimed), f"{len(handed)} hand-overs")
    check({t: by for t, by, _ in handed} == ledger.claimed, "a ticket has another owner")
    check({s for _, _, s in handed} <= {"closed"}, "a ticket that was closed is open")
    check(sorted(said) == sorted(ledger.said), "words of staff are lost or double")
    check(len(moved) == len(ledger.moved), f"{len(moved)} moves of {len(ledger.moved)}")
    check(dict(moved) == ledger.moved, "another reply won")
    check(tickets == bad == len(ledger.moved), f"{tickets} tickets for {bad} bad ratings")


def prepare(sessions: sessionmaker[Session], citizens: int) -> list[str]:
    """Citizens who have asked; gives the parts of their ids after the prefix."""
    names = [secrets.token_urlsafe(12) for _ in range(citizens)]
    with sessions.begin() as session:
        session.execute(insert(Conversation), [{"id": f"c_{n}", "channel": "web"} for n in names])
        answer = {
            "question": "公司不发工资怎么办", "outcome": "unanswerable_unsure", "topic": "劳动人事",
            "confidence": 0.3, "region": "310107", "took_ms": 9.0, "answer": {"steps": []},
            "trace": {"hits": {"law": [], "guidance": []}},
        }  # fmt: skip
        rows = [answer | {"id": f"a_{n}", "conversation_id": f"c_{n}"} for n in names]
        session.execute(insert(AnswerRecord), rows)
    return names


@contextmanager
def served(env: dict[str, str], processes: int) -> Iterator[int]:
    """The port of the server, once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", f"{MODULE}:application"]
    command += ["--port", str(port), "--workers", str(processes), "--log-level", "error"]
    server = subprocess.Popen(
        [*command, "--no-access-log", "--timeout-keep-alive", "600"], env=env, cwd=ROOT
    )
    try:
        for _ in range(600):
            try:
                get(f"http://127.0.0.1:{port}/api/v1/ratings/summary")
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def work(
    port: int, clients: int, names: list[str], ratings: Ratings, agents: dict[str, str]
) -> tuple[Ledger, float]:
    """All clients at once until no citizen is left; gives the seconds too."""
    waiting, total = iter(names), Ledger()
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        at_work = [
            threads.submit(Client(port, number, ratings, agents).serve, waiting)
            for number in range(clients)
        ]
        for client in at_work:
            total.add(client.result())
    return total, time.perf_counter() - began


@contextmanager
def a_database(url: str) -> Iterator[str]:
    """The address of an empty schema in the PostgreSQL at `url`; without one, nothing."""
    if not url:
        yield ""
        return
    schema, around = f"load_{secrets.token_hex(6)}", store.connect(url)
    with around.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    try:
        options = {"options": f"-csearch_path={schema}"}
        yield make_url(url).update_query_dict(options).render_as_string(hide_password=False)
    finally:
        with around.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        around.dispose()


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--database", default="")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="consult-load-") as home,
        a_database(arguments.database) as database,
    ):
        os.environ.update(CONSULT_HOME=home, CONSULT_DATABASE_URL=database)
        settings = Settings(_env_file=None)
        engine = store.connect(settings.database)
        migrations.upgrade(engine)
        sessions = sessionmaker(engine, expire_on_commit=False)
        register = StaffRegister(sessions)
        hired = [register.add(f"坐席{n}", ["agent"]) for n in range(AGENTS)]
        agents = {member.id: token for member, token in hired}
        names = prepare(sessions, math.ceil(arguments.writes / _WRITES_A_CITIZEN))
        ratings = Ratings.of(sessions, settings)
        with served(os.environ | {"PYTHONPATH": str(ROOT)}, arguments.processes) as port:
            ledger, seconds = work(port, arguments.clients, names, ratings, agents)
        compare(sessions, ledger)
        engine.dispose()
    times = statistics.quantiles(ledger.ms, n=100)
    figures = {
        "n": ledger.writes,
        "requests": len(ledger.ms),
        "clients": arguments.clients,
        "processes": arguments.processes,
        "database": engine.dialect.name,
        "sent_twice": ledger.twice,
        "races": ledger.races,
        "statuses": {str(code): n for code, n in sorted(ledger.statuses.items())},
        "seconds": round(seconds, 1),
        "writes_per_second": round(ledger.writes / seconds),
        "p50_ms": round(times[49], 1),
        "p99_ms": round(times[98], 1),
        "max_ms": round(max(ledger.ms), 1),
        # Of one request, whatever else the machine was doing.
        "server_cpu_ms": round(_cpu(resource.RUSAGE_CHILDREN) * 1000 / len(ledger.ms), 2),
        "client_cpu_ms": round(_cpu(resource.RUSAGE_SELF) * 1000 / len(ledger.ms), 2),
        "errors": len(ledger.wrong),
        "first_errors": ledger.wrong[:5],
        "cores": os.cpu_count(),
    }
    sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")
    sys.exit(1 if ledger.wrong else 0)


if __name__ == "__main__":
    main()
