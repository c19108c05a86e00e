"""The dashboard, and the monthly report as one page to print."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from service.answering.topics import NAMES as TOPICS
from service.auth import Member, Permission
from service.console.charts import columns
from service.console.pages import render
from service.handover import words as handover_words
from service.permits import require
from service.review.verdicts import verdict_counts
from service.review.words import VERDICTS
from service.statistics.board import NAMES, Board, better_and_worse
from service.statistics.days import Period, month_named, month_of, period_of
from service.switches import CHANNELS

router = APIRouter(include_in_schema=False)
PERIODS = {"day": "日", "week": "周", "month": "月", "range": "自选"}
_HANDOVER_ENDS = handover_words.OUTCOMES | {
    "unreachable": "联系不上市民",
    "duplicate": "重复的请求",
    "withdrawn": "市民撤回",
    "open": "还没有办结",
}
_SHARES = ("answered_share", "coverage", "satisfaction")
_COMPARED = (
    "questions", "conversations", "answered_share", "coverage", "unsure", "failed", "urgent",
    "handovers", "rated", "satisfaction",
)  # fmt: skip

Reader = Annotated[Member, Depends(require("statistics:read"))]


@router.get("/console/dashboard")
def dashboard(
    request: Request,
    member: Reader,
    period: Literal["day", "week", "month", "range"] = "week",
    on: Annotated[str, Query(max_length=10)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
) -> HTMLResponse:
    board = Board(request.app.state.rooms.sessions)
    chosen = period_of(period, _date(on) or board.today, _date(since), _date(until))
    return render(
        request,
        member,
        "dashboard.html",
        **_shown(board, chosen, member),
        periods=PERIODS,
        filters={
            "period": period,
            "on": chosen.first.isoformat() if period != "range" else "",
            "since": since if period == "range" else "",
            "until": until if period == "range" else "",
        },
        earlier=chosen.before(),
        later=chosen.after() if chosen.last < board.today else None,
        today=board.today,
        may_export=member.may(Permission.STATISTICS_EXPORT),
        topic_names={topic: topic for topic in TOPICS},
    )


@router.get("/console/report")
def report(
    request: Request, member: Reader, month: Annotated[str, Query(max_length=7)] = ""
) -> HTMLResponse:
    """The month asked for; the last one that is over if none is."""
    board = Board(request.app.state.rooms.sessions)
    chosen = month_named(month) if month else month_of(board.today).before()
    shown = _shown(board, chosen, member)
    return render(
        request,
        member,
        "report.html",
        **shown,
        month=f"{chosen.first:%Y-%m}",
        told=better_and_worse(shown["board"]),
        published=board.published_in(chosen),
        gaps=board.gaps(chosen, member) if member.may(Permission.GAP_READ) else [],
        running=chosen.last >= board.today,
        made_at=board.clock(),
    )


def _shown(board: Board, period: Period, member: Member) -> dict[str, Any]:
    shown = board.of(period, region=member.region)
    figures = shown["figures"]
    with board.sessions() as session:
        verdicts = verdict_counts(session, period.since, period.until, region=member.region)
    totals = figures["totals"] | {
        "rated": figures["ratings"]["total"],
        "satisfaction": figures["ratings"]["satisfaction"],
    }
    days = figures["days"]
    return {
        "board": shown,
        "figures": figures,
        "period": period,
        "before": period.compared_with(board.today),
        "verdicts": verdicts,
        "channels": CHANNELS,
        "definitions": shown["definitions"],
        "definition_names": NAMES | {"freshness": "内容多久没核对了"},
        "verdict_words": VERDICTS,
        "handover_words": _HANDOVER_ENDS,
        "heads": [
            {
                "key": key,
                "name": NAMES[key],
                "now": totals[key],
                "is_share": key in _SHARES,
                **shown["compared"][key],
            }
            for key in _COMPARED
        ],
        "charts": {
            "days": columns(
                [row["label"] for row in days],
                [
                    ("给出回答", [row["answered"] for row in days]),
                    ("其他", [row["n"] - row["answered"] for row in days]),
                ],
            ),
            "hours": columns(
                [f"{hour}" for hour in range(24)], [("提问", figures["hours"])], every=2
            ),
        },
    }


def _date(text: str) -> date | None:
    """A form with an empty field sends it; what is no date counts as none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
