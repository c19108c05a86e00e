"""The callback over HTTP, the page of an answer, and what staff see of the quota."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from service.assembly import Rooms
from service.channels.wechat import wording
from service.models.wechat import WeChatMessage, WeChatOutgoing, WeChatPerson
from service.settings import Settings
from service.wechat.codec import sign
from tests.service.wechat.stage import Scripted, Stage, application
from tests.service.wechat.test_delivery import states

Start = Callable[..., Stage]

# What happens here is the same on each kind of database; `test_delivery` runs on both.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def patience() -> float:
    """All answers here are quick ones, also on a machine that is not."""
    return 4.0


def signed(**more: str) -> dict[str, str]:
    stamp = str(int(time.time()))
    return {"signature": sign("abcdefgh", stamp, "n"), "timestamp": stamp, "nonce": "n"} | more


def test_the_address_is_verified_with_the_word_as_it_came(service: Stage) -> None:
    assert service.run(service.platform.verify())
    for url in (service.url, service.url + "/"):
        response = httpx.get(url, params=signed(echostr="8212"), trust_env=False)
        assert response.text == "8212"  # not JSON in quotes
        assert response.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"signature": "x", "timestamp": "1", "nonce": "n"},
        {"signature": "签名", "timestamp": "1", "nonce": "n"},
        {"signature": "a" * 100_000, "timestamp": "1", "nonce": "n"},
    ],
)
def test_nobody_else_is_answered(service: Stage, params: dict[str, str]) -> None:
    if len(params.get("signature", "")) > 1000:
        params = params | {"signature": "a" * 1000}
    assert httpx.get(service.url, params=params, trust_env=False).status_code == 403
    body = b"<xml><MsgType>text</MsgType></xml>"
    posted = httpx.post(service.url, params=params, content=body, trust_env=False)
    assert (posted.status_code, posted.content) == (403, b"")
    assert service.count(WeChatMessage) == 0


def test_what_is_old_plain_large_or_no_xml_is_refused(on_stage: Start) -> None:
    service = on_stage(mode="plain")
    old = str(int(time.time()) - 1000)
    stale = {"signature": sign("abcdefgh", old, "n"), "timestamp": old, "nonce": "n"}

    def post(params: dict[str, str], body: bytes) -> int:
        return httpx.post(service.url, params=params, content=body, trust_env=False).status_code

    good = b"<xml><FromUserName>o</FromUserName><ToUserName>gh_test</ToUserName>"
    good += b"<MsgType>text</MsgType><Content>1</Content><MsgId>1</MsgId></xml>"
    assert post(stale, good) == 403
    assert post(signed(), b"<xml>" + b"x" * 70_000 + b"</xml>") == 413
    assert post(signed(), b"no xml") == 400
    assert post(signed(), b"<xml></xml>") == 400
    assert post(signed(), good.replace(b"gh_test", b"gh_other")) == 403
    assert post(signed(timestamp="1" * 150), good) == 403
    assert post(signed(), good) == 200


def test_an_account_that_is_not_there_is_not_found(service: Stage) -> None:
    url = service.url.replace("demo", "other")
    assert httpx.get(url, params=signed(), trust_env=False).status_code == 404


def test_a_configuration_with_a_mistake_stops_wechat_and_nothing_else(
    database: Engine, tmp_path: Path
) -> None:
    (tmp_path / "wechat.yaml").write_text("accounts: {demo: {name: 甲}}", "utf-8")
    url = database.url.render_as_string(hide_password=False)
    rooms = Rooms(Settings(_env_file=None, home=tmp_path, database_url=url))
    with TestClient(application(rooms, Scripted())) as client:
        assert client.get("/wechat/demo").status_code == 503
        assert client.get("/answer").status_code == 200


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_each_mode_talks(on_stage: Start, mode: str) -> None:
    told = on_stage(mode=mode).say("o_1", "甲]]>&<乙")
    assert told.reply is not None
    assert told.reply.startswith("答：甲]]>&＜乙")


def test_what_cannot_be_read_is_answered_kindly(service: Stage) -> None:
    for kind in ("image", "video", "shortvideo", "location", "link", "file"):
        assert service.send("o_1", MsgType=kind).reply == wording.NOT_READABLE[kind]
    assert service.send("o_1", MsgType="voice", Recognition="").reply == wording.NOT_HEARD
    assert service.send("o_1", MsgType="brandnew").reply == wording.UNKNOWN
    assert service.say("o_1", "【收到不支持的消息类型，暂无法显示】").reply == wording.UNKNOWN
    assert service.say("o_1", "  ").reply == wording.UNKNOWN
    assert service.answers.asked == []
    heard = service.send("o_1", MsgType="voice", Recognition="欠薪怎么办").reply
    assert heard is not None
    assert heard.startswith("答：欠薪怎么办")


def test_events_are_taken_and_the_parlour_is_remembered(service: Stage) -> None:
    followed = service.event("o_1", "subscribe", "qrscene_changfeng").reply
    assert followed is not None
    assert "（长风新村街道服务站）" in followed
    service.say("o_1", "甲")
    assert service.answers.regions == ["310107"]
    scanned = service.event("o_2", "SCAN", "changfeng").reply
    assert scanned == wording.SCANNED.format(name="长风新村街道服务站")
    assert service.event("o_2", "SCAN", "unknown").reply is None
    assert service.event("o_2", "VIEW", "https://x").accepted
    assert service.event("o_2", "BRANDNEW").accepted
    assert service.event("o_2", "CLICK", "do:help").reply is not None
    assert service.event("o_2", "CLICK", "gone").reply == wording.MENU_CHANGED


def test_two_events_of_one_second_are_both_answered(service: Stage) -> None:
    for question in ("怎么申请法律援助", "办公证要带什么材料"):
        told = service.event("o_1", "CLICK", f"ask:{question}").reply
        assert told is not None
        assert told.startswith(f"答：{question}")


def test_what_is_too_long_gets_a_word_about_that(service: Stage) -> None:
    told = service.say("o_1", "长" * 5000).reply
    assert told is not None
    assert "太长" in told


def test_from_the_wish_for_a_person_to_the_end(service: Stage) -> None:
    asked = service.say("o_1", "转人工").reply
    assert asked is not None
    assert wording.OFFER_PERSON in asked
    agreed = service.say("o_1", "同意转人工").reply
    assert agreed is not None
    assert "正在排队" in agreed
    member, token = service.app.state.staff.add("坐席", ["agent"])
    [ticket] = service.handovers.queue(member)["tickets"]
    service.handovers.claim(member, ticket["id"])
    service.eventually(lambda: states(service) == ["sent"])
    assert service.say("o_1", "我的事是这样").reply is None  # a person listens
    service.handovers.note(member, ticket["id"], "不给市民看")
    service.handovers.reply(member, ticket["id"], "请打021-52564588。")
    service.eventually(lambda: states(service) == ["sent"] * 2)
    assert service.platform.received("o_1")[-1] == "请打021-52564588。"
    url = service.url.replace("/wechat/demo", f"/api/v1/staff/handovers/{ticket['id']}/wechat")
    assert httpx.get(url, trust_env=False).status_code == 401
    headers = {"Authorization": f"Bearer {token}"}
    reach = httpx.get(url, headers=headers, trust_env=False).json()["reach"]
    assert (reach["left"], reach["waiting"], reach["unclear"]) == (4, 0, 0)
    assert "还可以发4条" in reach["note"]
    ended = service.say("o_1", "结束人工").reply
    assert ended is not None
    assert "撤回" in ended
    assert service.say("o_1", "结束人工").accepted
    assert service.count(WeChatOutgoing) == 2


def test_who_asks_for_the_key_to_what_is_stored_of_him_gets_it(on_stage: Start) -> None:
    service = on_stage(base_url="https://sf.example.gov.cn")
    assert service.say("o_1", "我的会话").reply == wording.NOTHING_MINE
    service.say("o_1", "甲")
    told = service.say("o_1", "“我的会话”").reply
    with service.rooms.sessions() as session:
        code = session.scalars(select(WeChatPerson.conversation_id)).one()
    link = f'<a href="https://sf.example.gov.cn/">{wording.PAGE}</a>'
    assert told == wording.MINE.format(code=code, page=link)
    assert service.answers.asked == ["甲"]
    assert "我的会话" in (service.event("o_1", "CLICK", "do:help").reply or "")


def test_danger_is_first_and_whole(service: Stage) -> None:
    told = service.say("o_1", "danger").reply
    assert told == "先保证安全。\n请马上打110。\n报警：110"


def test_the_page_of_an_answer_opens_with_its_token_alone(on_stage: Start) -> None:
    service = on_stage(base_url="https://sf.example.gov.cn")
    told = service.say("o_1", "甲").reply
    assert told is not None
    [link] = [part.split('"')[0] for part in told.split('href="')[1:]]
    page, token = link.split("#")
    assert page == "https://sf.example.gov.cn/answer"
    api = service.url.replace("/wechat/demo", "/api/v1/answers/mine")

    def read(token: str) -> tuple[int, Any]:
        response = httpx.post(api, json={"token": token}, trust_env=False)
        return response.status_code, response.json()

    status, answer = read(token)
    assert (status, answer["summary"]) == (200, "答：甲")
    with service.rooms.sessions() as session:
        conversation = session.scalars(select(WeChatPerson.conversation_id)).one()
    assert "conversation" not in answer
    assert str(conversation) not in str(answer)
    assert service.app.state.ratings.rate(answer["rating_token"], 5)["label"] == "非常满意"
    for wrong in (token[:-2], "x", answer["rating_token"]):
        assert read(wrong)[0] == 400
