"""How an endpoint says who may use it: `Depends(require("handover:claim"))`, exactly once.

An endpoint for the public names none and stands in the list in tests/test_architecture.py.
"""

from __future__ import annotations

import hmac
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.accounts.sessions import COOKIE, SignedIn, StaffSessions
from service.auth import EVERYWHERE, Member, Permission, StaffRegister
from service.errors import NotAllowed, NotSignedIn

CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_bearer = HTTPBearer(auto_error=False, description="工作人员令牌；浏览器用登录后的 cookie")


class Require:
    """A dependency that lets one permission in, and gives the member of staff who has it.

    A program shows its token, a browser the cookie of its session. A browser sends its cookie
    whoever made it ask, so to change anything it must also send what only our own pages know.

    Raises NotSignedIn without a valid token or session, and NotAllowed where no role has the
    permission, it is for no single region, or the request may come from somebody else's page.
    """

    def __init__(self, permission: Permission) -> None:
        self.permission = permission  # what a walk over all routes looks for

    def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Member:
        staff: StaffRegister = request.app.state.staff
        if "authorization" in request.headers:
            member = staff.holder(credentials.credentials) if credentials else None
        else:
            member = _by_cookie(request, StaffSessions(staff.sessions))
        if member is None:
            raise NotSignedIn(
                "not_signed_in", "请先登录：没有登录、登录已过期，或令牌不正确、已停用。"
            )
        request.state.member = member  # for the page that says what went wrong
        if not member.may(self.permission):
            if member.region and self.permission in EVERYWHERE:
                raise NotAllowed(
                    "not_allowed",
                    "这件事关系到所有地区，限定了地区的账号不能做，请找不限地区的同事。",
                )
            raise NotAllowed("not_allowed", "您的账号没有做这件事的权限。")
        return member


def _by_cookie(request: Request, sessions: StaffSessions) -> Member | None:
    signed_in = sessions.holder(request.cookies.get(COOKIE, ""))
    if signed_in is None:
        return None
    request.state.csrf = signed_in.csrf  # which our pages carry in a meta tag
    request.state.signed_in = signed_in
    if request.method not in _SAFE:
        from_our_own_page(request)
        if not same(request.headers.get(CSRF_HEADER, ""), signed_in.csrf):
            raise NotAllowed("csrf", "页面已过期，请刷新后再试；填写的内容请先复制出来。")
    return signed_in.member


def from_our_own_page(request: Request) -> None:
    """Raise NotAllowed where the browser says that another site's page made it ask."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise NotAllowed("origin", "请求来自别的网站，没有受理。")


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are the same, in a time that tells nothing about them."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


def signed_in_of(request: Request) -> SignedIn | None:
    """The browser session of this request, once `Require` has let it in; None for a token."""
    found: SignedIn | None = getattr(request.state, "signed_in", None)
    return found


def require(permission: str) -> Require:
    """The dependency for one permission. Raises ValueError, at import, for one that is none."""
    return Require(Permission(permission))
