"""Pages to sign in, for one's own account, and for the people who work here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session, sessionmaker

from service.accounts import COOKIE, Accounts, Invitations, OwnAccount, SecondFactor, StaffSessions
from service.assembly import Rooms
from service.auth import ROLE_NAMES, Member
from service.console.navigation import menu_of
from service.console.pages import render
from service.errors import NotFound
from service.permits import require, signed_in_of
from service.signing import signing_key

router = APIRouter(include_in_schema=False)
Self = Annotated[Member, Depends(require("self:manage"))]
Administrator = Annotated[Member, Depends(require("staff:manage"))]
_HOME = "/console"
_ROLES = {
    "curator": "编写和导入知识内容，提交复核；试问、管理题集；看知识缺口",
    "reviewer": "批准、退回、撤下知识内容；抽查会话并评定；试问",
    "supervisor": "接待和督办转人工、紧急情况和差评；质量检查；看和导出统计；关停与公告",
    "agent": "接待转人工的市民，办理差评",
    "auditor": "查看操作记录、统计、开关、公告和数据保存期限，不能修改",
    "administrator": "管理账号、开关、公告和数据保存期限；导出全部知识内容",
}
_STATES = {
    "active": ("在用", "good"),
    "token": ("在用（令牌）", "good"),
    "invited": ("等待接受邀请", "warn"),
    "invitation_over": ("邀请已过期", "bad"),
    "disabled": ("已停用", "off"),
}


def _rooms(request: Request) -> Rooms:
    rooms: Rooms = request.app.state.rooms
    return rooms


def _sessions(request: Request) -> sessionmaker[Session]:
    return _rooms(request).sessions


def _regions(request: Request, *more: str) -> dict[str, str]:
    settings = _rooms(request).settings
    return {
        "": "所有地区",
        settings.region: settings.region_name,
        **{code: f"地区{code}" for code in more if code not in ("", settings.region)},
    }


def local(wanted: str) -> str:
    """Where to go after signing in: a page of the console, whatever a link may ask for."""
    plain = wanted.isprintable() and "\\" not in wanted and len(wanted) <= 2000
    inside = wanted == _HOME or wanted.startswith((f"{_HOME}/", f"{_HOME}?"))
    return wanted if plain and inside and not wanted.startswith(f"{_HOME}/login") else _HOME


@router.get(_HOME)
def home(member: Self) -> Response:
    """The first page of this member's menu."""
    for _group, entries in menu_of(member):
        return RedirectResponse(entries[0].href, 303)
    return RedirectResponse("/console/me", 303)


@router.get("/console/login")
def login(request: Request, wanted: Annotated[str, Query(alias="next")] = "") -> Response:
    then = local(wanted)
    if StaffSessions(_sessions(request)).holder(request.cookies.get(COOKIE, "")):
        return RedirectResponse(then, 303)
    return render(request, None, "login.html", then=then)


@router.get("/console/invitation/{token}")
def invitation(request: Request, token: Annotated[str, Path(max_length=500)]) -> Response:
    """Who holds the link has no account to sign in with yet."""
    try:
        person = Invitations(_sessions(request)).look(token)
    except NotFound as gone:
        return render(request, None, "invitation.html", status=404, person=None, wrong=gone.message)
    return render(request, None, "invitation.html", person=person, token=token)


@router.get("/console/me")
def me(request: Request, member: Self) -> Response:
    browser = signed_in_of(request)
    own = OwnAccount(
        _sessions(request),
        SecondFactor(signing_key(_rooms(request).settings)),
        member,
        session_id=browser.session_id if browser else "",
    )
    return render(
        request,
        member,
        "me.html",
        own=own.view(),
        browsers=own.browsers(),
        regions=_regions(request, member.region),
        roles=_ROLES,
    )


@router.get("/console/people")
def people(request: Request, member: Administrator) -> Response:
    everybody = Accounts(_sessions(request), member).all()
    return render(
        request,
        member,
        "people.html",
        people=everybody,
        regions=_regions(request, *(person["region"] for person in everybody)),
        roles=_ROLES,
        states=_STATES,
    )


@router.get("/console/people/{person}")
def person(
    request: Request, person: Annotated[str, Path(max_length=40)], member: Administrator
) -> Response:
    found = Accounts(_sessions(request), member).one(person)
    return render(
        request,
        member,
        "person.html",
        person=found,
        regions=_regions(request, found["region"]),
        roles=_ROLES,
        role_names=ROLE_NAMES,
        states=_STATES,
    )
