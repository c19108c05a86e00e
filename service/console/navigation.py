"""What is in the console, in the order of a working day, and who may see it."""

from __future__ import annotations

from dataclasses import dataclass

from service.auth import Member, Permission

P = Permission


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu, shown to whoever may read it."""

    href: str
    title: str
    permission: Permission


MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "接待",
        (
            Entry("/console/desk", "转人工", P.HANDOVER_LIST),
            Entry("/console/urgent", "紧急情况", P.URGENT_LIST),
            Entry("/console/ratings", "差评办理", P.RATING_READ),
        ),
    ),
    (
        "知识库",
        (
            Entry("/console/knowledge", "内容", P.KNOWLEDGE_READ),
            Entry("/console/approvals", "待复核", P.KNOWLEDGE_READ),
            Entry("/console/statutes", "法律", P.KNOWLEDGE_READ),
            Entry("/console/imports", "导入", P.KNOWLEDGE_EDIT),
            Entry("/console/stale", "该更新的", P.KNOWLEDGE_READ),
            Entry("/console/follow-ups", "待改进", P.KNOWLEDGE_EDIT),
            Entry("/console/try", "试问", P.TRIAL_RUN),
            Entry("/console/sets", "题集", P.KNOWLEDGE_READ),
        ),
    ),
    (
        "质量",
        (
            Entry("/console/conversations", "会话", P.CONVERSATION_READ),
            Entry("/console/reviews", "待评", P.CONVERSATION_REVIEW),
            Entry("/console/gaps", "缺口", P.GAP_READ),
            Entry("/console/dashboard", "看板", P.STATISTICS_READ),
        ),
    ),
    (
        "管理",
        (
            Entry("/console/switches", "开关", P.SWITCH_READ),
            Entry("/console/notices", "公告", P.NOTICE_READ),
            Entry("/console/retention", "数据保存", P.RETENTION_READ),
            Entry("/console/people", "人员", P.STAFF_MANAGE),
            Entry("/console/audit", "操作记录", P.AUDIT_READ),
        ),
    ),
)


def menu_of(member: Member) -> list[tuple[str, list[Entry]]]:
    """The menu with what this member may see."""
    shown = (
        (group, [entry for entry in entries if member.may(entry.permission)])
        for group, entries in MENU
    )
    return [(group, entries) for group, entries in shown if entries]
