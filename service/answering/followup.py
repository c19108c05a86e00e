"""A question that leans on an earlier one (那要多少钱呢, 他不给呢), understood by rule and memory.

What is short and has no matter of its own is searched for together with the question it belongs
to; what may stand alone is tried alone first (`InContext`). What was searched for is in the trace
and shown to staff.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from knowledge import text
from service.answering import wording
from service.answering.cards import Cards, fact
from service.answering.choices import Choice, choose
from service.answering.confidence import Calibration
from service.answering.draft import Draft, Outcome, Step, Turn

_LONGEST = 40  # characters; a longer text tells its own story
_SHORT = 12  # characters; as short as this it may lean on what came before without saying so
_CONTENT_OF_ITS_OWN = 3  # characters of matter, from which a question may stand alone
_A_MATTER = 2  # characters: 房子呢, 彩礼呢
_ROOT_KEPT = 160  # characters of the earlier question that go before this one

_PUNCTUATION = re.compile(r"[\s,，.。!！?？~～、;；:：…·“”\"'()（）]+")
# It begins by going on, or speaks of someone who was named before.
_GOES_ON = re.compile(
    r"^(?:那|哪(?=如果|要是)|那么|如果|要是|假如|假设|万一|还有|另外|可是|但是?|而且|然后|所以|因为|"
    r"这|它|他|她|对方|人家|伊|佢|上面|刚才|刚刚说|你说的?|您说的?|不行|是不是|就是说|也就是|"
    r"不然|否则|除了|包括|不包括|为什么|为啥|凭什么|真的|比如|能不能|可不可以|可以|一定要|必须)"
)
_SOMEONE = re.compile(r"^(?:那|要是|如果|可是|但是?)?(?:他|她|它|对方|人家|伊|佢)")
_TRAILS = re.compile(r"(?:呢|咋办呢|咋整|哪能办|点算)$")
# Words that ask for a side of the matter and say nothing of the matter itself.
_FACETS = {
    "fee": r"(?:要|需要|得|大概|大约|一共|总共|会)*(?:花|收|交|付|出)?(?:多少钱|几钿|几多钱|几块钱)"
    r"|收费|费用|价格|贵不贵|免费|要钱|收钱|花钱|不要钱|钱吗|多少费用",
    "where": r"在?(?:哪里|哪儿|哪边|啥地方|什么地方|边度|哪家|哪个窗口|哪个部门|什么部门)"
    r"|地址|位置|怎么走|怎么去|路线|去哪|到哪|找谁|找哪|向谁|跟谁",
    "phone": r"电话|号码|联系方式|怎么联系|打几号",
    "hours": r"几点|上班|下班|开门|关门|营业|周末|(?:星期|周)[一二三四五六日天]|中午|午休"
    r"|什么时间开|开放时间|办公时间|今天开|明天开",
    "materials": r"材料|资料|证件|带(?:什么|啥|哪些)|准备(?:什么|啥|哪些)|要带|要准备|手续"
    r"|身份证|户口本|证明",
    "online": r"网上|线上|手机上?|网办|不去现场|不用跑|小程序|随申办|一网通办|app",
    "deadline": r"多久|多长时间|几天|几个月|什么时候能?|啥时候|几时|时限|期限|要等|来得及|有效期"
    r"|最晚|截止",
    "how": r"怎么(?:办理?|申请|弄|做|搞|走|写|去|操作|样)?|如何|咋(?:办|弄|整)?|哪能办|流程|步骤"
    r"|程序|条件|要求|什么人|谁可以|谁能",
}
_FACET = {name: re.compile(pattern, re.I) for name, pattern in _FACETS.items()}
_OF_CARDS = ("fee", "where", "phone", "hours", "materials", "online", "deadline")
_FUNCTION_WORDS = re.compile(
    r"那么?|如果|要是|假如|假设|万一|还有|另外|可是|但是?|而且|然后|所以|这个?|这种|它|他们?|她们?|对方|人家"
    r"|我们?|您|你们?|伊|佢|的话|的|了|呢|吗|吧|啊|呀|嘛|么|哦|噢|呗|是|有|没有?|不|能|可以|可不可以"
    r"|能不能|会|要|需要|得|应该|必须|一定|想|去|来|到|在|给|让|被|把|跟|和|对|向|从|就|都|也|还|又|再"
    r"|只|才|很|太|真|什么|啥|哪些?|哪个|谁|多少|几|怎样|为什么|为啥|请问|请|麻烦|一下|一般|大概|大约"
    r"|具体|到底|现在|办理?|申请|做|弄|搞|行|好|里|上|下|个|些|种|次|份|件|钱"
)


def own_matter(query: str) -> str:
    """What a question says of its matter, without function words and the side it asks for."""
    words = _PUNCTUATION.sub("", query)
    for pattern in _FACET.values():
        words = pattern.sub("", words)
    return _FUNCTION_WORDS.sub("", words)


def facet(query: str) -> str | None:
    """Which side of a matter is asked for (fee, where, materials …), or None."""
    words = _PUNCTUATION.sub("", query)
    return next((name for name in _FACET if _FACET[name].search(words)), None)


class FollowUp:
    """Read the question in the light of the one before it."""

    def __call__(self, draft: Draft) -> None:
        last = draft.history[-1] if draft.history else None
        if last is None:
            return
        picked = choose(draft.query, [Choice(o, o) for o in last.clarify], near=False)
        if picked:
            draft.query = picked[0]
            return
        words = _PUNCTUATION.sub("", draft.query)
        if len(words) > _LONGEST or words.isdigit() or words in _PUNCTUATION.sub("", last.root):
            return
        matter = own_matter(draft.query)
        goes_on = bool(_GOES_ON.search(words) or _TRAILS.search(words))
        if not last.root or (len(words) > _SHORT and not goes_on):
            return
        # With a matter of its own, the earlier question may only say what field it is in.
        own = len(matter) >= _A_MATTER and not _SOMEONE.search(words)
        befores = [text.gist(last.root), last.root] if own else [last.root]
        draft.in_context = tuple(f"{b[:_ROOT_KEPT]}，{draft.query}" for b in dict.fromkeys(befores))
        if len(matter) < _CONTENT_OF_ITS_OWN and (goes_on or len(words) > len(matter)):
            draft.query, *rest = draft.in_context
            draft.in_context = tuple(rest)
            draft.trace["root"] = last.root


class SideOfMatter:
    """那要多少钱呢 after an answer with cards is answered from those cards."""

    def __init__(self, cards: Cards, clock: Callable[[], date]) -> None:
        self._cards, self._clock = cards, clock

    def __call__(self, draft: Draft) -> None:
        last = draft.history[-1] if draft.history else None
        if last is None or "root" not in draft.trace or own_matter(draft.question):
            return
        side = facet(draft.question)
        if side not in _OF_CARDS:
            return
        lines = []
        for document_id in last.documents:
            source = self._cards.source(document_id, self._clock())
            if document_id in draft.off.documents:
                continue
            said = side_of(source.revision.body, side) if source else None
            if source and said:
                lines.append(f"{source.document.title}：{said}")
                draft.steps.append(self._cards.to_step(source))
        if lines:
            draft.confidence = 1.0
            draft.topic = last.topic
            lead = wording.SIDE_OF_MATTER.format(side=wording.SIDES[side])
            draft.settle(Outcome.ANSWERED_SERVICE, "\n".join([lead, *lines]))


def side_of(body: dict[str, object], side: str) -> str | None:
    """What a card says of one side of its matter; None when it says nothing."""
    if side == "materials":
        materials = body.get("materials")
        return "；".join(map(str, materials)) if isinstance(materials, list) else None
    return fact(body, side)


class InContext:
    """What may stand alone is searched for in its context when alone it was not found."""

    def __init__(self, search: Step, calibration: Calibration) -> None:
        self._search, self._calibration = search, calibration

    def __call__(self, draft: Draft) -> None:
        leans = "root" in draft.trace  # on what came before, as `FollowUp` saw at once
        if draft.in_context and not leans and self._found(draft):
            last = draft.history[-1]
            if draft.topic == last.topic:
                draft.trace["root"] = f"{text.gist(last.root)}，{draft.query}"
            return
        for query in (*draft.in_context, *draft.hints.readings):
            if self._found(draft):
                break
            leans, draft.query = True, query
            draft.trace["root"] = draft.history[-1].root
            self._search(draft)
        if leans:
            draft.notices.append(wording.UNDERSTOOD.format(query=draft.query))

    def _found(self, draft: Draft) -> bool:
        p, floors = self._calibration.of(draft), self._calibration.floors
        return p.legal >= floors.legal and (p.guidance >= floors.guidance or p.law >= floors.law)


def rounds_of_clarifying(history: tuple[Turn, ...]) -> int:
    """How many times in a row the citizen was just asked back."""
    count = 0
    for turn in reversed(history):
        if not turn.outcome.startswith("clarify_"):
            break
        count += 1
    return count
