"""Signing in, one's own account, and the people who work here, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr
from sqlalchemy.orm import Session, sessionmaker

from service.accounts import (
    BROWSER_COOKIE,
    COOKIE,
    KEPT,
    Accounts,
    Invitation,
    Invitations,
    OwnAccount,
    SecondFactor,
    SignIn,
    StaffSessions,
)
from service.assembly import Rooms
from service.auth import Member
from service.handover import Handovers
from service.permits import from_our_own_page, require, signed_in_of
from service.signing import signing_key

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Short = Annotated[StrictStr, Field(max_length=500)]
Typed = Annotated[StrictStr, Field(max_length=20_000)]  # lengths are judged, in Chinese, later
Self = Annotated[Member, Depends(require("self:manage"))]
Administrator = Annotated[Member, Depends(require("staff:manage"))]


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(prefix="/api/v1", tags=["accounts"], dependencies=[Depends(_no_store)])
_PEOPLE = "/staff/people"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignInIn(_Body):
    login: Typed
    password: Typed
    code: Typed = ""


class TokenIn(_Body):
    token: Short


class AcceptIn(_Body):
    token: Short
    password: Typed


class PasswordIn(_Body):
    password: Typed


class NewPasswordIn(_Body):
    password: Typed
    new_password: Typed


class CodeIn(_Body):
    code: Short


class PersonIn(_Body):
    name: Short
    login: Short
    roles: Annotated[list[Short], Field(max_length=20)]
    region: Short = ""


class ChangeIn(_Body):
    """What is left out stays; an empty region is all regions."""

    name: Short | None = None
    roles: Annotated[list[Short], Field(max_length=20)] | None = None
    region: Short | None = None


class InviteIn(_Body):
    without_code: StrictBool = False


def _sessions(request: Request) -> sessionmaker[Session]:
    rooms: Rooms = request.app.state.rooms
    return rooms.sessions


def _second_factor(request: Request) -> SecondFactor:
    rooms: Rooms = request.app.state.rooms
    return SecondFactor(signing_key(rooms.settings))


def _sign_in(request: Request) -> SignIn:
    return SignIn(_sessions(request), _second_factor(request), request.app.state.sign_in_limit)


def _own(request: Request, member: Self) -> OwnAccount:
    browser = signed_in_of(request)
    return OwnAccount(
        _sessions(request),
        _second_factor(request),
        member,
        session_id=browser.session_id if browser else "",
    )


def _accounts(request: Request, member: Administrator) -> Accounts:
    return Accounts(_sessions(request), member)


Own = Annotated[OwnAccount, Depends(_own)]
TheAccounts = Annotated[Accounts, Depends(_accounts)]


@router.post("/session", summary="登录")
def sign_in(body: SignInIn, request: Request, response: Response) -> dict[str, Any]:
    """Public: the password is the permission. The answer sets the cookie."""
    from_our_own_page(request)
    signing = _sign_in(request)
    entered = signing.begin(
        body.login,
        body.password,
        body.code,
        address=request.client.host if request.client else "",
        user_agent=request.headers.get("user-agent", ""),
        browser=request.cookies.get(BROWSER_COOKIE, ""),
    )
    sessions = StaffSessions(_sessions(request))
    before = sessions.holder(request.cookies.get(COOKIE, ""))
    if before:
        signing.end(before.member.id, before.session_id)
    for name, token, kept in (
        (COOKIE, entered.session, None),
        (BROWSER_COOKIE, entered.browser, int(KEPT.total_seconds())),
    ):
        response.set_cookie(
            name,
            token,
            max_age=kept,
            path="/",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    now = sessions.holder(entered.session)
    return {"name": now.member.name, "csrf": now.csrf} if now else {}


@router.delete("/session", summary="退出")
def sign_out(request: Request, response: Response, member: Self) -> dict[str, Any]:
    browser = signed_in_of(request)
    if browser:
        _sign_in(request).end(member.id, browser.session_id)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return {}


@router.post("/invitations/look", summary="邀请链接是给谁的")
def look(body: TokenIn, request: Request) -> dict[str, str]:
    """Public: the token is the permission."""
    return Invitations(_sessions(request)).look(body.token)


@router.post("/invitations/accept", summary="凭邀请链接设置密码")
def accept(body: AcceptIn, request: Request) -> dict[str, str]:
    """Public, once: the token is the permission."""
    from_our_own_page(request)
    return Invitations(_sessions(request)).accept(body.token, body.password)


@router.get("/staff/me", summary="我的账号")
def me(own: Own) -> dict[str, Any]:
    return own.view()


@router.post("/staff/me/password", summary="修改自己的密码")
def change_password(body: NewPasswordIn, own: Own) -> dict[str, Any]:
    own.change_password(body.password, body.new_password)
    return {}


@router.post("/staff/me/totp/begin", summary="开始开通动态口令")
def begin_totp(body: PasswordIn, own: Own) -> dict[str, str]:
    return own.begin_totp(body.password)


@router.post("/staff/me/totp/confirm", summary="确认开通动态口令，得到恢复码")
def confirm_totp(body: CodeIn, own: Own) -> dict[str, Any]:
    return {"recovery_codes": own.confirm_totp(body.code)}


@router.post("/staff/me/totp/disable", summary="关闭动态口令")
def disable_totp(body: PasswordIn, own: Own) -> dict[str, Any]:
    own.disable_totp(body.password)
    return {}


@router.get("/staff/me/sessions", summary="我在哪些浏览器登录着")
def browsers(own: Own) -> dict[str, Any]:
    return {"sessions": own.browsers()}


@router.delete("/staff/me/sessions", summary="退出其他浏览器")
def end_other_browsers(own: Own) -> dict[str, Any]:
    return {"ended": own.end_other_browsers()}


@router.get(_PEOPLE, summary="人员")
def people(accounts: TheAccounts) -> dict[str, Any]:
    return {"people": accounts.all()}


@router.post(_PEOPLE, summary="新建账号，得到邀请链接", status_code=201)
def invite(body: PersonIn, accounts: TheAccounts) -> dict[str, Any]:
    return _link(accounts.invite(body.name, body.login, body.roles, body.region))


@router.get(_PEOPLE + "/{person}", summary="一个人的账号")
def person(person: Id, accounts: TheAccounts) -> dict[str, Any]:
    return accounts.one(person)


@router.patch(_PEOPLE + "/{person}", summary="修改姓名、角色、地区")
def change(person: Id, body: ChangeIn, accounts: TheAccounts) -> dict[str, Any]:
    return accounts.change(person, name=body.name, roles=body.roles, region=body.region)


@router.post(_PEOPLE + "/{person}/invitation", summary="重发邀请链接，原来的密码作废")
def invite_again(person: Id, accounts: TheAccounts, body: InviteIn | None = None) -> dict[str, Any]:
    return _link(accounts.invite_again(person, without_code=bool(body and body.without_code)))


@router.post(_PEOPLE + "/{person}/disable", summary="停用账号，手上的工单退回排队")
def disable(person: Id, accounts: TheAccounts, request: Request) -> dict[str, Any]:
    disabled = accounts.disable(person)
    handovers: Handovers = request.app.state.handovers
    return {**disabled, "released": handovers.release_all_of(person)}


@router.post(_PEOPLE + "/{person}/enable", summary="重新启用账号")
def enable(person: Id, accounts: TheAccounts) -> dict[str, Any]:
    return accounts.enable(person)


def _link(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.member.id,
        "name": invitation.member.name,
        "login": invitation.login,
        "link": f"/console/invitation/{invitation.token}",
        "expires_at": invitation.expires_at.isoformat(),
    }
