"""A knowledge base over a fresh database with two small laws, and people who work on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from ingest import content
from ingest.pipeline import Incoming, Report, apply
from knowledge import store
from knowledge.citations import LawBook
from knowledge.library import Library, Repealed
from knowledge.models import Document, Kind, Passage, Revision, Status
from service.auth import Member, StaffRegister
from service.curation import Curation
from tests.service.office import Clock

TODAY = date(2026, 11, 30)  # of the clock that tests begin with, in Shanghai


@dataclass
class Bureau:
    """Curation on one database; the clock moves only when it is looked at, or told to."""

    engine: Engine
    sessions: sessionmaker[Session]
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.laws = law_book()
        self.curation = Curation(self.sessions, lambda: self.laws, clock=self.clock)
        self.staff = StaffRegister(self.sessions)
        self.author = self.hire("张编辑", "curator")
        self.other = self.hire("李编辑", "curator")
        self.reviewer = self.hire("王复核", "reviewer")
        self.chief = self.hire("赵主任", "curator", "reviewer")

    def hire(self, name: str, *roles: str, region: str = "") -> Member:
        return self.staff.add(name, list(roles), region=region)[0]

    def ship(self, *items: dict[str, Any]) -> Report:
        """What an upgrade brings: these items and no others."""
        with self.sessions.begin() as session:
            return apply(session, [shipped(i) for i in items], Report("content"))

    def save(
        self,
        member: Member | None = None,
        document_id: str | None = None,
        *,
        base: str | None = None,
        kind: str = "faq",
        merges: str | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        return self.curation.save(
            member or self.author,
            document_id=document_id,
            kind=kind,
            body=faq(**changes) if kind == "faq" else changes,
            base=base,
            merges=merges,
        )

    def publish(
        self, revision: dict[str, Any], member: Member | None = None, **dates: date | None
    ) -> dict[str, Any]:
        """Submit and approve."""
        author = member or self.author
        self.curation.submit(author, revision["id"])
        return self.curation.approve(self.reviewer, revision["id"], **dates)

    def published(self, **changes: Any) -> dict[str, Any]:
        """A new answer that is published."""
        return self.publish(self.save(**changes))

    def status(self, revision: dict[str, Any] | str) -> Status:
        identity = revision if isinstance(revision, str) else revision["id"]
        with self.sessions() as session:
            found = store.revision(session, identity)
        assert found is not None
        return found.status

    def answer_on(self, document_id: str, on: date) -> str | None:
        """What citizens would be told on a day, by the real Library."""
        with self.sessions() as session:
            library = Library.load(session)
        found = library.revision_in_force(document_id, on)
        return found.body["answer"] if found else None


def faq(**changes: Any) -> dict[str, Any]:
    """The fields of an answer as an editor sends them."""
    return {
        "topic": "劳动人事",
        "region": "310107",
        "question": "公司不发工资怎么办",
        "asks": ["老板欠薪", "工资没发", "拖欠工资"],
        "answer": "先协商，再仲裁。",
        "cites": ["劳动法第五十条"],
        "source": "测试",
        "checked_on": "2026-11-26",
    } | changes


def card(**changes: Any) -> dict[str, Any]:
    return {
        "title": "劳动监察投诉",
        "topic": "劳动人事",
        "region": "310107",
        "summary": "可以向劳动监察投诉。",
        "asks": ["去哪投诉", "投诉电话", "劳动监察在哪"],
        "phone": {"text": "12333", "certainty": "B", "source": "测试"},
        "source": "测试",
        "checked_on": "2026-11-26",
    } | changes


def shipped(item: dict[str, Any]) -> Incoming:
    """An item of the YAML that ships."""
    [read] = content._ITEMS.validate_python([item])
    return content.to_incoming(read, content.ORIGIN)


def law_book() -> LawBook:
    """劳动法 with four articles, 民法典 with one, and 合同法, which the latter replaced."""
    documents, revisions, passages = [], [], []
    for name, labels in (("劳动法", "四十九 五十 五十一"), ("民法典", "五百七十七")):
        title = f"中华人民共和国{name}"
        documents.append(Document(id=name, kind=Kind.STATUTE, title=title, origin="package"))
        revisions.append(
            Revision(
                id=f"{name}@1",
                document_id=name,
                status=Status.PUBLISHED,
                source="测试",
                checked_on=TODAY,
                effective_from=date(2021, 1, 1),
            )
        )
        for ordinal, number in enumerate(labels.split()):
            passages.append(
                Passage(
                    id=f"{name}@1/{ordinal}",
                    revision_id=f"{name}@1",
                    ordinal=ordinal,
                    label=f"第{number}条",
                    text="工资应当以货币形式按月支付给劳动者本人。",
                )
            )
    gone = Repealed(
        law="中华人民共和国合同法",
        aliases=(),
        repealed_on=date(2021, 1, 1),
        replaced_by="中华人民共和国民法典",
        basis="",
        note="",
        articles={"107": ("577",)},
    )
    return LawBook(Library(documents, revisions, passages, [gone]), {})
