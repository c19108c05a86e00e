"""The legal-aid pre-check over HTTP, for everybody; nothing that is sent here is kept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from knowledge.store import today_in_china
from service.answering.legal_aid import LegalAid
from service.switches import Switches


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _legal_aid(request: Request) -> LegalAid:
    """Raises NotReady while the rules are switched off."""
    legal_aid: LegalAid = request.app.state.serving.legal_aid
    legal_aid.require_on(today_in_china(), Switches(request.app.state.rooms.sessions).off())
    return legal_aid


TheCheck = Annotated[LegalAid, Depends(_legal_aid)]
router = APIRouter(
    prefix="/api/v1/legal-aid", tags=["legal-aid"], dependencies=[Depends(_no_store)]
)


class AnswersIn(BaseModel):
    """What was answered so far: the id of an option, or a list of them where several may hold. The
    check itself judges them and says in Chinese what is wrong."""

    model_config = ConfigDict(extra="forbid")

    answers: Annotated[dict[str, Any], Field(max_length=50)] = {}


@router.get("", summary="法律援助预检：说明和第一个问题")
def opening(check: TheCheck) -> dict[str, Any]:
    """Public. `question` is the first one; `rules` names the version that will decide."""
    return check.opening(today_in_china())


@router.post("/check", summary="法律援助预检：下一个问题，或者结果")
def check(body: AnswersIn, check: TheCheck) -> dict[str, Any]:
    """Public and stateless: all answers so far in, `question` or `result` out."""
    return check.answer(body.answers, today_in_china())
