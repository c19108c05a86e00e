"""The statements that each message takes, made once: what they mean is told where they are used.

`:at` is the moment, `:own` the worker's name; no parameter has the name of a column.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from service.models import Conversation, table_of
from service.models.wechat import WeChatMessage, WeChatOutgoing, WeChatPerson

_messages, _outgoing = table_of(WeChatMessage), table_of(WeChatOutgoing)
_people, _conversations = table_of(WeChatPerson), table_of(Conversation)
_earlier, _ahead = _messages.alias("earlier"), _outgoing.alias("ahead")


def _claiming(free: ColumnElement[bool]) -> tuple[Any, Any]:
    """Statements that look for and claim the oldest `most` of what is free, one of a person at a
    time; of `accounts`, by a worker's `own` name, at a moment `at`, until `lease`."""
    earlier = exists().where(
        _earlier.c.person_id == _messages.c.person_id,
        _earlier.c.state.in_(("waiting", "answering")),
        _earlier.c.id < _messages.c.id,
    )
    oldest = (
        select(_messages.c.id)
        .where(free, _messages.c.account.in_(bindparam("accounts", expanding=True)), ~earlier)
        .order_by(_messages.c.id)
        .limit(bindparam("most", type_=Integer()))
        .with_for_update(skip_locked=True)
    )
    claim = (
        update(_messages)
        .where(_messages.c.id.in_(oldest), free)
        .values(
            state="answering",
            worker=bindparam("own"),
            lease_until=bindparam("lease"),
            attempts=_messages.c.attempts + 1,
            began_at=func.coalesce(
                _messages.c.began_at, bindparam("at", type_=_messages.c.began_at.type)
            ),
        )
        .returning(
            _messages.c.id,
            _messages.c.account,
            _messages.c.person_id,
            _messages.c.sealed,
            _messages.c.attempts,
            _messages.c.began_at,
        )
    )
    return oldest, claim


def _finishing(delivery: Any) -> Any:
    """The statement that stores the `reply` of a `message` which its `own` worker answers."""
    return (
        update(_messages)
        .where(
            _messages.c.id == bindparam("message"),
            _messages.c.state == "answering",
            _messages.c.worker == bindparam("own"),
        )
        .values(
            state="answered",
            answered_at=bindparam("at"),
            sealed=None,
            parts=case(
                (_PENDING, bindparam("reply", type_=_messages.c.parts.type)),
                else_=_messages.c.parts,
            ),
            delivery=delivery,
        )
        .returning(_messages.c.delivery)
    )


CLAIM = _claiming(
    and_(
        _messages.c.state == "waiting",
        or_(_messages.c.worker == bindparam("own"), _messages.c.received_at < bindparam("old")),
    )
)
TAKE_OVER = _claiming(
    and_(_messages.c.state == "answering", _messages.c.lease_until < bindparam("at"))
)
_PENDING = _messages.c.delivery == "pending"
FINISH = {
    False: _finishing(_messages.c.delivery),
    True: _finishing(case((_PENDING, "passive"), else_=_messages.c.delivery)),
}
AGAIN = (
    update(_messages)
    .where(_messages.c.account == bindparam("of"), _messages.c.key == bindparam("named"))
    .values(tries=_messages.c.tries + 1)
    .returning(
        _messages.c.id,
        _messages.c.delivery,
        _messages.c.parts,
        _messages.c.tries,
        _messages.c.received_at,
    )
)
_SETTLE = (
    update(_messages)
    .where(_messages.c.id == bindparam("message"), _PENDING)
    .values(delivery=bindparam("by"))
)
SETTLE_ANSWERED = _SETTLE.where(_messages.c.state == "answered").returning(
    _messages.c.account, _messages.c.person_id, _messages.c.parts
)
SETTLE_WAITING = (
    _SETTLE.where(_messages.c.state != "answered")
    .values(parts=bindparam("reply", type_=_messages.c.parts.type))
    .returning(_messages.c.id)
)
HOW = select(_messages.c.delivery, _messages.c.parts).where(_messages.c.id == bindparam("message"))

RELEASE = (
    update(_outgoing)
    .where(_outgoing.c.person_id == bindparam("to"), _outgoing.c.state == "held")
    .values(state="queued", not_before=bindparam("at"))
)
SENT = (
    update(_outgoing)
    # Whatever was thought of it meanwhile.
    .where(
        _outgoing.c.id == bindparam("item"),
        _outgoing.c.state.in_(("sending", "unknown", "queued", "held")),
    )
    .values(state="sent", text=None, finished_at=bindparam("at"))
)
COUNT = (
    update(_people)
    .where(_people.c.id == bindparam("to"))
    .values(
        sent_since_spoke=_people.c.sent_since_spoke + 1,
        sent_since_acted=_people.c.sent_since_acted + 1,
    )
)

DUE = (
    select(_outgoing.c.id)
    .where(
        _outgoing.c.state == "queued",
        _outgoing.c.not_before <= bindparam("at"),
        _outgoing.c.account.in_(bindparam("accounts", expanding=True)),
        ~exists().where(
            _ahead.c.person_id == _outgoing.c.person_id,
            _ahead.c.state.in_(("queued", "sending")),
            _ahead.c.id < _outgoing.c.id,
        ),
    )
    .order_by(_outgoing.c.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
)
TAKE = (
    update(_outgoing)
    .where(_outgoing.c.id.in_(DUE), _outgoing.c.state == "queued")
    .values(
        state="sending",
        worker=bindparam("own"),
        attempts=_outgoing.c.attempts + 1,
        attempted_at=bindparam("at"),
        lease_until=bindparam("lease"),
    )
    .returning(_outgoing.c.id, _outgoing.c.person_id, _outgoing.c.text, _outgoing.c.attempts)
)
THEM = select(_people).where(_people.c.id.in_(bindparam("people", expanding=True)))

TALK = select(_people.c.conversation_id, _people.c.conversation_at, _people.c.scene).where(
    _people.c.id == bindparam("person")
)
BEGIN = insert(_conversations)
GO_ON = (
    update(_people)
    .where(_people.c.id == bindparam("person"))
    .values(conversation_id=bindparam("current"), conversation_at=bindparam("at"))
)
