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
    loaded: dict[str, dict[str, list[str]]] = yaml.safe_load(text)
    return loaded


# What a place decides for itself: where, when, how much, by which rules.
_LOCAL = re.compile(
    r"在哪|哪里(?!有)|地址|电话|几点|上班|开门|周[六日末]|怎么走|预约|标准|多少钱|收费|最低工资|公积金|补贴|政策"
    r"|几多|积分|落户|社保基数"
)
_OTHER_LAW = ("71", "81", "82")  # 台湾, 香港, 澳门: another law altogether


class Region:
    """A question about another place: national law is the same there, our windows are not, and
    what a place decides for itself is not answered from here."""

    def __init__(self, home: str, home_name: str, targets: Targets) -> None:
        self._home, self._home_name, self._targets = home, home_name, targets

    def __call__(self, draft: Draft) -> None:
        named = _PLACE.findall(_NOT_PLACES.sub("", draft.query))
        codes = [_PLACES[n] for n in named]
        if not named or any(applies_in(code, self._home) for code in codes):
            return
        draft.region = codes[0]
        draft.trace["place"] = named[0]
        if codes[0].startswith(_OTHER_LAW) or _LOCAL.search(draft.query):
            words = wording.OTHER_REGION_ASKED.format(place=named[0], here=self._home_name)
            targets = self._targets(("hotline-12348", "hotline-12345"))
            draft.confidence = 1.0
            draft.handover = Handover("hotline", wording.REASONS["other_region"], targets)
            draft.settle(Outcome.UNANSWERABLE_OTHER_REGION, words)
        else:
            draft.notices.append(wording.OTHER_REGION.format(place=named[0], here=self._home_name))


def route_of(topic: str | None) -> dict[str, Any]:
    """Next steps and hotlines of a topic; the general ones when there is none."""
    return routes().get(topic or "", {"steps": [], "hotlines": ["hotline-12348"]})
