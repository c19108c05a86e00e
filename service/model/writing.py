"""The model beside an answer: after the rules have answered from sources, it may say the same more
fluently, sentence by sentence, each checked before anybody sees it. Where they are unsure, it may
read a follow-up, or choose from a closed list whom to send the citizen to and what to offer.
Whatever goes wrong, the answer is what it was."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import structlog

from knowledge import text
from knowledge.citations import LawBook
from knowledge.statutes import chinese_date
from knowledge.store import today_in_china
from service.answering import wording
from service.answering.draft import NO_HINTS, Answer, Draft, Hints, Outcome
from service.answering.unsure import open_choices
from service.model import choosing, prompts, rewriting
from service.model.calling import Caller, Failure, ModelFailed, Usage
from service.model.evidence import FROM, Evidence, evidence_of
from service.model.lines import objects
from service.model.omissions import missing
from service.model.verification import Dropped, Reason, Sentence, Verifier
from service.privacy import mask

log = structlog.get_logger()
Hear = Callable[[str, dict[str, Any]], None]  # the name of an event, and its data
Again = Callable[[Hints], Answer]
_MOST_SENTENCES = 12
_PROMPTS = ("compose", "rewrite", "choose")
_UNSURE = (Outcome.UNANSWERABLE_UNSURE, Outcome.CLARIFY_TOPIC)
_KEPT_WORDS = 160  # characters of what was dropped that the record keeps, masked
_MOST_DROPPED = 20  # of a choice, on record; all are counted


def _deaf(_event: str, _data: dict[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class About:
    """The model as citizens are told of it."""

    name: str  # what it is called in public
    filing: str  # 备案号, empty where there is none
    region_name: str

    def to_json(self, used_for: Sequence[str]) -> dict[str, Any]:
        return {
            "name": self.name,
            "filing": self.filing or None,
            "label": wording.MODEL_LABEL,
            "generated": list(used_for),  # fields of the answer that hold its words
        }


@dataclass
class _Work:
    """One question's dealings with the model."""

    until: float
    off: Callable[[], bool]
    conversation: str | None
    hear: Hear
    usage: Usage = field(default_factory=Usage)
    began: float = field(default_factory=time.monotonic)
    note: dict[str, Any] = field(default_factory=dict)  # what the trace keeps
    counts: Counter[str] = field(default_factory=Counter)


class Writer:
    """Improves answers; safe to share between threads. `laws` gives the law book of the moment."""

    def __init__(self, caller: Caller, laws: Callable[[], LawBook], about: About) -> None:
        self._caller, self._laws, self._about = caller, laws, about

    @property
    def name(self) -> str:
        """What the model is called in public."""
        return self._about.name

    @property
    def budget_seconds(self) -> float:
        """The most time that it adds to an answer."""
        return self._caller.limits.total

    def improve(
        self,
        answer: Answer,
        again: Again,
        *,
        off: Callable[[], bool],
        conversation: str | None = None,
        hear: Hear = _deaf,
    ) -> Answer:
        """The answer with its words made more fluent or, where the rules were unsure, with what is
        likely meant in front; or as it was.

        `again` answers the same question with hints. `off`: the kill switch, looked at before each
        sentence. `hear` gets `status`, with the label of what follows, and each
        `sentence` once it is verified.
        """
        if answer.draft.caution:
            return answer  # who may be in danger reads at once whom to call
        if off() or not (_may_write(answer) or _may_read(answer) or _may_choose(answer)):
            return answer
        began = time.monotonic()
        work = _Work(began + self._caller.limits.total, off, conversation, hear)
        try:
            if _may_read(answer):
                answer = self._reread(answer, again, work)
            if _may_choose(answer):
                answer = self._choose(answer, again, work)
            if _may_write(answer):
                self._compose(answer.draft, work)
        except ModelFailed as failed:
            _degrade(work, failed.failure)
        except Exception:
            # The one edge of what a model may break: the citizen gets what was found without it.
            log.exception("model.broken")
            _degrade(work, Failure.ERROR)
        return self._finished(answer, work)

    def _finished(self, answer: Answer, work: _Work) -> Answer:
        took_ms = round((time.monotonic() - work.began) * 1000, 1)
        usage = work.usage
        answer.draft.trace["model"] = {
            "name": self._about.name,
            "calls": usage.calls,
            "tokens": usage.tokens,
            "first_ms": usage.first_ms,
            "ms": took_ms,
            **work.note,
        }
        try:
            self._caller.budget.count(work.counts)
        except Exception:
            log.exception("model.not_counted")  # the answer matters more than its count
        versions = {f"prompt_{name}": prompts.load(name).version for name in _PROMPTS}
        return replace(
            answer,
            took_ms=answer.took_ms + took_ms,
            versions=answer.versions | versions | {"model": self._about.name},
        )

    # ── a follow-up that the rules did not understand ────────────────────────────────
    def _reread(self, answer: Answer, again: Again, work: _Work) -> Answer:
        draft = answer.draft
        messages = prompts.load("rewrite").messages(
            self._values(draft), {"对话": rewriting.told(draft.history, draft.question)}
        )
        pieces = self._caller.stream(
            messages, until=work.until, usage=work.usage, conversation=work.conversation
        )
        reading = rewriting.read(pieces, draft.history, draft.question, self._laws())
        pieces.close()
        work.note["reading"] = {"fault": reading.fault} | _kept(reading.text)
        if reading.fault:
            work.counts[f"reading.{reading.fault}"] += 1
            return answer
        found = again(Hints(readings=(reading.text,)))
        used = found.outcome.answered and found.draft.query == reading.text
        work.counts["reading.used" if used else "reading.unused"] += 1
        work.note["reading"]["used"] = used
        if not used:
            return answer
        found.draft.model = self._about.to_json(["notices"])
        return replace(found, took_ms=answer.took_ms + found.took_ms)

    # ── whom to send the citizen to, and what to offer ───────────────────────────────
    def _choose(self, answer: Answer, again: Again, work: _Work) -> Answer:
        """What it chooses changes the topic and the order of what is offered, never the outcome."""
        draft, choices = answer.draft, open_choices(answer.draft)
        note: dict[str, Any] = {"offered": asdict(choices)}
        work.note["choice"] = note
        _heed(work)
        messages = prompts.load("choose").messages(
            self._values(draft),
            {"对话": rewriting.told(draft.history, draft.question), **choosing.as_data(choices)},
        )
        pieces = self._caller.stream(
            messages, until=work.until, usage=work.usage, conversation=work.conversation
        )
        choice = choosing.read(pieces, choices)
        pieces.close()
        note |= {"topic": choice.topic, "questions": list(choice.questions)}
        note["dropped"] = [_kept(said) for said in choice.dropped[:_MOST_DROPPED]]
        work.counts["choice.dropped"] += len(choice.dropped)
        _heed(work)
        found = again(choice.hints) if choice.hints != NO_HINTS else answer
        used = found.outcome is answer.outcome and _directions(found) != _directions(answer)
        note |= {"used": used, "instead_of": answer.draft.topic}
        work.counts["choice.used" if used else "choice.unused"] += 1
        return replace(found, took_ms=answer.took_ms + found.took_ms) if used else answer

    # ── the answer itself ────────────────────────────────────────────────────────────
    def _compose(self, draft: Draft, work: _Work) -> None:
        evidence = evidence_of(draft)
        messages = prompts.load("compose").messages(
            self._values(draft),
            {"问题": text.normalise(draft.question), "资料": _as_data(evidence)},
        )
        verifier = Verifier(
            evidence, self._laws(), draft.on, question=draft.question, secret=messages[0][1]
        )
        work.hear("status", {"stage": "composing", "label": wording.MODEL_LABEL})
        kept, dropped = self._sentences(messages, verifier, work)
        work.counts["sentences.kept"] += len(kept)
        work.counts.update(f"dropped.{d.reason}" for d in dropped)
        work.note["dropped"] = [{"reason": d.reason.value, **_kept(d.text)} for d in dropped]
        work.note["kept"] = len(kept)
        faults = sum(d.reason is not Reason.REPEATED for d in dropped)
        if not kept or faults > len(kept):
            # One that mostly makes things up is not to be trusted with the rest either.
            work.note["kept_extractive"] = "nothing_supported" if not kept else "mostly_dropped"
            work.counts["answers.extractive"] += 1
            return
        work.note["sentences"] = [
            {"text": s.text, "sources": [e.token for e in s.sources]} for s in kept
        ]
        work.counts["answers.written"] += 1
        # The reviewed text is what the answer is, whichever passages the model has named.
        reviewed = [e for e in evidence if e.text == draft.summary]
        read = draft.model["generated"] if draft.model else []
        original, draft.summary = draft.summary, _summary(kept)
        omitted = missing(kept, draft.question, reviewed)
        draft.notices = list(dict.fromkeys([*draft.notices, *omitted]))
        draft.model = self._about.to_json([*read, "summary"]) | {"original": original}

    def _sentences(
        self, messages: list[tuple[str, str]], verifier: Verifier, work: _Work
    ) -> tuple[list[Sentence], list[Dropped]]:
        kept: list[Sentence] = []
        dropped: list[Dropped] = []
        pieces = self._caller.stream(
            messages, until=work.until, usage=work.usage, conversation=work.conversation
        )
        try:
            for item in objects(pieces):
                _heed(work)
                if len(kept) + len(dropped) >= 2 * _MOST_SENTENCES or len(kept) >= _MOST_SENTENCES:
                    break
                said = item if isinstance(item, dict) else {"s": None}
                judged = verifier.check(said.get("s"), said.get("by"))
                if isinstance(judged, Sentence):
                    kept.append(judged)
                    work.hear(
                        "sentence", {"text": judged.text, "sources": judged.names, "ai": True}
                    )
                else:
                    dropped.append(judged if isinstance(item, dict) else _malformed(item))
        except ModelFailed as failed:
            # What it wrote too much is not needed; what is there was checked.
            if failed.failure is not Failure.TOO_LONG:
                raise
        finally:
            pieces.close()
        return kept, dropped

    def _values(self, draft: Draft) -> dict[str, str]:
        return {
            "day": chinese_date(today_in_china()),
            "on": chinese_date(draft.on),
            "region": self._about.region_name,
            "most": str(_MOST_SENTENCES),
        }


def _may_write(answer: Answer) -> bool:
    return answer.outcome in FROM


def _may_read(answer: Answer) -> bool:
    return answer.outcome in _UNSURE and bool(answer.draft.history)


def _may_choose(answer: Answer) -> bool:
    return answer.outcome in _UNSURE and bool(open_choices(answer.draft))


def _directions(answer: Answer) -> tuple[object, ...]:
    """What a choice may change of an answer."""
    draft = answer.draft
    return draft.topic, draft.clarify, draft.handover, draft.steps


def _heed(work: _Work) -> None:
    """Stop where the kill switch has been thrown meanwhile."""
    if work.off():
        raise ModelFailed(Failure.OFF)


def _degrade(work: _Work, failure: Failure) -> None:
    work.note["failure"] = failure.value
    work.note["degraded"] = failure is not Failure.OFF
    work.counts[f"failed.{failure}"] += 1


def _malformed(line: str) -> Dropped:
    return Dropped(Reason.MALFORMED, line)


def _as_data(evidence: Sequence[Evidence]) -> list[dict[str, str]]:
    return [{"编号": e.token, "名称": e.name, "内容": e.text} for e in evidence]


def _summary(kept: Sequence[Sentence]) -> str:
    """The label, the sentences with the articles they rest on, and where to go on: sentences of
    the same sources are one paragraph, which names its articles unless they are named in it."""
    paragraphs: list[tuple[tuple[Evidence, ...], list[str]]] = []
    for sentence in kept:
        ended = sentence.text if sentence.text[-1] in "。！？；：…”」）" else f"{sentence.text}。"
        if paragraphs and paragraphs[-1][0] == sentence.sources:
            paragraphs[-1][1].append(ended)
        else:
            paragraphs.append((sentence.sources, [ended]))
    lines = [wording.MODEL_LABEL]
    for sources, said in paragraphs:
        words = "".join(said)
        names = [s.name for s in sources if s.law and s.name not in words]
        lines.append(f"{words}（{'、'.join(names)}）" if names else words)
    return "\n".join([*lines, wording.MODEL_TAIL])


def _kept(words: str) -> dict[str, str]:
    """What the record keeps of words that nobody was shown."""
    digest = hashlib.sha256(words.encode()).hexdigest()[:16]
    return {"sha256": digest, "text": mask(words).text[:_KEPT_WORDS]}
