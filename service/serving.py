"""What answers now: one open pipeline, replaced in passing when what is published has changed."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from tempfile import TemporaryDirectory

import structlog

from ingest.pipeline import Incoming
from knowledge import index
from knowledge.index import IndexMissing
from knowledge.library import Library
from knowledge.models import Kind, Revision
from knowledge.store import today_in_china
from service.answering.draft import NO_HINTS, NOTHING_OFF, Answer, Hints, Off, Turn
from service.answering.legal_aid import LegalAid
from service.answering.pipeline import Pipeline
from service.assembly import Rooms

log = structlog.get_logger()
_LOOK_SECONDS = 5.0  # how often another process's work, and a new day, are looked for
_LONGEST_ANSWER = 30.0  # seconds that a question begun before a switch is waited for
_LONGEST_WAIT = 300.0  # after failures: each takes all that a build takes


@dataclass
class _Opened:
    pipeline: Pipeline
    library: Library
    generation: str
    on: date
    closing: ExitStack
    users: int = 0
    retired: bool = False
    closed: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        self.closing.close()
        self.closed.set()


@dataclass(frozen=True, slots=True)
class Status:
    """What serves, whether it is what is published, and what went wrong if it is not."""

    generation: str
    knowledge: str
    built_at: str
    current: bool
    refreshing: bool
    error: str | None


@dataclass
class Serving:
    """Answers like a `Pipeline`, always from the newest index; safe to share between threads.

    `refresh` after a change of what is published builds the index beside and switches to it: a
    question that is being answered ends with what it began with.
    """

    rooms: Rooms
    _opened: _Opened | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _refreshing: threading.Lock = field(default_factory=threading.Lock)
    _wanted: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _watcher: threading.Thread | None = None
    _error: str | None = None
    _busy: bool = False

    def open(self) -> None:
        """Open what serves. Raises NotReady. From now on the index is watched."""
        self._opened = self._open()
        settle()
        self._watcher = threading.Thread(target=self._watch, name="serving", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        self._ended.set()
        self._wanted.set()
        if self._watcher:
            self._watcher.join()
        if self._opened:
            self._opened.close()
        gc.unfreeze()

    @contextmanager
    def pipeline(self) -> Iterator[Pipeline]:
        """The pipeline that answers now; it stays open for as long as it is held."""
        with self._lock:
            opened = self._opened
            if opened is None:
                raise RuntimeError("not open")
            opened.users += 1
        try:
            yield opened.pipeline
        finally:
            with self._lock:
                opened.users -= 1
                last = opened.retired and not opened.users
            if last:
                opened.close()

    def answer(
        self,
        question: str,
        *,
        on: date | None = None,
        region: str | None = None,
        history: Sequence[Turn] = (),
        with_person: bool = False,
        channel: str = "",
        off: Off = NOTHING_OFF,
        hints: Hints = NO_HINTS,
    ) -> Answer:
        """See `Pipeline.answer`."""
        with self.pipeline() as pipeline:
            return pipeline.answer(
                question,
                on=on,
                region=region,
                history=history,
                with_person=with_person,
                channel=channel,
                off=off,
                hints=hints,
            )

    @property
    def library(self) -> Library:
        """What is published, as it serves now."""
        return self._now.library

    @property
    def legal_aid(self) -> LegalAid:
        return self._now.pipeline.legal_aid

    @property
    def versions(self) -> dict[str, str]:
        return self._now.pipeline.versions

    @property
    def _now(self) -> _Opened:
        if self._opened is None:
            raise RuntimeError("not open")
        return self._opened

    def status(self) -> Status:
        manifest = index.read_manifest(self.rooms.settings.index_home)
        return Status(
            generation=self._now.generation,
            knowledge=manifest.knowledge,
            built_at=manifest.built_at,
            current=not self.rooms.stale() and manifest.generation == self._now.generation,
            refreshing=self._busy or self._wanted.is_set() or self._refreshing.locked(),
            error=self._error,
        )

    def refresh(self) -> bool:
        """Answer from what is published now; returns whether anything had to change.

        Takes a few seconds, mostly for the shelf of our own content, in which answers go on.
        """
        with self._refreshing:
            if self.rooms.stale():
                self.rooms.build_index()
            manifest = index.read_manifest(self.rooms.settings.index_home)
            if manifest.generation == self._now.generation and self._now.on == today_in_china():
                return False
            self.rooms.forget()
            self._replace(self._open())
            settle()  # where nothing here holds on to what was replaced
            log.info("serving.switched", generation=self._now.generation)
            return True

    def _replace(self, opened: _Opened) -> None:
        """Answer from `opened`; what answered until now is closed as soon as nobody uses it."""
        with self._lock:
            old, self._opened = self._now, opened
            old.retired = True
            idle = not old.users
        if idle:
            old.close()
        else:
            old.closed.wait(_LONGEST_ANSWER)

    def request_refresh(self) -> None:
        """Have it refreshed in the background, at once; `status` says when it is done."""
        self._wanted.set()

    def _watch(self) -> None:
        wait = _LOOK_SECONDS
        while not self._ended.is_set():
            asked = self._wanted.wait(wait)
            if self._ended.is_set():
                return
            self._busy = asked
            self._wanted.clear()  # first, so that what is asked for meanwhile is done after this
            try:
                if asked or self._outdated():
                    self.refresh()
                self._error = None
                wait = _LOOK_SECONDS
            except Exception as error:
                # What serves goes on serving; the page says that the change has not arrived.
                log.exception("serving.refresh_failed")
                self._error = f"更新索引失败：{error}"
                wait = min(wait * 2, _LONGEST_WAIT)
            finally:
                self._busy = False

    def _outdated(self) -> bool:
        """Whether another process has published or built, or a new day has begun."""
        if self.rooms.stale():
            return True
        with suppress(IndexMissing):
            manifest = index.read_manifest(self.rooms.settings.index_home)
            return manifest.generation != self._now.generation or self._now.on != today_in_china()
        return False

    def _open(self) -> _Opened:
        on = today_in_china()
        with ExitStack() as stack:
            pipeline = stack.enter_context(self.rooms.pipeline())
            return _Opened(
                pipeline=pipeline,
                library=self.rooms.library,
                generation=pipeline.versions["index"],
                on=on,
                closing=stack.pop_all(),
            )

    @contextmanager
    def candidate(
        self, changes: Sequence[Incoming], *, without: Iterable[str] = ()
    ) -> Iterator[Pipeline]:
        """A pipeline over what would be published: `changes` in place of what their documents
        have now, and nothing of the documents `without`. Its index is its own, and thrown away."""
        library = changed_library(self.library, changes, without)
        home = self.rooms.settings.home
        with (
            TemporaryDirectory(dir=home, prefix="candidate-") as folder,
            self.rooms.retriever_of(library, folder) as retriever,
        ):
            yield self.rooms.pipeline_over(retriever)


def settle() -> None:
    """What is in memory now stays until the next switch: free what an old pipeline and a build
    left, and do not look through the rest for garbage again, which stopped everything for 0.2 s
    about once in twenty pages. glibc keeps freed memory for itself unless told: measured, 200 MB
    of a process that otherwise has 700."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def changed_library(
    library: Library, changes: Sequence[Incoming], without: Iterable[str] = ()
) -> Library:
    """`library` with the revisions of `changes` as the only ones of their documents, and without
    the documents `without`."""
    gone = {c.document.id for c in changes} | set(without)

    def stays(revision: Revision) -> bool:
        return revision.document_id not in gone

    kept = {r.id: r for r in library.revisions.values() if stays(r)}
    documents = {d.id: d for d in library.documents.values() if d.id not in set(without)}
    documents |= {c.document.id: c.document for c in changes}
    searched = (c for c in changes if c.document.kind is not Kind.RULES)
    return Library(
        documents.values(),
        [*kept.values(), *(c.revision for c in changes)],
        [
            *(p for p in library.passages.values() if p.revision_id in kept),
            *(p for c in searched for p in c.passages),
        ],
        library.repealed,
    )
