"""A conversation is understood: follow-ups, choices by number, the place asked for once."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from service.answering import wording
from service.answering.choices import Choice, choose
from service.answering.draft import Turn
from service.answering.followup import facet, own_matter, rounds_of_clarifying
from service.conversations import Desk
from service.errors import NotFound
from service.models import AnswerRecord
from tests.conftest import rooms_of

OPTIONS = [
    Choice(o, o) for o in ("对方不同意离婚，怎么起诉离婚", "离婚冷静期是怎么算的", "离婚财产怎么分")
]


@pytest.mark.parametrize("reply", ["2", "２", "第二个", "选2", "离婚冷静期是怎么算的？"])
def test_a_choice_is_taken_by_number_or_by_its_words(reply: str) -> None:
    assert choose(reply, OPTIONS, near=False) == ["离婚冷静期是怎么算的"]


@pytest.mark.parametrize(
    "reply", ["8", "0", "1号楼漏水", "我要离婚", "", "12348", "离婚冷静期是怎么撤的", "冷静期"]
)
def test_what_is_no_choice_is_a_question(reply: str) -> None:
    assert choose(reply, OPTIONS, near=False) is None


@pytest.mark.parametrize(
    "question",
    [
        "那要多少钱呢",
        "要带什么材料",
        "在哪里",
        "多久能下来",
        "网上可以办吗",
        "电话多少",
        "怎么申请",
    ],
)
def test_a_side_of_a_matter_has_no_matter_of_its_own(question: str) -> None:
    assert own_matter(question) == ""
    assert facet(question)


@pytest.mark.parametrize(
    "question", ["离婚要多少钱", "公司不给交社保怎么办", "遗嘱公证收费吗", "工伤认定要什么材料"]
)
def test_a_question_with_a_matter_of_its_own_stands_alone(question: str) -> None:
    assert len(own_matter(question)) >= 2


def test_rounds_of_asking_back_are_counted_from_the_end() -> None:
    turns = [Turn(question="", outcome=o) for o in ("clarify_topic", "answered_faq")]
    asked = Turn(question="", outcome="clarify_topic")
    assert rounds_of_clarifying((*turns, asked, asked)) == 2
    assert rounds_of_clarifying(tuple(turns)) == 0


class Talk:
    """One conversation with the real desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._conversation: str | None = None

    def __call__(self, question: str) -> dict[str, object]:
        answer = self._desk.ask(question, conversation=self._conversation)
        self._conversation = answer["conversation"]
        return answer


@pytest.fixture
def talk(client) -> Talk:  # type: ignore[no-untyped-def]
    return Talk(client.app.state.desk)


def test_what_it_costs_is_answered_from_the_cards_that_were_shown(talk: Talk) -> None:
    talk("公司拖欠三个月工资怎么办")
    answer = talk("那要多少钱呢")
    assert answer["outcome"] == "answered_service"
    assert "劳动人事争议仲裁：不收费" in str(answer["summary"])
    assert answer["steps"]


def test_thanks_in_between_do_not_make_it_forget(talk: Talk) -> None:
    talk("法律援助怎么申请")
    talk("谢谢")
    assert "不收费" in str(talk("要收费吗")["summary"])


def test_what_is_unverified_stays_marked_in_a_follow_up(talk: Talk) -> None:
    talk("法律援助怎么申请")
    assert "未核实" in str(talk("在哪里")["summary"])


@pytest.mark.parametrize(
    ("first", "then", "law_or_word"),
    [
        ("公司拖欠三个月工资怎么办", "他不给呢", "仲裁"),
        ("想离婚对方不同意怎么办", "孩子归谁", "孩子"),
        ("想离婚对方不同意怎么办", "那房子怎么分", "共同财产"),
        ("我爸去世没留遗嘱房子怎么分", "后妈有份吗", "配偶"),
        ("楼上漏水把我家泡了，找谁赔", "要是租客弄的呢", "房东"),
    ],
)
def test_a_follow_up_is_searched_for_with_what_it_belongs_to(
    talk: Talk, first: str, then: str, law_or_word: str
) -> None:
    talk(first)
    answer = talk(then)
    assert str(answer["outcome"]).startswith("answered_")
    assert law_or_word in str(answer["summary"])


def test_a_new_question_is_not_mixed_with_the_old_one(talk: Talk) -> None:
    talk("楼上漏水把我家泡了，找谁赔")
    answer = talk("公司不给交社保怎么办")
    assert answer["topic"] == "劳动人事"


def test_danger_in_a_follow_up_comes_first(talk: Talk) -> None:
    talk("想离婚对方不同意怎么办")
    assert talk("他拿刀要杀我")["outcome"] == "handover_urgent"


def test_the_same_answer_again_says_so_and_names_a_person(talk: Talk) -> None:
    talk("公司拖欠三个月工资怎么办")
    again = talk("他就是不给")
    assert wording.SAME_AGAIN in again["notices"]  # type: ignore[operator]
    assert again["handover"]


def test_what_was_searched_for_is_kept_for_staff(talk: Talk, client) -> None:  # type: ignore[no-untyped-def]
    talk("想离婚对方不同意怎么办")
    answer = talk("房子呢")
    with Session(rooms_of(client).engine) as session:
        record = session.get(AnswerRecord, answer["id"])
        assert record is not None
        assert record.question == "房子呢"
        assert record.trace["query"].endswith("，房子呢")
        assert record.trace["query"] in "".join(answer["notices"])  # type: ignore[arg-type]


def test_a_choice_by_number_is_answered(talk: Talk) -> None:
    choices = talk("离婚")["clarify"]
    assert isinstance(choices, list)
    [number] = [n for n, choice in enumerate(choices, start=1) if "冷静期" in choice]
    answer = talk(str(number))
    assert answer["outcome"] == "answered_faq"
    assert "三十日" in str(answer["summary"]) or "30" in str(answer["summary"])


def test_the_third_time_it_helps_instead_of_asking_back(talk: Talk) -> None:
    outcomes = [str(talk("离婚")["outcome"]) for _ in range(3)]
    assert outcomes[:2] == ["clarify_topic", "clarify_topic"]
    assert not outcomes[2].startswith("clarify_")


def test_the_place_is_asked_for_once_and_its_answer_is_used(talk: Talk) -> None:
    asked = talk("老家的宅基地拆迁补偿标准是多少")
    assert asked["outcome"] == "clarify_region"
    assert talk("昆山")["outcome"] == "unanswerable_other_region"
    assert talk("老家的房子拆迁补偿多少钱")["outcome"] != "clarify_region"


def test_another_place_never_gets_our_windows(talk: Talk) -> None:
    talk("老家的宅基地拆迁补偿标准是多少")
    answer = talk("外地")
    assert answer["outcome"] == "unanswerable_other_region"
    assert answer["steps"] == []


def test_a_question_instead_of_a_place_is_answered(talk: Talk) -> None:
    talk("老家的宅基地拆迁补偿标准是多少")
    assert talk("公司拖欠三个月工资怎么办")["outcome"] == "answered_faq"


def test_someone_elses_conversation_cannot_be_guessed(client) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotFound):
        client.app.state.desk.ask("那要多少钱呢", conversation="c_made_up")
