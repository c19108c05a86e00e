"""Pages to try and measure: one question, sets of questions, a run, what a draft would change."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service.auth import Member
from service.console.pages import render
from service.errors import BadQuestion, BadRequest, NotFound
from service.permits import require
from service.trials import TrialDesk, shipped
from service.trials.comparison import compare
from service.trials.expectation import ENDINGS

router = APIRouter(include_in_schema=False)
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Run = Annotated[str, Query(pattern=r"^([A-Za-z0-9_-]{1,40})?$")]
RevisionId = Annotated[str, Query(max_length=240, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _desk(request: Request) -> TrialDesk:
    return TrialDesk(request.app.state.rooms, request.app.state.serving)


TheDesk = Annotated[TrialDesk, Depends(_desk)]
Asker = Annotated[Member, Depends(require("trial:run"))]
Reader = Annotated[Member, Depends(require("knowledge:read"))]
_SHOWN = {"all": "全部", "failed": "没达到要求的", "passed": "达到要求的", "open": "没有要求的"}


@router.get("/console/try")
def try_one(
    request: Request,
    desk: TheDesk,
    member: Asker,
    question: Annotated[str, Query(max_length=20_000)] = "",
    earlier: Annotated[str, Query(max_length=20_000)] = "",
    as_of: Annotated[str, Query(max_length=20)] = "",
    region: Annotated[str, Query(max_length=20)] = "",
    revision: RevisionId = "",
) -> HTMLResponse:
    """Nothing is kept: so the address, which can be handed on, is the question itself."""
    asked = {
        "question": question,
        "earlier": earlier,
        "as_of": as_of,
        "region": region,
        "revision": revision,
    }
    tried, problem = None, ""
    if question.strip():
        try:
            tried = desk.trials(member).ask(
                question,
                earlier=[line.strip() for line in earlier.splitlines() if line.strip()],
                on=_day(as_of),
                region=_region(region),
                revision=revision or None,
            )
        except (BadQuestion, BadRequest, NotFound) as error:
            problem = error.message
    return render(
        request,
        member,
        "try.html",
        asked=asked,
        tried=tried,
        problem=problem,
        drafts=desk.drafts(member),
    )


def _day(words: str) -> date | None:
    if not words.strip():
        return None
    try:
        return date.fromisoformat(words.strip())
    except ValueError:
        raise BadRequest("as_of", "日期要写成 2026-11-30 这样。") from None


def _region(words: str) -> str | None:
    code = words.strip()
    if code and not (len(code) == 6 and code.isascii() and code.isdigit()):
        raise BadRequest("region", "地区要写成六位行政区划代码，不写就是本区。")
    return code or None


@router.get("/console/sets")
def all_sets(request: Request, desk: TheDesk, member: Reader) -> HTMLResponse:
    return render(
        request,
        member,
        "sets.html",
        sets=desk.sets.all(),
        runs=desk.runs.history(limit=10),
    )


@router.get("/console/sets/compare")
def compare_draft(
    request: Request, desk: TheDesk, member: Reader, revision: RevisionId = "", comparison: Run = ""
) -> Response:
    """What a draft would change: what was compared for it, and a form to do so. Without one, the
    drafts there are."""
    kept: list[dict[str, Any]] = []
    shown = draft = None
    if comparison:
        shown = desk.comparisons(member).read(comparison)
        if shown["revision"] != revision:
            wanted = urlencode({"revision": shown["revision"], "comparison": comparison})
            return RedirectResponse(f"/console/sets/compare?{wanted}", 303)
    if revision:
        comparisons = desk.comparisons(member)
        kept = comparisons.of_revision(revision)
        if shown is None and kept:
            shown = comparisons.read(kept[0]["id"])
        if shown is not None:
            desk.go_on(shown["before"], shown["after"])
        draft = desk.curation.revision(member, revision)
    return render(
        request,
        member,
        "sets_compare.html",
        revision=revision,
        draft=draft,
        drafts=desk.drafts(member),
        kept=kept,
        shown=shown,
        sets=desk.sets.all(),
        default=shipped.ID,
    )


@router.get("/console/sets/runs/{run_id}")
def one_run(
    run_id: Id,
    request: Request,
    desk: TheDesk,
    member: Reader,
    against: Run = "",
    show: Annotated[str, Query(pattern=r"^(all|failed|passed|open)?$")] = "",
) -> HTMLResponse:
    runs = desk.runs
    run = runs.read(run_id)
    desk.go_on(run)
    results = runs.results(run_id)
    earlier = [r for s in run["sets"] for r in runs.history(s["id"], limit=20)]
    others = list({r["id"]: r for r in earlier if r["id"] != run_id and r["done"]}.values())
    comparison = None
    if against:
        other = runs.read(against)
        comparison = compare(runs.results(against), results) | {"run": other}
    show = show or ("failed" if run["failed"] else "all")
    return render(
        request,
        member,
        "sets_run.html",
        run=run,
        results=[r for r in results if _in_view(r, show)],
        answered=len(results),
        others=others,
        against=against,
        comparison=comparison,
        show=show,
        views=_SHOWN,
        current=run["knowledge"] == runs.current_knowledge(),
    )


def _in_view(result: dict[str, Any], show: str) -> bool:
    wanted = {"failed": False, "passed": True, "open": None}
    return show == "all" or result["passed"] is wanted[show]


@router.get("/console/sets/{set_id}")
def one_set(
    set_id: Id, request: Request, desk: TheDesk, member: Reader, edit: Run = ""
) -> HTMLResponse:
    shown = desk.sets.read(set_id)
    changed = next((q for q in shown["questions"] if q["id"] == edit), None)
    library = request.app.state.serving.library
    return render(
        request,
        member,
        "sets_set.html",
        set=shown,
        runs=desk.runs.history(set_id, limit=20),
        edited=None if shown["fixed"] else changed,
        endings=ENDINGS,
        titles=sorted(
            {d.title for d in library.documents.values() if d.kind.value not in ("statute",)}
        ),
        named=lambda ids: [d.title if (d := library.documents.get(i)) else i for i in ids],
    )
