"""The parts of gaps over one set of rooms, as the API and the pages use them."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.models import Kind
from service.assembly import Rooms
from service.gaps.collect import Collector
from service.gaps.overview import Gaps
from service.gaps.vectors import QuestionVectors
from service.serving import Serving
from service.trials import background

AT_ONCE = 50  # so many new questions are placed while a page waits


class GapDesk:
    """Cheap to make: build one a request."""

    def __init__(self, rooms: Rooms, serving: Serving) -> None:
        self._rooms, self._serving = rooms, serving
        self.gaps = Gaps(rooms.sessions, serving, lambda: serving.versions)

    def bring_up_to_date(self) -> int:
        """Put new questions into clusters: a few at once, many in the background. How many are
        still to come."""
        documents = self._serving.library.documents.values()
        titles = sorted(d.title for d in documents if d.kind is Kind.FAQ)
        vectors = QuestionVectors(self._rooms.sessions, self._rooms.encoder, titles)
        collector = Collector(self._rooms.sessions, vectors)
        outstanding = collector.outstanding()
        if outstanding > AT_ONCE:
            background.start(f"gaps {self._rooms.settings.home}", collector.collect)
            return outstanding
        collector.collect()
        return 0

    def look_up_the_rest(self, gaps: Sequence[str]) -> None:
        """What a page had no time for is there when it is read again."""
        if gaps:
            home = self._rooms.settings.home
            background.start(f"nearest {home}", lambda: self.gaps.look_up(gaps))
