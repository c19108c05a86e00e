"""Whom a topic leads to, and which place a question is about."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from knowledge.lifecycle import applies_in
from service.answering import wording
from service.answering.draft import Draft, Handover, Outcome, Targets

# Province-level divisions and the cities most asked about from Shanghai: GB/T 2260 codes.
_PLACES = {
    "北京": "110000", "天津": "120000", "河北": "130000", "山西": "140000", "内蒙古": "150000",
    "辽宁": "210000", "吉林": "220000", "黑龙江": "230000", "上海": "310000", "江苏": "320000",
    "浙江": "330000", "安徽": "340000", "福建": "350000", "江西": "360000", "山东": "370000",
    "河南": "410000", "湖北": "420000", "湖南": "430000", "广东": "440000", "广西": "450000",
    "海南": "460000", "重庆": "500000", "四川": "510000", "贵州": "520000", "云南": "530000",
    "西藏": "540000", "陕西": "610000", "甘肃": "620000", "青海": "630000", "宁夏": "640000",
    "新疆": "650000", "台湾": "710000", "香港": "810000", "澳门": "820000",
    "南京": "320100", "无锡": "320200", "徐州": "320300", "常州": "320400", "苏州": "320500",
    "南通": "320600", "扬州": "321000",
    "昆山": "320583", "常熟": "320581", "张家港": "320582",
    "杭州": "330100", "宁波": "330200", "温州": "330300",
    "嘉兴": "330400", "合肥": "340100", "福州": "350100", "厦门": "350200", "南昌": "360100",
    "济南": "370100", "青岛": "370200", "郑州": "410100", "武汉": "420100", "长沙": "430100",
    "广州": "440100", "深圳": "440300", "东莞": "441900", "成都": "510100", "西安": "610100",
    "沈阳": "210100", "大连": "210200", "哈尔滨": "230100", "昆明": "530100", "贵阳": "520100",
    "黄浦区": "310101", "徐汇区": "310104", "长宁区": "310105", "静安区": "310106",
    "普陀区": "310107", "虹口区": "310109", "杨浦区": "310110", "闵行区": "310112",
    "宝山区": "310113", "嘉定区": "310114", "浦东": "310115", "金山区": "310116",
    "松江区": "310117", "青浦区": "310118", "奉贤区": "310120", "崇明": "310151",
}  # fmt: skip
_NOT_PLACES = re.compile(
    r"上海银行|(?:北京|南京|南京西|南京东|青海|西藏|四川|浙江|广东|江苏|香港|澳门|长沙)路"
)
_PLACE = re.compile("|".join(sorted(_PLACES, key=len, reverse=True)))


@cache
def routes() -> dict[str, dict[str, list[str]]]:
    """Topic → next steps and hotlines."""
    text = (files("service.answering") / "routing.yaml").read_text("utf-8")
    loaded: dict[str, dict[str, list[str]]] = yaml.load(text, Loader=yaml.CSafeLoader)
    return loaded


# What a place decides for itself: where, when, how much, by which rules.
_LOCAL = re.compile(
    r"在哪|哪里(?!有)|地址|电话|几点|上班|开门|周[六日末]|怎么走|预约|标准|多少钱|收费|最低工资|公积金|补贴|政策"
    r"|几多|积分|落户|社保基数"
)
_OTHER_LAW = ("71", "81", "82")  # 台湾, 香港, 澳门: another law altogether


_SOMEWHERE_ELSE = re.compile(
    r"老家|外地|外省|乡下|农村(?:老家|户口)|我们(?:县|村|镇|乡|那边|那里)(?!民|务)|家乡|外市|别的(?:城市|省)"
)
_REPLY = 25  # characters; a longer text is a new question


class Region:
    """A question about another place: national law is the same there, our windows are not, and
    what a place decides for itself is not answered from here. Where the answer depends on the
    place and it is not named, the citizen is asked once."""

    def __init__(self, home: str, home_name: str, targets: Targets) -> None:
        self._home, self._home_name, self._targets = home, home_name, targets

    def __call__(self, draft: Draft) -> None:
        named = _PLACE.findall(_NOT_PLACES.sub("", draft.query))
        asked = _question_that_asked(draft)
        if asked and len(draft.query) <= _REPLY:
            self._take_reply(draft, asked, named)
        elif named and not any(applies_in(_PLACES[n], self._home) for n in named):
            self._elsewhere(draft, named[0], _PLACES[named[0]])
        elif not named and not asked and _SOMEWHERE_ELSE.search(draft.query):
            self._ask(draft)

    def _ask(self, draft: Draft) -> None:
        if not _LOCAL.search(draft.query) or any(
            t.outcome == Outcome.CLARIFY_REGION for t in draft.history
        ):
            return
        draft.confidence = 1.0
        draft.clarify = [wording.HERE, wording.ELSEWHERE]
        draft.settle(Outcome.CLARIFY_REGION, wording.CLARIFY_REGION)

    def _take_reply(self, draft: Draft, asked: str, named: list[str]) -> None:
        """The place that was asked for; anything else is a question of its own."""
        if named and any(applies_in(_PLACES[n], self._home) for n in named):
            draft.query = asked
        elif named:
            draft.query = asked
            self._elsewhere(draft, named[0], _PLACES[named[0]])
        elif wording.ELSEWHERE in draft.query or _SOMEWHERE_ELSE.search(draft.query):
            draft.query = asked
            words = wording.SOMEWHERE_ELSE.format(here=self._home_name)
            self._send_there(draft, words)
        draft.trace["asked_for_place"] = asked

    def _elsewhere(self, draft: Draft, place: str, code: str) -> None:
        draft.region = code
        draft.trace["place"] = place
        if code.startswith(_OTHER_LAW) or _LOCAL.search(draft.query):
            words = wording.OTHER_REGION_ASKED.format(place=place, here=self._home_name)
            self._send_there(draft, words)
        else:
            draft.notices.append(wording.OTHER_REGION.format(place=place, here=self._home_name))

    def _send_there(self, draft: Draft, words: str) -> None:
        targets = self._targets(("hotline-12348", "hotline-12345"))
        draft.confidence = 1.0
        draft.handover = Handover("hotline", wording.REASONS["other_region"], targets)
        draft.settle(Outcome.UNANSWERABLE_OTHER_REGION, words)


def _question_that_asked(draft: Draft) -> str | None:
    """The question before this one, if it was answered by asking for the place."""
    last = draft.history[-1] if draft.history else None
    return last.root if last and last.outcome == Outcome.CLARIFY_REGION else None


def route_of(topic: str | None) -> dict[str, Any]:
    """Next steps and hotlines of a topic; the general ones when there is none."""
    return routes().get(topic or "", {"steps": [], "hotlines": ["hotline-12348"]})
