"""How an endpoint says who may use it: `Depends(require("handover:claim"))`, exactly once.

An endpoint for the public names none and stands in the list in tests/test_architecture.py.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.auth import Member, Permission, StaffRegister
from service.errors import NotAllowed, NotSignedIn

_bearer = HTTPBearer(auto_error=False, description="工作人员令牌")


class Require:
    """A dependency that lets one permission in, and gives the member of staff who has it.

    Raises NotSignedIn without a valid token, and NotAllowed where no role has the permission.
    """

    def __init__(self, permission: Permission) -> None:
        self.permission = permission  # what a walk over all routes looks for

    def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Member:
        staff: StaffRegister = request.app.state.staff
        member = staff.holder(credentials.credentials) if credentials else None
        if member is None:
            raise NotSignedIn("not_signed_in", "请先登录：令牌缺失、不正确或已停用。")
        request.state.member = member  # for the page that says what went wrong
        if not member.may(self.permission):
            raise NotAllowed("not_allowed", "您的账号没有做这件事的权限。")
        return member


def require(permission: str) -> Require:
    """The dependency for one permission. Raises ValueError, at import, for one that is none."""
    return Require(Permission(permission))
