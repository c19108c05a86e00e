"""Reading the log: by filters, a page after the other, in words that a person understands."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from service import audit
from service.audit.wording import say
from service.models.people import AuditEvent
from tests.service import databases
from tests.service.bureau import Bureau, Hands, error

AUDIT = "/api/v1/staff/audit"


@pytest.fixture
def bureau(database: Engine, tmp_path: Path) -> Bureau:
    return Bureau(database, tmp_path / "home", Hands())


@pytest.fixture
def auditor(bureau: Bureau) -> dict[str, str]:
    _, token = bureau.staff.add("赵审", ["auditor"])
    return {"Authorization": f"Bearer {token}"}


def put(
    bureau: Bureau, action: str, subject_id: str, actor: str = "system", **more: object
) -> None:
    at = more.pop("at", bureau.clock())
    assert isinstance(at, datetime)
    with bureau.sessions.begin() as session:
        audit.append(
            session,
            actor=actor,
            action=action,
            subject=action.split(".")[0],
            subject_id=subject_id,
            detail=more,
            at=at,
        )


def ids(bureau: Bureau, auditor: dict[str, str], **filters: object) -> list[str]:
    answer = bureau.browser().client.get(AUDIT, params=filters, headers=auditor)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [event["subject_id"] for event in answer.json()["events"]]


def test_events_are_found_by_who_what_when_and_words(
    bureau: Bureau, auditor: dict[str, str]
) -> None:
    wang, _ = bureau.staff.add("王芳", ["curator"])
    put(bureau, "knowledge.publish", "d_1", wang.id, title="工伤认定怎么办")
    put(bureau, "knowledge.withdraw", "d_2", wang.id, title="100%_旧")
    # Midnight in Shanghai is four in the afternoon in UTC.
    put(bureau, "switch.set", "w_1", at=datetime(2026, 12, 2, 15, 59, 59, tzinfo=UTC))
    put(bureau, "notice.edit", "n_1", at=datetime(2026, 12, 2, 16, 0, tzinfo=UTC))
    assert ids(bureau, auditor) == ["n_1", "w_1", "d_2", "d_1"]
    assert ids(bureau, auditor, action="knowledge.") == ["d_2", "d_1"]
    assert ids(bureau, auditor, action="knowledge.p") == ["d_1"]
    assert ids(bureau, auditor, action="know%") == []
    assert ids(bureau, auditor, actor=wang.id) == ["d_2", "d_1"]
    assert ids(bureau, auditor, subject="switch") == ["w_1"]
    assert ids(bureau, auditor, subject="switch", subject_id="d_1") == []
    assert ids(bureau, auditor, text="工伤") == ["d_1"]
    assert ids(bureau, auditor, text="%") == ["d_2"]
    assert ids(bureau, auditor, text="王芳") == ["d_2", "d_1"]
    assert ids(bureau, auditor, since="2026-12-02", until="2026-12-02") == ["w_1"]
    assert ids(bureau, auditor, since="2026-12-03") == ["n_1"]


def test_pages_follow_each_other_without_a_gap(bureau: Bureau, auditor: dict[str, str]) -> None:
    for number in range(7):
        put(bureau, "notice.edit", f"n_{number}")
    client, seen, before = bureau.browser().client, [], None
    for _ in range(3):
        params = {"limit": 3, **({"before": before} if before else {})}
        page = client.get(AUDIT, params=params, headers=auditor).json()
        seen += [event["subject_id"] for event in page["events"]]
        before = page["next"]
        put(bureau, "notice.edit", "later")  # does not shift what follows
    assert seen == [f"n_{number}" for number in reversed(range(7))]
    assert before is None


@pytest.mark.parametrize(
    "query",
    [
        "since=gestern",
        "since=0001-01-01",
        "before=0",
        "before=x",
        "limit=0",
        "limit=1000",
        "text=%00",
    ],
)
def test_filters_that_make_no_sense_are_refused(
    bureau: Bureau, auditor: dict[str, str], query: str
) -> None:
    refused = bureau.browser().client.get(f"{AUDIT}?{query}", headers=auditor)
    assert error(refused) == (422, "invalid_request")


def test_verifying_says_what_is_wrong_and_is_itself_on_record(
    bureau: Bureau, auditor: dict[str, str]
) -> None:
    for number in range(3):
        put(bureau, "notice.edit", f"n_{number}")
    client = bureau.browser().client
    first = client.get(f"{AUDIT}/verify", headers=auditor).json()
    assert (first["whole"], first["count"]) == (True, 3)
    anchored = {"count": first["count"], "hash": first["hash"]}
    assert client.get(f"{AUDIT}/verify", params=anchored, headers=auditor).json()["whole"]
    wrong = client.get(f"{AUDIT}/verify", params={**anchored, "hash": "0" * 64}, headers=auditor)
    assert wrong.json()["whole"] is False
    half = client.get(f"{AUDIT}/verify", params={"count": 3}, headers=auditor)
    assert error(half) == (400, "anchor")
    with bureau.engine.begin() as connection, databases.unguarded(connection):
        connection.execute(delete(AuditEvent).where(AuditEvent.id == 2))
    broken = client.get(f"{AUDIT}/verify", headers=auditor).json()
    assert broken["problems"] == ["缺少第2条：已被删除。"]
    assert len(bureau.events("audit.verify")) == 4


def test_a_table_is_taken_away_safe_for_a_spreadsheet_and_on_record(
    bureau: Bureau, auditor: dict[str, str]
) -> None:
    put(bureau, "notice.edit", "n_1", title='=HYPERLINK("http://evil")', note="一,二\n三")
    put(bureau, "switch.set", "w_1")
    bureau.staff.add("=cmd|' /C calc'!A0", ["agent"])
    answer = bureau.browser().client.get(
        f"{AUDIT}/export", params={"action": "notice."}, headers=auditor
    )
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert answer.text.startswith("\ufeff")
    [head, row] = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head[:4] == ["序号", "时间（北京时间）", "操作人", "做了什么"]
    assert row[1] == "2026-12-01 09:00:00"
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    [event] = bureau.events("audit.export")
    assert event.detail == {"format": "CSV", "filters": {"action": "notice."}}


def test_known_actions_read_as_sentences() -> None:
    names = {"s_1": "王芳", "agent": "坐席"}

    def sentence(action: str, subject: str, subject_id: str = "x", **detail: object) -> str:
        return say(action, subject, subject_id, "", detail, names).sentence

    assert sentence("staff.create", "staff", "s_1") == "新建了“王芳”的账号"
    assert sentence("session.refuse", "staff", "") == "登录没有成功：没有这个账号"
    assert sentence("conversation.read", "handover") == "查看了转人工工单"
    assert sentence("knowledge.publish", "document", title="工伤") == "发布了知识内容“工伤”"
    topic = {"name": "主题“劳动人事”"}
    assert sentence("switch.set", "switch", off=True, **topic) == "关停了主题“劳动人事”"
    assert sentence("switch.set", "switch", off=False, **topic) == "恢复了主题“劳动人事”"
    assert sentence("review.judge", "review") == "给出了质量评定"


def test_of_an_unknown_action_nothing_is_left_out() -> None:
    said = say("frob.nicate", "widget", "w_1", "某事", {"k": ["agent", None]}, {"agent": "坐席"})
    assert "frob.nicate" in said.sentence
    assert said.purpose == "某事"
    assert said.facts == (("编号", "w_1"), ("k", "坐席、无"))
    assert say("frob.publish", "widget", "", "", {}, {}).sentence == "发布了一项内容"


def test_the_log_keeps_a_mark_of_a_conversation_and_not_its_code(
    bureau: Bureau, auditor: dict[str, str]
) -> None:
    code = "c_nobodyguessesthis"
    put(bureau, "conversation.read", code, conversation=code)
    answer = bureau.browser().client.get(AUDIT, headers=auditor)
    assert code not in answer.text
    # Whoever has the code, such as the citizen who complains, finds what was done with it.
    [mark] = ids(bureau, auditor, action="conversation.")
    assert mark.startswith("conv-")
    assert ids(bureau, auditor, subject_id=code) == [mark]
    assert ids(bureau, auditor, text=code) == [mark]
    assert ids(bureau, auditor, text="c_another") == []


def test_who_is_limited_to_a_region_does_not_read_the_log_of_all(bureau: Bureau) -> None:
    _, token = bureau.staff.add("钱审", ["auditor"], region="310107")
    headers = {"Authorization": f"Bearer {token}"}
    for path in (AUDIT, "/console/audit"):
        refused = bureau.browser().client.get(path, headers=headers)
        assert refused.status_code == 403
        assert "限定了地区的账号不能做" in refused.text
