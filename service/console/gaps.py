"""The page of gaps: what citizens asked and did not get answered well, by meaning."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse

from service.answering.topics import NAMES
from service.auth import Member
from service.console.pages import render
from service.errors import BadRequest
from service.gaps import KINDS, GapDesk
from service.gaps.overview import PERIODS, STATES
from service.permits import require

router = APIRouter(include_in_schema=False)
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Reader = Annotated[Member, Depends(require("gap:read"))]
_LONGEST_ADDRESS = 6000  # characters; what does not fit stays on the page of the gap


def _desk(request: Request) -> GapDesk:
    return GapDesk(request.app.state.rooms, request.app.state.serving)


def editor_for(gap: dict[str, Any]) -> str:
    """The editor of a new FAQ entry, with the gap's questions filled in."""
    fields = {"kind": "faq", "origin": "gap", "question": gap["name"], "topic": gap["topic"] or ""}
    asks: list[str] = []
    for words in gap["asks"]:
        if len(urlencode(fields | {"asks": "\n".join([*asks, words])})) > _LONGEST_ADDRESS:
            break
        asks.append(words)
    return f"/console/knowledge/new?{urlencode(fields | {'asks': chr(10).join(asks)})}"


@router.get("/console/gaps")
def page(
    request: Request,
    member: Reader,
    days: Annotated[str, Query(max_length=5)] = "30",
    topic: Annotated[str, Query(max_length=20)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    state: Annotated[str, Query(max_length=20)] = "open",
    after: Annotated[str, Query(max_length=60)] = "",
) -> HTMLResponse:
    length = _period(days)
    desk = _desk(request)
    to_come = desk.bring_up_to_date()
    shown = desk.gaps.page(
        member,
        days=length,
        topic=topic,
        kind=kind,
        state="" if state == "all" else state,
        after=after,
    )
    desk.look_up_the_rest(shown["to_look_up"])
    return render(
        request,
        member,
        "gaps.html",
        **shown,
        to_come=to_come,
        filters={"days": length, "topic": topic, "kind": kind, "state": state},
        periods=PERIODS,
        kinds=KINDS,
        states=STATES | {"all": "全部"},
        topics={name: name for name in NAMES},
        editor_for=editor_for,
    )


def _period(days: str) -> int:
    if not (days.isascii() and days.isdigit() and int(days) in PERIODS):
        raise BadRequest("period_unknown", "没有这个时间段。")
    return int(days)


@router.get("/console/gaps/{gap}")
def one(
    gap: Id,
    request: Request,
    member: Reader,
    days: Annotated[str, Query(max_length=5)] = "30",
) -> HTMLResponse:
    shown = _desk(request).gaps.read(member, gap, days=_period(days))
    return render(
        request,
        member,
        "gap.html",
        gap=shown,
        periods=PERIODS,
        editor=editor_for(shown),
    )
