"""Try and measure over HTTP: one question, sets of questions and their runs, a draft's effect."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from service.audit import Purpose
from service.auth import Member
from service.errors import BadRequest
from service.permits import require
from service.trials import QuestionSets, TrialDesk, TrialRuns
from service.trials.comparison import compare
from service.trials.reading import MOST_QUESTIONS, lines_of, read_file

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
IdText = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Words = Annotated[StrictStr, Field(max_length=20_000)]
Line = Annotated[StrictStr, Field(max_length=300)]
Lines = Annotated[list[Line], Field(max_length=20)]
Region = Annotated[StrictStr, Field(pattern=r"^(\d{6})?$")]
RevisionId = Annotated[StrictStr, Field(pattern=r"^[^\x00-\x1f\x7f]{1,240}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AskIn(_Body):
    """`earlier` are the questions before this one in its conversation, oldest first."""

    question: Words
    earlier: Annotated[list[Words], Field(max_length=20)] = []
    as_of: date | None = None
    region: Region = ""
    revision: RevisionId | None = None


class SetIn(_Body):
    name: Words
    description: Words = ""


class QuestionIn(_Body):
    question: Words
    earlier: Annotated[list[Words], Field(max_length=20)] = []
    outcome: Lines = []
    cites: Lines = []
    cites_any: Lines = []
    shows: Lines = []
    hides: Lines = []
    region: Region = ""
    as_of: date | None = None
    note: Words = ""


class QuestionsIn(_Body):
    """Either `lines`, one question each, or whole questions."""

    lines: Annotated[StrictStr, Field(max_length=200_000)] = ""
    questions: Annotated[list[QuestionIn], Field(max_length=MOST_QUESTIONS)] = []


class AnswersIn(_Body):
    """Ids of answers whose questions are to be taken, and why they are read."""

    answers: Annotated[list[IdText], Field(min_length=1, max_length=200)]
    purpose: Purpose = Purpose.REVIEW


class ComparisonIn(_Body):
    revision: RevisionId
    sets: Annotated[list[IdText], Field(max_length=9)] = []


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _desk(request: Request) -> TrialDesk:
    return TrialDesk(request.app.state.rooms, request.app.state.serving)


def _sets(request: Request) -> QuestionSets:
    return _desk(request).sets


def _runs(request: Request) -> TrialRuns:
    return _desk(request).runs


TheDesk = Annotated[TrialDesk, Depends(_desk)]
TheSets = Annotated[QuestionSets, Depends(_sets)]
TheRuns = Annotated[TrialRuns, Depends(_runs)]
Asker = Annotated[Member, Depends(require("trial:run"))]
Keeper = Annotated[Member, Depends(require("trial:edit"))]
Reader = Annotated[Member, Depends(require("knowledge:read"))]

router = APIRouter(prefix="/api/v1", tags=["trials"], dependencies=[Depends(_no_store)])
_SETS, _RUNS, _COMPARISONS = "/staff/sets", "/staff/set-runs", "/staff/draft-comparisons"


@router.post("/staff/trials", summary="试问一个问题：回答和为什么；不存档")
def ask(body: AskIn, desk: TheDesk, member: Asker) -> dict[str, Any]:
    """{answer, why, shown, earlier, with_draft}. Nothing of it is kept."""
    return desk.trials(member).ask(
        body.question,
        earlier=body.earlier,
        on=body.as_of,
        region=body.region or None,
        revision=body.revision,
    )


@router.get(_SETS, summary="题集")
def all_sets(sets: TheSets, _member: Reader) -> dict[str, Any]:
    return {"sets": sets.all()}


@router.post(_SETS, status_code=201, summary="建一套题")
def create(body: SetIn, sets: TheSets, member: Keeper) -> dict[str, Any]:
    return sets.create(member, body.name, body.description)


@router.get(_SETS + "/{set_id}", summary="一套题和里面的问题")
def read(set_id: Id, sets: TheSets, _member: Reader) -> dict[str, Any]:
    return sets.read(set_id)


@router.put(_SETS + "/{set_id}", summary="改题集的名称和说明")
def rename(set_id: Id, body: SetIn, sets: TheSets, member: Keeper) -> dict[str, Any]:
    return sets.rename(member, set_id, body.name, body.description)


@router.delete(_SETS + "/{set_id}", summary="收起一套题（以前的记录还在）")
def archive(set_id: Id, sets: TheSets, member: Keeper) -> dict[str, Any]:
    return sets.archive(member, set_id)


@router.post(_SETS + "/{set_id}/copy", status_code=201, summary="复制一套题")
def copy(set_id: Id, sets: TheSets, member: Keeper) -> dict[str, Any]:
    return sets.copy(member, set_id)


@router.post(_SETS + "/{set_id}/questions", status_code=201, summary="加问题")
def add(set_id: Id, body: QuestionsIn, sets: TheSets, member: Keeper) -> dict[str, Any]:
    """The set, with `added` and `passed_over` (those that it had already)."""
    if bool(body.lines.strip()) == bool(body.questions):
        raise BadRequest("questions_none", "请粘贴问题，每行一个。")
    rows = lines_of(body.lines) if body.lines.strip() else [q.model_dump() for q in body.questions]
    return sets.add(member, set_id, rows)


@router.post(_SETS + "/{set_id}/upload", status_code=201, summary="上传 xlsx、csv、jsonl 或 txt")
def upload(set_id: Id, file: UploadFile, sets: TheSets, member: Keeper) -> dict[str, Any]:
    return sets.add(member, set_id, read_file(file.filename or "", file.file.read()))


@router.post(_SETS + "/{set_id}/answers", status_code=201, summary="从会话里取问题")
def add_from_answers(set_id: Id, body: AnswersIn, sets: TheSets, member: Keeper) -> dict[str, Any]:
    return sets.add_from_answers(member, set_id, body.answers, purpose=body.purpose)


@router.put(_SETS + "/{set_id}/questions/{question}", summary="改一个问题和对它的要求")
def change(
    set_id: Id, question: Id, body: QuestionIn, sets: TheSets, member: Keeper
) -> dict[str, Any]:
    return sets.change(member, set_id, question, body.model_dump())


@router.delete(_SETS + "/{set_id}/questions/{question}", summary="去掉一个问题")
def remove(set_id: Id, question: Id, sets: TheSets, member: Keeper) -> dict[str, Any]:
    return sets.remove(member, set_id, question)


@router.post(_SETS + "/{set_id}/runs", status_code=202, summary="把一套题问一遍")
def run(set_id: Id, desk: TheDesk, member: Asker) -> dict[str, Any]:
    asked = desk.runs.ask_for(member, [desk.sets.read(set_id)])
    desk.work()
    return desk.runs.read(asked)


@router.get(_SETS + "/{set_id}/runs", summary="一套题以前问过的各次")
def history(
    set_id: Id,
    runs: TheRuns,
    _member: Reader,
    before: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    return {"runs": runs.history(set_id, before=before, limit=limit)}


@router.get(_RUNS + "/{run_id}", summary="问到哪里了")
def progress(run_id: Id, desk: TheDesk, _member: Reader) -> dict[str, Any]:
    run = desk.runs.read(run_id)
    desk.go_on(run)
    return run


@router.get(_RUNS + "/{run_id}/results", summary="每个问题的结果，可以和另一次比较")
def results(
    run_id: Id,
    runs: TheRuns,
    _member: Reader,
    against: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = None,
) -> dict[str, Any]:
    """{run, results, against, comparison}."""
    run, asked = runs.read(run_id), runs.results(run_id)
    earlier = runs.read(against) if against else None
    compared = compare(runs.results(against), asked) if against else None
    return {"run": run, "results": asked, "against": earlier, "comparison": compared}


@router.post(_RUNS + "/{run_id}/cancel", summary="停下来")
def cancel(run_id: Id, runs: TheRuns, member: Asker) -> dict[str, Any]:
    return runs.cancel(member, run_id)


@router.post(_COMPARISONS, status_code=202, summary="发布这份草稿会改变哪些回答")
def compare_draft(body: ComparisonIn, desk: TheDesk, member: Asker) -> dict[str, Any]:
    """Its own ways of asking are always asked."""
    asked = [desk.sets.read(set_id) for set_id in dict.fromkeys(body.sets)]
    view = desk.comparisons(member).ask_for(member, body.revision, asked)
    desk.work()
    return view


@router.get(_COMPARISONS + "/{comparison}", summary="一次比较和会改变的回答")
def read_comparison(comparison: Id, desk: TheDesk, member: Reader) -> dict[str, Any]:
    found = desk.comparisons(member).read(comparison)
    desk.go_on(found["before"], found["after"])
    return found
