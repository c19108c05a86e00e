"""The knowledge base over HTTP: read it, write it, review it; see `service.curation`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from service.auth import Member
from service.channels.wechat.rendering import Links, render
from service.curation import Curation
from service.curation.preview import Preview
from service.permits import require

IdText = r"^[^\x00-\x1f\x7f]{1,240}$"
Id = Annotated[str, Path(pattern=IdText)]
IdGiven = Annotated[StrictStr, Field(pattern=IdText)]
Note = Annotated[StrictStr, Field(max_length=2000)]
Kind = Literal["statute", "policy", "service", "guide", "faq", "hotline", "outside", "rules"]
Status = Literal[
    "published", "draft", "in_review", "withdrawn", "incoming", "aside", "scheduled", "ending"
]
Origin = Literal["staff", "review", "gap"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WordsIn(Strict):
    """A form as it stands: `document` is empty for a new one."""

    document: IdGiven | None = None
    kind: StrictStr
    body: dict[str, Any]


class SaveIn(WordsIn):
    """`base` is the revision that the editor showed, `merges` a draft set aside that went in."""

    base: IdGiven | None = None
    merges: IdGiven | None = None
    note: Note = ""
    origin: Origin = "staff"


class NoteIn(Strict):
    note: Note = ""


class ApproveIn(Strict):
    """First and last day, both inclusive; without them at once, and until further notice."""

    starts_on: date | None = None
    ends_on: date | None = None


class CommentIn(Strict):
    comment: Note


class ReasonIn(Strict):
    reason: Note


class RollBackIn(Strict):
    revision: IdGiven
    note: Note = ""


class CiteIn(Strict):
    citations: Annotated[list[Annotated[StrictStr, Field(max_length=200)]], Field(max_length=100)]


def curation_of(request: Request) -> Curation:
    rooms = request.app.state.rooms
    return Curation(rooms.sessions, lambda: rooms.laws)


def _preview(request: Request) -> Preview:
    serving, rooms = request.app.state.serving, request.app.state.rooms
    return Preview(serving.library, rooms.laws, rooms.settings.region)


def _in_channels(answer: dict[str, Any]) -> dict[str, Any]:
    return {"answer": answer, "wechat": render(answer, Links())}


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


Knowledge = Annotated[Curation, Depends(curation_of)]
Shown = Annotated[Preview, Depends(_preview)]
Reader = Annotated[Member, Depends(require("knowledge:read"))]
Editor = Annotated[Member, Depends(require("knowledge:edit"))]
Publisher = Annotated[Member, Depends(require("knowledge:publish"))]

router = APIRouter(prefix="/api/v1", tags=["knowledge"], dependencies=[Depends(_no_store)])
_HERE = "/staff/knowledge"
_REVISION = _HERE + "/revisions/{revision}"


@router.get(_HERE, summary="知识库内容列表")
def list_documents(
    knowledge: Knowledge,
    member: Reader,
    text: Annotated[str, Query(max_length=100)] = "",
    kind: Kind | None = None,
    topic: Annotated[str, Query(max_length=20)] = "",
    status: Status | None = None,
    region: Annotated[str, Query(pattern=r"^(\d{6})?$")] = "",
    author: Annotated[str, Query(max_length=40)] = "",
    checked_before: date | None = None,
    before: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, Any]:
    """{documents, next, counts}, last changed first; `next` as `before` gives the page after."""
    return knowledge.find(
        member,
        text=text,
        kind=kind or "",
        topic=topic,
        status=status or "",
        region=region,
        author=author,
        checked_before=checked_before,
        before=before,
        limit=limit,
    )


@router.get(_HERE + "/queue", summary="等待复核的稿子")
def review_queue(knowledge: Knowledge, member: Reader) -> dict[str, Any]:
    """{waiting}, what waits longest first, each with changes, checks, and why not by you."""
    return {"waiting": knowledge.queue(member)}


@router.get(_HERE + "/documents/{document}", summary="一条内容和它的全部版本")
def read_document(document: Id, knowledge: Knowledge, member: Reader) -> dict[str, Any]:
    return knowledge.document(member, document)


@router.get(_REVISION, summary="一个版本")
def read_revision(revision: Id, knowledge: Knowledge, member: Reader) -> dict[str, Any]:
    return knowledge.revision(member, revision)


@router.get(_REVISION + "/diff", summary="和另一个版本逐项比对")
def read_diff(
    revision: Id,
    knowledge: Knowledge,
    member: Reader,
    old: Annotated[str, Query(pattern=IdText)],
) -> dict[str, Any]:
    """{changes: [{field, label, lines: [[{text, op}]]}]}, `op` one of same, ins, del, skip."""
    return {"changes": knowledge.diff(member, old, revision)}


@router.get(_REVISION + "/preview", summary="市民会看到什么")
def preview_revision(
    member: Reader, revision: Id, knowledge: Knowledge, shown: Shown
) -> dict[str, Any]:
    """{answer, wechat}: the JSON of an answer as the web page shows it, and the messages of it."""
    return _in_channels(shown.of(knowledge.incoming(member, revision)))


@router.post(_HERE + "/preview", summary="还没保存的内容，市民会看到什么")
def preview_words(
    member: Editor, body: WordsIn, knowledge: Knowledge, shown: Shown
) -> dict[str, Any]:
    prepared = knowledge.prepared(member, document_id=body.document, kind=body.kind, body=body.body)
    return _in_channels(shown.of(prepared))


@router.post(_HERE + "/citations", summary="逐条核对引用的条文")
def check_citations(body: CiteIn, knowledge: Knowledge, _member: Editor) -> dict[str, Any]:
    """{checked}: of each citation {ok, name, text} or {ok, problem}, in order."""
    return {"checked": [knowledge.cite(citation) for citation in body.citations]}


@router.post(_HERE, status_code=201, summary="保存为新的一稿")
def save(body: SaveIn, knowledge: Knowledge, member: Editor) -> dict[str, Any]:
    """The revision. 400 `fields` names every field that is wrong; 409 `edited_meanwhile` says who
    saved first, and under which id (`kept`) one's own words are kept."""
    return knowledge.save(
        member,
        document_id=body.document,
        kind=body.kind,
        body=body.body,
        base=body.base,
        merges=body.merges,
        note=body.note,
        origin=body.origin,
    )


@router.post(_REVISION + "/submit", summary="提交复核")
def submit(revision: Id, body: NoteIn, knowledge: Knowledge, member: Editor) -> dict[str, Any]:
    return knowledge.submit(member, revision, note=body.note)


@router.post(_REVISION + "/approve", summary="复核通过并发布")
def approve(
    revision: Id, body: ApproveIn, knowledge: Knowledge, member: Publisher, request: Request
) -> dict[str, Any]:
    done = knowledge.approve(member, revision, starts_on=body.starts_on, ends_on=body.ends_on)
    request.app.state.serving.request_refresh()
    return done


@router.post(_REVISION + "/send-back", summary="退回修改")
def send_back(
    revision: Id, body: CommentIn, knowledge: Knowledge, member: Publisher
) -> dict[str, Any]:
    return knowledge.send_back(member, revision, body.comment)


@router.post(_REVISION + "/discard", summary="作废一稿")
def discard(revision: Id, knowledge: Knowledge, member: Editor) -> dict[str, Any]:
    return knowledge.discard(member, revision)


@router.post(_HERE + "/documents/{document}/withdraw", summary="撤下")
def withdraw(
    document: Id, body: ReasonIn, knowledge: Knowledge, member: Publisher, request: Request
) -> dict[str, Any]:
    done = knowledge.withdraw(member, document, body.reason)
    request.app.state.serving.request_refresh()
    return done


@router.post(_HERE + "/documents/{document}/roll-back", summary="恢复旧版本（仍须复核）")
def roll_back(
    document: Id, body: RollBackIn, knowledge: Knowledge, member: Editor
) -> dict[str, Any]:
    return knowledge.roll_back(member, document, body.revision, note=body.note)
