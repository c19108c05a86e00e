"""What staff need to know before they write to a citizen who came by WeChat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from service.handover.views import moment
from service.models import now
from service.models.wechat import WeChatOutgoing as Outgoing
from service.models.wechat import WeChatPerson as Person
from service.wechat.people import quota

_FREE = "微信规定：市民最后一次发消息后48小时内，最多再给他发5条。现在还可以发{left}条。"
_NONE = (
    "按微信的规定，现在不能主动发给这位市民了（发满5条，或者超过48小时）。"
    "您写的话先存着，等市民下次发消息时自动送到；着急的请打市民留下的电话。"
)
_PULL = "这个公众号没有客服消息权限：您写的话先存着，市民发消息时会看到提示，回复1查看。"


def reach(
    sessions: sessionmaker[Session],
    conversation: str,
    *,
    can_push: Callable[[str], bool],
    clock: Callable[[], datetime] = now,
) -> dict[str, Any] | None:
    """Whether and how words reach the citizen of a conversation; None when it is not of WeChat.

    {left, until, waiting, unclear, failed, note}: how many messages may be sent and until when; how
    many wait for the citizen to write; of how many it is not known whether they arrived; how many
    the platform has refused for good.
    """
    with sessions() as session:
        person = session.scalar(select(Person).where(Person.conversation_id == conversation))
        if person is None:
            return None
        rows = session.execute(
            select(Outgoing.state, func.count(Outgoing.id))
            .where(Outgoing.person_id == person.id)
            .group_by(Outgoing.state)
        )
        counted: dict[str, int] = dict(rows.all())
        queued = counted.get("queued", 0) + counted.get("sending", 0)
    allowed = quota(person, clock())
    pushes = can_push(person.account)
    left = max(0, allowed.left - queued) if pushes else 0
    note = _FREE.format(left=left) if left else _NONE
    return {
        "channel": "wechat",
        "left": left,
        "until": moment(allowed.until) if left else None,
        "waiting": counted.get("held", 0),
        "unclear": counted.get("unknown", 0),
        "failed": counted.get("failed", 0),
        "note": note if pushes else _PULL,
    }
