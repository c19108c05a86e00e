"""What is decided before any search: danger, a wish for a person, harm, and plain talk.

Rules over normalised text, so they work when index and models are down. A question that only talks
about danger (保险公司赔不赔自杀) is law, not an emergency: it is recognised by its legal question.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from knowledge import text
from service import privacy
from service.answering import wording
from service.answering.draft import Draft, Handover, Outcome, Target

Targets = Callable[[tuple[str, ...]], tuple[Target, ...]]

_ME = r"(?:我|俺|本人|我们|咱)"
_NOW = r"(?:正在|正|现在|马上|刚刚|刚才|刚|又|一直在|此刻|今晚|这会儿|救命|快)"
_URGENT_RULES: tuple[tuple[str, str], ...] = (
    (
        "self_harm",
        rf"{_ME}?.{{0,8}}(?:不想活|想死(?!亡)|活不下去|活着没意思|活够了|想自杀|要自杀|去自杀|准备自杀|想自残|想跳楼|要跳楼|去跳楼"
        r"|想割腕|割腕了|想轻生|要轻生|结束(?:自己的?|我的)?生命|了结自己|死了算了|不如死了|一死了之|想不开了|吃了?(?:好多|很多|一瓶)安眠药|写好?遗书)",
    ),
    (
        "minor",
        r"(?:孩子|小孩|女儿|儿子|未成年|学生|小朋友|幼儿|(?:\d|十|[一二三四五六七八九])岁).{0,14}"
        r"(?:被.{0,8}(?:性侵|猥亵|强奸|侵犯|摸下体|虐待|毒打|打得|拐走|绑架)|遭.{0,6}(?:性侵|猥亵|虐待))"
        r"|(?:性侵|猥亵|强奸|虐待|拐卖).{0,4}(?:我|他|她|人家)?的?(?:孩子|小孩|女儿|儿子|未成年)",
    ),
    (
        "medical_fire",
        r"(?:着火了|失火了|起火了|煤气泄漏|燃气泄漏|天然气泄漏|煤气中毒|昏迷不醒|没有?呼吸了|大出血|流了?(?:好多|很多)血|喝了?农药|触电了|溺水了)"
        r"(?!.{0,12}(?:赔偿|责任|怎么赔|赔不赔|谁赔|怎么判|罪))",
    ),
    (
        "fraud_now",
        r"(?:刚刚?|刚才|今天|现在|正在|马上).{0,14}(?:骗|诈骗|冒充|公检法|假客服|刷单).{0,10}(?:转|汇|打款|付了|钱)"
        r"|(?:刚刚?|刚才|今天|现在|正在|马上).{0,10}(?:转了|转账|转过去|转出|汇款|汇了).{0,16}(?:骗|诈骗|假的|公检法|刷单)"
        r"|(?:对方|客服|警察|公安).{0,8}让我(?:马上|现在|赶紧)?.{0,6}转(?:账|钱|到安全账户)",
    ),
    (
        "violence",
        rf"{_NOW}.{{0,12}}(?:打我|打人|打她|打他|打妈妈|砸门|家暴|动刀|拿刀|掐我|踹我|要杀|砍)"
        r"|(?:打我|打得我|掐我脖子|拿刀).{0,10}(?:救命|救我|怎么办|很怕|害怕|流血|受不了|报警)"
        rf"|(?:老公|老婆|丈夫|妻子|男友|男朋友|女友|前夫|前男友|爸爸?|父亲|公公|婆婆|儿子|家里人?).{{0,8}}(?:打我|打了我|家暴我?|殴打我|掐我|打我妈|打我孩子)"
        r"|被.{0,6}(?:老公|老婆|丈夫|妻子|男友|男朋友|前夫|前男友|家里人?).{0,4}(?:打|家暴|殴打|囚禁|关在)",
    ),
    (
        "threat",
        r"(?:扬言|威胁说?|说)要?.{0,6}(?:杀我|杀了我|杀我全家|弄死我|砍死?我|砍我|捅死?我|泼硫酸|烧死)"
        r"|(?:被(?:非法)?(?:拘禁|囚禁|绑架|关起来不让走)|不让我(?:离开|出门).{0,6}(?:关|锁))"
        r"|(?:我(?:要|想|准备)|我今天就).{0,6}(?:杀了?(?:他|她|我老公|我老婆|你|全家)|砍死(?:他|她)|报复社会|同归于尽|炸)",
    ),
    (
        "held",
        r"(?:刚|今天|昨天|昨晚|刚才|刚刚|今早|现在).{0,12}(?:被(?:警察|公安|派出所|民警)?.{0,4}(?:抓|带走|拘留|刑拘|传唤|关)(?:了|走|进|起)?)",
    ),
)
_COMPILED = tuple((name, re.compile(pattern)) for name, pattern in _URGENT_RULES)

# Talking about danger as law: insurance, limitation, punishment, theory, somebody in the news.
_ABOUT_LAW = re.compile(
    r"保险|理赔|赔不赔|骗保|追诉|诉讼?时效|判几年|判多少年|怎么判|量刑|构成什么罪|算不算|是不是犯罪|法条|条文|第.{1,9}条"
    r"|什么罪|立案标准|定义|司法解释|论文|考试|案例|新闻|电影|小说|电视剧|法律规定|如何认定|怎么认定|属于家暴吗|算家暴吗|去年|前年|多年前|几年前|小时候|以前"
)
# Speech about oneself, here and now, is danger whatever else is said.
_FIRST_PERSON_NOW = re.compile(
    rf"{_ME}.{{0,6}}(?:不想活|想死|活不下去|想自杀|要自杀|准备自杀|想跳楼|割腕了)|救命|正在打我"
)

_PERSON = re.compile(
    r"转人工|人工客服|人工服务|真人|找(?:个|位)?人工|接人工|要人工|人工咨询|人工坐席|找客服|我要找人(?:问|谈|聊)|能不能找个人|跟人说|和人说|我要投诉你|找工作人员"
)
_HARM = re.compile(
    r"(?:怎么|如何|怎样|教我|帮我|想|要).{0,10}"
    r"(?:伪造|造假|假造|做假|编造|补一张假|弄张假|办假).{0,10}(?:借条|欠条|合同|证据|证件|公章|印章|病历|发票|流水|签名|遗嘱|证明)"
    r"|(?:怎么|如何|怎样|帮我|想).{0,10}(?:销毁|毁掉|藏匿|隐匿).{0,6}(?:证据|账本)"
    r"|(?:怎么|如何|怎样|帮我|想).{0,12}转移.{0,6}财产.{0,12}(?:躲|逃|避|离婚|不被|发现|少分|执行)"
    r"|(?:怎么|如何|怎样|教我).{0,10}(?:报复|弄死|打残|整死|下毒|跟踪|偷拍|窃听|定位).{0,8}(?:他|她|前|邻居|老公|老婆|对方|不被)"
    r"|(?:怎么|如何|怎样).{0,8}(?:骗保|骗取|诈骗|逃税|偷税|洗钱|贩毒|制毒|买枪|造枪|行贿).{0,8}(?:不被|才能|成功|方法|教程|而不)"
)
_GREETING = re.compile(
    r"^(?:您好|你好|您好啊|你好啊|嗨|哈喽|hello|hi|在吗|在么|有人吗|早上好|下午好|晚上好|早安|喂)+$",
    re.I,
)
_WHO = re.compile(
    r"^(?:你|您)(?:是谁|叫什么|是什么|能做什么|会什么|能干什么|是机器人吗|是人吗|是真人吗|有什么功能|可以做什么|能帮我什么)"
)
_THANKS = re.compile(
    r"^(?:谢谢|多谢|感谢|谢了|好的|知道了|明白了|ok|再见|拜拜|没事了|辛苦了|收到)+(?:您|你|了|啊)?$",
    re.I,
)
_PUNCTUATION = re.compile(r"[\s,，.。!！?？~～、;；:：]+")


def urgent_kind(query: str) -> str | None:
    """Which danger a normalised question tells of, or None."""
    squeezed = _PUNCTUATION.sub("", query)
    if _ABOUT_LAW.search(squeezed) and not _FIRST_PERSON_NOW.search(squeezed):
        return None
    for kind, pattern in _COMPILED:
        if pattern.search(squeezed):
            return kind
    return None


class Mask:
    """Take personal data out, then normalise what is left."""

    def __call__(self, draft: Draft) -> None:
        masked = privacy.mask(text.normalise(draft.raw))
        draft.question, draft.masked = masked.text, masked.kinds
        draft.query = masked.text


class Urgent:
    """Fixed, reviewed texts for danger, with whom to call first."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def __call__(self, draft: Draft) -> None:
        kind = urgent_kind(draft.query)
        if kind is None:
            return
        words, hotlines = wording.URGENT[kind]
        draft.trace["urgent"] = kind
        draft.confidence = 1.0
        draft.handover = Handover("urgent", kind, self._targets(hotlines))
        draft.settle(Outcome.HANDOVER_URGENT, words)


class Requests:
    """A wish for a person, a wish to do harm, a greeting: answered without a search."""

    def __init__(self, targets: Targets, region_name: str) -> None:
        self._targets = targets
        self._region_name = region_name

    def __call__(self, draft: Draft) -> None:
        squeezed = _PUNCTUATION.sub("", draft.query)
        if _PERSON.search(squeezed):
            draft.confidence = 1.0
            draft.handover = Handover("person", "requested", self._targets(("hotline-12348",)))
            draft.step_ids = ["service-legal-aid-consult", "service-service-hall"]
            draft.settle(Outcome.HANDOVER_REQUESTED, wording.REQUESTED)
        elif _HARM.search(squeezed):
            draft.confidence = 1.0
            draft.handover = Handover("hotline", "harm", self._targets(("hotline-12348",)))
            draft.settle(Outcome.REFUSED_HARM, wording.REFUSED_HARM)
        elif _THANKS.match(squeezed):
            draft.settle(Outcome.ANSWERED_SMALLTALK, wording.THANKS)
        elif _GREETING.match(squeezed) or _WHO.match(squeezed):
            words = wording.SMALLTALK.format(region=self._region_name)
            draft.settle(Outcome.ANSWERED_SMALLTALK, words)
