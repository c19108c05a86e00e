"""An alarm that was none is one touch away from its answer; a doubt is answered and says whom to
call."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from service.answering import wording
from service.answering.danger import Heard
from service.answering.draft import Draft, Outcome
from service.answering.guard import Urgent
from service.models import AnswerRecord
from tests.conftest import TODAY, rooms_of
from tests.service.test_followup import Talk

BLOW = "老公打我我该怎么办"


@pytest.fixture
def talk(client) -> Talk:  # type: ignore[no-untyped-def]
    return Talk(client.app.state.desk)


@pytest.mark.parametrize("reply", [wording.NO_DANGER, f"{wording.NO_DANGER}。", "1", "选1"])
def test_no_danger_is_answered_with_whom_to_call_before_it(talk: Talk, reply: str) -> None:
    alarm = talk(BLOW)
    assert alarm["outcome"] == "handover_urgent"
    assert alarm["clarify"] == [wording.NO_DANGER]
    answer = talk(reply)
    assert answer["outcome"] == "answered_faq"
    assert "家暴" in str(answer["summary"])
    assert answer["caution"] == wording.IF_DANGER


def test_staff_see_which_question_was_answered(talk: Talk, client) -> None:  # type: ignore[no-untyped-def]
    talk(BLOW)
    answer = talk(wording.NO_DANGER)
    with Session(rooms_of(client).engine) as session:
        record = session.get(AnswerRecord, answer["id"])
        assert record is not None
        assert (record.question, record.trace["query"]) == (wording.NO_DANGER, BLOW)


def test_what_is_asked_next_is_listened_to_again(talk: Talk) -> None:
    talk(BLOW)
    talk(wording.NO_DANGER)
    assert talk("他拿刀要杀我")["outcome"] == "handover_urgent"


def test_the_same_question_again_is_an_alarm_again(talk: Talk) -> None:
    talk(BLOW)
    talk(wording.NO_DANGER)
    assert talk(BLOW)["outcome"] == "handover_urgent"


def test_no_danger_opens_no_way_to_a_wrong(talk: Talk) -> None:
    assert talk("他拿刀打我，我要杀了他，怎么毒死他不被发现")["outcome"] == "handover_urgent"
    assert talk(wording.NO_DANGER)["outcome"] == "refused_harm"


def test_said_of_nothing_it_is_a_question_like_others(talk: Talk) -> None:
    answer = talk(wording.NO_DANGER)
    assert answer["outcome"] != "handover_urgent"
    assert answer["caution"] is None


@pytest.mark.parametrize(
    ("alarm", "doubt", "outcome", "caution"),
    [
        (True, True, Outcome.HANDOVER_URGENT, None),
        (False, True, None, wording.IF_DANGER),
        (False, False, None, None),
    ],
)
def test_a_doubt_raises_no_alarm_but_says_whom_to_call(
    monkeypatch: pytest.MonkeyPatch,
    alarm: bool,
    doubt: bool,
    outcome: Outcome | None,
    caution: str | None,
) -> None:
    heard = Heard(0.5, alarm, doubt)
    monkeypatch.setattr("service.answering.guard.listen", lambda *_: [heard])
    draft = Draft(raw="", on=TODAY, region="310107", query="遗嘱怎么写")
    Urgent(lambda _ids: ())(draft)
    assert (draft.outcome, draft.caution) == (outcome, caution)
