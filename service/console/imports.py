"""Files that become drafts: the list with a place to drop one, and what was read of one."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from ingest.content import Topic
from ingest.readers import ACCEPTED
from service.auth import Member
from service.console.pages import render
from service.curation.form import LABELS
from service.curation.import_preview import STATUSES
from service.curation.imports import Imports
from service.curation.papers import LEVELS
from service.permits import require

router = APIRouter(include_in_schema=False)
Editor = Annotated[Member, Depends(require("knowledge:edit"))]
Id = Annotated[str, Path(pattern=r"^i_[a-f0-9]{1,32}$")]
_VERDICTS = {
    "verified": "有效",
    "no_such_article": "没有这一条",
    "no_such_law": "没有这部法律",
    "not_in_force": "不是现行法律",
    "not_held": "未收录，无法核对",
}


def imports_of(request: Request) -> Imports:
    return Imports.of(request.app.state.serving)


Domain = Annotated[Imports, Depends(imports_of)]


@router.get("/console/imports")
def imports(
    request: Request,
    member: Editor,
    domain: Domain,
    status: Literal["", "read", "saving", "saved", "discarded"] = "",
    before: Annotated[str | None, Query(pattern=r"^i_[a-f0-9]{1,32}$")] = None,
) -> Response:
    listed = domain.page(status=status, before=before)
    return render(
        request,
        member,
        "imports.html",
        filters={"status": status},
        statuses=STATUSES,
        accepted=ACCEPTED,
        imports=listed["imports"],
        following=listed["next"],
    )


@router.get("/console/imports/{import_id}")
def preview(
    request: Request,
    member: Editor,
    domain: Domain,
    import_id: Id,
    form: Literal["policy", "statute", "faq", "service"] | None = None,
) -> Response:
    seen = domain.preview(import_id, form)
    settings = request.app.state.rooms.settings
    return render(
        request,
        member,
        "import.html",
        it=seen,
        labels=LABELS,
        replaceable=[
            (one["id"], one["title"]) for one in seen["same"] if one["kind"] == seen["form"]
        ]
        if seen["form"] == "policy"
        else [],
        verdicts=_VERDICTS,
        topics=[(topic, topic) for topic in get_args(Topic)],
        levels=[(level, level) for level in LEVELS],
        regions={
            member.region or settings.region: settings.region_name
            if not member.region
            else "本地区",
            **({} if member.region else {"310000": "上海市", "000000": "全国"}),
        },
    )
