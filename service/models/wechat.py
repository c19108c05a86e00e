"""WeChat: who wrote (a pseudonym), what came in, what goes out, and the shared access token."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.models.core import Base, now


class WeChatPerson(Base):
    """Somebody who wrote to an account. `id` is a keyed hash of account and openid.

    `sealed` is the openid, encrypted, and only for as long as something may be sent to it.
    `conversation_id` is no foreign key: who erases a conversation need not know of WeChat.
    """

    __tablename__ = "wechat_people"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account: Mapped[str] = mapped_column(String(40))
    sealed: Mapped[str | None] = mapped_column(Text)
    conversation_id: Mapped[str | None] = mapped_column(String(40), index=True)
    conversation_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    scene: Mapped[str | None] = mapped_column(String(64))  # the parlour whose code was scanned
    spoke_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    sent_since_spoke: Mapped[int] = mapped_column(Integer, default=0)
    acted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # menu, scan, follow
    sent_since_acted: Mapped[int] = mapped_column(Integer, default=0)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, index=True)


class WeChatMessage(Base):
    """A callback, once, however often the platform sends it.

    `sealed` are the citizen's words, encrypted, until they are answered; `parts` is the reply,
    until the platform can ask for it no more. `person_id` is no foreign key: whether a callback is
    new is known before anything is noted of its sender.
    """

    __tablename__ = "wechat_messages"
    __table_args__ = (
        UniqueConstraint("account", "key", name="uq_wechat_messages_account_key"),
        Index("ix_wechat_messages_state_id", "state", "id"),
        Index("ix_wechat_messages_person_id_state", "person_id", "state"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    account: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[str] = mapped_column(String(32))
    sealed: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))  # waiting, answering, answered
    delivery: Mapped[str] = mapped_column(String(12))  # pending, passive, pushed, later
    worker: Mapped[str] = mapped_column(String(40))
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    tries: Mapped[int] = mapped_column(Integer, default=1)  # of the platform, that arrived
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    began_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    parts: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))


class WeChatOutgoing(Base):
    """One message to send. `text` is erased once it has arrived, or can arrive no more."""

    __tablename__ = "wechat_outbox"
    __table_args__ = (
        UniqueConstraint("source", "source_id", "part", name="uq_wechat_outbox_source"),
        Index("ix_wechat_outbox_state_id", "state", "id"),
        Index("ix_wechat_outbox_person_id_state", "person_id", "state"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    account: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[str] = mapped_column(ForeignKey("wechat_people.id"))
    source: Mapped[str] = mapped_column(String(12))  # answer, handover
    source_id: Mapped[str] = mapped_column(String(40))
    part: Mapped[int] = mapped_column(Integer)
    text: Mapped[str | None] = mapped_column(Text)
    # queued, sending, sent, unknown, held, failed, expired
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    worker: Mapped[str] = mapped_column(String(40), default="")
    attempted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    not_before: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    code: Mapped[int | None] = mapped_column(Integer)  # the platform's last error


class WeChatToken(Base):
    """The access token of an account, sealed, which all processes share; `fetching_until` is the
    lock of the one that fetches it. `denied_at`: when the platform last said that the account may
    not send customer-service messages."""

    __tablename__ = "wechat_tokens"

    account: Mapped[str] = mapped_column(String(40), primary_key=True)
    sealed: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    fetching_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    denied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
