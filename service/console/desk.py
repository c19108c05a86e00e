"""The desk's pages: the hand-over queue with a ticket in work, and urgent answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from knowledge.library import Library
from service.audit import Purpose
from service.auth import Member, Permission, StaffRegister
from service.channels.wechat.callback import reach_of
from service.console.pages import render
from service.handover import Duty, Handovers, UrgentWatch, phrases
from service.handover.duty import on_duty
from service.handover.presence import windows
from service.handover.words import BY_STAFF
from service.models import now
from service.permits import require

router = APIRouter(include_in_schema=False)
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Before = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
View = Literal["waiting", "mine", "all", "closed"]
VIEWS: dict[str, tuple[str, dict[str, Any]]] = {
    "waiting": ("排队中", {"status": "waiting", "order": "due"}),
    "mine": ("我的", {"status": "claimed", "mine": True, "order": "due"}),
    "all": ("都在办的", {"status": "claimed", "order": "due"}),
    "closed": ("已结束", {"status": "closed", "order": "newest"}),
}
STATUSES = {"waiting": "排队中", "claimed": "办理中", "closed": "已结束"}
OUTCOMES = {
    "solved": "已解决",
    "referred": "已转介（告知应找的部门）",
    "unreachable": "联系不上市民",
    "duplicate": "与另一个请求重复",
    "other": "其他",
    "withdrawn": "市民撤回",
}
DANGERS = {
    "self_harm": "轻生、自伤",
    "violence": "正在受到暴力",
    "minor": "未成年人受侵害",
    "medical_fire": "伤病、火灾",
    "fraud_now": "刚被骗转账",
    "threat": "受到威胁",
    "held": "家人被带走",
}
_A_PAGE = 50


@router.get("/console/desk")
def queue(
    request: Request,
    member: Annotated[Member, Depends(require("handover:list"))],
    view: View = "waiting",
    before: Before = None,
) -> Response:
    return _page(request, member, view, before, None)


@router.get("/console/desk/{handover}")
def ticket(
    handover: Id,
    request: Request,
    member: Annotated[Member, Depends(require("handover:read"))],
    view: View = "waiting",
    before: Before = None,
    purpose: Purpose = Purpose.HANDLE,
) -> Response:
    shown = _desk(request).read(member, handover, purpose=purpose)
    return _page(request, member, view, before, shown, purpose)


def _desk(request: Request) -> Handovers:
    handovers: Handovers = request.app.state.handovers
    return handovers


def _page(
    request: Request,
    member: Member,
    view: View,
    before: str | None,
    shown: dict[str, Any] | None,
    purpose: Purpose = Purpose.HANDLE,
) -> Response:
    desk, register = _desk(request), request.app.state.staff
    at, library = now(), request.app.state.serving.library
    region = member.region or request.app.state.rooms.settings.region
    with_box = bool(shown and shown["status"] == "claimed" and _holds(member, shown))
    return render(
        request,
        member,
        "desk.html",
        page=desk.queue(member, limit=_A_PAGE, before=before, **VIEWS[view][1]),
        view=view,
        before=before,
        ticket=shown,
        purpose=purpose.value,
        holds=with_box,
        answer=desk.answer_of(member, shown["id"]) if shown else None,
        reach=reach_of(request, member, shown["id"]) if shown and with_box else None,
        links=_links(library, shown) if shown else {},
        duty=Duty(register.sessions).state(member),
        windows=windows(library, member.region, at),
        colleagues=_colleagues(register, member, shown) if shown else [],
        phrases=phrases.PHRASES if with_box else (),
        lines=phrases.lines(library, region, at) if with_box else [],
        words={
            "views": {key: name for key, (name, _) in VIEWS.items()},
            "statuses": STATUSES,
            "outcomes": OUTCOMES,
            "by_staff": BY_STAFF,
            "dangers": DANGERS,
        },
    )


def _holds(member: Member, shown: dict[str, Any]) -> bool:
    owner = shown["claimed_by"]
    return bool(owner and owner["id"] == member.id)


def _links(library: Library, shown: dict[str, Any]) -> dict[str, str]:
    """Where to read what was shown: title → page, as far as it is published still."""
    titles = {document.title: document for document in library.documents.values()}
    what = shown["packet"].get("shown") or {}
    named = [*what.get("steps", ()), *what.get("targets", ())]
    named += [citation["law"] for citation in what.get("citations", ())]
    pages = {"statute": "/console/statutes/", "policy": "/console/statutes/"}
    return {
        title: pages.get(found.kind.value, "/console/knowledge/") + found.id
        for title in named
        if (found := titles.get(title))
    }


def _colleagues(
    register: StaffRegister, member: Member, shown: dict[str, Any]
) -> list[tuple[str, str]]:
    """Who could take the ticket: those on duty, and the member."""
    if not member.may(Permission.HANDOVER_REASSIGN) or shown["status"] == "closed":
        return []
    with register.sessions() as session:
        here = {member.id, *(one.staff_id for one in on_duty(session, now()))}
    owner = (shown["claimed_by"] or {}).get("id")
    able = [
        one
        for one in register.all()
        if one.disabled_at is None
        and one.id in here
        and one.id != owner
        and one.may(Permission.HANDOVER_CLAIM)
        and one.sees(shown["region"])
    ]
    able.sort(key=lambda one: one.name)
    return [(one.id, f"{one.name}（我自己）" if one.id == member.id else one.name) for one in able]


@router.get("/console/urgent")
def urgent(
    request: Request,
    member: Annotated[Member, Depends(require("urgent:list"))],
    before: Before = None,
) -> Response:
    watch: UrgentWatch = request.app.state.urgent
    page = watch.waiting(member, limit=_A_PAGE, before=before)
    return render(
        request,
        member,
        "urgent.html",
        page=page,
        before=before,
        recent=watch.acknowledged(member, limit=20) if before is None else [],
        dangers=DANGERS,
        statuses=STATUSES,
    )
