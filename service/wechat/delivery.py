"""Who does the work: threads that answer what came in, threads that send what goes out.

All state is in the database; a `Post` holds only who waits for what. Several processes may run one
each: rows are claimed with a lease, and what a process that died had claimed is taken over.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.orm import Session, sessionmaker

from service.models import now
from service.wechat import client as platform
from service.wechat.accounts import Account
from service.wechat.client import ApiError, Client, NotSent, Unclear
from service.wechat.inbox import Inbox, Job, Received
from service.wechat.messages import Incoming
from service.wechat.outbox import Item, Outbox
from service.wechat.pace import Pace
from service.wechat.tokens import Tokens
from service.wechat.vault import Vault

log = structlog.get_logger()

ANSWER_WITHIN = 4.0  # seconds after a callback arrives; the platform cuts it off at five
_TRIES = 3  # of the platform
_ATTEMPTS = 3  # to answer one message, before it is taken to be what kills the workers
_LOOK, _FEED, _SWEEP, _RENEW, _TIDY = 0.5, 2.0, 5.0, 10.0, 600.0  # seconds between looks
_FEW = 4  # at a look: of another process's messages, and of any while we are behind
_TOGETHER = 0.03  # seconds in which what comes is taken together, by one statement
_SETTLED = timedelta(seconds=10)  # before the platform's record is believed to be complete
_PAUSE = 300.0  # seconds without a call after the account's quota of calls is used up
_MOST_RETRIES = 8  # of an error that we do not know


class Respond(Protocol):
    """What answers (`service.channels.wechat.responding.Responder`)."""

    def __call__(self, job: Job, *, can_push: bool) -> Sequence[str]:
        """The messages of a reply; none for silence."""
        ...

    def failed(self) -> Sequence[str]:
        """What is said when answering has failed."""
        ...


@dataclass(frozen=True, slots=True)
class _Caller:
    """A callback that waits for its answer; `says`: it hands the answer back itself."""

    loop: asyncio.AbstractEventLoop
    told: asyncio.Future[Sequence[str] | None]
    says: bool

    def tell(self, parts: Sequence[str] | None) -> None:
        """From any thread: the answer is there; its parts where this callback is to say it."""
        self.loop.call_soon_threadsafe(self._tell, parts)

    def _tell(self, parts: Sequence[str] | None) -> None:
        if not self.told.done():
            self.told.set_result(parts)


class Post:
    """The accounts of one process at work. `start` before the first callback, `stop` at the end."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        accounts: Mapping[str, Account],
        vault: Vault,
        clients: Mapping[str, Client],
        tokens: Tokens,
        respond: Respond,
        *,
        answering: int = 8,
        sending: int = 4,
        later: str,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`answering` and `sending` are numbers of threads; `later` is what an account says that
        cannot send by itself while an answer is not there yet."""
        worker = secrets.token_hex(8)
        self.inbox = Inbox(sessions, vault, worker=worker, clock=clock)
        self.outbox = Outbox(sessions, vault, worker=worker, clock=clock)
        self._accounts, self._clients, self._tokens = accounts, clients, tokens
        self._respond, self._later, self._clock = respond, later, clock
        self._answering, self._sending = answering, sending
        self._denied = {key: tokens.denied(key) for key in accounts}
        self._paused: dict[str, float] = {}
        self._waiting: dict[int, list[_Caller]] = {}
        self._pace = Pace()
        self._lock = threading.Lock()
        self._free_to_answer, self._free_to_send = answering, sending
        # What threads have really in hand: only that is kept from other workers.
        self._in_answer: set[int] = set()
        self._in_sending: set[int] = set()
        self._came, self._goes, self._ended = (threading.Event() for _ in range(3))
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._answerers = ThreadPoolExecutor(self._answering, "wechat-answer")
        self._senders = ThreadPoolExecutor(self._sending, "wechat-send")
        self._desk = ThreadPoolExecutor(16, "wechat-callback")
        for loop in (self._answer_all, self._send_all, self._keep_order):
            thread = threading.Thread(target=loop, name=loop.__name__, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Finish what is begun; what is not stays in the database for the next start."""
        self._ended.set()
        self._came.set()
        self._goes.set()
        for thread in self._threads:
            thread.join()
        for pool in (self._answerers, self._senders, self._desk):
            pool.shutdown(wait=True, cancel_futures=True)

    def can_push(self, account: str) -> bool:
        """Whether the account may send by itself: as configured, and as the platform lets it. One
        that is configured no more may not."""
        known = self._accounts.get(account)  # rows outlive an account's entry in the file
        return known is not None and known.customer_service and not self._denied[account]

    # A callback

    async def receive(
        self, account: str, incoming: Incoming, *, reply: Sequence[str] | None, began: float
    ) -> tuple[str | None, Received]:
        """Take a callback that arrived at `began` (`time.monotonic`), and tell what to say to it
        within the platform's time. With `reply` that is said; else the words are answered."""
        loop = asyncio.get_running_loop()
        can_push = self.can_push(account)

        def take() -> Received:
            return self.inbox.receive(account, incoming, reply=reply, can_push=can_push)

        received = await loop.run_in_executor(self._desk, take)
        if received.delivery != "pending":
            return received.reply, received
        # Of the last try nobody would ever know whether it arrived: there, the outbox is surer.
        prefer_push = can_push and received.tries >= _TRIES

        def settle() -> str | None:
            return self.inbox.settle(
                received,
                can_push=can_push,
                prefer_push=prefer_push,
                later=None if can_push else self._later,
            )

        self._pace.took(time.monotonic() - began)
        until = began + self._pace.patience(ANSWER_WITHIN)
        parts = await self._answered(received.id, until, says=not prefer_push)
        if parts is not None:
            return (parts[0] if parts else None), received
        said = await loop.run_in_executor(self._desk, settle)
        self._pace.took(time.monotonic() - max(until, began))
        return said, received

    async def _answered(self, message: int, until: float, *, says: bool) -> Sequence[str] | None:
        """Wait until a message is answered, or for as long as there is. The answer, if it has been
        left to this callback to say."""
        loop = asyncio.get_running_loop()
        caller = _Caller(loop, loop.create_future(), says)
        with self._lock:
            self._waiting.setdefault(message, []).append(caller)
        self._came.set()
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                return await caller.told
        except TimeoutError:
            return None
        finally:
            with self._lock:
                self._waiting[message].remove(caller)
                if not self._waiting[message]:
                    del self._waiting[message]

    def _callers(self, messages: Sequence[int]) -> list[_Caller]:
        with self._lock:
            return [caller for message in messages for caller in self._waiting.get(message, ())]

    # Answering

    def _answer_all(self) -> None:
        renewed = looked = time.monotonic()
        while not self._ended.is_set():
            self._came.wait(_LOOK)
            behind = self._pace.behind
            self._ended.wait(_LOOK if behind else _TOGETHER)
            self._came.clear()
            try:
                with self._lock:
                    free, waited_for = self._free_to_answer, list(self._waiting)
                free = min(free, _FEW) if behind else free
                jobs = self.inbox.claim(free, self._accounts)
                self._hand_out(jobs)
                if time.monotonic() - looked > _LOOK:
                    looked = time.monotonic()
                    free = min(free - len(jobs), _FEW)
                    self._hand_out(self.inbox.claim(free, self._accounts, take_over=True))
                    if waited_for:  # another process may have answered
                        for caller in self._callers(self.inbox.answered(waited_for)):
                            caller.tell(None)
                if time.monotonic() - renewed > _RENEW:
                    with self._lock:
                        answering, sending = set(self._in_answer), set(self._in_sending)
                    self.inbox.renew(answering)
                    self.outbox.renew(sending)
                    renewed = time.monotonic()
            except Exception:
                log.exception("wechat.answering_failed")
                self._ended.wait(_LOOK)

    def _hand_out(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            with self._lock:
                self._free_to_answer -= 1
                self._in_answer.add(job.id)
            self._answerers.submit(self._answer, job)

    def _answer(self, job: Job) -> None:
        try:
            parts = self._parts(job)
            said = any(caller.says for caller in self._callers([job.id]))
            delivery = self.inbox.finish(job, parts, can_push=self.can_push(job.account), said=said)
            if delivery in ("pending", "passive"):
                for caller in self._callers([job.id]):
                    caller.tell(parts if delivery == "passive" else None)
            if delivery not in (None, "pending"):
                self._goes.set()
        except Exception:
            # The lease ends, and it is tried again.
            log.exception("wechat.answer_lost", message=job.id)
        finally:
            with self._lock:
                self._in_answer.discard(job.id)
                self._free_to_answer += 1
                all_were_busy = self._free_to_answer == 1
            if all_were_busy:
                self._came.set()

    def _parts(self, job: Job) -> Sequence[str]:
        if job.text is None or job.attempts > _ATTEMPTS:
            return self._respond.failed()
        try:
            return self._respond(job, can_push=self.can_push(job.account))
        except Exception:
            log.exception("wechat.respond_failed", message=job.id)
            return self._respond.failed()

    def show_typing(self, account: str, openid: str) -> None:
        """Show that an answer is being looked for, where the account wants that. Only a courtesy:
        its failure is nobody's concern."""
        if not (self._accounts[account].typing and self.can_push(account)):
            return

        def show() -> None:
            try:
                self._clients[account].typing(openid)
            except (ApiError, NotSent, Unclear) as error:
                log.info("wechat.typing_failed", account=account, error=str(error))

        self._senders.submit(show)

    # Sending

    def _send_all(self) -> None:
        while not self._ended.is_set():
            self._goes.wait(_LOOK)
            time.sleep(_TOGETHER)
            self._goes.clear()
            try:
                with self._lock:
                    free = self._free_to_send
                at = time.monotonic()
                pausing = {key for key, until in self._paused.items() if until > at}
                may = [key for key in self._accounts if self.can_push(key) and key not in pausing]
                for item in self.outbox.lease(free, may):
                    with self._lock:
                        self._free_to_send -= 1
                        self._in_sending.add(item.id)
                    self._senders.submit(self._send, item)
            except Exception:
                log.exception("wechat.sending_failed")
                self._ended.wait(_LOOK)

    def _send(self, item: Item) -> None:
        try:
            self._attempt(item)
        except Exception:
            log.exception("wechat.send_lost", item=item.id)  # it will be `unknown`
        finally:
            with self._lock:
                self._in_sending.discard(item.id)
                self._free_to_send += 1
            self._goes.set()

    def _attempt(self, item: Item) -> None:
        try:
            self._clients[item.account].send(item.openid, item.text)
        except NotSent as error:
            log.warning("wechat.not_sent", item=item.id, error=str(error))
            self.outbox.later(item)
        except Unclear as error:
            log.warning("wechat.send_unclear", item=item.id, error=str(error))
            self.outbox.unknown(item)
        except ApiError as error:
            self._refused(item, error.code)
        else:
            self.outbox.sent(item)

    def _refused(self, item: Item, code: int) -> None:
        log.warning("wechat.refused", item=item.id, account=item.account, errcode=code)
        if code in platform.WINDOW_CLOSED:
            self.outbox.hold(item, code, closed=True)
        elif code in platform.USED_UP:
            self.outbox.hold(item, code, used_up=True)
        elif code in platform.NO_PERMISSION:
            self._denied[item.account] = True
            self._tokens.deny(item.account)
            self.outbox.hold(item, code)
        elif code in platform.TOO_OFTEN:
            self._paused[item.account] = time.monotonic() + _PAUSE
            self.outbox.later(item, code, timedelta(seconds=_PAUSE))
        elif code == platform.IP_NOT_LISTED:  # until somebody lists it
            self.outbox.later(item, code, timedelta(minutes=1))
        elif code in platform.NEVER or item.attempts >= _MOST_RETRIES:
            self.outbox.fail(item, code)
        else:
            self.outbox.later(item, code)

    # Keeping order

    def _keep_order(self) -> None:
        due = {self._feed: 0.0, self._sweep: 0.0, self._tidy: time.monotonic() + _TIDY}
        every = {self._feed: _FEED, self._sweep: _SWEEP, self._tidy: _TIDY}
        while not self._ended.wait(_LOOK):
            for task, at in list(due.items()):
                if time.monotonic() < at:
                    continue
                try:
                    task()
                except Exception:
                    log.exception("wechat.keeping_order_failed", task=task.__name__)
                due[task] = time.monotonic() + every[task]

    def _feed(self) -> None:
        """What staff have said goes out."""
        if self.outbox.feed(self._accounts, self.can_push):
            self._goes.set()

    def _sweep(self) -> None:
        """What was lost sight of is looked for."""
        if self.inbox.abandoned(self._accounts, self.can_push):
            self._goes.set()
        if lost := self.outbox.lost_sight_of():
            log.warning("wechat.sends_unclear", count=lost)
        self._denied = {key: self._tokens.denied(key) for key in self._accounts}
        for key, account in self._accounts.items():
            if not self.can_push(key):
                self.outbox.hold_all(key)
            elif account.reconcile:
                self._reconcile(key)

    def _reconcile(self, key: str) -> None:
        """Compare what may have arrived with the platform's own record."""
        unclear = self.outbox.unclear(key, settled=_SETTLED)
        if not unclear:
            return
        first = min(item.attempted_at for item in unclear) - timedelta(minutes=1)
        try:
            found = self._clients[key].sent_between(
                max(first, self._clock() - timedelta(hours=23)), self._clock()
            )
        except (ApiError, NotSent, Unclear) as error:
            log.warning("wechat.reconcile_failed", account=key, error=str(error))
            return
        for item in unclear:
            arrived = (item.openid, item.text) in found
            self.outbox.decide(item, arrived=arrived)
            log.info("wechat.reconciled", item=item.id, arrived=arrived)
        self._goes.set()

    def _tidy(self) -> None:
        self.inbox.tidy()
        self.outbox.tidy()
