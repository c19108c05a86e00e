"""The console over 100,000 conversations: how long its pages take on a database of that size.

    python -m tests.benchmarks.console_load [--conversations 100000] [--times 50]
                                            [--database postgresql+psycopg://…] [--only NAME]

Makes ninety days of conversations (`fill`) in a database of the migrations: SQLite in a new folder,
or a schema of its own in the named PostgreSQL, dropped afterwards. Then asks the application for
each page, one request after another, and prints one JSON object with p50 and p95 in milliseconds a
page. The application is the real one without its index, which these pages do not need.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from service import migrations
from service.app import create_app
from service.assembly import Rooms
from service.review.queue import ReviewQueue
from service.serving import settle
from service.settings import Settings
from service.statistics.counts import Counts
from tests.benchmarks.write_load import a_database

DAYS = 90
REGION = "310107"
ELSEWHERE = "310105"  # one in a hundred asks about the district beside
QUESTIONS_EACH = {1: 40, 2: 24, 3: 14, 4: 9, 5: 6, 7: 4, 12: 3}  # weights; 2.6 on average
CHANNELS = {"web": 72, "wechat": 28}
HOURS = [2, 1, 1, 1, 1, 2, 4, 8, 20, 38, 40, 30, 22, 30, 38, 36, 30, 22, 18, 22, 24, 20, 12, 5]
TOPICS = {
    "劳动人事": 22, "婚姻家庭": 15, "借贷债务": 9, "房屋纠纷": 8, "物业管理": 6, "合同纠纷": 6,
    "继承遗嘱": 6, "交通事故": 5, "消费维权": 5, "相邻与侵权": 4, "法律援助": 4, "诉讼与执行": 3,
    "刑事": 2, "诈骗与网络": 2, "公共法律服务": 2, "行政": 1, "征收旧改": 1, "医疗食药": 1,
    "小微企业": 1,
}  # fmt: skip
OUTCOMES = {
    "answered_faq": 300, "answered_law": 220, "answered_service": 130, "answered_smalltalk": 40,
    "answered_article": 25, "answered_legal_aid": 20, "clarify_topic": 50, "clarify_region": 10,
    "unanswerable_unsure": 110, "unanswerable_off_topic": 35, "unanswerable_other_region": 12,
    "unanswerable_no_such_article": 5, "handover_requested": 28, "handover_urgent": 6,
    "refused_harm": 4, "failed_search": 1,
}  # fmt: skip
LEVELS = {5: 55, 4: 25, 3: 10, 2: 4, 1: 6}
RATED, HANDED_OVER, REVIEWED = 0.12, 0.06, 0.04
_ASKED = (
    "公司拖欠三个月工资怎么办", "离婚后孩子的抚养费怎么算", "借出去的钱对方不还有借条",
    "物业费能不能拒交", "楼上漏水找谁赔", "父亲去世没有遗嘱房子怎么分",
    "被追尾对方全责误工费怎么算", "试用期被辞退有赔偿吗", "退租押金不退怎么办",
    "网购买到假货怎么维权", "法律援助需要什么条件", "劳动仲裁要多久",
)  # fmt: skip
_TELLING = ("我在普陀区上班，", "情况是这样的：", "您好，请问", "急，", "帮我看看，", "")

Row = tuple[Any, ...]


def fill(engine: Engine, conversations: int = 100_000, seed: int = 1) -> dict[str, int]:
    """Write so many conversations of the last ninety days with answers, ratings, hand-overs and
    reviews; gives how many of each there are. The same seed gives the same."""
    chance = random.Random(seed)  # noqa: S311
    made = _Made(chance)
    rows = made.conversations(conversations)
    counts: dict[str, int] = {}
    with engine.begin() as connection:
        for name in ("现场甲", "现场乙", "现场丙"):
            connection.execute(
                text(
                    "INSERT INTO staff (id, name, roles, token_hash, region, created_at)"
                    " VALUES (:id, :name, :roles, :id, '', :at)"
                ),
                {"id": made.staff_of(name), "name": name, "roles": "[]", "at": datetime.now(UTC)},
            )
        for table, columns, content in (
            ("conversations", "id channel started_at", rows),
            (
                "answers",
                "id conversation_id asked_at question outcome topic confidence region took_ms"
                " answer trace",
                made.answers(),
            ),
            (
                "handovers",
                "id conversation_id answer_id kind status topic region reason packet created_at"
                " changed_at due_at claimed_by claimed_at closed_at outcome summary",
                made.handovers(),
            ),
            (
                "ratings",
                "id event_kind event_id level aspects comment rated_at month person region topic"
                " matter handler_kind handler_id handler",
                made.ratings(),
            ),
            (
                "reviews",
                "id answer_id conversation_id asked_at topic outcome region reviewer_id reviewed_at"
                " changed_at version verdict labels comment follow_up target status close_reason",
                made.reviews(),
            ),
        ):
            counts[table] = _write(connection, table, columns.split(), content)
    return counts


def let_it_settle(engine: Engine) -> None:
    """What the database does by itself after a while, where nobody has switched that off."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if _is_postgres(engine) else "PRAGMA optimize"))


class _Made:
    """Rows, in the order in which tables are written; each kind is drawn from the one before."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._end = datetime.now(UTC).replace(microsecond=0)
        local = self._end.astimezone(ZoneInfo("Asia/Shanghai"))
        self._midnight = local.replace(hour=0, minute=0, second=0).astimezone(UTC)
        self._conversations: list[tuple[str, datetime]] = []
        self._answers: list[tuple[str, str, datetime, str, str | None, str]] = []
        self._handovers: list[tuple[str, datetime, str | None, str]] = []
        self._answer, self._trace = _long_json()

    @staticmethod
    def staff_of(name: str) -> str:
        return f"s_load_{ord(name[-1]):x}"

    def conversations(self, number: int) -> Iterator[Row]:
        channels = self._drawn(CHANNELS, number)
        for n in range(number):
            day = self._chance.random() ** 0.8 * DAYS  # somewhat more of late
            hour = self._chance.choices(range(24), HOURS)[0]  # in Shanghai
            at = (self._midnight - timedelta(days=DAYS - int(day) - 1)) + timedelta(hours=hour)
            at += timedelta(seconds=self._chance.random() * 3600)
            if at > self._end:  # today is not over
                at = self._end - timedelta(hours=self._chance.random() * 5)
            identity = f"c_{self._chance.getrandbits(96):024x}"
            self._conversations.append((identity, at))
            yield identity, channels[n], at

    def answers(self) -> Iterator[Row]:
        chance, rows = self._chance, list[Row]()
        for conversation, at in self._conversations:
            for _ in range(chance.choices(list(QUESTIONS_EACH), list(QUESTIONS_EACH.values()))[0]):
                at += timedelta(seconds=20 + chance.random() * 90)
                outcome = chance.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
                topic = chance.choices(list(TOPICS), list(TOPICS.values()))[0]
                kept = topic if chance.random() < 0.93 else None
                region = ELSEWHERE if chance.random() < 0.01 else REGION
                identity = f"a_{chance.getrandbits(72):018x}"
                low = 0.67 if outcome.startswith("answered_") else 0.05
                confidence = round(low + chance.random() * (0.99 - low), 4)
                question = chance.choice(_TELLING) + chance.choice(_ASKED)
                self._answers.append((identity, conversation, at, outcome, kept, region))
                rows.append(
                    (
                        identity,
                        conversation,
                        at,
                        question,
                        outcome,
                        kept,
                        confidence,
                        region,
                        20 + chance.random() * 60,
                        self._answer,
                        self._trace,
                    )
                )
        yield from sorted(rows, key=lambda row: row[2])  # as they come in

    def handovers(self) -> Iterator[Row]:
        chance, seen = self._chance, set()
        for answer, conversation, at, outcome, topic, region in self._answers:
            wanted = outcome.startswith("handover_") or chance.random() < HANDED_OVER / 4
            if conversation in seen or not wanted:
                continue
            seen.add(conversation)
            fresh = self._end - at < timedelta(hours=6)
            status = chance.choice(("waiting", "claimed")) if fresh else "closed"
            by = None if status == "waiting" else self.staff_of(chance.choice("甲乙丙"))
            claimed = at + timedelta(minutes=1 + chance.random() * 60) if by else None
            closed = at + timedelta(minutes=70) if status == "closed" else None
            identity = f"h_{answer[2:]}"
            self._handovers.append((identity, at, topic, region))
            yield (
                identity, conversation, answer, "urgent" if "urgent" in outcome else "requested",
                status, topic, region, "市民要求与人沟通。", "{}", at, closed or claimed or at,
                at + timedelta(hours=1), by, claimed, closed, "solved" if closed else None,
                "已说明怎么办" if closed else None,
            )  # fmt: skip

    def ratings(self) -> Iterator[Row]:
        chance = self._chance
        events = [("answer", a, at, t, r) for a, _, at, _, t, r in self._answers]
        events += [("handover", *event) for event in self._handovers]
        for kind, event, at, topic, region in events:
            if chance.random() >= RATED:
                continue
            level = chance.choices(list(LEVELS), list(LEVELS.values()))[0]
            yield (
                f"g_{kind[0]}{event[2:]}", kind, event, level, "[]", "", at + timedelta(minutes=5),
                f"{at:%Y-%m}", f"{chance.getrandbits(64):016x}", region, topic, "{}", "law", "law",
                "{}",
            )  # fmt: skip

    def reviews(self) -> Iterator[Row]:
        chance = self._chance
        verdicts = {"correct": 70, "partial": 14, "wrong": 9, "unsafe": 2, "cannot_judge": 5}
        for answer, conversation, at, outcome, topic, region in self._answers:
            if chance.random() >= REVIEWED:
                continue
            verdict = chance.choices(list(verdicts), list(verdicts.values()))[0]
            later = at + timedelta(days=1)
            yield (
                f"v_{answer[2:]}", answer, conversation, at, topic, outcome, region,
                self.staff_of(chance.choice("甲乙丙")), later, later, 0, verdict, "[]", "", "none",
                "", "closed", "",
            )  # fmt: skip

    def _drawn(self, weights: dict[str, int], number: int) -> list[str]:
        return self._chance.choices(list(weights), list(weights.values()), k=number)


def _long_json() -> tuple[str, str]:
    """An answer and its trace, as long as real ones are (three articles, twenty hits)."""
    article = "用人单位应当按照劳动合同约定和国家规定，向劳动者及时足额支付劳动报酬。" * 5
    cited = {
        "law": "中华人民共和国劳动合同法", "article": "第三十条", "text": article, "in_force": True,
        "source": "https://flk.npc.gov.cn", "path": "第三章", "highlight": None,
    }  # fmt: skip
    step = {"title": "劳动监察投诉", "how": "带上身份证和工资记录", "phone": "12333", "where": None}
    answer = {
        "summary": article[:300], "citations": [cited] * 3, "steps": [step] * 3, "notices": [],
        "handover": None, "clarify": None, "masked": [],
    }  # fmt: skip
    hit = {"passage": "law-劳动合同法@2012-12-28#第三十条", "score": 0.71, "cosine": 0.7}
    trace = {"query": "工资", "hits": {"law": [hit] * 10, "guidance": [hit] * 10}, "step_ms": {}}
    return json.dumps(answer, ensure_ascii=False), json.dumps(trace, ensure_ascii=False)


def _is_postgres(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def _write(connection: Any, table: str, columns: list[str], rows: Iterable[Row]) -> int:
    """In bulk, past the ORM, by what each driver does best; gives how many rows."""
    driver, count = connection.connection.driver_connection, 0

    def counted() -> Iterator[Row]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in counted():
                copy.write_row(row)
        return count
    marks = ", ".join("?" for _ in columns)
    driver.executemany(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
        (
            tuple(f"{v:%Y-%m-%d %H:%M:%S.%f}" if isinstance(v, datetime) else v for v in row)
            for row in counted()
        ),
    )
    return count


def lists() -> dict[str, str]:
    """The list of conversations: by itself, and with each filter that it has."""
    today = datetime.now(UTC).date()
    filters = {
        "all": "", "days_1": "days=1", "days_7": "days=7", "days_30": "days=30",
        "from_to": f"since={today - timedelta(days=60)}&until={today - timedelta(days=40)}",
        "channel_web": "channel=web", "channel_wechat": "channel=wechat",
        "channel_none": "channel=sms",
        "outcome_common": "outcome=answered_faq", "outcome_rare": "outcome=failed_search",
        "outcome_group": "outcome=answered_", "outcome_group_rare": "outcome=refused_",
        "topic_common": "topic=劳动人事", "topic_rare": "topic=小微企业",
        "topic_none": "topic=没有", "confidence_low": "confidence_to=0.1",
        "confidence_band": "confidence_from=0.67&confidence_to=0.7",
        "confidence_high": "confidence_from=0.9", "rating_1": "rating=1", "rating_5": "rating=5",
        "rating_low": "rating=low", "rating_none": "rating=none", "urgent": "urgent=true",
        "unanswered": "unanswered=true", "handover_any": "handover=any",
        "handover_none": "handover=none", "handover_waiting": "handover=waiting",
        "handover_closed": "handover=closed", "reviewed_yes": "reviewed=yes",
        "reviewed_no": "reviewed=no", "reviewer": f"reviewer={_Made.staff_of('甲')}",
        "verdict_unsafe": "verdict=unsafe", "verdict_correct": "verdict=correct",
        "text_common": "text=工资", "text_rare": "text=找不到的字",
        "text_7_days": "text=抚养费&days=7",
        "several": "topic=劳动人事&channel=wechat&rating=low&handover=any&days=30",
    }  # fmt: skip
    return {name: f"/console/conversations?{query}" for name, query in filters.items()}


def timed(call: Callable[[], Any], times: int) -> dict[str, float]:
    """p50 and p95 in milliseconds, after one call that does not count; and the processor time of
    one call in this process, which holds on a busy machine too (all of the work with SQLite)."""
    call()
    taken, began_cpu = [], time.process_time()
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    cpu = (time.process_time() - began_cpu) * 1000 / times
    cut = statistics.quantiles(taken, n=20) if len(taken) > 1 else taken * 20
    p50, p95 = statistics.median(taken), cut[18]
    return {"p50": round(p50, 1), "p95": round(p95, 1), "cpu": round(cpu, 1)}


def fetch(client: TestClient, url: str) -> Callable[[], None]:
    def get() -> None:
        response = client.get(url)
        if response.status_code != 200:
            raise RuntimeError(f"{url}: {response.status_code} {response.text[:300]}")

    return get


def signed_in(rooms: Rooms, role: str = "supervisor", region: str = "") -> TestClient:
    """A client of the real application, as somebody with a role; nothing is opened or watched."""
    app = create_app(rooms)
    _, token = app.state.staff.add(f"督导{region}", [role], region=region)
    return TestClient(app, headers={"Authorization": f"Bearer {token}"})


def pages(rooms: Rooms) -> dict[str, Callable[[], None]]:
    """What is timed, by name."""
    client = signed_in(rooms)
    found = {f"list_{name}": fetch(client, url) for name, url in lists().items()}
    first = client.get("/api/v1/staff/conversations").json()
    second = f"/console/conversations?before={first['next']}&as_at={first['as_at']}"
    found["list_page_2"] = fetch(client, second)
    near = signed_in(rooms, region=REGION)
    elsewhere = signed_in(rooms, region=ELSEWHERE)
    found["list_of_region"] = fetch(near, "/console/conversations")
    found["list_of_small_region"] = fetch(elsewhere, "/console/conversations")
    answer = first["conversations"][0]["answer"]
    found["detail"] = fetch(client, f"/console/conversations/{answer}?purpose=review")
    found["queue"] = fetch(client, "/console/reviews")
    found["agreement"] = fetch(client, "/console/reviews/agreement")
    for period in ("day", "week", "month"):
        found[f"dashboard_{period}"] = fetch(client, f"/console/dashboard?period={period}")
    found["report"] = fetch(client, "/console/report")
    found["ratings"] = fetch(client, "/console/ratings")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--database", default="")
    parser.add_argument("--only", default="", help="pages whose names begin so")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="consult-load-") as home,
        a_database(arguments.database) as database,
    ):
        settings = Settings(_env_file=None, home=Path(home), database_url=database)
        rooms = Rooms(settings)
        migrations.upgrade(rooms.engine)
        began = time.perf_counter()
        counts = fill(rooms.engine, arguments.conversations)
        Counts(rooms.sessions).rebuild()  # as housekeeping does day by day
        ReviewQueue(rooms.sessions).sample()  # as each look at the list does, for what has come
        let_it_settle(rooms.engine)
        filled = time.perf_counter() - began
        calls = pages(rooms)
        settle()  # as a server does when it has opened
        timings = {
            name: timed(call, arguments.times)
            for name, call in calls.items()
            if name.startswith(arguments.only)
        }
        figures = {
            "n": arguments.conversations,
            "rows": counts,
            "database": rooms.engine.dialect.name,
            "times": arguments.times,
            "cores": os.cpu_count(),
            "fill_seconds": round(filled, 1),
            "load": os.getloadavg()[0],
            "ms": timings,
            "worst_p95": max((t["p95"] for t in timings.values()), default=None),
        }
        rooms.close()
    sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
