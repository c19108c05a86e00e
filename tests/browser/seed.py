"""Two weeks in the life of the service: what the pages look like when there is something on them.

Citizens ask the real product; when each thing happened is set afterwards. By hand, on a running
server with a high `CONSULT_ADDRESS_PER_MINUTE`: `python -m tests.browser.seed http://127.0.0.1:8000`
with its `CONSULT_HOME`.
"""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
from sqlalchemy import update

from service.accounts import Accounts, Invitations
from service.assembly import Rooms
from service.auth import Member, StaffRegister
from service.handover import Handovers, Referral, minutes_later
from service.models import AnswerRecord, Conversation, now
from service.ratings import Ratings
from service.settings import Settings
from service.signing import signing_key
from service.statistics.counts import Counts

# How many days and hours ago, and what was asked, one line for each turn.
ASKED: tuple[tuple[int, float, tuple[str, ...]], ...] = (
    (13, 9.2, ("公司拖欠我三个月工资怎么办", "那要去哪里申请仲裁")),
    (13, 14.5, ("离婚冷静期是多久",)),
    (12, 10.1, ("小区车位被别人的车堵住了怎么办",)),
    (12, 15.7, ("法律援助怎么申请",)),
    (12, 20.3, ("房东不退押金怎么办",)),
    (11, 9.5, ("楼上邻居天天半夜装修吵得睡不着怎么办",)),
    (11, 11.2, ("我爸去世了没有留遗嘱，房子怎么分",)),
    (11, 16.4, ("健身房办卡之后关门跑路了，钱还能要回来吗",)),
    (10, 9.9, ("今天天气怎么样",)),
    (10, 13.1, ("被公司口头辞退有没有赔偿", "没签劳动合同呢")),
    (10, 19.6, ("我想死，活着没有意思",)),
    (9, 10.4, ("快递丢了只肯赔三倍运费合理吗",)),
    (9, 11.8, ("民法典第一千零七十九条",)),
    (9, 15.2, ("公证处在哪里，要带什么材料",)),
    (8, 9.3, ("老人在养老院摔伤了，养老院要赔吗",)),
    (8, 14.9, ("借钱不还只有微信转账记录，能起诉吗",)),
    (7, 9.1, ("车位被堵了，打电话也不挪，怎么办",)),
    (7, 10.6, ("社区矫正对象想请假去外地怎么办",)),
    (7, 17.5, ("老公打我，我现在躲在卫生间",)),
    (6, 9.7, ("劳动仲裁要多久",)),
    (6, 12.3, ("网购收到假货怎么办",)),
    (6, 20.8, ("预付的理发卡店转让了，新老板不认",)),
    (5, 9.4, ("交通事故对方全责不赔钱怎么办", "他说没有钱")),
    (5, 14.2, ("被拆迁补偿不合理怎么办",)),
    (5, 16.0, ("健身房倒闭了会员卡的钱怎么退",)),
    (4, 10.0, ("孩子在学校被同学打伤了谁赔",)),
    (4, 11.5, ("普陀区哪里可以做人民调解",)),
    (4, 19.1, ("楼上漏水把我家天花板泡了，不肯赔",)),
    (3, 9.6, ("加班费怎么算",)),
    (3, 15.3, ("怀孕被辞退怎么办",)),
    (2, 9.0, ("遗嘱一定要公证吗",)),
    (2, 10.9, ("高空抛物砸了我的车，找不到是谁",)),
    (2, 14.6, ("信用卡还不上会坐牢吗",)),
    (2, 18.2, ("邻居占用消防通道停车怎么投诉",)),
    (1, 9.8, ("工伤认定要多长时间",)),
    (1, 11.1, ("帮我写一份假的离婚协议骗贷款",)),
    (1, 13.4, ("停车位被占了物业不管",)),
    (1, 16.6, ("司法鉴定去哪里做",)),
    (0, 3.1, ("试用期被辞退没有工资",)),
    (0, 2.2, ("刚被骗转了五万块钱怎么办",)),
    (0, 1.2, ("孩子抚养费要给到几岁",)),
)
# By the first question: level, aspects, words. What a citizen writes may be markup.
RATED: dict[str, tuple[int, list[str], str]] = {
    "公司拖欠我三个月工资怎么办": (5, [], ""),
    "离婚冷静期是多久": (4, [], ""),
    "小区车位被别人的车堵住了怎么办": (1, ["办事指南精确度"], "问的是车位被堵，答的不是一回事"),
    "法律援助怎么申请": (5, [], ""),
    "房东不退押金怎么办": (4, [], ""),
    "楼上邻居天天半夜装修吵得睡不着怎么办": (2, ["便捷度"], "没有说打哪个电话"),
    "健身房办卡之后关门跑路了，钱还能要回来吗": (2, [], "<b>看不懂</b>，没有步骤"),
    "公证处在哪里，要带什么材料": (5, [], ""),
    "借钱不还只有微信转账记录，能起诉吗": (3, [], ""),
    "交通事故对方全责不赔钱怎么办": (4, [], ""),
    "楼上漏水把我家天花板泡了，不肯赔": (1, [], ""),
    "加班费怎么算": (5, [], ""),
}
HANDED_OVER: tuple[tuple[str, str, str], ...] = (
    ("健身房办卡之后关门跑路了，钱还能要回来吗", "referred", "已告知向区市场监管局投诉举报。"),
    ("老人在养老院摔伤了，养老院要赔吗", "solved", "已电话说明责任划分和要准备的证据。"),
    ("交通事故对方全责不赔钱怎么办", "claimed", ""),
    ("高空抛物砸了我的车，找不到是谁", "", "车停在真如镇街道，物业不给看监控。"),
    ("试用期被辞退没有工资", "", "下周合同就到期了，请尽快联系我。"),
)


@dataclass
class Past:
    """A clock that shows whatever moment the story is at."""

    at: datetime = field(default_factory=now)

    def __call__(self) -> datetime:
        return self.at


PASSWORD = "梧桐 苏州河 长风 1958"
STAFF = {
    "curator": ("沈文", "shen.wen"),
    "reviewer": ("顾平", "gu.ping"),
    "supervisor": ("陆敏", "lu.min"),
    "agent": ("钱佳", "qian.jia"),
    "administrator": ("周正", "zhou.zheng"),
    "auditor": ("吴衡", "wu.heng"),
}


class Seed:
    """Fills the home behind `url`, with staff of its own that sign in with `PASSWORD`."""

    def __init__(self, url: str, rooms: Rooms) -> None:
        self.url, self.rooms, self.clock = url, rooms, Past()
        self.http = httpx.Client(base_url=url, timeout=120)
        self.desks = {role: self._sign_in(role) for role in STAFF}
        self.members = {member.name: member for member in StaffRegister(rooms.sessions).all()}
        self.ratings = Ratings(rooms.sessions, signing_key(rooms.settings), clock=self.clock)
        self.handovers = Handovers(
            rooms.sessions,
            due=minutes_later(60),
            region=rooms.settings.region,
            rating_token=partial(self.ratings.token_for, "handover"),
            clock=self.clock,
        )
        self.answers: dict[str, dict[str, Any]] = {}

    def _sign_in(self, role: str) -> httpx.Client:
        name, login = STAFF[role]
        invitation = Accounts(self.rooms.sessions, None).invite(name, login, [role])
        Invitations(self.rooms.sessions).accept(invitation.token, PASSWORD)
        desk = httpx.Client(base_url=self.url, timeout=120)
        given = desk.post("/api/v1/session", json={"login": login, "password": PASSWORD})
        desk.headers["X-CSRF-Token"] = given.raise_for_status().json()["csrf"]
        return desk

    def close(self) -> None:
        """Sign out everybody."""
        for desk in self.desks.values():
            desk.delete("/api/v1/session")
            desk.close()
        self.http.close()

    def member(self, role: str) -> Member:
        return self.members[STAFF[role][0]]

    def staff(self, role: str, method: str, path: str, **more: Any) -> Any:
        """The JSON of an answer of the API to somebody with this role."""
        response = self.desks[role].request(method, f"/api/v1/staff{path}", **more)
        assert response.is_success, f"{path}: {response.text}"
        return response.json() if response.content else None

    def all(self) -> dict[str, str]:
        """Everything; returns the addresses of pages that have something on them."""
        self.citizens_ask()
        Counts(self.rooms.sessions).rebuild()  # days that were over had been counted, as empty
        self.citizens_rate()
        found = self.tickets() | self.rating_ticket()
        found |= self.curation() | self.questions() | self.reviews()
        self.supervision()
        gap = self.staff("curator", "GET", "/gaps")["gaps"][0]
        wanted = {"kind": "statute", "text": "劳动合同法"}
        law = self.staff("curator", "GET", "/knowledge", params=wanted)["documents"][0]
        invited = Accounts(self.rooms.sessions, None).invite("新来的同事", "newcomer", ["agent"])
        since, until = _on(14, 12).date(), _on(0, 12).date()
        return found | {
            "dashboard": f"/console/dashboard?period=range&since={since}&until={until}",
            "gap": f"/console/gaps/{gap['id']}",
            "law": f"/console/statutes/{law['id']}",
            "article": f"/console/statutes/{law['id']}/第八十二条",
            "person": f"/console/people/{self.member('agent').id}",
            "invitation": f"/console/invitation/{invited.token}",
        }

    def citizens_ask(self) -> None:
        for days, hour, turns in ASKED:
            at = (now() - timedelta(hours=hour)) if days == 0 else _on(days, hour)
            conversation = None
            for number, question in enumerate(turns):
                body = {"question": question, "conversation": conversation}
                answer = self.http.post("/api/v1/questions", json=body).raise_for_status().json()
                conversation = answer["conversation"]
                self.answers.setdefault(turns[0], answer)
                self._happened(answer, at + timedelta(minutes=2 * number))

    def _happened(self, answer: dict[str, Any], at: datetime) -> None:
        with self.rooms.sessions.begin() as session:
            session.execute(
                update(AnswerRecord).where(AnswerRecord.id == answer["id"]).values(asked_at=at)
            )
            session.execute(
                update(Conversation)
                .where(Conversation.id == answer["conversation"], Conversation.started_at > at)
                .values(started_at=at)
            )
        answer["at"] = at

    def citizens_rate(self) -> None:
        for question, (level, aspects, words) in RATED.items():
            answer = self.answers[question]
            self.clock.at = answer["at"] + timedelta(minutes=5)
            token = self.ratings.token_for("answer", answer["id"])
            self.ratings.rate(token, level, aspects, words)

    def tickets(self) -> dict[str, str]:
        agent, opened = self.member("agent"), ""
        for question, end, words in HANDED_OVER:
            answer = self.answers[question]
            self.clock.at = answer["at"] + timedelta(minutes=8)
            ticket, _ = self.handovers.open(
                answer["conversation"], consent=True, answer=answer["id"], note="" if end else words
            )
            if not end:
                continue
            self.clock.at += timedelta(minutes=17)
            self.handovers.claim(agent, ticket["id"])
            self.handovers.reply(agent, ticket["id"], "您好，我是普陀区公共法律服务的工作人员。")
            self.handovers.note(agent, ticket["id"], "已核对材料清单。")
            if end == "claimed":
                opened = ticket["id"]
                self.handovers.citizen_says(answer["conversation"], "好的，我手里有事故认定书。")
                continue
            self.clock.at += timedelta(minutes=25)
            to = (
                Referral("区市场监督管理局", "12315", passed_on=True) if end == "referred" else None
            )
            self.handovers.close(agent, ticket["id"], outcome=end, summary=words, referral=to)
        return {"desk_ticket": f"/console/desk/{opened}?view=all&purpose=supervise"}

    def rating_ticket(self) -> dict[str, str]:
        queue = self.staff("supervisor", "GET", "/rating-tickets")
        return {"rating": f"/console/ratings/{queue['tickets'][0]['id']}"}

    def curation(self) -> dict[str, str]:
        """A draft in review, one being written, a published item, and a file that was read."""
        listed = {"kind": "faq", "limit": 40}
        items = [
            whole
            for item in self.staff("curator", "GET", "/knowledge", params=listed)["documents"]
            if (whole := self.staff("curator", "GET", f"/knowledge/documents/{item['id']}"))
            and whole["published"]
            and whole["newest"] == whole["published"]["id"]  # left alone by every story
            and not whole["asides"]
        ]
        for number, item in enumerate(items[:2]):
            published = item["published"]
            body = published["body"] | {"notices": ["请保存好收到的决定书和凭证的原件。"]}
            del body["title"]  # of a question, its own words
            saved = self.staff(
                "curator",
                "POST",
                "/knowledge",
                json={
                    "document": item["id"],
                    "kind": "faq",
                    "body": body,
                    "base": published["id"],
                    "note": "市民常问要保存什么证据",
                },
            )
            if number == 0:
                submitted = f"/knowledge/revisions/{saved['id']}/submit"
                self.staff("curator", "POST", submitted, json={"note": "请看提醒写得对不对"})
        file = ("便民通知.md", _PAPER.encode(), "text/markdown")
        read = self.staff("curator", "POST", "/imports", files={"file": file})
        return {
            "item": f"/console/knowledge/{items[0]['id']}",
            "edit": f"/console/knowledge/{items[1]['id']}/edit",
            "import": f"/console/imports/{read['id']}",
        }

    def questions(self) -> dict[str, str]:
        kept = self.staff(
            "curator", "POST", "/sets", json={"name": "十二月常问", "description": ""}
        )
        lines = "公司拖欠三个月工资怎么办\n离婚冷静期是多久\n小区车位被别人的车堵住了怎么办"
        self.staff("curator", "POST", f"/sets/{kept['id']}/questions", json={"lines": lines})
        run = self.staff("curator", "POST", f"/sets/{kept['id']}/runs")
        return {"set": f"/console/sets/{kept['id']}", "run": f"/console/sets/runs/{_id_of(run)}"}

    def reviews(self) -> dict[str, str]:
        wrong = self.answers["小区车位被别人的车堵住了怎么办"]["id"]
        judged = self.staff(
            "supervisor",
            "POST",
            f"/answers/{wrong}/reviews",
            json={
                "verdict": "wrong",
                "comment": "问的是车位被堵，应当先说找物业和 12345，再说相邻权利。",
                "follow_up": "new_faq",
            },
        )
        good = self.answers["加班费怎么算"]["id"]
        for role in ("supervisor", "reviewer"):
            self.staff(role, "POST", f"/answers/{good}/reviews", json={"verdict": "correct"})
        shown = f"/console/conversations/{wrong}?purpose=review&answer={wrong}"
        return {
            "review": f"/console/reviews/{judged['id']}",
            "purpose": f"/console/conversations/{wrong}",
            "conversation": shown,
        }

    def supervision(self) -> None:
        day = datetime.now(UTC).date()
        notice = {
            "text": "真如镇街道的窗口本周五下午临时关门，急事请拨打 12348。",
            "starts_at": f"{day}T00:00",
            "ends_at": f"{day + timedelta(days=5)}T18:00",
        }
        self.staff("supervisor", "POST", "/notices", json=notice)
        for off, why in ((True, "等法规科核对新的停车规定"), (False, "已核对，没有变化")):
            switch = {"kind": "topic", "key": "交通事故", "off": off, "comment": why}
            self.staff("supervisor", "POST", "/switches", json=switch)


def _on(days: int, hour: float) -> datetime:
    """So many days ago, at that hour in Shanghai."""
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    return midnight + timedelta(hours=hour - 8)


def _id_of(run: dict[str, Any]) -> str:
    found: str = run["id"]
    return found


_PAPER = """# 关于普陀区便民法律服务时间调整的通知

普司发〔2026〕88号

各街道、镇公共法律服务工作站：

一、自2026年12月1日起，各工作站周六上午九时至十一时三十分安排人民调解员值班。

二、市民咨询劳动争议的，先告知申请仲裁的时效期间为一年。

上海市普陀区司法局

2026年11月20日
"""

if __name__ == "__main__":
    with closing(Rooms(Settings())) as opened, closing(Seed(sys.argv[1], opened)) as seed:
        for name, path in seed.all().items():
            sys.stdout.write(f"{name} {path}\n")
