"""Each kind of data that is kept for a time: what of it is due, and how a batch of it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from service.models import (
    AccessRecord,
    Conversation,
    HandoverMessage,
    HandoverTicket,
    Rating,
    RatingTicket,
)
from service.models.imports import Import
from service.models.trials import DraftComparison, TrialResult, TrialRun, TrialRunSet
from service.retention.deletion import (
    ERASED,
    UNFINISHED,
    delete_conversations,
    held,
    strip_ratings,
)
from service.statistics.counts import Counts


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """What is older than the moment of its kind is due."""

    of: dict[str, datetime]

    def __getitem__(self, kind: str) -> datetime:
        return self.of[kind]


Rows = Select[*tuple[Any, ...]]
Due = Callable[[Cutoffs], Rows]  # (id, moment) of what is due
Remove = Callable[[Session, Counts, Sequence[Any], datetime], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data. `days` is the default, to be confirmed by the bureau."""

    key: str
    title: str
    unit: str  # what a number of it is a number of
    days: int
    least: int
    why: str
    due: Due
    remove: Remove


def _conversations(cutoffs: Cutoffs) -> Rows:
    return select(Conversation.id, Conversation.started_at).where(
        *held(cutoffs["conversations"], cutoffs["messages"])
    )


def _remove_conversations(
    session: Session, counts: Counts, ids: Sequence[Any], at: datetime
) -> dict[str, int]:
    return delete_conversations(session, counts, ids, at=at)


def _messages(cutoffs: Cutoffs) -> Rows:
    said = select(HandoverMessage.seq).where(HandoverMessage.handover_id == HandoverTicket.id)
    return select(HandoverTicket.id, HandoverTicket.closed_at).where(
        HandoverTicket.status == "closed",
        HandoverTicket.closed_at < cutoffs["messages"],
        said.exists(),
        HandoverTicket.id.not_in(_rated_tickets()),
    )


def _rated_tickets() -> Rows:
    """Tickets whose bad rating is still being worked on."""
    return (
        select(Rating.event_id)
        .join(RatingTicket, RatingTicket.rating_id == Rating.id)
        .where(Rating.event_kind == "handover", RatingTicket.status.in_(UNFINISHED))
    )


def _remove_messages(
    session: Session, _counts: Counts, ids: Sequence[Any], _at: datetime
) -> dict[str, int]:
    removed = session.execute(delete(HandoverMessage).where(HandoverMessage.handover_id.in_(ids)))
    for ticket in session.scalars(select(HandoverTicket).where(HandoverTicket.id.in_(ids))):
        ticket.packet = {
            key: [] if isinstance(value, list) else None for key, value in ticket.packet.items()
        } | {"summary": ERASED, "reason": "", "note": ""}
        ticket.reason, ticket.referral = "", None
        ticket.summary = ERASED if ticket.summary else None
    return {"contents": len(ids), "messages": removed.rowcount}  # type: ignore[attr-defined]


def _comments(cutoffs: Cutoffs) -> Rows:
    """Ratings that still tell whose they were; of the others only level and month are left."""
    open_ticket = select(RatingTicket.id).where(
        RatingTicket.rating_id == Rating.id, RatingTicket.status.in_(UNFINISHED)
    )
    return select(Rating.id, Rating.rated_at).where(
        Rating.person != "", Rating.rated_at < cutoffs["comments"], ~open_ticket.exists()
    )


def _remove_comments(
    session: Session, _counts: Counts, ids: Sequence[Any], _at: datetime
) -> dict[str, int]:
    strip_ratings(session, Rating.id.in_(ids), ERASED)
    return {"comments": len(ids)}


def _access(cutoffs: Cutoffs) -> Rows:
    return select(AccessRecord.id, AccessRecord.accessed_at).where(
        AccessRecord.accessed_at < cutoffs["access"]
    )


def _remove_access(
    session: Session, _counts: Counts, ids: Sequence[Any], _at: datetime
) -> dict[str, int]:
    session.execute(delete(AccessRecord).where(AccessRecord.id.in_(ids)))
    return {"access": len(ids)}


def _imports(cutoffs: Cutoffs) -> Rows:
    return select(Import.id, Import.changed_at).where(
        Import.status.in_(("saved", "discarded")),
        Import.changed_at < cutoffs["imports"],
        Import.size > 0,
    )


def _remove_imports(
    session: Session, _counts: Counts, ids: Sequence[Any], _at: datetime
) -> dict[str, int]:
    session.execute(delete(Import).where(Import.id.in_(ids)))
    return {"imports": len(ids)}


def _trials(cutoffs: Cutoffs) -> Rows:
    """Runs over, without those that a younger comparison of a draft rests on."""
    younger = select(DraftComparison.id).where(
        or_(DraftComparison.before_id == TrialRun.id, DraftComparison.after_id == TrialRun.id),
        DraftComparison.asked_at >= cutoffs["trials"],
    )
    return select(TrialRun.id, TrialRun.asked_at).where(
        TrialRun.asked_at < cutoffs["trials"], ~younger.exists()
    )


def _remove_trials(
    session: Session, _counts: Counts, ids: Sequence[Any], _at: datetime
) -> dict[str, int]:
    """A comparison goes with its first run: it is as old as they are, or older than the limit."""
    session.execute(
        delete(DraftComparison).where(
            or_(DraftComparison.before_id.in_(ids), DraftComparison.after_id.in_(ids))
        )
    )
    session.execute(delete(TrialResult).where(TrialResult.run_id.in_(ids)))
    session.execute(delete(TrialRunSet).where(TrialRunSet.run_id.in_(ids)))
    session.execute(delete(TrialRun).where(TrialRun.id.in_(ids)))
    return {"trials": len(ids)}


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            "messages",
            "转人工的留言和交接内容",
            "张工单",
            365,
            30,
            "从工单办结起算。满一年：投诉、复查一般在这之内提出；之后只留工单的时间、类别和结果。",
            _messages,
            _remove_messages,
        ),
        Kind(
            "conversations",
            "会话和回答（含依据的副本）",
            "个会话",
            365,
            30,
            "从最后一次提问起算。满一年可以和上一年同月比较、复查差错；"
            "个人信息保护法第十九条要求保存到实现目的所必要的最短时间。数字留在统计里。",
            _conversations,
            _remove_conversations,
        ),
        Kind(
            "comments",
            "评价的意见、内容和办理经过",
            "条评价",
            730,
            30,
            "差评办结以后，意见还要用来看两年内的整改有没有反复；星级和月份一直留着。",
            _comments,
            _remove_comments,
        ),
        Kind(
            "access",
            "谁看过哪段会话的记录",
            "条记录",
            1095,
            180,
            "比会话本身留得久，会话删除后仍能查谁看过；网络安全法第二十三条要求网络日志不少于六个月。",
            _access,
            _remove_access,
        ),
        Kind(
            "imports",
            "导入的原文件和读出的内容",
            "个文件",
            365,
            30,
            "从存成草稿或放弃起算。存成草稿的，内容已经在知识库里；放弃的不再需要。"
            "删除前请确认原件另有存档（待区司法局确认）。",
            _imports,
            _remove_imports,
        ),
        Kind(
            "trials",
            "题集的运行结果",
            "次运行",
            365,
            30,
            "用来和以前的结果比较。题目多是工作人员写的；从市民提问里取的题和它的结果，"
            "随那段会话一起删除。",
            _trials,
            _remove_trials,
        ),
    )
}
