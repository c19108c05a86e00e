"""Liveness and readiness, for whatever restarts or routes to this process."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import text

from service.assembly import Rooms
from service.errors import NotReady

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="进程活着")
def live() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/ready", summary="能回答问题")
def ready(request: Request) -> dict[str, object]:
    """200 when database and index answer; 503 with the reason otherwise."""
    rooms: Rooms = request.app.state.rooms
    with rooms.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    desk = getattr(request.app.state, "desk", None)
    if desk is None:
        raise NotReady("index_not_ready", "索引还没有准备好。")
    return {"status": "ok", "versions": request.app.state.serving.versions}
