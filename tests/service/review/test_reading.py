"""One conversation: why it is read goes on record first, and the evidence is that of then."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from service.model.calling import Failure
from service.model.verification import Reason
from service.models import AccessRecord, HandoverMessage
from service.review import model_trace
from tests.service.review.room import API, CONSOLE, Room


def records(room: Room) -> list[AccessRecord]:
    with room.sessions() as session:
        return list(session.scalars(select(AccessRecord).order_by(AccessRecord.id)))


def test_without_a_purpose_nothing_is_shown_or_recorded(room: Room) -> None:
    answer = room.asked(question="我的秘密问题")
    person = room.hire("甲")
    page = person.get(f"{CONSOLE}/conversations/{answer}")
    assert page.status_code == 200
    assert "为什么要看这个会话" in page.text
    assert "我的秘密问题" not in page.text
    assert person.get(f"{API}/conversations/{answer}").status_code == 422
    assert person.get(f"{API}/conversations/{answer}", purpose="handle").status_code == 400
    assert (
        "我的秘密问题" not in person.get(f"{CONSOLE}/conversations/{answer}", purpose="handle").text
    )
    assert records(room) == []


def test_who_read_it_and_why_is_on_record(room: Room) -> None:
    answer = room.asked("c_1", "我的秘密问题")
    person = room.hire("甲")
    page = person.get(f"{CONSOLE}/conversations/{answer}", purpose="complaint")
    assert "我的秘密问题" in page.text
    assert "核查差评（已记录）" in page.text
    [record] = records(room)
    assert (record.staff_id, record.purpose) == (person.member.id, "complaint")
    assert (record.subject, record.conversation_id) == ("conversation", "c_1")
    person.get(f"{API}/conversations/{answer}", purpose="supervise")
    assert [r.purpose for r in records(room)] == ["complaint", "supervise"]
    assert "c_1" not in page.text  # the citizen's key


def test_no_page_names_the_citizens_key_nor_takes_it(room: Room) -> None:
    answer = room.asked("c_secret")
    person = room.hire("甲", "supervisor")
    review = person.judges(answer, "wrong", follow_up="new_faq")
    for path in (
        "conversations",
        f"conversations/{answer}",
        f"conversations/{answer}?purpose=review",
        "reviews",
        "reviews/open",
        f"reviews/{review['id']}",
    ):
        page = person.get(f"{CONSOLE}/{path}")
        assert page.status_code == 200, path
        assert "c_secret" not in page.text, path
    for query in ("", "?purpose=review"):
        assert person.get(f"{CONSOLE}/conversations/c_secret{query}").status_code == 404
    assert person.get(f"{API}/conversations/c_secret?purpose=review").status_code == 404


def test_the_evidence_is_that_of_then_and_a_later_change_is_shown(room: Room) -> None:
    old = room.published("law-test@1", "期间为六十日。", date(2020, 1, 1), date(2026, 6, 30))
    room.published("law-test@2", "期间为九十日。", date(2026, 7, 1))
    answer = room.asked()
    room.cites(answer, old, "期间为六十日。")
    person = room.hire("甲")
    url = f"{API}/conversations/{answer}?purpose=review"
    [one] = person.get(url).json()["answers"]
    [evidence] = one["evidence"]
    assert (evidence["text"], evidence["now"]) == ("期间为六十日。", "changed")
    runs = [(run["op"], run["text"]) for line in evidence["lines"] for run in line]
    assert "".join(text for op, text in runs if op != "ins") == "期间为六十日。"
    assert "".join(text for op, text in runs if op != "del") == "期间为九十日。"
    page = person.get(f"{CONSOLE}/conversations/{answer}?purpose=review").text
    assert "今天的条文和当时不同" in page
    assert "期间为六十日。" in page


def test_evidence_that_still_stands_or_is_gone_is_said_to(room: Room) -> None:
    stands = room.published("law-test@1", "期间为六十日。", date(2020, 1, 1))
    first, second = room.asked("c_1"), room.asked("c_1")
    room.cites(first, stands, "期间为六十日。")
    room.cites(second, "law-other@1#9", "已经没有的条文。")
    shown = room.hire("甲").get(f"{API}/conversations/{first}?purpose=review").json()["answers"]
    assert {one["id"]: one["evidence"][0]["now"] for one in shown} == {
        first: "same",
        second: "gone",
    }


def test_the_way_to_the_answer_is_told_in_words(room: Room) -> None:
    passage = room.published("law-test@1", "期间为六十日。", date(2020, 1, 1))
    hit = {"passage": passage, "score": 0.71, "cosine": 0.68, "lexical": 0.4}
    trace = {
        "query": "工资不发",
        "urgent": "violence",
        "p_legal": 0.95,
        "p_law": 0.8,
        "hits": {"law": [hit], "guidance": []},
        "step_ms": {"mask": 0.2, "search": 11.5},
    }
    answer = room.asked(trace=trace)
    page = room.hire("甲").get(f"{CONSOLE}/conversations/{answer}?purpose=review").text
    for words in ("“工资不发”", "正在受到伤害或威胁", "《试验法》第一条", "0.71", "检索 11.5 毫秒"):
        assert words in page, words
    assert "{" not in page.split("<main")[1].replace("&#39;", "").split("data-body")[0]


def test_what_the_model_did_is_told_in_words(room: Room) -> None:
    trace = {
        "model": {
            "name": "某模型",
            "calls": 2,
            "tokens": 900,
            "ms": 1234.5,
            "choice": {
                "offered": {"topics": ["劳动人事", "刑事"], "questions": []},
                "topic": "劳动人事",
                "questions": [],
                "dropped": [{"sha256": "0", "text": "T99"}],
                "used": True,
                "instead_of": "刑事",
            },
            "kept": 3,
            "dropped": [{"reason": "number", "sha256": "0", "text": "要付五百元<b>"}],
        }
    }
    answer = room.asked(trace=trace)
    page = room.hire("甲").get(f"{CONSOLE}/conversations/{answer}?purpose=review").text
    for words in (
        "语言模型做了什么",
        "某模型，2次，1234毫秒",
        "劳动人事，已采用",
        "规则原来判断的主题",
        "3句通过核对",
        "来源里没有的数字：“要付五百元&lt;b&gt;”",
    ):
        assert words in page, words


def test_every_reason_to_drop_and_every_failure_has_words() -> None:
    assert model_trace.REASONS.keys() == {reason.value for reason in Reason}
    assert model_trace.FAILURES.keys() == {failure.value for failure in Failure}


def test_the_hand_over_is_shown_as_the_citizen_saw_it(room: Room) -> None:
    answer = room.asked("c_1")
    owner = room.hire("坐席", "agent").member
    handover = room.handed_over("c_1", answer, by=owner)
    room.rated(handover, 2, "handover")
    with room.sessions.begin() as session:
        for text, private in (("请打12333", False), ("此人难缠", True)):
            session.add(
                HandoverMessage(
                    handover_id=handover,
                    sender="staff",
                    staff_id=owner.id,
                    text=text,
                    private=private,
                )
            )
    page = room.hire("甲").get(f"{CONSOLE}/conversations/{answer}?purpose=review").text
    assert "请打12333" in page
    assert "此人难缠" not in page
    assert "2星" in page


def test_another_region_s_questions_are_left_out_and_counted(room: Room) -> None:
    here = room.asked("c_1", "这里的问题")
    there = room.asked("c_1", "那里的问题", region="310105", ago=timedelta(hours=1))
    person = room.hire("普陀", "supervisor", "310107")
    shown = person.get(f"{API}/conversations/{here}?purpose=review").json()
    assert [one["question"] for one in shown["answers"]] == ["这里的问题"]
    assert shown["not_shown"] == 1
    for name in (there, "a_none", "c_none"):
        assert person.get(f"{API}/conversations/{name}?purpose=review").status_code == 404
        assert person.get(f"{CONSOLE}/conversations/{name}").status_code == 404
    assert len(records(room)) == 1


def test_what_a_citizen_wrote_cannot_become_markup(room: Room) -> None:
    answer = room.asked(question="<script>alert(1)</script>" + "字" * 1900)
    person = room.hire("甲")
    for url in (f"conversations/{answer}?purpose=review", "conversations", "reviews"):
        assert "<script>alert" not in person.get(f"{CONSOLE}/{url}").text
