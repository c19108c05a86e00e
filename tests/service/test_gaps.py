"""What was not answered well, by meaning: who belongs together, what stays, what is forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from knowledge.encoder import QUERY, Vectors
from service.auth import Member, StaffRegister
from service.errors import BadRequest, NotFound
from service.gaps import Collector, Gaps, QuestionVectors
from service.gaps.clusters import Clusters
from service.gaps.queries import trend
from service.models import (
    AnswerRecord,
    Conversation,
    GapCluster,
    GapMember,
    QuestionVector,
    Rating,
    Review,
)
from service.models.people import AuditEvent
from tests.service import databases
from tests.service.trials.laboratory import Told

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
MEANINGS = ("遗嘱", "彩礼", "工资", "天气")


class ByMeaning:
    """An encoder to which a text means the one word of `MEANINGS` that is in it, a little blurred
    by its length. It counts what it was given."""

    version, dimensions = "toy", len(MEANINGS) + 1

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        out = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            assert text.startswith(QUERY)
            for place, word in enumerate(MEANINGS):
                out[row, place] = word in text
            out[row, -1] = 0.2 + len(text) / 1000
        vectors: Vectors = out / np.linalg.norm(out, axis=1, keepdims=True)
        return vectors


@dataclass
class District:
    """Citizens who asked, and the desk that looks at what was not answered."""

    sessions: sessionmaker[Session]
    at: datetime = NOW
    encoder: ByMeaning = field(default_factory=ByMeaning)
    told: Told = field(default_factory=Told)
    asked: int = 0

    def __post_init__(self) -> None:
        self.gaps = Gaps(
            self.sessions, self.told, lambda: self.told.versions, clock=lambda: self.at
        )
        self.staff = StaffRegister(self.sessions)

    def hire(self, role: str = "curator", region: str = "") -> Member:
        return self.staff.add(f"某{role}", [role], region=region)[0]

    def ask(
        self,
        question: str,
        outcome: str = "unanswerable_unsure",
        *,
        days: float = 1,
        conversation: str = "",
        region: str = "310107",
        searched: str | None = None,
    ) -> str:
        self.asked += 1
        answer = f"a_{self.asked}"
        conversation = conversation or f"c_{self.asked}"
        with self.sessions.begin() as session:
            if session.get(Conversation, conversation) is None:
                session.add(Conversation(id=conversation, channel="web"))
                session.flush()
            session.add(
                AnswerRecord(
                    id=answer,
                    conversation_id=conversation,
                    asked_at=self.at - timedelta(days=days) + timedelta(seconds=self.asked),
                    question=question,
                    outcome=outcome,
                    topic="继承遗嘱",
                    confidence=0.3,
                    region=region,
                    took_ms=1.0,
                    answer={},
                    trace={"query": searched or question},
                )
            )
        return answer

    def rate(self, answer: str, level: int, *, excluded: bool = False) -> None:
        with self.sessions.begin() as session:
            session.add(
                Rating(
                    id=f"r_{answer}",
                    event_kind="answer",
                    event_id=answer,
                    level=level,
                    aspects=[],
                    comment="",
                    month="2026-11",
                    person="p",
                    region="310107",
                    matter={},
                    handler_kind="law",
                    handler_id="law",
                    handler={},
                    excluded_at=self.at if excluded else None,
                )
            )

    def judge(self, answer: str, verdict: str, reviewer: Member) -> None:
        with self.sessions.begin() as session:
            session.add(
                Review(
                    id=f"v_{answer}",
                    answer_id=answer,
                    conversation_id="c",
                    asked_at=self.at,
                    outcome="answered_faq",
                    region="310107",
                    reviewer_id=reviewer.id,
                    verdict=verdict,
                    labels=[],
                    comment="",
                    follow_up="none",
                    status="open",
                )
            )

    def collect(self) -> int:
        vectors = QuestionVectors(self.sessions, self.encoder, ["标题"])
        return Collector(self.sessions, vectors, clock=lambda: self.at).collect()

    def page(self, member: Member | None = None, **filters: Any) -> dict[str, Any]:
        return self.gaps.page(member or self.hire(), **filters)

    def groups(self, **filters: Any) -> list[set[str]]:
        """The questions of each gap, the largest first."""
        found = self.page(**filters)["gaps"]
        return [{gap["name"], *gap["examples"]} for gap in found]

    def count(self, table: Any) -> int:
        with self.sessions() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def district(database: Engine) -> District:
    return District(databases.sessions_of(database))


def test_questions_of_one_meaning_fall_together_the_most_asked_first(district: District) -> None:
    for question in ("遗嘱没公证有效吗", "彩礼能退吗", "手写遗嘱算数吗", "遗嘱要几个见证人"):
        district.ask(question)
    assert district.collect() == 4
    assert district.groups() == [
        {"遗嘱没公证有效吗", "手写遗嘱算数吗", "遗嘱要几个见证人"},
        {"彩礼能退吗"},
    ]


def test_a_follow_up_is_understood_with_what_it_was_searched_for(district: District) -> None:
    district.ask("手写遗嘱算数吗")
    district.ask("那要几个人在场", searched="手写遗嘱，那要几个人在场")
    district.collect()
    assert district.groups() == [{"手写遗嘱算数吗", "那要几个人在场"}]


def test_only_what_was_not_answered_well_is_a_gap(district: District) -> None:
    reviewer = district.hire("reviewer")
    fine = district.ask("遗嘱一", "answered_faq")
    district.rate(fine, 3)
    appealed = district.ask("遗嘱二", "answered_faq")
    district.rate(appealed, 1, excluded=True)
    praised = district.ask("遗嘱三", "answered_faq")
    district.judge(praised, "correct", reviewer)
    district.ask("遗嘱四", "handover_urgent")
    district.ask("遗嘱五", "clarify_topic", conversation="c_helped")
    district.ask("遗嘱六", "answered_law", conversation="c_helped")
    district.ask("遗嘱七", "clarify_topic", days=0.01)  # a moment ago: may still be answered
    assert district.collect() == 0
    bad = district.ask("彩礼一", "answered_faq")
    district.rate(bad, 2)
    judged = district.ask("彩礼二", "answered_faq")
    district.judge(judged, "wrong", reviewer)
    district.ask("彩礼三", "clarify_topic", conversation="c_left")
    district.ask("天气", "unanswerable_off_topic")
    assert district.collect() == 4
    kinds = {k["kind"]: k["asked"] for k in district.page()["figures"]["kinds"]}
    assert kinds == {"unsure": 0, "off_topic": 1, "unclear": 1, "rated": 1, "judged": 1}
    assert district.groups(kind="rated") == [{"彩礼一"}]


def test_an_answer_that_is_bad_in_two_ways_is_one_question(district: District) -> None:
    answer = district.ask("遗嘱没公证有效吗")
    district.collect()
    district.rate(answer, 1)
    district.collect()
    [gap] = district.page()["gaps"]
    assert (gap["asked"], gap["conversations"]) == (1, 1)
    assert district.page()["figures"]["asked"] == 1


def test_a_rating_that_was_excluded_and_a_verdict_that_was_revised_are_no_gap(
    district: District,
) -> None:
    rated, judged = (district.ask(f"彩礼{n}", "answered_faq") for n in "一二")
    unsure = district.ask("彩礼三三三")
    district.rate(rated, 1)
    district.rate(unsure, 1)
    district.judge(judged, "wrong", district.hire("reviewer"))
    district.collect()
    [gap] = district.page()["gaps"]
    assert gap["asked"] == 3
    with district.sessions.begin() as session:
        session.execute(update(Rating).values(excluded_at=district.at))
        session.execute(update(Review).values(verdict="correct"))
    assert district.collect() == 0
    [gap] = district.page()["gaps"]
    assert (gap["asked"], gap["name"]) == (1, "彩礼三三三")
    kinds = {k["kind"]: k["asked"] for k in district.page()["figures"]["kinds"]}
    assert (kinds["unsure"], kinds["rated"], kinds["judged"]) == (1, 0, 0)


def test_a_gap_keeps_its_id_from_day_to_day_and_its_name_while_its_middle_stays(
    district: District,
) -> None:
    for question in ("遗嘱甲", "遗嘱乙", "遗嘱丙"):
        district.ask(question)
    district.collect()
    [before] = district.page()["gaps"]
    district.at += timedelta(days=1)
    district.ask("遗嘱丁")
    district.ask("彩礼甲")
    assert district.collect() == 2
    assert district.collect() == 0  # nothing is placed twice
    after = district.page()["gaps"]
    assert (after[0]["id"], after[0]["name"]) == (before["id"], before["name"])
    assert after[0]["asked"] == 4


def test_a_text_is_encoded_once(district: District) -> None:
    district.ask("遗嘱没公证有效吗")
    district.collect()
    district.ask("遗嘱没公证有效吗")
    district.collect()
    assert district.encoder.texts.count(QUERY + "遗嘱没公证有效吗") == 1


def test_a_gap_says_how_it_grows_what_is_nearest_and_what_would_be_said_now(
    district: District,
) -> None:
    district.ask("遗嘱甲", days=40)
    for question in ("遗嘱乙", "遗嘱丙"):
        district.ask(question)
    district.collect()
    [gap] = district.page()["gaps"]
    assert gap["trend"] == "比上一期多 1 个（增加 100%，是上一期的 2.0 倍）"
    assert gap["nearest"]["outcome"] == "unanswerable_unsure"
    asked = len(district.told.asked)
    district.page()
    assert len(district.told.asked) == asked  # kept, as nothing was published since
    district.told.versions = {"knowledge": "k2", "index": "i2"}
    district.told.table[gap["name"]] = "faq-wages"
    assert district.page()["gaps"][0]["nearest"]["answered"] is True


@pytest.mark.parametrize(
    ("count", "before", "said"),
    [
        (5, 0, "上一期没有"),
        (0, 0, "两期都没有"),
        (4, 4, "和上一期一样多"),
        (6, 4, "比上一期多 2 个（增加 50%）"),
        (1, 4, "比上一期少 3 个（减少 75%）"),
    ],
)
def test_a_trend_is_told_in_words(count: int, before: int, said: str) -> None:
    assert trend(count, before) == said


def test_what_a_citizen_has_erased_is_gone_at_once_and_leaves_no_trace(
    district: District,
) -> None:
    only = district.ask("彩礼能退吗")
    named = district.ask("遗嘱甲")
    district.ask("遗嘱乙乙乙")
    district.collect()
    with district.sessions.begin() as session:
        session.execute(delete(AnswerRecord).where(AnswerRecord.id.in_([only, named])))
    assert district.groups() == [{"遗嘱乙乙乙"}]
    district.collect()
    assert district.groups() == [{"遗嘱乙乙乙"}]
    assert district.count(GapMember) == district.count(GapCluster) == 1
    assert district.count(QuestionVector) == 2  # of what is left, and what all have in common


def test_whoever_has_a_region_sees_its_questions_only(district: District) -> None:
    district.ask("遗嘱甲", region="310101")
    district.ask("遗嘱乙乙", region="310107")
    district.ask("彩礼甲", region="310101")
    district.collect()
    here = district.hire("curator", "310107")
    [gap] = district.page(here)["gaps"]
    assert gap["asked"] == 1
    assert {gap["name"], *gap["examples"]} == {"遗嘱乙乙"}
    theirs = next(g["id"] for g in district.page()["gaps"] if g["name"] == "彩礼甲")
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: district.gaps.read(here, theirs),
        lambda: district.gaps.mark(here, theirs, "drafted"),
        lambda: district.gaps.read(here, "g_none"),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()


def test_a_gap_is_drafted_or_ignored_with_a_reason_and_can_be_opened_again(
    district: District,
) -> None:
    member = district.hire()
    district.ask("遗嘱甲")
    district.collect()
    [gap] = district.page(member)["gaps"]
    with pytest.raises(BadRequest, match="为什么"):
        district.gaps.mark(member, gap["id"], "ignored", "  ")
    with pytest.raises(BadRequest, match="最多"):
        district.gaps.mark(member, gap["id"], "ignored", "长" * 301)
    district.gaps.mark(member, gap["id"], "ignored", "不是本处的事")
    assert district.page(member)["gaps"] == []
    [ignored] = district.page(member, state="ignored")["gaps"]
    assert (ignored["reason"], ignored["changed_by"]) == ("不是本处的事", member.name)
    district.gaps.mark(member, gap["id"], "drafted")
    assert district.page(member, state="drafted")["gaps"][0]["reason"] == ""
    district.gaps.mark(member, gap["id"], "open")
    assert len(district.page(member)["gaps"]) == 1


def test_each_page_that_was_read_is_one_event_without_a_citizens_words(
    district: District,
) -> None:
    member = district.hire()
    for question in ("遗嘱甲", "彩礼甲"):
        district.ask(question)
    district.collect()
    gaps = district.page(member)["gaps"]
    district.gaps.read(member, gaps[0]["id"])
    with district.sessions() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "gap.read")).all()
    assert [e.actor for e in events] == [member.id, member.id]
    assert not any("遗嘱" in str(e.detail) or "彩礼" in str(e.detail) for e in events)


def test_pages_follow_each_other_without_a_gap_or_a_repetition(district: District) -> None:
    for word, count in zip(MEANINGS, (3, 2, 2, 1), strict=True):
        for n in range(count):
            district.ask(f"{word}{n}")
    district.collect()
    seen: list[str] = []
    after = ""
    while True:
        page = district.page(after=after, limit=1)
        seen += [gap["name"][:2] for gap in page["gaps"]]
        if not page["next"]:
            break
        after = page["next"]
    assert sorted(seen) == sorted(MEANINGS)
    assert (seen[0], seen[-1]) == ("遗嘱", "天气")


@pytest.mark.parametrize("filters", [{"kind": "x"}, {"state": "x"}, {"after": "x"}, {"after": "1"}])
def test_a_filter_that_makes_no_sense_is_refused(
    district: District, filters: dict[str, Any]
) -> None:
    with pytest.raises(BadRequest):
        district.page(**filters)


def test_a_block_of_questions_falls_as_they_would_one_by_one() -> None:
    random = np.random.default_rng(1)
    middles = random.normal(size=(40, 16))
    questions = middles[random.integers(0, 40, 500)] + random.normal(scale=0.6, size=(500, 16))
    questions = (questions / np.linalg.norm(questions, axis=1, keepdims=True)).astype(np.float32)
    at_once = Clusters(np.zeros((0, 16), np.float32), together=0.6)
    one_by_one = Clusters(np.zeros((0, 16), np.float32), together=0.6)
    places = at_once.join(questions)
    assert places == [one_by_one.join(question[None])[0] for question in questions]
    assert 20 < len(at_once) < 300
    again = Clusters(np.asarray([at_once.total(i) for i in range(len(at_once))]), together=0.6)
    assert again.join(questions[:1])[0] < len(at_once)  # what is known is gone on with


def test_ten_thousand_questions_find_their_clusters_in_ten_seconds() -> None:
    random = np.random.default_rng(0)
    middles = random.normal(size=(1500, 384))
    questions = middles[random.integers(0, 1500, 10_000)] + random.normal(
        scale=0.5, size=(10_000, 384)
    )
    questions = (questions / np.linalg.norm(questions, axis=1, keepdims=True)).astype(np.float32)
    began = time.process_time()  # of this process: others may be at work beside it
    clusters = Clusters(np.zeros((0, 384), np.float32))
    places = clusters.join(questions)
    assert time.process_time() - began < 10
    assert len(set(places)) == len(clusters)
    assert 1400 <= len(clusters) <= 1600
