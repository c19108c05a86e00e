"""The parts of trials over one set of rooms, as the API and the pages use them."""

from __future__ import annotations

from typing import Any

from ingest.pipeline import Incoming
from service.assembly import Rooms
from service.auth import Member, member_of
from service.curation import Curation
from service.models import Staff
from service.serving import Serving
from service.switches import Switches
from service.trials import background
from service.trials.asking import DraftSource, Trials
from service.trials.drafts import DraftComparisons
from service.trials.runs import TrialRuns
from service.trials.sets import QuestionSets


class TrialDesk:
    """Cheap to make: build one a request."""

    def __init__(self, rooms: Rooms, serving: Serving) -> None:
        self._rooms, self._serving = rooms, serving
        self.curation = Curation(rooms.sessions, lambda: rooms.laws)
        self.runs = TrialRuns(rooms.sessions)
        self.sets = QuestionSets(
            rooms.sessions,
            lambda: rooms.laws,
            lambda: serving.library,
            longest=rooms.settings.max_question_chars,
        )

    def trials(self, member: Member) -> Trials:
        return Trials(
            self._serving,
            lambda: self._rooms.calibration,
            longest=self._rooms.settings.max_question_chars,
            draft_of=self._draft_source(member),
            off=Switches(self._rooms.sessions).off,
        )

    def comparisons(self, member: Member) -> DraftComparisons:
        return DraftComparisons(
            self._rooms.sessions, self._draft_source(member), lambda: self._serving.library
        )

    def work(self) -> None:
        """Have what waits run in the background."""
        background.start(
            f"trials {self._rooms.settings.home}",
            lambda: self.runs.work(self._serving, self._drafts_of, pause=background.PAUSE),
        )

    def go_on(self, *runs: dict[str, Any]) -> None:
        """Have runs that somebody looks at, and that still wait, run in the background: the process
        in which they were asked for may have ended."""
        if any(run["status"] == "waiting" for run in runs):
            self.work()

    def drafts(self, member: Member) -> list[tuple[str, str]]:
        """Drafts to try, those in review first, as (id, title)."""
        found = {}
        for status, note in (("in_review", "待复核"), ("draft", "草稿")):
            for document in self.curation.find(member, status=status, limit=50)["documents"]:
                if document["draft"]:
                    found[document["draft"]["id"]] = f"{document['title']}（{note}）"
        return list(found.items())

    def _drafts_of(self, staff_id: str) -> DraftSource:
        with self._rooms.sessions() as session:
            return self._draft_source(member_of(session.get_one(Staff, staff_id)))

    def _draft_source(self, member: Member) -> DraftSource:
        """How a draft is got, with what this member may see."""

        def draft(revision: str) -> Incoming:
            return self.curation.incoming(member, revision)

        return draft
