"""What is said to a citizen's words: the desk's answer, or what waits for him."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from service.channels.wechat import wording
from service.channels.wechat.rendering import Links, render
from service.conversations import Desk
from service.errors import NotFound, ServiceError
from service.handover import words
from service.signing import Signer
from service.wechat import text
from service.wechat.accounts import Account
from service.wechat.inbox import Job
from service.wechat.outbox import Outbox
from service.wechat.people import Talks

ANSWER_PAGE, PRECHECK_PAGE = "/answer", "/legal-aid"
_MARKS = re.compile(r"[\s,，.。!！~～“”\"]+")
_CONSENT = "同意转人工"
_END = re.compile(r"(?:结束|退出|撤回|取消)(?:转?人工|人工服务|人工对话)")
_PULL = frozenset({"1", "１", "查看", "继续"})
_AGAIN, _MINE = "重发", "我的会话"
_NUMBER = re.compile(r"[1-9１-９]")
_HINT = 120  # bytes kept free for a hint at the end of a message


class People(Protocol):
    """Those who take over (`service.handover.Handovers`)."""

    def open(self, conversation: str, *, consent: bool) -> tuple[dict[str, Any], bool]: ...

    def withdraw(self, conversation: str) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Responder:
    """Safe to share between threads. `answers` signs for the page of an answer."""

    desk: Desk
    talks: Talks
    outbox: Outbox
    accounts: Mapping[str, Account]
    people: People
    answers: Signer

    def __call__(self, job: Job, *, can_push: bool) -> Sequence[str]:
        said = job.text or ""
        squeezed = _MARKS.sub("", said)
        if (not can_push and squeezed in _PULL) or squeezed == _AGAIN:
            found, left = self.outbox.take_held(job.person_id, also_unknown=squeezed == _AGAIN)
            if found is not None:
                return [_with(found, wording.MORE) if left else found]
        try:
            parts = self._reply(job, said, squeezed, can_push=can_push)
        except ServiceError as error:
            parts = [error.message]
        return self._hinted(job, parts, can_push=can_push)

    def failed(self) -> Sequence[str]:
        return [wording.FAILED]

    def _reply(self, job: Job, said: str, squeezed: str, *, can_push: bool) -> list[str]:
        if squeezed == _MINE:
            return [self._mine(job)]
        conversation, scene = self.talks.current(job.person_id)
        if squeezed == _CONSENT:
            ticket, _new = self.people.open(conversation, consent=True)
            told = [m["text"] for m in ticket["messages"] if m["from"] == "system"]
            return [f"{told[-1]}\n{wording.END_PERSON}"]
        if _END.fullmatch(squeezed):
            try:
                self.people.withdraw(conversation)
            except NotFound:
                return [wording.NO_PERSON]
            return [words.WITHDRAWN]
        answer = self._answer(job, said, conversation, self._region(job, scene))
        longest = text.LONGEST if can_push else text.LONGEST - _HINT
        return render(answer, self._links(job.account, answer), longest=longest)

    def _mine(self, job: Job) -> str:
        """The key to what is stored of somebody, and where it fits."""
        code = self.talks.latest(job.person_id)
        if code is None:
            return wording.NOTHING_MINE
        base = self.accounts[job.account].base_url
        page = f'<a href="{base}/">{wording.PAGE}</a>' if base else wording.PAGE
        return wording.MINE.format(code=code, page=page)

    def _answer(self, job: Job, said: str, conversation: str, region: str | None) -> dict[str, Any]:
        """The desk's answer; the one that it gave already, if its worker died after that."""
        if job.again_since is not None:
            given = self.talks.answered_since(conversation, job.again_since)
            if given is not None:
                return dict(given.answer) | {"id": given.id}
        said = self._chosen(said, conversation)
        try:
            return self.desk.ask(said, conversation=conversation, region=region)
        except NotFound:  # erased in between
            begun, _scene = self.talks.current(job.person_id, new=True)
            return self.desk.ask(said, conversation=begun, region=region)

    def _chosen(self, said: str, conversation: str) -> str:
        """What a number stands for in the list that was shown last. The pre-check reads its numbers
        itself: there several may be picked."""
        number = _NUMBER.fullmatch(_MARKS.sub("", said))
        last = self.talks.last_answer(conversation) if number else None
        if number is None or last is None or last["outcome"] == "clarify_legal_aid":
            return said
        options = last.get("clarify") or ()
        at = int(number[0])
        return str(options[at - 1]) if at <= len(options) else said

    def _region(self, job: Job, scene: str | None) -> str | None:
        """Of the parlour whose code was scanned, else the account's."""
        account = self.accounts[job.account]
        parlour = account.parlours.get(scene or "")
        return (parlour.region if parlour else None) or account.region

    def _links(self, key: str, answer: Mapping[str, Any]) -> Links:
        """Tokens stand in the fragment: browsers send it to nobody, so no log has it."""
        base = self.accounts[key].base_url
        if base is None:
            return Links()
        token = self.answers.sign(str(answer["id"]))
        return Links(f"{base}{ANSWER_PAGE}#{token}", f"{base}{PRECHECK_PAGE}")

    def _hinted(self, job: Job, parts: Sequence[str], *, can_push: bool) -> list[str]:
        """The reply, with what the citizen has to do to see all that there is for him."""
        shown = list(parts)
        if not can_push:
            if not shown:  # while a person talks: what that person has said
                found, left = self.outbox.take_held(job.person_id)
                return [] if found is None else [_with(found, wording.MORE) if left else found]
            if len(shown) > 1:
                shown[0] = _with(shown[0], wording.MORE)
            elif self.outbox.waiting_for(job.person_id, "held"):
                shown[0] = _with(shown[0], wording.UNSEEN)
        elif (
            shown
            and not self.accounts[job.account].reconcile
            and self.outbox.waiting_for(job.person_id, "unknown")
        ):
            shown[-1] = _with(shown[-1], wording.MAYBE_LOST)
        return shown


def _with(part: str, hint: str) -> str:
    """The hint on a line of its own, where it fits."""
    joined = f"{part}\n{hint}"
    return part if hint in part or text.size(joined) >= text.LONGEST else joined
