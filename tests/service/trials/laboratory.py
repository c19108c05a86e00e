"""Where trials are tried: a real database, a small library, and answers that are known beforehand.

`Told` answers from a table, like `service.serving.Serving` from an index: what is not in it is met
with "not sure". With a draft in place it answers from the draft's words, so that a comparison has
something to find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from ingest.pipeline import Incoming
from knowledge.citations import LawBook
from knowledge.library import Library, Source
from knowledge.models import Document, Kind, Passage, Revision, Status
from service.answering.draft import Answer, Citation, Draft, NextStep, Outcome
from service.auth import Member, StaffRegister
from service.errors import NotFound
from service.trials import DraftComparisons, QuestionSets, TrialRuns

ON = date(2026, 11, 30)
START = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
LAW = "中华人民共和国民法典"
DIVORCE, WAGES = "faq-divorce", "faq-wages"
CARD = NextStep(
    id=WAGES, title="公司拖欠工资怎么办", how="打电话", source="试验", checked_on="2026-11-30"
)


def document(identity: str, kind: Kind, title: str) -> Document:
    return Document(id=identity, kind=kind, title=title, origin="content")


def revision(
    identity: str, of: str, answer: str = "", status: Status = Status.PUBLISHED
) -> Revision:
    return Revision(
        id=identity,
        document_id=of,
        status=Status.PUBLISHED,
        source="试验",
        checked_on=ON,
        published_on=ON,
        body={"answer": answer} if answer else {},
    )


def ways(of: str, *texts: str) -> tuple[Passage, ...]:
    return tuple(
        Passage(id=f"{of}/{i}", revision_id=of, ordinal=i, label="问法", text=text)
        for i, text in enumerate(texts)
    )


def small_library() -> Library:
    article = Passage(
        id="law@1/1077", revision_id="law@1", ordinal=0, label="第一千零七十七条", text="三十日内……"
    )
    return Library(
        [
            document("law", Kind.STATUTE, LAW),
            document(DIVORCE, Kind.FAQ, "离婚冷静期多久"),
            document(WAGES, Kind.FAQ, "公司拖欠工资怎么办"),
        ],
        [
            revision("law@1", "law"),
            revision("d@1", DIVORCE, "三十天。"),
            revision("w@1", WAGES, "投诉。"),
        ],
        [article, *ways("d@1", "离婚冷静期多久", "冷静期几天"), *ways("w@1", "公司拖欠工资怎么办")],
    )


@dataclass
class Told:
    """Answers that are known beforehand: question → id of the FAQ entry that answers it."""

    library: Library = field(default_factory=small_library)
    table: dict[str, str] = field(
        default_factory=lambda: {
            "离婚冷静期多久": DIVORCE,
            "冷静期几天": DIVORCE,
            "公司拖欠工资怎么办": WAGES,
        }
    )
    versions: dict[str, str] = field(default_factory=lambda: {"knowledge": "k1", "index": "i1"})
    asked: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)  # of drafts, by document

    def answer(self, question: str, **given: Any) -> Answer:
        self.asked.append(question)
        draft = Draft(
            raw=question, on=given.get("on") or ON, region=given.get("region") or "310107"
        )
        draft.question = draft.query = question
        draft.trace["step_ms"] = {"mask": 0.1, "compose": 1.0}
        history = given.get("history") or ()
        identity = self.table.get(question) or (history and self.table.get(history[-1].question))
        if identity:
            source = self.library.source("law@1/1077")
            draft.citations = [Citation(Source(source.passage, source.revision, source.document))]
            draft.trace["answered_by"] = identity
            draft.steps = [
                NextStep(
                    id=WAGES, title="公司拖欠工资怎么办", how="打电话", source="试验", checked_on=""
                )
            ]
            body = self.library.versions(identity)[0].body
            draft.confidence = 0.9
            draft.settle(Outcome.ANSWERED_FAQ, self.words.get(identity) or body["answer"])
        else:
            draft.settle(Outcome.UNANSWERABLE_UNSURE, "没有把握。")
        return Answer(draft, 2.0, self.versions)

    @contextmanager
    def candidate(self, changes: Sequence[Incoming]) -> Iterator[Told]:
        words = {c.document.id: c.revision.body["answer"] for c in changes}
        asks = {p.text: c.document.id for c in changes for p in c.passages}
        kept = {q: d for q, d in self.table.items() if d not in words}
        yield Told(self.library, kept | asks, self.versions, self.asked, words)


@dataclass
class Clock:
    at: datetime = START

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def later(self, **length: float) -> None:
        self.at += timedelta(**length)


@dataclass
class Laboratory:
    sessions: sessionmaker[Session]
    clock: Clock = field(default_factory=Clock)
    told: Told = field(default_factory=Told)
    drafts: dict[str, Incoming] = field(default_factory=dict)
    opened_for: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.laws = LawBook(self.told.library, {})
        self.sets = QuestionSets(
            self.sessions,
            lambda: self.laws,
            lambda: self.told.library,
            longest=2000,
            clock=self.clock,
        )
        self.runs = TrialRuns(self.sessions, clock=self.clock)
        self.comparisons = DraftComparisons(
            self.sessions, self.draft_of, lambda: self.told.library, clock=self.clock
        )
        self.staff = StaffRegister(self.sessions)

    def hire(self, role: str = "reviewer", region: str = "") -> Member:
        return self.staff.add(f"某{role}", [role], region=region)[0]

    def drafts_of(self, staff_id: str) -> Callable[[str], Incoming]:
        self.opened_for.append(staff_id)
        return self.draft_of

    def draft_of(self, identity: str) -> Incoming:
        if identity not in self.drafts:
            raise NotFound("revision_unknown", "没有这个版本。")
        return self.drafts[identity]

    def draft(self, identity: str, of: str, answer: str, *asks: str) -> str:
        known = self.told.library.documents[of]
        found = revision(identity, of, answer)
        self.drafts[identity] = Incoming(known, found, ways(identity, *asks))
        return identity

    def a_set(
        self, member: Member, *rows: str | dict[str, Any], name: str = "常问"
    ) -> dict[str, Any]:
        """A set with these questions."""
        made = self.sets.create(member, name)
        asked = [{"question": r} if isinstance(r, str) else r for r in rows]
        return self.sets.add(member, made["id"], asked) if asked else made

    def run(self, member: Member, *sets: dict[str, Any]) -> str:
        """Ask sets to the end; the id of the run."""
        run = self.runs.ask_for(member, [self.sets.read(s["id"]) for s in sets])
        self.work()
        return run

    def work(self) -> int:
        return self.runs.work(self.told, self.drafts_of)
