"""Where a name can begin and a longer one must: the words that can be no part of a law's name.

Chinese has no spaces, so that 根据劳动法 and 家庭教育法 look alike. What tells them apart is the
word before the known name, cut by jieba: 根据 belongs to no name, 家庭 does.
"""

from __future__ import annotations

import re
from functools import lru_cache

from knowledge.statutes import NUMERAL
from knowledge.text import words

_STATES = (
    "美国|英国|日本|韩国|朝鲜|德国|法国|意大利|瑞士|瑞典|挪威|芬兰|丹麦|荷兰"
    "|比利时|奥地利|西班牙|葡萄牙|希腊|波兰|捷克|匈牙利|爱尔兰|俄罗斯|苏联|乌克兰"
    "|白俄罗斯|土耳其|以色列|伊朗|伊拉克|印度|巴基斯坦|孟加拉国|斯里兰卡|尼泊尔"
    "|泰国|越南|老挝|柬埔寨|缅甸|马来西亚|新加坡|印度尼西亚|印尼|菲律宾|蒙古国"
    "|哈萨克斯坦|加拿大|墨西哥|巴西|阿根廷|智利|秘鲁|古巴|澳大利亚|新西兰|埃及"
    "|南非|尼日利亚|肯尼亚|埃塞俄比亚|沙特阿拉伯|沙特|阿联酋|卡塔尔|梵蒂冈|冰岛"
    "|卢森堡|罗马尼亚|保加利亚|塞尔维亚|克罗地亚|香港|澳门|台湾|欧盟|欧洲|联合国"
    "|国际|罗马|拿破仑|清朝|大清|中华民国|民国|国民政府|伪满"
)
_STATE = r"(?!中国)[\u4e00-\u9fff]{2,8}?(?:(?<!中华人民)共和国|合众国|王国|联邦|民国)"
ELSEWHERE = re.compile(rf"(?:{_STATES}|{_STATE})(?:地区|特区)?")
_STATE_AT_END = re.compile(rf"(?:{_STATES})$")
_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西"
    "|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|内蒙古|广西"
    "|西藏|宁夏|新疆|深圳|广州|杭州|南京|苏州|普陀|黄浦|徐汇|长宁|静安|虹口"
    "|杨浦|闵行|宝山|嘉定|浦东新?|金山|松江|青浦|奉贤|崇明"
)
LOCAL = re.compile(rf"(?:{_PROVINCES})(?:省|市|区|自治区)?")
_LOCAL_AT_END = re.compile(rf"{LOCAL.pattern}$")

STRONG = "法典|法|条例|解释|修正案|实施细则|细则"
WEAK = "规定|办法|意见|批复|决定|规则|通知|纪要|准则|公约|议定书|章程"  # ordinary words too
LAWLIKE = re.compile(rf"(?:{WEAK}|{STRONG})(?:[（(][^（）()]{{1,12}}[)）]|[{NUMERAL}]{{1,3}})?$")
_PRIVATE = (
    "合同|合同书|协议|协议书|章程|手册|规约|公约|守则|判决|判决书|裁定|裁定书"
    "|调解书|裁决书|决定书|通知|通知书|保单|条款|制度|承诺书|告知书|借条|欠条"
    "|遗嘱"
)
PRIVATE = re.compile(rf"(?:{_PRIVATE})$")

# Function words and verbs of citing. A verb that names of laws use (实施, 使用, 发布) is none.
_SINGLE = frozenset(
    "而先我你您他她它谁这那某在于从由向到对把被将让叫按依据照是为有没无的地得了着过也都还又再就"
    "才只很但若因吗呢吧啊呀嘛看问查说讲写见引想要能会可该应请找给新旧原老里凭靠用违犯告如即至"
)
_CITING = (
    "根据|那么|到底|究竟|依据|依照|按照|遵照|参照|参考|参见|详见|适用|援引|引用|违反|触犯|符合"
    "|遵守|规定|规定在|属于|构成|关于|对于|至于|基于|并且|还有|但是|可是|因为"
    "|所以|如果|虽然|请问|想问|问问|问下|一下|告诉|知道|听说|看到|看看|查查"
    "|查询|咨询|我们|你们|您们|他们|她们|咱们|咱|大家|自己|人家|这个|那个|这部"
    "|那部|哪部|哪个|什么|怎么|怎样|为何|为什么|如何|是否|是不是|有没有|能不能"
    "|可以|能够|应该|应当|必须|需要|不能|不是|没有|就是|还是|而是|也是|都是"
    "|只有|说是|写着|包括|比如|例如|譬如|现行|最新|现在|目前|今年|去年|当时"
    "|后来|然后|另外|此外|另|另见|又|同时|其中|我国|中国|修订后|修正后|修改后"
    "|修改|新版|旧版|原来|看了|帮我|给我|告诉我|视为|认为|修订|制定|颁布|出台"
    "|废止|取代|存在|作为|涉嫌|涉及|适用于|遵循|援用|套用|出自|来自|见于|受到"
    "|经过|除了|不同于|区别于|相当于|之前|之后|以前|以后|期间|落实|贯彻|学过"
    "|背过|读过|看过|通过|依|引|凭|靠|拿|翻|翻开|打开|之|被|以|其|及其|第"
    "|等"
)
# Who or what a layman names right before a law, without a word between: 超市消法第二十五条.
_LAY = re.compile(
    r"(?:小区|超市|商场|公司|单位|学校|医院|法院|派出所|银行|物业|中介|老板|房东|房客|邻居|老公|老婆|孩子"
    r"|父母|律师|警察|法官|家里|厂里|店里|村里|离婚|结婚|同居|离职|辞职|工伤|欠钱|借钱|欠款|租房|买房|退房"
    r"|网购|抚养|继承|彩礼|遗产|财产|押金|工资|加班费|房租|物业费|赔偿|补偿)$"
)
_FUNCTION = frozenset(_CITING.split("|")) | _SINGLE | {"中华人民共和国"}
# 用水法 is no 水法 and 新能源法 no 能源法: some function words also begin words of names.
_WHOLE = ("用水", "新能源")
_MEASURE = re.compile(rf"[0-9{NUMERAL}几](?:年|个?月|天|日|周?岁|[万元块次]|个人?)$")  # 工作12年
_LONG_FUNCTION = tuple(w for w in _FUNCTION if len(w) > 1)
_AND = ("以及", "或者", "和", "与", "及", "或", "跟", "同")
_CRIME = re.compile(r"(?<!犯)罪$")  # 诈骗罪刑法第八十条: nobody calls a law so

_METHODS = frozenset(
    "方办想看说做用语书司立执守依违合非无没设疗魔枪技手打算写叫戏兵佛国王家军文句章心乘玩"
)


def may_precede(before: str, following: str) -> bool:
    """Whether a name can begin with `following` when `before` stands right before it."""
    if not before or before[-1].isascii():
        return True
    if _LOCAL_AT_END.search(before) or _CRIME.search(before) or _MEASURE.search(before):
        return True
    if before.endswith(_LONG_FUNCTION):
        return True
    word = _last_word(before)
    if word not in _AND:
        return _is_function(word, following[:4])
    # 网络和数据安全法 would be one name; 刑法和民法典 are two.
    rest = before[: -len(word)]
    ended = not rest or LAWLIKE.search(rest) or PRIVATE.search(rest)
    return bool(ended) or _is_function(_last_word(rest), word)


def start_of_unknown(text: str, begin: int, start: int) -> int:
    """Where an unknown name begins whose last part begins at `start`: behind the nearest word that
    cannot be part of a name, but not before `begin`."""
    latin = re.search(r"[A-Za-z0-9]+$", text[begin:start])
    start -= len(latin[0]) if latin else 0  # 反996法
    while start > begin:
        before = text[begin:start]
        if before.endswith("中华人民共和国"):
            return start - 7
        word = _last_word(before)
        function = next((w for w in _LONG_FUNCTION if before.endswith(w)), "")
        if before[-1].isascii() or len(function) >= len(word):
            return start
        if _is_function(word, text[start : start + 4]):
            return start
        if word in _AND and (before == word or LAWLIKE.search(before[: -len(word)])):
            return start
        start -= len(word)
    return start


def lay_word_before(before: str) -> bool:
    """Whether `before` ends in a word of daily life that a law with a name of its own, such as
    民法典, never has before it."""
    return _LAY.search(before) is not None or _last_word(before) in _SINGLE


def ends_in_method(name: str) -> bool:
    """Whether 法 is no law there: 计算方法, 几个想法; but 地方法 and 建设法 would be laws."""
    return name[-2:-1] in _METHODS and len(_last_word(name[:-1])) == 1


def elsewhere_at_end(before: str) -> int | None:
    """Where a foreign state begins that ends `before`, or None."""
    if not any(match.end() == len(before) for match in ELSEWHERE.finditer(before)):
        return None
    state = _STATE_AT_END.search(before)
    return state.start() if state else start_of_unknown(before, 0, len(before))


def _is_function(word: str, following: str) -> bool:
    """Whether a word can be no part of a name that goes on with `following`."""
    if len(word) > 1:
        return word in _FUNCTION or all(c in _SINGLE for c in word)
    return word in _SINGLE and not (word + following).startswith(_WHOLE)


def _last_word(before: str) -> str:
    return _last_of(before[-12:])


@lru_cache(maxsize=4096)
def _last_of(before: str) -> str:
    found = [w for w in words(before) if before.endswith(w)]
    return max(found, key=len) if found else before[-1]
