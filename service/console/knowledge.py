"""Pages on which content is found, written, compared and reviewed; changes go through the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from ingest.content import Topic
from knowledge.models import NATIONAL, Kind
from knowledge.store import today_in_china
from service.auth import Member, Permission
from service.channels.wechat.rendering import Links
from service.channels.wechat.rendering import render as in_wechat
from service.console.pages import CSP, render
from service.curation import Curation
from service.curation.difference import as_yaml
from service.curation.form import DATED, EDITED, FACTS, LABELS, WRITTEN
from service.curation.preview import Preview
from service.curation.shelf import STATUSES
from service.errors import NotFound
from service.permits import require

router = APIRouter(include_in_schema=False)
Reader = Annotated[Member, Depends(require("knowledge:read"))]
Editor = Annotated[Member, Depends(require("knowledge:edit"))]
Id = Annotated[str, Path(pattern=r"^[^\x00-\x1f\x7f]{1,240}$")]
IdGiven = Annotated[str, Query(max_length=240)]
_FRAMED = CSP.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
CERTAINTIES = {
    "A": "A 已核对官方来源",
    "B": "B 多个来源一致",
    "C": "C 来源较旧或只有一个（显示“未核实”）",
    "D": "D 没能核对（显示“未核实”）",
}
_DAYS = {"workdays": "工作日", "daily": "每天", "always": "全天候"}
_OWNERS = {
    "staff": "本处编写",
    "import": "导入",
    "review": "来自质量检查",
    "gap": "来自缺口",
    "rollback": "恢复旧版本",
    "shipped": "随附",
}


def _curation(request: Request) -> Curation:
    rooms = request.app.state.rooms
    return Curation(rooms.sessions, lambda: rooms.laws)


Knowledge = Annotated[Curation, Depends(_curation)]


def _regions(request: Request) -> dict[str, str]:
    """The regions that content is written for, by name."""
    settings = request.app.state.rooms.settings
    province = f"{settings.region[:2]}0000"
    name = settings.region_name
    above = name[: name.index("市") + 1] if "市" in name else "全省（市）"
    return {NATIONAL: "全国通用", province: above, settings.region: name}


def _words(request: Request) -> dict[str, Any]:
    """What every page here needs to say things in words."""
    return {
        "regions": _regions(request),
        "topics": get_args(Topic),
        "labels": LABELS,
        "certainties": CERTAINTIES,
        "origins": _OWNERS,
        "days": _DAYS,
        "facts": FACTS,
        "edited": [kind.value for kind in EDITED],
        "written": [kind.value for kind in WRITTEN],
        "edits": Permission.KNOWLEDGE_EDIT,
        "publishes": Permission.KNOWLEDGE_PUBLISH,
        "today": today_in_china().isoformat(),
    }


@router.get("/console/knowledge")
def documents(
    request: Request,
    knowledge: Knowledge,
    member: Reader,
    text: Annotated[str, Query(max_length=100)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    topic: Annotated[str, Query(max_length=20)] = "",
    status: Annotated[str, Query(max_length=20)] = "",
    region: Annotated[str, Query(max_length=6)] = "",
    author: Annotated[str, Query(max_length=40)] = "",
    checked_before: Annotated[str, Query(max_length=10)] = "",
    before: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    filters = {
        "text": text,
        "kind": kind,
        "topic": topic,
        "status": status,
        "region": region,
        "author": author,
        "checked_before": checked_before,
    }
    found = knowledge.find(
        member,
        **{**filters, "checked_before": _day(checked_before)},  # type: ignore[arg-type]
        before=before or None,
    )
    return render(
        request,
        member,
        "knowledge.html",
        found=found,
        filters=filters,
        before=before,
        statuses=STATUSES,
        kinds=[kind.value for kind in Kind if kind is not Kind.STATUTE],
        people=knowledge.people(),
        **_words(request),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None  # an unfinished date in a filter filters nothing


@router.get("/console/approvals")
def approvals(request: Request, knowledge: Knowledge, member: Reader) -> Response:
    return render(
        request,
        member,
        "approvals.html",
        waiting=knowledge.queue(member),
        dated=[kind.value for kind in DATED],
        **_words(request),
    )


@router.get("/console/knowledge/new")
def begin(
    request: Request,
    knowledge: Knowledge,
    member: Editor,
    kind: Annotated[str, Query(max_length=20)] = "faq",
    question: Annotated[str, Query(max_length=500)] = "",
    answer: Annotated[str, Query(max_length=5000)] = "",
    asks: Annotated[str, Query(max_length=5000)] = "",
    topic: Annotated[str, Query(max_length=20)] = "",
    origin: Annotated[str, Query(pattern=r"^(staff|review|gap)$")] = "staff",
) -> Response:
    """An empty form, or one that a review or a gap has begun: `asks` a line each."""
    if kind not in WRITTEN:
        raise NotFound("kind_unknown", "不能新建这一类内容。")
    settings = request.app.state.rooms.settings
    body = {
        "question": question,
        "title": question if kind != "faq" else "",
        "answer": answer,
        "asks": asks.splitlines(),
        "topic": topic,
        "region": member.region or settings.region,
        "checked_on": today_in_china().isoformat(),
    }
    return _editor(request, knowledge, member, kind, body, origin=origin)


@router.get("/console/knowledge/preview")
def empty_preview(request: Request, member: Editor) -> Response:
    """The frame in which an editor shows what is being written."""
    return _preview_page(request, member, {"answer": None, "wechat": []}, "web")


@router.get("/console/knowledge/preview/{revision}")
def preview(
    request: Request,
    revision: Id,
    knowledge: Knowledge,
    member: Reader,
    channel: Annotated[str, Query(alias="as", pattern="^(web|wechat)$")] = "web",
) -> Response:
    serving, rooms = request.app.state.serving, request.app.state.rooms
    shown = Preview(serving.library, rooms.laws, rooms.settings.region)
    answer = shown.of(knowledge.incoming(member, revision))
    shown_as = {"answer": answer, "wechat": in_wechat(answer, Links())}
    return _preview_page(request, member, shown_as, channel)


def _preview_page(
    request: Request, member: Member, shown: dict[str, Any], channel: str
) -> Response:
    page = render(request, member, "knowledge_preview.html", shown=shown, channel=channel)
    page.headers["Content-Security-Policy"] = _FRAMED
    return page


@router.get("/console/knowledge/{document}")
def one_document(
    request: Request,
    document: Id,
    knowledge: Knowledge,
    member: Reader,
    old: IdGiven = "",
    new: IdGiven = "",
) -> Response:
    found = knowledge.document(member, document)
    published = found["published"] or {"body": {}}
    return render(
        request,
        member,
        "knowledge_item.html",
        document=found,
        compared=_compared(knowledge, member, found, old, new),
        titles={card["id"]: card["title"] for card in knowledge.cards()},
        table=as_yaml(published["body"]["table"]) if "table" in published["body"] else "",
        **_words(request),
    )


def _compared(
    knowledge: Curation, member: Member, found: dict[str, Any], old: str, new: str
) -> dict[str, Any] | None:
    """The two revisions that were asked for; else what waits against what is published."""
    by_id = {view["id"]: view for view in found["history"]}
    asked = old in by_id and new in by_id
    if not asked:
        waiting = [*found["incoming"], *found["asides"]] or [found["draft"]]
        base = by_id.get(found["newest"])
        if waiting[0] is None or base is None:
            return None
        new = waiting[0]["id"]
        old = base["id"]
        if old == new:
            old = found["published"]["id"] if found["published"] else by_id[new]["base"]
    if not old or old not in by_id or old == new:
        return None
    changes = knowledge.diff(member, old, new)
    return {"old": by_id[old], "new": by_id[new], "changes": changes, "asked": asked}


@router.get("/console/knowledge/{document}/edit")
def edit(
    request: Request,
    document: Id,
    knowledge: Knowledge,
    member: Editor,
    revision: IdGiven = "",
) -> Response:
    """The newest words; with `revision` those of a draft set aside, beside the newest, to merge."""
    found = knowledge.document(member, document)
    if found["kind"] not in EDITED:
        raise NotFound("no_form", "这一类内容不在这里改：法律和政策文件请重新导入。")
    by_id = {view["id"]: view for view in found["history"]}
    newest = by_id.get(found["newest"])
    shown = by_id.get(revision) if revision else newest
    if shown is None or newest is None:
        raise NotFound("revision_unknown", "没有这个版本。")
    merging = shown["id"] != newest["id"]
    waits = merging and shown["status"] in ("draft", "in_review")
    return _editor(
        request,
        knowledge,
        member,
        found["kind"],
        shown["body"],
        document=found,
        base=newest,
        merges=shown if waits else None,
        changes=knowledge.diff(member, newest["id"], shown["id"]) if merging else [],
    )


def _editor(
    request: Request,
    knowledge: Curation,
    member: Member,
    kind: str,
    body: dict[str, Any],
    *,
    document: dict[str, Any] | None = None,
    base: dict[str, Any] | None = None,
    merges: dict[str, Any] | None = None,
    changes: list[dict[str, Any]] | None = None,
    origin: str = "staff",
) -> Response:
    body = dict.fromkeys(LABELS, "") | body
    if body["table"]:
        body = {**body, "table": as_yaml(body["table"])}
    cards = knowledge.cards()
    known = _words(request)
    if body.get("region") and body["region"] not in known["regions"]:
        known["regions"] = {**known["regions"], body["region"]: body["region"]}
    return render(
        request,
        member,
        "knowledge_edit.html",
        kind=kind,
        body=body,
        document=document,
        base=base,
        merges=merges,
        changes=changes or [],
        origin=origin,
        cards=cards,
        titles={card["id"]: card["title"] for card in cards},
        previews=kind != "rules",
        **known,
    )
