"""Gaps over HTTP: what was asked and not answered well, by meaning, and what is done about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from service.auth import Member
from service.gaps import GapDesk, Gaps
from service.permits import require

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Days = Literal[7, 30, 90, 365]


class ReasonIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[StrictStr, Field(max_length=20_000)] = ""


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _desk(request: Request) -> GapDesk:
    return GapDesk(request.app.state.rooms, request.app.state.serving)


def _gaps(request: Request) -> Gaps:
    return _desk(request).gaps


TheDesk = Annotated[GapDesk, Depends(_desk)]
TheGaps = Annotated[Gaps, Depends(_gaps)]
Reader = Annotated[Member, Depends(require("gap:read"))]
Editor = Annotated[Member, Depends(require("knowledge:edit"))]

router = APIRouter(prefix="/api/v1", tags=["gaps"], dependencies=[Depends(_no_store)])
_HERE = "/staff/gaps"


@router.get(_HERE, summary="没有答好的问题，按意思归在一起；查看会留下记录")
def page(
    desk: TheDesk,
    member: Reader,
    days: Days = 30,
    topic: Annotated[str, Query(max_length=20)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    state: Annotated[str, Query(max_length=20)] = "open",
    after: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    """{gaps, next, figures, days, to_come}; `next` as `after` gives the page after."""
    to_come = desk.bring_up_to_date()
    shown = desk.gaps.page(
        member, days=days, topic=topic, kind=kind, state=state, after=after, limit=limit
    )
    desk.look_up_the_rest(shown["to_look_up"])
    return shown | {"to_come": to_come}


@router.get(_HERE + "/{gap}", summary="一个缺口和里面的问题；查看会留下记录")
def read(gap: Id, gaps: TheGaps, member: Reader, days: Days = 30) -> dict[str, Any]:
    return gaps.read(member, gap, days=days)


@router.post(_HERE + "/{gap}/draft", summary="开始为它写草稿")
def draft(gap: Id, gaps: TheGaps, member: Editor) -> dict[str, Any]:
    return gaps.mark(member, gap, "drafted")


@router.post(_HERE + "/{gap}/ignore", summary="不用处理，写明理由")
def ignore(gap: Id, body: ReasonIn, gaps: TheGaps, member: Editor) -> dict[str, Any]:
    return gaps.mark(member, gap, "ignored", body.reason)


@router.post(_HERE + "/{gap}/reopen", summary="重新列为待处理")
def reopen(gap: Id, gaps: TheGaps, member: Editor) -> dict[str, Any]:
    return gaps.mark(member, gap, "open")
