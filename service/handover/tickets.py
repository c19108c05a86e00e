"""The hand-over desk: a citizen asks for a person, one member of staff claims, talks, closes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import reading
from service import audit
from service.audit import Purpose, record_reading
from service.auth import Member, Permission
from service.errors import BadRequest, Conflict
from service.handover import ledger, packet, queue, views, words
from service.handover.duty import on_duty
from service.handover.ledger import Ledger
from service.handover.presence import Presence
from service.models import HandoverTicket as Ticket
from service.models import now
from service.models.addresses import answer_in

LONGEST_NOTE = 500  # characters, of the citizen's words when asking for a person
LONGEST_MESSAGE = 2000
LONGEST_REFERRAL = 200
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Referral:
    """首问负责: whom we sent the citizen to, how to reach them, whether we passed the matter on."""

    to: str
    contact: str
    passed_on: bool


def minutes_later(minutes: int) -> Callable[[datetime], datetime]:
    """Due so many minutes after the request, day and night."""
    return lambda at: at + timedelta(minutes=minutes)


class Handovers:
    """All that happens to tickets; safe to share between threads, and between processes.

    Each method is one transaction, committed before it returns.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        due: Callable[[datetime], datetime],
        region: str,
        rating_token: Callable[[str], str] | None = None,
        presence: Presence | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`due` tells by when a request of a moment should be claimed; `region` is for those who
        have asked nothing yet; `rating_token` is what lets its bearer rate a ticket, by its id;
        `presence` is what those who wait are told of who is there."""
        self._sessions, self._due = sessions, due
        self._region, self._clock = region, clock
        self._rating_token, self._presence = rating_token, presence
        self._ledger = Ledger(clock)

    # For the citizen, who holds the conversation's id

    def open(
        self,
        conversation: str,
        *,
        consent: bool,
        answer: str | None = None,
        note: str = "",
        contact: str = "",
    ) -> tuple[dict[str, Any], bool]:
        """The open ticket of a conversation, and whether it is new.

        To one that is open already, a new note or number to call back is added.
        Raises BadRequest without consent or for bad text, NotFound.
        """
        if not consent:
            raise BadRequest(
                "consent_required",
                "转给工作人员需要您同意：他们会看到您在这里的提问（已隐去个人信息）和您留下的说明。",
            )
        note = words.masked(note, "补充说明", longest=LONGEST_NOTE, required=False)
        contact = words.phone(contact)
        for _ in range(_TRIES):
            try:
                with self._sessions.begin() as session:
                    found = ledger.latest(session, conversation, Ticket.status != "closed")
                    if found is None:
                        ticket = self._create(session, conversation, answer, note, contact)
                        return self._for_citizen(session, ticket), True
                    if self._ledger.add(session, found, note, contact):
                        return self._for_citizen(session, found), False
            except IntegrityError:
                continue  # another was opened at the same moment: the index allows one
        raise Conflict("handover_busy", "同时提交的请求太多，请稍后再试。")

    def _create(
        self, session: Session, conversation: str, answer: str | None, note: str, contact: str
    ) -> Ticket:
        content = packet.build(session, conversation, answer, note)
        return self._ledger.create(
            session,
            conversation,
            content,
            note=note,
            contact=contact,
            region=self._region,
            due=self._due,
            presence=self._presence,
        )

    def of_conversation(self, conversation: str, *, after: int = 0) -> dict[str, Any]:
        """The newest ticket with its messages after number `after`. Raises NotFound."""
        with self._sessions() as session:
            return self._for_citizen(session, ledger.required(session, conversation), after)

    def withdraw(self, conversation: str) -> dict[str, Any]:
        """Close the ticket as the citizen wishes; a closed one stays as it is. Raises NotFound."""
        with self._sessions.begin() as session:
            ticket = ledger.required(session, conversation)
            is_open = [Ticket.id == ticket.id, Ticket.status != "closed"]
            closing = self._ledger.closing("withdrawn")
            for handover in self._ledger.change(session, is_open, **closing):
                self._ledger.say(session, handover, "system", words.WITHDRAWN)
            return self._for_citizen(session, ticket)

    def citizen_says(self, conversation: str, text: str) -> dict[str, Any] | None:
        """Store the citizen's words, masked, for the person who owns the conversation.

        None where nobody does, or not any more: then nothing is stored. Raises BadRequest.
        """
        with reading(self._sessions) as connection:
            if not ledger.is_owned(connection, conversation):
                return None  # a look is cheap, and most conversations are nobody's
        text = words.masked(text, "内容", longest=LONGEST_MESSAGE)
        owned = [Ticket.conversation_id == conversation, Ticket.status == "claimed"]
        with self._sessions.begin() as session:
            for handover in self._ledger.change(session, owned):
                return views.message(self._ledger.say(session, handover, "citizen", text))
        return None

    # For staff

    def queue(
        self,
        member: Member,
        *,
        status: str | None = None,
        mine: bool = False,
        order: queue.Order = "newest",
        limit: int = 50,
        before: str | None = None,
    ) -> dict[str, Any]:
        """A page of the tickets that the member sees, without anything a citizen wrote.

        `order` is `newest` first or what is `due` first; `before` names the last ticket of the page
        before. Raises NotFound for a `before` that is not there.
        """
        with self._sessions() as session:
            return queue.page(
                session,
                member,
                self._clock(),
                status=status,
                mine=mine,
                order=order,
                limit=limit,
                before=before,
            )

    def read(
        self, member: Member, handover: str, *, purpose: Purpose, after: int = 0
    ) -> dict[str, Any]:
        """All of a ticket, with its messages after number `after`; that it was read goes on record.
        Raises NotFound."""
        with self._sessions.begin() as session:
            ticket = ledger.seen(session, member, handover)
            return self._for_reader(session, member, ticket, purpose, after)

    def claim(self, member: Member, handover: str) -> dict[str, Any]:
        """Take a waiting ticket, and read it; claiming one's own again changes nothing.
        Raises NotFound, or Conflict when somebody else was first or it is closed."""
        free = [Ticket.id == handover, Ticket.status == "waiting", *ledger.visible(member)]
        with self._sessions.begin() as session:
            if self._ledger.claim(session, free, member.id, words.CLAIMED):
                self._record(session, member, "claim", handover)
            ticket = ledger.seen(session, member, handover)
            if ticket.claimed_by != member.id or ticket.status != "claimed":
                ledger.refuse(ticket)
            return self._for_reader(session, member, ticket, Purpose.HANDLE)

    def release(self, member: Member, handover: str) -> dict[str, Any]:
        """Put one's own ticket back into the queue, or, with `handover:reassign`, anybody's.
        Raises NotFound, Conflict."""
        theirs = [Ticket.id == handover, *ledger.visible(member)]
        if not member.may(Permission.HANDOVER_REASSIGN):
            theirs.append(Ticket.claimed_by == member.id)
        with self._sessions.begin() as session:
            released = self._ledger.release(session, theirs)
            ticket = ledger.seen(session, member, handover)
            if not released:
                ledger.refuse(ticket)
            self._record(session, member, "release", handover)
            return self._in_queue(session, ticket)

    def assign(self, member: Member, handover: str, colleague: Member) -> dict[str, Any]:
        """Give an open ticket, waiting or claimed, to somebody else, who may work on it.
        Raises BadRequest, NotFound, Conflict when it is closed or theirs already, or when they are
        not on duty."""
        theirs = [Ticket.id == handover, *ledger.visible(member)]
        waiting = [*theirs, Ticket.status == "waiting"]
        held = [*theirs, Ticket.status == "claimed", Ticket.claimed_by != colleague.id]
        with self._sessions.begin() as session:
            ticket = ledger.seen(session, member, handover)
            able = colleague.may(Permission.HANDOVER_CLAIM) and colleague.sees(ticket.region)
            if colleague.disabled_at is not None or not able:
                raise BadRequest("assignee_unfit", "这位工作人员不能接手这个工单，请另选一位。")
            # The citizen is told that somebody is there: who takes it over themselves is.
            here = {member.id, *(one.staff_id for one in on_duty(session, self._clock()))}
            if colleague.id not in here:
                raise Conflict(
                    "assignee_off_duty",
                    "这位工作人员现在没有值班，不能转交。请另选一位正在值班的，或请对方先开始值班。",
                )
            given = self._ledger.claim(session, waiting, colleague.id, words.CLAIMED)
            if not (given or self._ledger.claim(session, held, colleague.id, words.PASSED)):
                ticket = ledger.seen(session, member, handover)
                if ticket.status == "claimed":
                    raise Conflict("handover_theirs", "这个工单已经在这位工作人员手里。")
                ledger.refuse(ticket)
            told = words.ASSIGNED.format(by=member.name, to=colleague.name)
            self._ledger.say(session, handover, "system", told, private=True)
            self._record(session, member, "assign", handover, to=colleague.id)
            return self._in_queue(session, ledger.seen(session, member, handover))

    def answer_of(self, member: Member, handover: str) -> str | None:
        """An answer by which an address names a ticket's conversation: that before the request, or
        the newest. None for who may not read conversations. Raises NotFound."""
        if not member.may(Permission.CONVERSATION_READ):
            return None
        with self._sessions() as session:
            ticket = ledger.seen(session, member, handover)
            return answer_in(
                session, ticket.conversation_id, region=member.region, rather=ticket.answer_id
            )

    def release_all_of(self, staff_id: str) -> int:
        """Put back what somebody has claimed who does not work here any more; how many."""
        with self._sessions.begin() as session:
            return len(self._ledger.release(session, [Ticket.claimed_by == staff_id]))

    def reply(self, member: Member, handover: str, text: str) -> dict[str, Any]:
        """Say something to the citizen. It is kept as written: an office's number must get through.
        Raises BadRequest, NotFound, Conflict when the ticket is not one's own."""
        text = words.clean(text, "回复", longest=LONGEST_MESSAGE)
        with self._sessions.begin() as session:
            self._ledger.hold(session, member, handover, **self._ledger.answering())
            said = self._ledger.say(session, handover, "staff", text, staff_id=member.id)
            self._record(session, member, "reply", handover, seq=said.seq)
            return views.noted(said, {member.id: member.name})

    def note(self, member: Member, handover: str, text: str) -> dict[str, Any]:
        """Write down, masked, what only staff may see, whoever owns the ticket and after its end.
        Raises BadRequest, NotFound."""
        text = words.masked(text, "备注", longest=LONGEST_MESSAGE)
        with self._sessions.begin() as session:
            self._ledger.change(session, [Ticket.id == handover, *ledger.visible(member)])
            ticket = ledger.seen(session, member, handover)
            said = self._ledger.say(
                session, ticket.id, "staff", text, staff_id=member.id, private=True
            )
            self._record(session, member, "note", handover, seq=said.seq)
            return views.noted(said, {member.id: member.name})

    def close(
        self,
        member: Member,
        handover: str,
        *,
        outcome: str,
        summary: str,
        referral: Referral | None = None,
    ) -> dict[str, Any]:
        """End one's own ticket; the citizen is told outcome and masked summary.

        Who is sent on is told to whom, how to reach them, and whether we passed the matter on.
        Raises BadRequest, NotFound, Conflict.
        """
        if outcome not in words.BY_STAFF:
            raise BadRequest("outcome_unknown", f"处理结果只能是：{'、'.join(words.BY_STAFF)}。")
        if (outcome == "referred") != (referral is not None):
            raise BadRequest(
                "referral_required",
                "转介（referred）时要写明找谁、怎么联系、是否已代为转交；其他结果不填这些。",
            )
        summary = words.masked(summary, "处理情况", longest=LONGEST_MESSAGE)
        referral = _checked(referral) if referral else None
        closing = self._ledger.closing(outcome) | {
            "summary": summary,
            "referral": asdict(referral) if referral else None,
        }
        with self._sessions.begin() as session:
            self._ledger.hold(session, member, handover, **closing)
            told = words.closed(outcome, summary, closing["referral"])
            self._ledger.say(session, handover, "system", told)
            self._record(session, member, "close", handover, outcome=outcome)
            return self._in_queue(session, ledger.seen(session, member, handover))

    def _record(
        self, session: Session, member: Member, verb: str, handover: str, **detail: Any
    ) -> None:
        audit.append(
            session,
            actor=member.id,
            action=f"handover.{verb}",
            subject="handover",
            subject_id=handover,
            detail=detail,
        )

    def _for_reader(
        self, session: Session, member: Member, ticket: Ticket, purpose: Purpose, after: int = 0
    ) -> dict[str, Any]:
        at = self._clock()
        read = {ticket.id: ticket.conversation_id}
        record_reading(session, member.id, "handover", read, purpose, at=at)
        said = ledger.messages(session, ticket.id, after, private=True)
        names = ledger.names(session, [ticket.claimed_by, *(row.staff_id for row in said)])
        return views.for_staff(ticket, said, names, at, reader=member.id)

    def _for_citizen(self, session: Session, ticket: Ticket, after: int = 0) -> dict[str, Any]:
        waits = self._presence if ticket.status == "waiting" else None
        seen = views.for_citizen(
            ticket,
            ledger.messages(session, ticket.id, after, private=False),
            waits(session, ticket.region, self._clock()) if waits else None,
        )
        if self._rating_token and ticket.status == "closed" and ticket.claimed_at:
            seen["rating_token"] = self._rating_token(ticket.id)  # somebody served
        return seen

    def _in_queue(self, session: Session, ticket: Ticket) -> dict[str, Any]:
        names = ledger.names(session, [ticket.claimed_by])
        return views.in_queue(ticket, names, self._clock())


def _checked(referral: Referral) -> Referral:
    return Referral(
        to=words.clean(referral.to, "转介给谁", longest=LONGEST_REFERRAL),
        contact=words.clean(referral.contact, "怎么联系对方", longest=LONGEST_REFERRAL),
        passed_on=referral.passed_on,
    )
