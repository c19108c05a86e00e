"""An event as a person reads it: what was done to what, and why, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PURPOSES = {
    "handle": "办理",
    "urgent": "紧急情况处置",
    "supervise": "督办",
    "review": "质量检查",
    "complaint": "核查差评、投诉",
}
# What can be looked for, as the beginning of an action.
ACTIONS = {
    "session.": "登录和退出",
    "session.refuse": "没有成功的登录",
    "staff.": "账号管理",
    "conversation.read": "查看市民的会话",
    "handover.": "转人工",
    "urgent.": "紧急情况",
    "duty.": "值班",
    "rating": "差评办理",
    "knowledge.": "知识内容",
    "import.": "导入",
    "export.": "导出",
    "trial.": "试问和题集",
    "review.": "质量检查",
    "statistics.": "统计",
    "switch.": "开关",
    "notice.": "公告",
    "retention.": "数据保存",
    "wechat.": "微信公众号",
    "audit.": "操作记录的核验和导出",
}
_NOUNS = {
    "audit": "操作记录",
    "answer": "一次回答",
    "channel": "渠道",
    "conversation": "一段会话",
    "credentials": "登录方式",
    "desk": "转人工席位",
    "document": "知识内容",
    "duty": "值班",
    "export": "导出",
    "faq": "常见问题",
    "gap": "知识缺口",
    "handover": "转人工工单",
    "import": "导入",
    "invitation": "邀请链接",
    "knowledge": "知识内容",
    "menu": "公众号菜单",
    "notice": "公告",
    "password": "密码",
    "question_set": "题集",
    "rating": "评价",
    "rating_ticket": "差评工单",
    "recovery_code": "恢复码",
    "retention": "数据保存期限",
    "review": "质量评定",
    "review_settings": "抽查比例",
    "revision": "知识内容的修订",
    "session": "登录",
    "source": "来源",
    "staff": "账号",
    "statistics": "统计数据",
    "statute": "法律",
    "switch": "开关",
    "topic": "主题",
    "totp": "动态口令",
    "trial": "试问",
    "trial_run": "题集的一次运行",
    "urgent": "紧急情况",
    "wechat": "微信公众号",
}
_VERBS = {
    "acknowledge": "确认处置了",
    "add": "新增了",
    "appeal": "申诉了",
    "approve": "批准了",
    "assign": "分派了",
    "begin": "开始了",
    "cancel": "取消了",
    "change": "修改了",
    "claim": "认领了",
    "close": "办结了",
    "confirm": "确认了",
    "contact": "联系了",
    "create": "新建了",
    "decide": "裁定了",
    "delete": "删除了",
    "disable": "停用了",
    "discard": "作废了",
    "download": "下载了",
    "edit": "修改了",
    "enable": "启用了",
    "end": "结束了",
    "erase": "删除了",
    "expire": "到期撤下了",
    "export": "导出了",
    "fill": "补充了",
    "import": "导入了",
    "judge": "给出了",
    "keep": "保存了",
    "label": "标注了",
    "message": "回复了",
    "note": "备注了",
    "open": "打开了",
    "publish": "发布了",
    "purge": "按期限清理了",
    "read": "查看了",
    "reassign": "改派了",
    "recheck": "回访了",
    "reject": "退回了",
    "release": "退回了",
    "remove": "移除了",
    "reopen": "重新打开了",
    "reply": "答复了",
    "restore": "恢复了",
    "return": "退回了",
    "revise": "修改了",
    "roll_back": "恢复旧版于",
    "rollback": "恢复旧版于",
    "run": "运行了",
    "save": "保存了",
    "schedule": "安排定时发布了",
    "send": "发出了",
    "send_back": "退回修改了",
    "set": "设置了",
    "start": "开始了",
    "submit": "提交复核了",
    "take_over": "接手了",
    "update": "修改了",
    "verify": "核验了",
    "withdraw": "撤下了",
}
# Where noun and verb alone would not say it well.
_PHRASES = {
    "account.unlock": "解除了{who}的登录限制",
    "audit.export": "导出了操作记录",
    "audit.verify": "核验了操作记录是否完整",
    "conversation.erase": "应市民要求删除了一段会话",
    "conversation.list": "查看了会话列表",
    "conversation.read": "查看了{noun}",
    "gap.read": "查看了知识缺口里市民的提问",
    "gap.dismissed": "把{what}标为不用处理",
    "gap.open": "把{what}重新列为待处理",
    "gap.planned": "把{what}列入计划",
    "gap.done": "把{what}标为已补上",
    "duty.begin": "开始值班",
    "duty.end": "结束值班",
    "export.knowledge": "导出了全部知识内容",
    "handover.contact": "查看了市民的联系电话",
    "invitation.accept": "凭邀请链接设置了密码",
    "knowledge.check": "登记核对了{what}",
    "knowledge.export": "导出了全部知识内容",
    "knowledge.import": "导入了文件，形成草稿",
    "knowledge.send_back": "把{what}退回修改",
    "knowledge.submit": "把{what}提交复核",
    "knowledge.restore": "恢复了{what}",
    "password.change": "修改了自己的密码",
    "password.refuse": "修改账号时输错了密码",
    "recovery_code.use": "用一个恢复码登录",
    "review.rerun": "重新提问，核对现在的回答",
    "review.settings": "设置了抽查比例",
    "review.skip": "跳过了一次待评",
    "trial.cancel": "取消了题集的运行",
    "trial.compare": "比较了发布前后的回答",
    "retention.purge": "按保存期限清理了到期数据",
    "retention.set": "设置了数据保存期限",
    "session.begin": "登录了后台",
    "session.end": "退出了后台",
    "session.end_others": "退出了自己在其他浏览器的登录",
    "session.refuse": "登录没有成功：{who}",
    "staff.change": "修改了{who}的账号",
    "staff.create": "新建了{who}的账号",
    "staff.disable": "停用了{who}的账号",
    "staff.enable": "重新启用了{who}的账号",
    "staff.invite": "给{who}发了新的邀请链接，原来的密码作废",
    "staff.token": "新建了{who}的账号，发了令牌",
    "switch.set": "{switched}{name}",
    "totp.disable": "关闭了自己的动态口令",
    "totp.enable": "开通了自己的动态口令",
    "trial.run": "运行了{what}",
}
# What of the detail is a name for the thing, in the order in which it is looked for.
_TITLES = ("title", "name", "label", "file", "target")
_KEYS = {
    "action": "操作",
    "address": "网络地址",
    "after": "之后",
    "answer": "回答编号",
    "before": "之前",
    "called": "姓名",
    "channel": "渠道",
    "comment": "说明",
    "conversation": "会话编号",
    "count": "数量",
    "documents": "内容",
    "ended": "结束的登录",
    "ends_at": "结束时间",
    "file": "文件",
    "filters": "筛选条件",
    "format": "格式",
    "follow_up": "跟进",
    "from": "原来",
    "kind": "种类",
    "level": "级别",
    "login": "登录名",
    "name": "名称",
    "note": "备注",
    "off": "关停",
    "on": "日期",
    "outcome": "结果",
    "problems": "问题",
    "reason": "理由",
    "region": "地区",
    "released": "退回的工单",
    "revision": "修订编号",
    "roles": "角色",
    "rows": "行数",
    "starts_at": "开始时间",
    "status": "状态",
    "target": "对象",
    "title": "标题",
    "to": "改为",
    "topic": "主题",
    "verdict": "结论",
    "version": "版本",
    "via": "途径",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence without its subject, the purpose, and further facts as pairs of words."""

    sentence: str
    purpose: str
    facts: tuple[tuple[str, str], ...]


def say(
    action: str,
    subject: str,
    subject_id: str,
    purpose: str,
    detail: Mapping[str, Any],
    names: Mapping[str, str],
) -> Said:
    """An event in words. `names` are those of people, and of roles, by id; of an action that is not
    known the sentence is put together from what is, so that nothing is ever left out."""
    noun = _NOUNS.get(subject, "") or _NOUNS.get(action.split(".", maxsplit=1)[0], "")
    title = next((str(detail[key]) for key in _TITLES if detail.get(key)), "")
    what = f"{noun}“{title}”" if title else noun
    who = names.get(subject_id, "") if subject == "staff" else ""
    who = f"“{who}”" if who else "没有这个账号" if action == "session.refuse" else "一个账号"
    phrase = _PHRASES.get(action)
    if phrase:
        sentence = phrase.format(
            noun=noun or "一项内容",
            what=what or "一项内容",
            who=who,
            name=title,
            switched="关停了" if detail.get("off") else "恢复了",
        )
        if title and "{w" not in phrase and "{name}" not in phrase:
            sentence += f"：{title}"
    else:
        sentence = _put_together(action, what)
    facts = [(_KEYS.get(key, key), _value(value, names)) for key, value in detail.items()]
    if subject_id:
        facts.insert(0, ("编号", subject_id))
    return Said(sentence, _PURPOSES.get(purpose, purpose), tuple(facts))


def _put_together(action: str, what: str) -> str:
    resource, _, verb = action.partition(".")
    verb = verb.rpartition(".")[2] if verb not in _VERBS else verb
    done = _VERBS.get(verb)
    if done:
        return done + (what or _NOUNS.get(resource, "一项内容"))
    return f"对{what or _NOUNS.get(resource, '一项内容')}做了一项操作（{action}）"


def _value(value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if value is None or value == "":
        return "无"
    if isinstance(value, Mapping):
        pairs = (f"{_KEYS.get(key, key)}：{_value(each, names)}" for key, each in value.items())
        return "；".join(pairs)
    if isinstance(value, list):
        return "、".join(_value(each, names) for each in value) or "无"
    return names.get(str(value), str(value))
