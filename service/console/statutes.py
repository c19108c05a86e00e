"""Laws, to look things up in."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from knowledge.store import today_in_china
from service.auth import Member
from service.console.pages import render
from service.curation.statutes import STATES, Statutes
from service.permits import require
from service.serving import Serving

router = APIRouter(include_in_schema=False)
Reader = Annotated[Member, Depends(require("knowledge:read"))]
Words = Annotated[str, Query(max_length=100)]
_PER_PAGE = 100


def statutes_of(request: Request) -> Statutes:
    serving: Serving = request.app.state.serving
    return Statutes(serving.library, serving.rooms.laws, today_in_china())


Domain = Annotated[Statutes, Depends(statutes_of)]


@router.get("/console/statutes")
def statutes(
    request: Request,
    member: Reader,
    book: Domain,
    text: Words = "",
    level: Annotated[str, Query(max_length=20)] = "",
    state: Literal["", "in_force", "future", "past", "unknown"] = "",
    versions: Literal["", "all"] = "",
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    text = text.strip()
    laws = book.laws(words=text, level=level, state=state)
    hits, count = book.search(text, everything=versions == "all") if text else ([], 0)
    return render(
        request,
        member,
        "statutes.html",
        filters={"text": text, "level": level, "state": state, "versions": versions},
        laws=laws[(page - 1) * _PER_PAGE : page * _PER_PAGE],
        total=len(laws),
        page=page,
        pages=max(1, -(-len(laws) // _PER_PAGE)),
        named=book.named(text) if text else [],
        hits=hits,
        count=count,
        levels=[(name, name) for name in book.levels()],
        states=STATES,
    )


@router.get("/console/statutes/{law}")
def law(
    request: Request,
    member: Reader,
    book: Domain,
    law: str,
    version: Annotated[str | None, Query(max_length=300)] = None,
) -> Response:
    return render(request, member, "statute.html", states=STATES, **book.law(law, version))


@router.get("/console/statutes/{law}/{label}")
def article(request: Request, member: Reader, book: Domain, law: str, label: str) -> Response:
    return render(request, member, "article.html", states=STATES, **book.article(law, label))
