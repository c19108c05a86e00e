"""What is off is off with the real pipeline, and danger is heard all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from knowledge.citations import Verdict
from service.answering import wording
from service.answering.draft import NOTHING_OFF, Answer, Draft, Off, Outcome, Targets, Turn
from service.answering.pipeline import Pipeline
from service.answering.switched_off import TopicOff
from service.answering.topics import NAMES, TopicGuess
from service.retention.kinds import KINDS
from tests.conftest import TODAY

WAGES = "公司拖欠三个月工资怎么办"
DIVORCE = "民法典第一千零七十九条"
OFF = "unanswerable_switched_off"
WEB_OFF = Off(channels=frozenset({"web"}))


def document_of(pipeline: Pipeline, title: str) -> str:
    library = pipeline.laws.library
    return next(d.id for d in library.documents.values() if d.title == title)


def without(*documents: str) -> Off:
    return Off(documents=frozenset(documents))


def shown(answer: Answer) -> Iterator[str]:
    """Every document that an answer gives in any way."""
    draft = answer.draft
    yield from (c.source.document.id for c in draft.citations)
    yield from (step.id for step in draft.steps)
    if draft.handover:
        yield from (target.id for target in draft.handover.targets)


@pytest.fixture(scope="module")
def civil_code(pipeline: Pipeline) -> str:
    return document_of(pipeline, "中华人民共和国民法典")


def test_a_channel_that_is_off_says_so_and_whom_to_ask(pipeline: Pipeline) -> None:
    answer = pipeline.answer(WAGES, channel="web", off=WEB_OFF)
    told = answer.to_json()
    assert told["outcome"] == OFF
    assert told["summary"] == wording.CHANNEL_OFF
    assert "12348" in str(told["handover"]["targets"])
    assert [step["id"] for step in told["steps"]] == ["service-service-hall"]
    assert not told["citations"]
    assert answer.draft.trace["switched_off"] == {"channel": "web"}


def test_other_channels_go_on(pipeline: Pipeline) -> None:
    assert pipeline.answer(WAGES, channel="wechat", off=WEB_OFF).outcome.answered


@pytest.mark.parametrize(
    "question",
    ["我不想活了", "他现在拿刀砍我", "刚刚被骗转了五万块钱怎么办", "孩子被老师打伤了流血"],
)
def test_a_channel_that_is_off_still_hears_danger(pipeline: Pipeline, question: str) -> None:
    on, off = pipeline.answer(question), pipeline.answer(question, channel="web", off=WEB_OFF)
    assert on.outcome == "handover_urgent"
    assert (off.outcome, off.draft.summary) == (on.outcome, on.draft.summary)
    assert off.draft.handover == on.draft.handover


def test_a_person_who_has_the_conversation_keeps_it(pipeline: Pipeline) -> None:
    answer = pipeline.answer("好的谢谢", with_person=True, channel="web", off=WEB_OFF)
    assert answer.outcome == "handover_with_person"


def test_a_topic_that_is_off_is_not_answered(pipeline: Pipeline) -> None:
    off = Off(topics=frozenset({"劳动人事"}))
    answer = pipeline.answer(WAGES, off=off)
    assert answer.outcome == OFF
    assert answer.draft.summary == wording.TOPIC_OFF.format(topic="劳动人事")
    assert answer.draft.topic == "劳动人事"
    assert not answer.draft.citations
    assert pipeline.answer("想离婚对方不同意怎么办", off=off).outcome.answered


def test_an_answer_of_another_topic_than_the_likeliest_is_given(targets_of_none: Targets) -> None:
    """The likeliest of the question counts only where the answer has none of its own."""
    off = Off(topics=frozenset({"房屋纠纷"}))

    def after(topic: str | None) -> str | None:
        draft = Draft(raw="", on=TODAY, region="310107", off=off, topic=topic)
        draft.topics = TopicGuess(names=("房屋纠纷",))
        draft.settle(Outcome.ANSWERED_FAQ, "答")
        TopicOff(targets_of_none)(draft)
        return draft.outcome

    assert after("物业管理") == Outcome.ANSWERED_FAQ
    assert after("房屋纠纷") == OFF
    assert after(None) == OFF


@pytest.fixture
def targets_of_none() -> Targets:
    return lambda _ids: ()


def test_a_topic_that_is_off_silences_neither_danger_nor_greeting_nor_person(
    pipeline: Pipeline,
) -> None:
    off = Off(topics=frozenset(NAMES))
    assert pipeline.answer("老公现在拿刀砍我", off=off).outcome == "handover_urgent"
    assert pipeline.answer("你好", off=off).outcome == "answered_smalltalk"
    assert pipeline.answer("转人工", off=off).outcome == "handover_requested"
    assert pipeline.answer("今天天气怎么样", off=off).outcome == "unanswerable_off_topic"


def test_the_pre_check_belongs_to_its_topic(pipeline: Pipeline) -> None:
    off = Off(topics=frozenset({"法律援助"}))
    answer = pipeline.answer("法律援助预检", off=off)
    assert answer.outcome == OFF
    assert answer.draft.clarify is None
    assert "flow" not in answer.draft.trace


def test_a_law_that_is_off_is_not_quoted_even_by_its_own_article(
    pipeline: Pipeline, civil_code: str
) -> None:
    assert pipeline.answer(DIVORCE).outcome == "answered_article"
    answer = pipeline.answer(DIVORCE, off=without(civil_code))
    assert answer.outcome == OFF
    assert "《中华人民共和国民法典》" in answer.draft.summary
    assert civil_code not in set(shown(answer))


def test_of_two_articles_that_are_named_the_other_one_is_given(
    pipeline: Pipeline, civil_code: str
) -> None:
    answer = pipeline.answer(f"{DIVORCE}和劳动合同法第八十二条", off=without(civil_code))
    assert answer.outcome == "answered_article"
    assert [c.source.document.title for c in answer.draft.citations] == ["中华人民共和国劳动合同法"]
    assert any("民法典" in notice for notice in answer.draft.notices)


def test_an_article_that_is_no_longer_there_says_nothing_either(
    pipeline: Pipeline, civil_code: str
) -> None:
    answer = pipeline.answer("民法典第九千条", off=without(civil_code))
    assert answer.outcome == OFF


def test_a_repealed_law_does_not_lead_to_a_law_that_is_off(
    pipeline: Pipeline, civil_code: str
) -> None:
    assert any(c == civil_code for c in shown(pipeline.answer("婚姻法第三十二条")))
    assert civil_code not in set(
        shown(pipeline.answer("婚姻法第三十二条", off=without(civil_code)))
    )


QUESTIONS = (
    "想离婚对方不同意怎么办", "租房到期房东不退押金", "楼上漏水把我家泡了，找谁赔",
    "朋友借钱不还，只有微信记录", "民法典离婚冷静期多久", "根据民法典第一千零七十九条离婚要多久",
    "父亲去世房子怎么继承", "小区物业乱收费", "彩礼要不要还", "合同违约金太高怎么办",
)  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_law_that_is_off_is_nowhere_in_an_answer(
    pipeline: Pipeline, civil_code: str, question: str
) -> None:
    answer = pipeline.answer(question, off=without(civil_code))
    assert civil_code not in set(shown(answer))
    hits = answer.draft.trace["hits"]["law"]
    assert all(not str(h["passage"]).startswith(civil_code) for h in hits)


def test_the_civil_code_answers_some_of_them_when_it_is_on(
    pipeline: Pipeline, civil_code: str
) -> None:
    """Or the test above could not fail."""
    given = [q for q in QUESTIONS if civil_code in set(shown(pipeline.answer(q)))]
    assert len(given) >= 6


def test_a_reviewed_answer_that_is_off_gives_way_to_the_next(pipeline: Pipeline) -> None:
    usual = pipeline.answer(WAGES)
    document = usual.draft.trace["answered_by"]
    answer = pipeline.answer(WAGES, off=without(document))
    assert answer.draft.trace.get("answered_by") != document
    assert answer.draft.summary != usual.draft.summary
    found = pipeline.laws.library.documents[document].title
    assert found not in (answer.draft.clarify or [])


@pytest.mark.parametrize("question", [WAGES, "转人工", "宠物怎么养", "打官司没钱请律师怎么办"])
def test_a_card_that_is_off_is_no_step_and_no_target(pipeline: Pipeline, question: str) -> None:
    usual = set(shown(pipeline.answer(question)))
    cards = {d for d in usual if d.startswith(("service-", "hotline-", "guide-"))}
    for card in cards:
        assert card not in set(shown(pipeline.answer(question, off=without(card))))


def test_what_a_card_says_is_not_told_when_it_is_off(pipeline: Pipeline) -> None:
    history = (
        Turn(
            question="怎么申请法律援助",
            outcome="answered_service",
            root="怎么申请法律援助",
            topic="法律援助",
            documents=("service-legal-aid-apply",),
        ),
    )
    on = pipeline.answer("那在哪里办呢", history=history)
    assert "service-legal-aid-apply" in set(shown(on))
    off = pipeline.answer("那在哪里办呢", history=history, off=without("service-legal-aid-apply"))
    assert "service-legal-aid-apply" not in set(shown(off))
    title = pipeline.laws.library.documents["service-legal-aid-apply"].title
    assert f"{title}：" not in off.draft.summary


def test_the_numbers_for_an_emergency_stay(pipeline: Pipeline) -> None:
    answer = pipeline.answer("我不想活了", off=without("hotline-12356"))
    assert "hotline-12356" in set(shown(answer))


@pytest.mark.parametrize("title", [None, "中华人民共和国法律援助法"])
def test_the_pre_check_closes_with_its_rules_or_their_law(
    pipeline: Pipeline, title: str | None
) -> None:
    document = document_of(pipeline, title) if title else "rules-legal-aid"
    assert pipeline.answer("法律援助预检").outcome == "clarify_legal_aid"
    answer = pipeline.answer("法律援助预检", off=without(document))
    assert answer.outcome != "clarify_legal_aid"
    assert any("暂时不能用" in notice for notice in answer.draft.notices)
    assert wording.PRECHECK not in (answer.draft.clarify or [])


def test_a_deadline_is_not_said_from_a_law_that_is_off(pipeline: Pipeline) -> None:
    question = "被公司辞退多久内要申请劳动仲裁"
    assert pipeline.answer(question).draft.trace["deadlines"]["rows"]
    law = document_of(pipeline, "中华人民共和国劳动争议调解仲裁法")
    for off in (without(law), without("rules-deadlines")):
        told: dict[str, Any] = pipeline.answer(question, off=off).draft.trace.get("deadlines", {})
        assert not told.get("rows")


def test_nothing_off_changes_nothing(pipeline: Pipeline) -> None:
    for question in (*QUESTIONS, WAGES, DIVORCE, "转人工", "你好"):
        one = pipeline.answer(question).to_json()
        other = pipeline.answer(question, channel="web", off=NOTHING_OFF).to_json()
        assert {**one, "took_ms": 0} == {**other, "took_ms": 0}


def test_the_law_by_which_data_is_kept_is_law(pipeline: Pipeline) -> None:
    told = "；".join(kind.why for kind in KINDS.values())
    checked = pipeline.laws.check_text(told, TODAY)
    assert len(checked) >= 2
    assert {c.verdict for c in checked} == {Verdict.VERIFIED}
    assert any("六个月" in c.source.passage.text for c in checked if c.source)
