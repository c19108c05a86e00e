"""Importing files, exporting the knowledge base, and confirming that a thing still holds."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Path, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from ingest.readers import MAX_BYTES
from service.assembly import Rooms
from service.auth import Member
from service.curation.export import Export
from service.curation.imports import Imports
from service.curation.papers import Paper
from service.curation.stale import Stale
from service.errors import BadRequest
from service.permits import require

router = APIRouter(prefix="/api/v1/staff", tags=["imports"])

Id = Annotated[str, Path(pattern=r"^i_[a-f0-9]{1,32}$")]
Text = Annotated[StrictStr, Field(max_length=400, pattern=r"^[^\x00-\x1f]*$")]


class SaveIn(BaseModel):
    """What the clerk says a file is. Dates are of the document: published_on is 成文日期."""

    model_config = ConfigDict(extra="forbid")

    form: Literal["policy", "statute", "faq", "service"]
    title: Text = ""
    source: Text = ""
    region: Annotated[StrictStr, Field(max_length=6)] = "310107"
    topic: Annotated[StrictStr, Field(max_length=20)] = ""
    document_number: Annotated[StrictStr, Field(max_length=100)] = ""
    issuer: Annotated[StrictStr, Field(max_length=200)] = ""
    level: Annotated[StrictStr, Field(max_length=20)] = ""
    published_on: date | None = None
    effective_from: date | None = None
    effective_until: date | None = None
    replaces: Annotated[StrictStr, Field(max_length=200)] | None = None
    left_out: Annotated[
        list[Annotated[int, Field(ge=0, le=1_000_000)]], Field(max_length=20_000)
    ] = []

    def paper(self) -> Paper:
        return Paper(
            title=self.title.strip(),
            source=self.source.strip(),
            region=self.region.strip(),
            topic=self.topic.strip(),
            document_number=self.document_number.strip(),
            issuer=self.issuer.strip(),
            level=self.level.strip(),
            published_on=self.published_on,
            effective_from=self.effective_from,
            effective_until=self.effective_until,
        )


def imports_of(request: Request) -> Imports:
    return Imports.of(request.app.state.serving)


Domain = Annotated[Imports, Depends(imports_of)]


@router.post("/imports", status_code=201)
def receive(
    file: Annotated[UploadFile, File(description="docx、pdf、html、xlsx、csv、md")],
    imports: Domain,
    response: Response,
    member: Annotated[Member, Depends(require("knowledge:edit"))],
) -> dict[str, Any]:
    """Read a file; 200 with `again` for one that was sent before."""
    data = file.file.read(MAX_BYTES + 1)
    if not file.filename:
        raise BadRequest("file_missing", "请选择一个文件。")
    seen, is_new = imports.receive(member, file.filename, data)
    if not is_new:
        response.status_code = 200
    return seen | {"again": not is_new}


@router.get("/imports")
def page(
    imports: Domain,
    _member: Annotated[Member, Depends(require("knowledge:edit"))],
    status: Literal["", "read", "saving", "saved", "discarded"] = "",
    before: Annotated[str | None, Query(pattern=r"^i_[a-f0-9]{1,32}$")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, Any]:
    return imports.page(status=status, before=before, limit=limit)


@router.get("/imports/{import_id}")
def preview(
    import_id: Id,
    imports: Domain,
    _member: Annotated[Member, Depends(require("knowledge:edit"))],
    form: Literal["policy", "statute", "faq", "service"] | None = None,
) -> dict[str, Any]:
    return imports.preview(import_id, form)


@router.get("/imports/{import_id}/file")
def original(
    import_id: Id,
    imports: Domain,
    _member: Annotated[Member, Depends(require("knowledge:edit"))],
) -> FileResponse:
    """The file as it was sent, to be saved and never shown: it may be a web page."""
    name, path = imports.original(import_id)
    return FileResponse(path, media_type="application/octet-stream", filename=name)


@router.post("/imports/{import_id}/save")
def save(
    import_id: Id,
    body: SaveIn,
    imports: Domain,
    member: Annotated[Member, Depends(require("knowledge:edit"))],
) -> dict[str, Any]:
    return imports.save(
        member,
        import_id,
        form=body.form,
        paper=body.paper(),
        replaces=body.replaces or None,
        left_out=body.left_out,
    )


@router.post("/imports/{import_id}/discard")
def discard(
    import_id: Id,
    imports: Domain,
    member: Annotated[Member, Depends(require("knowledge:edit"))],
) -> dict[str, Any]:
    return imports.discard(member, import_id)


@router.get("/export")
def export(
    request: Request,
    member: Annotated[Member, Depends(require("knowledge:export"))],
) -> StreamingResponse:
    """The whole knowledge base as one zip."""
    rooms: Rooms = request.app.state.rooms
    made = Export(rooms.sessions).begin(member)
    return StreamingResponse(
        made.chunks(),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{made.name}"'},
    )


class CheckedIn(BaseModel):
    """What was looked at: without it nobody can say later what the check rested on."""

    model_config = ConfigDict(extra="forbid")

    revision: Annotated[StrictStr, Field(min_length=1, max_length=240)]
    basis: Annotated[StrictStr, Field(max_length=500, pattern=r"^[^\x00-\x08]*$")]


@router.post("/stale/checked")
def checked(
    body: CheckedIn,
    request: Request,
    member: Annotated[Member, Depends(require("knowledge:edit"))],
) -> dict[str, Any]:
    return Stale.of(request.app.state.serving).confirm(member, body.revision, basis=body.basis)
