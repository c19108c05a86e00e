"""A callback as a value, and the reply to one as XML."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from service.wechat.codec import CodecError, to_xml

LONGEST = 20_000  # characters of a citizen's words that are kept until they are answered
# What the platform sends as text in place of a message that it cannot carry.
_UNSUPPORTED = "【收到不支持的消息类型，暂无法显示】"


class Kind(StrEnum):
    """What a callback is to us."""

    TEXT = "text"
    VOICE = "voice"  # recognised: `text` are the words
    MEDIA = "media"  # nothing that we can read: `name` says what
    FOLLOW = "follow"
    UNFOLLOW = "unfollow"
    SCAN = "scan"
    CLICK = "click"
    OTHER = "other"  # nobody waits for a reply


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message or event. `key` is the same for each try of the platform, and for nothing else."""

    kind: Kind
    openid: str
    to: str  # the account's original id
    key: str
    text: str = ""
    name: str = ""  # of a medium or an event, in lower case
    scene: str = ""
    by_menu: bool = False  # counts as a click on the menu, not as a message


def read(fields: Mapping[str, str]) -> Incoming:
    """Raises CodecError when it has no sender or no type."""
    openid, name = fields.get("FromUserName", ""), fields.get("MsgType", "").lower()
    if not openid or not name or len(openid) > 64:
        raise CodecError("no sender or no type")
    event = fields.get("Event", "").lower() if name == "event" else ""
    key = fields.get("EventKey", "")
    if not event and fields.get("MsgId"):
        identity = f"m:{openid}:{fields['MsgId']}"
    else:  # events have no id; two in a second differ in what they are
        identity = f"e:{openid}:{fields.get('CreateTime', '')}:{name}:{event}:{key}"
        identity += f":{fields.get('Content', '')}" if not event else ""
    kind, text, scene = _kind(name, event, key, fields)
    return Incoming(
        kind=kind,
        openid=openid,
        to=fields.get("ToUserName", ""),
        key=hashlib.sha256(identity.encode()).hexdigest(),
        text=text[:LONGEST],
        name=event or name,
        scene=scene[:64],
        by_menu=kind in (Kind.CLICK, Kind.FOLLOW, Kind.SCAN) or bool(fields.get("bizmsgmenuid")),
    )


def _kind(name: str, event: str, key: str, fields: Mapping[str, str]) -> tuple[Kind, str, str]:
    """The kind, with the words or the scene."""
    content, heard = fields.get("Content", ""), fields.get("Recognition", "").strip()
    match name, event:
        case ("text", _) if content.strip() == _UNSUPPORTED:
            return Kind.MEDIA, "", ""
        case "text", _:
            return Kind.TEXT, content, ""
        case ("voice", _) if heard:
            return Kind.VOICE, heard, ""
        case "event", "subscribe":
            return Kind.FOLLOW, "", key.removeprefix("qrscene_")
        case "event", "unsubscribe":
            return Kind.UNFOLLOW, "", ""
        case "event", "scan":
            return Kind.SCAN, "", key
        case "event", "click":
            return Kind.CLICK, key, ""
        case "event", _:
            return Kind.OTHER, "", ""
        case _:
            return Kind.MEDIA, "", ""


def text_reply(incoming: Incoming, text: str, at: int) -> str:
    """The XML of a passive text reply; the same arguments give the same bytes."""
    return to_xml(
        {
            "ToUserName": incoming.openid,
            "FromUserName": incoming.to,
            "CreateTime": at,
            "MsgType": "text",
            "Content": text,
        }
    )
