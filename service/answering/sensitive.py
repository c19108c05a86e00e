"""Words that need care: abuse is masked for readers, solicitation is refused, the rest is noted.

Abuse does not make a question less of one: it is answered, without the insult. Legal vocabulary is
never blocked by itself, and no solicitation is seen where somebody asks for help. The table is
content (sensitive.csv); a site lays its own over it and may change that while we serve.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import structlog
from ahocorasick_rs import AhoCorasick

from service.answering import wording
from service.answering.draft import Draft, Handover, Outcome, Targets
from service.answering.wordlist import (
    INSULT,
    Row,
    Rows,
    fold_character,
    layered,
    read_if_there,
    shipped,
)
from service.errors import BadWords

log = structlog.get_logger()

_MASK = "＊"
# Between two characters of a word these mostly end one clause and begin another; the rest of what
# is no letter (spaces, dots, stars, emoji) mostly hides the word.
_CLAUSE_MARKS = frozenset("，。！？；：、,!?;:\n\r")
_SPELT_OUT = 3  # characters with something between each: 操，你，妈


@dataclass(frozen=True, slots=True)
class Found:
    """A listed word at text[start:end]; `action` is what follows here: note, mask or refuse."""

    start: int
    end: int
    row: Row
    action: str


@dataclass(frozen=True, slots=True)
class _Match:
    start: int
    end: int
    row: Row

    def within(self, other: _Match) -> bool:
        return other.start <= self.start and self.end <= other.end

    def shorter_within(self, other: _Match) -> bool:
        return self.within(other) and self.end - self.start < other.end - other.start


class Table:
    """All words in one automaton; safe to share between threads."""

    def __init__(self, rows: Rows) -> None:
        self._rows = tuple(rows.values())
        self._automaton = AhoCorasick(list(rows))

    def find(self, text: str) -> tuple[Found, ...]:
        """The listed words in a text, in order. A longer word hides those inside it, and an
        allowed phrase those that it covers."""
        matches = self._matches(text)
        allowed = [m for m in matches if m.row.action == "allow"]
        seeks_help = any(m.row.action == "help" for m in matches)
        left = [
            m
            for m in matches
            if m.row.action not in ("allow", "help") and not any(map(m.within, allowed))
        ]
        reachable = any(m.row.action == "contact" for m in left)
        words = [m for m in left if m.row.action != "contact"]
        return tuple(
            Found(m.start, m.end, m.row, _effect(m.row.action, seeks_help, reachable))
            for m in sorted(words, key=lambda m: (m.start, -m.end))
            if not any(map(m.shorter_within, words))
        )

    def _matches(self, text: str) -> list[_Match]:
        folded, places = _folded(text)
        matches = []
        for number, begin, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            spots = places[begin:end]
            if _one_word(text, spots) and _stands_alone(text, spots):
                matches.append(_Match(spots[0], spots[-1] + 1, self._rows[number]))
        return matches


def _effect(action: str, seeks_help: bool, reachable: bool) -> str:
    if action in ("refuse", "offer"):
        return "refuse" if not seeks_help and (action == "refuse" or reachable) else "note"
    return action


def _folded(text: str) -> tuple[str, list[int]]:
    """The text as words are compared, and where each of its characters stood."""
    characters: list[str] = []
    places: list[int] = []
    for place, plain in enumerate(map(fold_character, text)):
        if plain:
            characters.append(plain)
            places.extend([place] * len(plain))
    return "".join(characters), places


def _one_word(text: str, spots: Sequence[int]) -> bool:
    gaps = [text[a + 1 : b] for a, b in pairwise(spots)]
    if not any(_CLAUSE_MARKS.intersection(gap) for gap in gaps):
        return True
    return len(spots) >= _SPELT_OUT and all(gaps)


def _stands_alone(text: str, spots: Sequence[int]) -> bool:
    """Latin letters at the edge of a word do not go on beside it: sb, but not usb."""
    before, after = text[: spots[0]][-1:], text[spots[-1] + 1 :][:1]
    return not (_latin(before) and _latin(text[spots[0]])) and not (
        _latin(after) and _latin(text[spots[-1]])
    )


def _latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def masked(text: str, found: Iterable[Found]) -> str:
    """The text with a star for each character of the words that are to be masked."""
    characters = list(text)
    for hit in found:
        if hit.action == "mask":
            length = sum(map(bool, map(fold_character, text[hit.start : hit.end])))
            characters[hit.start : hit.end] = [_MASK * length] + [""] * (hit.end - hit.start - 1)
    return "".join(characters)


def without_insults(text: str, found: Iterable[Found]) -> str:
    """The text as a civil person would have put it."""
    characters = list(text)
    for hit in found:
        if hit.action == "mask" and hit.row.category == INSULT:
            characters[hit.start : hit.end] = [""] * (hit.end - hit.start)
    return "".join(characters).strip(" ，。！？；：、,.!?;:")


class Words:
    """The shipped table with a site's own over it, read again when that file changes.

    A broken file changes nothing: the table before it keeps serving, `problem` says in Chinese
    what is wrong, and `consult words check` says so to whoever edits it.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self._reading = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._table = Table(shipped())
        self.problem: str | None = None

    def table(self) -> Table:
        """The words as they are now; the words a moment ago while another thread reads them."""
        own = self._own
        if own and self._stamp != _stamp(own) and self._reading.acquire(blocking=False):
            try:
                self._read(own)
            finally:
                self._reading.release()
        return self._table

    def check_outbound(self, text: str) -> tuple[Found, ...]:
        """The words for which a text of a model's must not go out as it is."""
        return tuple(hit for hit in self.table().find(text) if hit.action != "note")

    def _read(self, own: Path) -> None:
        stamp = _stamp(own)
        try:
            self._table = Table(layered(read_if_there(own)))
            self.problem = None
        except BadWords as error:
            self.problem = error.message
            log.warning("words.broken", file=own.name)
        self._stamp = stamp


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


class Sensitive:
    """Directly after Mask: mask abuse in what readers see, and record which rows were met.

    The query keeps every word: what hurts to read may be what tells of danger. Records name
    category, action and row, not the word, which would bring back what the mask takes out; with
    the id, `consult words list` finds the row that is to be mended.
    """

    def __init__(self, words: Words) -> None:
        self._words = words

    def __call__(self, draft: Draft) -> None:
        found = self._words.table().find(draft.question)
        if not found:
            return
        records = {
            (hit.row.id, hit.action): {
                "category": hit.row.category,
                "action": hit.action,
                "row": hit.row.id,
            }
            for hit in found
        }
        draft.trace["sensitive"] = list(records.values())
        draft.question = masked(draft.question, found)


class Solicitation:
    """After Urgent: refuse advertisements of what is forbidden, and go on without the insults."""

    def __init__(self, words: Words, targets: Targets) -> None:
        self._words = words
        self._targets = targets

    def __call__(self, draft: Draft) -> None:
        found = self._words.table().find(draft.query)
        if any(hit.action == "refuse" for hit in found):
            self._settle(draft, "harm", Outcome.REFUSED_HARM, wording.REFUSED_HARM)
        elif any(hit.action == "mask" for hit in found):
            rest = without_insults(draft.query, found)
            if rest:
                draft.query = rest
            else:
                self._settle(draft, "off_topic", Outcome.UNANSWERABLE_OFF_TOPIC, wording.OFF_TOPIC)

    def _settle(self, draft: Draft, reason: str, outcome: Outcome, words: str) -> None:
        draft.confidence = 1.0
        draft.handover = Handover(
            "hotline", wording.REASONS[reason], self._targets(("hotline-12348",))
        )
        draft.settle(outcome, words)
