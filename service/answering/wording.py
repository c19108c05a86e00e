"""Every fixed text a citizen can get, in one place, for a lawyer to review in one sitting."""

from __future__ import annotations

from service.answering.draft import Outcome

VERSION = "2026-12-01.2"

UNVERIFIED = "（未核实，请先致电核实）"
UNKNOWN = "暂无核实的信息，请致电{whom}询问"

SMALLTALK = (
    "您好，我是{region}公共法律咨询助手，可以帮您：查现行法律条文，了解法律援助、公证、调解、"
    "司法鉴定、行政复议等公共法律服务怎么办、找谁办。请用一两句话说说您遇到的事。\n"
    "我是自动信息服务，不是律师；需要和人谈，请拨打12348公共法律服务热线。"
)
THANKS = "不客气。之后还有问题可以接着问；情况复杂或着急的，请拨打12348公共法律服务热线。"

OFF_TOPIC = (
    "这个问题不在我能回答的范围里。我只回答法律和公共法律服务方面的问题，"
    "比如欠薪、离婚、租房、遗产、法律援助怎么申请。"
)
UNSURE = (
    "这个问题我没有把握，不敢随便给您引用法条。建议您直接问人：拨打下面的电话，"
    "或者换个说法，把谁、什么时候、发生了什么写清楚，再问我一次。"
)
RELATED = "您想问的如果是下面这些，点一下就能看到整理好的回答。"
NO_SOURCE = "找到的内容没有通过核对，我不能拿它来回答您。请拨打下面的电话问人。"
CHANNEL_OFF = (
    "助手在这里暂停回答，工作人员已经知道。现在请直接问人：拨打下面的电话，"
    "或者到公共法律服务窗口当面咨询。有人身危险，请马上打110；有人受伤、需要急救，请打120。"
)
TOPIC_OFF = (
    "“{topic}”方面的内容正在核对，助手暂停回答这类问题。请直接问人：拨打下面的电话，"
    "或者到公共法律服务窗口当面咨询。"
)
SOURCE_OFF = (
    "{names}正在核对，助手暂停引用它的内容。请直接问人：拨打下面的电话，"
    "或者到公共法律服务窗口当面咨询。"
)
SOURCE_LEFT_OUT = "您提到的{names}正在核对，助手暂停引用它的内容，这个回答没有用到它。"
FAILED_SEARCH = "检索暂时出了问题，没能查到资料。请稍后再试；着急的，请直接拨打下面的电话。"

# Around what a language model wrote; the label is what the rules on marking such text demand.
MODEL_LABEL = (
    "以下文字由人工智能生成：依据附后的法条和审核过的资料写成，出处经程序逐句核对；"
    "以法条和资料原文为准，不是律师意见。"
)
MODEL_TAIL = "具体到您的情况怎么用，还要看证据和细节，可以拨打12348请律师帮您看。"
MODEL_OMITTED = "{name}还写明：“{text}”"
MODEL_MORE = "回答所依据的资料里还有其他条件和例外，请看附后的原文。"

LAW_LEAD = "和您的问题最相关的现行规定："
LAW_TAIL = "以上是原文，具体到您的情况怎么用，还要看证据和细节，可以拨打12348请律师帮您看。"
ARTICLE_LEAD = "现行条文如下："
SUCCESSOR = "取代它的现行规定是{names}，条文见下。"
CURRENT_LAW = "和您问的事有关的现行规定："
OTHER_REGION_ASKED = (
    "您问的是{place}的事，当地的地址、电话、标准和办法我没有核实过的资料，不能拿{here}的来回答您。"
    "请拨打当地的12348公共法律服务热线或12345政务服务热线询问。"
)
SOMEWHERE_ELSE = (
    "您说的事不在{here}，当地的地址、电话、标准和办法我没有核实过的资料，不能拿{here}的来回答您。"
    "请拨打当地的12348公共法律服务热线或12345政务服务热线询问。"
)
CLARIFY_REGION = "这件事各地的办法不一样。请问事情发生在（或者要在）哪里办？"
HERE, ELSEWHERE = "上海", "外地"
SIDE_OF_MATTER = "您问的是{side}。按刚才说到的几个去处："
SIDES = {
    "fee": "费用",
    "where": "地点",
    "phone": "电话",
    "hours": "时间",
    "materials": "要带的材料",
    "online": "网上怎么办",
    "deadline": "期限",
}
PRECHECK = "法律援助预检：看看我能不能申请"
UNDERSTOOD = (
    "我把您这句话和前面的合在一起，按“{query}”来查的。不是这个意思的话，请把事情完整写一遍。"
)
SAME_AGAIN = (
    "这和刚才是同一件事，能查到的办法和上面一样。已经试过、还是不行的，请打电话请人看下一步怎么走。"
)
STILL_VAGUE = "您的情况我还不清楚，先给您这类事通常的去处；也可以直接打下面的电话，把事情讲给人听。"
WITH_PERSON = "工作人员正在和您对话，您的话已经转给对方。助手先不作答，等工作人员回复。"
CLARIFY = "“{topic}”涉及的事情很多，您更想问下面哪一个？点一个，或者直接把事情写出来。"

REQUESTED = "好的，请通过下面的方式找人。打电话前，可以先把事情的时间、经过和手上的材料理一理。"
REFUSED_HARM = (
    "这件事我不能帮您做：它可能违法，也会让您自己承担责任。"
    "如果您是担心自己的权益，合法的办法是保留证据、协商调解、起诉或申请法律援助，我可以帮您了解这些。"
)

PAST_DATE = "按您指定的日期{day}查找当时有效的法律，不是今天的法律。"
LOWER_BOUND = "《{law}》这一版本的施行日期未能核实（只知道不早于{day}），引用当时的规定前请再核对。"
OTHER_REGION = (
    "您提到的是{place}。全国性法律在当地同样适用；但本助手的窗口、电话和办事信息只针对{here}，"
    "当地怎么办请拨打当地的12348或12345。"
)

REASONS = {
    "unsure": "没有足够把握，请问人。",
    "off_topic": "不归公共法律服务管，可以问这里。",
    "other_region": "外地的事，请问当地。",
    "requested": "您要求找人。",
    "harm": "想了解合法的办法，可以问这里。",
    "no_source": "找到的内容没有通过核对。",
    "same_again": "同一件事又问了一遍，可能需要人来看。",
    "failed": "系统暂时出了问题。",
    "switched_off": "助手暂停回答，请问人。",
}
URGENT_REASONS = {
    "self_harm": "您的生命安全最要紧。",
    "violence": "有人正在受到伤害或威胁。",
    "minor": "孩子、老人的安全最要紧。",
    "medical_fire": "先救人。",
    "fraud_now": "争取时间止付。",
    "threat": "先保证安全。",
    "held": "有人走不了、联系不上，或者被带走了。",
}
URGENT_STEPS = {
    "self_harm": (),
    "violence": ("service-protection-order", "service-legal-aid-apply"),
    "minor": ("service-child-protection", "service-legal-aid-apply"),
    "medical_fire": (),
    "fraud_now": ("service-police-report",),
    "threat": ("service-protection-order", "service-police-report"),
    "held": (
        "service-police-report",
        "guide-family-detained",
        "service-witness-duty-lawyer",
        "service-legal-aid-apply",
    ),
}
NO_DANGER = "现在没有危险，请直接回答我的问题"  # offered with an alarm
NOT_URGENT = f"如果现在没有危险、只是想了解法律怎么规定，请选“{NO_DANGER}”。"
IF_DANGER = (
    "如果有人现在有危险，请先打110；受伤、急病打120，着火打119，想不开打12356；"
    "钱刚转给骗子，也马上打110。"
)
URGENT: dict[str, tuple[str, tuple[str, ...]]] = {
    "self_harm": (
        "您现在的安全最要紧。请马上打电话给能帮您的人：12356心理援助热线；"
        "如果已经受伤、服药，或者马上就要伤害自己，请打120或110。\n"
        "请让家人、朋友或邻居现在就来陪您，把药品、刀具等拿远一点。"
        "困住您的那件事，无论是债、官司还是家里的事，都有可以一步一步来的办法，"
        "等您安全下来，12348会有人和您一起理清楚。",
        ("hotline-12356", "hotline-120", "hotline-110", "hotline-12348"),
    ),
    "violence": (
        "如果危险正在发生，请先到安全的地方，马上打110；有人受伤打120。\n"
        "安全之后：请民警出具告诫书或接报回执，去医院验伤，保存照片、病历、聊天记录；"
        "可以向法院申请人身安全保护令，法院应在七十二小时内、情况紧急的在二十四小时内作出裁定；"
        "遭受家庭暴力申请法律援助，不受经济困难条件的限制。",
        ("hotline-110", "hotline-120", "hotline-12338", "hotline-12348"),
    ),
    "minor": (
        "孩子、老人的安全最要紧。走失、找不到，或者伤害正在发生、刚刚发生，请马上打110；受伤打120。\n"
        "孩子受了侵害，先别洗澡、别换洗衣物、别删聊天记录，带孩子到安全的地方，不要反复追问细节。"
        "学校、医院、居委会等发现未成年人受侵害或者面临危险，依法应当立即向公安等部门报告。"
        "未成年人保护也可以打12345，青少年可以打12355。",
        ("hotline-110", "hotline-120", "hotline-12345", "hotline-12355", "hotline-12348"),
    ),
    "medical_fire": (
        "请先救人：有人受伤或生命危险打120；着火、燃气泄漏先离开现场再打119；"
        "交通事故有人伤亡打120和122。等人安全了，再来问赔偿和责任的事。",
        ("hotline-120", "hotline-119", "hotline-122", "hotline-110"),
    ),
    "fraud_now": (
        "如果钱刚刚转出去：请马上打110报警，同时打转账银行的客服电话，说明被骗、请求帮助止付，"
        "越快越好。\n不要再转任何钱（“解冻费”“保证金”都是骗局的下一步），不要删聊天记录和转账记录，"
        "不要相信自称能帮您追回钱的人。",
        ("hotline-110", "hotline-12345", "hotline-12348"),
    ),
    "threat": (
        "有人扬言要伤害您或别人，请先到人多、安全的地方，马上打110；已经有人受伤打120。\n"
        "把威胁的短信、聊天记录、录音留好，交给民警。",
        ("hotline-110", "hotline-120", "hotline-12348"),
    ),
    "held": (
        "有人被关住、看住、扣了证件不让走（锁在屋里、被讨债的人守着、被骗去传销），请马上打110，说清在哪里；"
        "不方便说话，请家人朋友替您报警。家人失踪、下落不明的，也请打110。\n"
        "家人是被公安机关带走或拘留的，先弄清三件事：哪个公安机关、什么罪名、关在哪里，"
        "向办案单位要《拘留通知书》。"
        "在里面的人可以约见值班律师；本人或近亲属可以申请法律援助，"
        "被羁押的人提出申请的，办案机关、监管场所应当在二十四小时内转交法律援助机构。"
        "不要找人“捞人”、不要串供、不要销毁东西。请现在就打12348，或者找律师。",
        ("hotline-110", "hotline-12348", "hotline-12309"),
    ),
}

_TEXTS: dict[Outcome, str] = {
    Outcome.ANSWERED_SMALLTALK: SMALLTALK,
    Outcome.UNANSWERABLE_OFF_TOPIC: OFF_TOPIC,
    Outcome.UNANSWERABLE_UNSURE: UNSURE,
    Outcome.UNANSWERABLE_NO_SOURCE: NO_SOURCE,
    Outcome.FAILED_SEARCH: FAILED_SEARCH,
    Outcome.CLARIFY_TOPIC: CLARIFY,
    Outcome.HANDOVER_REQUESTED: REQUESTED,
    Outcome.REFUSED_HARM: REFUSED_HARM,
    Outcome.CLARIFY_REGION: CLARIFY_REGION,
    Outcome.HANDOVER_WITH_PERSON: WITH_PERSON,
    Outcome.UNANSWERABLE_SWITCHED_OFF: CHANNEL_OFF,
    Outcome.HANDOVER_URGENT: URGENT["self_harm"][0],
}
_COMPOSED = frozenset(
    {
        Outcome.ANSWERED_FAQ,
        Outcome.ANSWERED_SERVICE,
        Outcome.ANSWERED_LAW,
        Outcome.ANSWERED_ARTICLE,
        Outcome.ANSWERED_REPEALED,
        Outcome.ANSWERED_LEGAL_AID,
        Outcome.CLARIFY_LEGAL_AID,
        Outcome.UNANSWERABLE_NO_SUCH_ARTICLE,
        Outcome.UNANSWERABLE_NO_SUCH_LAW,
        Outcome.UNANSWERABLE_NOT_IN_FORCE,
        Outcome.UNANSWERABLE_NOT_HELD,
        Outcome.UNANSWERABLE_OTHER_REGION,
    }
)


def fixed_text(outcome: Outcome) -> str | None:
    """The fixed text of an outcome, or None where the text is composed from sources."""
    return None if outcome in _COMPOSED else _TEXTS[outcome]
