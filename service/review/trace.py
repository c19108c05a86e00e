"""The way an answer came about, in plain words, from what was recorded with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.store import documents, passages, revisions
from service.answering.confidence import shipped_calibration
from service.models import AnswerRecord
from service.review import model_trace

_STEPS = {
    "mask": "隐去个人信息",
    "sensitive": "敏感词",
    "urgent": "紧急情况（规则）",
    "channeloff": "渠道是否关停",
    "topicoff": "主题是否关停",
    "leaveout": "去掉关停的内容",
    "solicitation": "违法招揽",
    "precheck": "法援预检",
    "requests": "要人工、寒暄等请求",
    "followup": "是否追问",
    "region": "地区",
    "lookup": "指名的法条",
    "sideofmatter": "哪一方",
    "search": "检索",
    "secondlook": "紧急情况（复看）",
    "incontext": "结合上文再检索",
    "compose": "选择怎么答",
    "deadlines": "期限提醒",
    "verify": "核对引用",
    "premise": "纠正前提",
    "nextsteps": "下一步",
}
_DANGERS = {
    "self_harm": "想伤害自己",
    "violence": "正在受到伤害或威胁",
    "minor": "孩子有危险",
    "medical_fire": "急病、火灾等",
    "fraud_now": "正在被骗",
    "threat": "受到威胁",
    "held": "家人被带走",
}
_VERSIONS = {
    "knowledge": "知识库",
    "index": "索引",
    "encoder": "编码器",
    "ranking": "排序",
    "calibration": "校准",
    "topics": "主题模型",
    "danger": "危险识别",
    "wording": "用语",
    "prompt_compose": "提示词（写回答）",
    "prompt_rewrite": "提示词（理解追问）",
    "prompt_choose": "提示词（挑选）",
    "model": "语言模型",
}
_SHELVES = {"law": "法条", "guidance": "问答和服务"}


@dataclass(frozen=True, slots=True)
class Floors:
    """What an answer must reach, by the calibration of one version."""

    version: str
    law: float
    guidance: float
    legal: float

    @classmethod
    def of_home(cls, home: Path) -> Floors:
        """Those in use now."""
        own = home / "calibration.json"
        read = json.loads((own if own.exists() else shipped_calibration()).read_text("utf-8"))
        floors = read["floors"]
        return cls(read["version"], floors["law"], floors["guidance"], floors["legal"])


class Traces:
    """The traces of several answers, with the titles of what was found."""

    def __init__(self, session: Session, answers: list[AnswerRecord], floors: Floors) -> None:
        self._floors = floors
        found = {
            hit["passage"] for answer in answers for hits in _hits(answer).values() for hit in hits
        }
        rows = session.execute(
            select(passages.c.id, documents.c.id.label("document"), documents.c.title)
            .add_columns(documents.c.kind, passages.c.label, passages.c.text)
            .join(revisions, revisions.c.id == passages.c.revision_id)
            .join(documents, documents.c.id == revisions.c.document_id)
            .where(passages.c.id.in_(found))
        )
        self._passages = {row.id: row for row in rows}
        given = {answer.trace.get("answered_by") for answer in answers} - {None, ""}
        self._titles: dict[str, str] = dict(
            session.execute(
                select(documents.c.id, documents.c.title).where(documents.c.id.in_(given))
            ).all()
        )

    def of(self, answer: AnswerRecord) -> dict[str, Any]:
        """{understood, decided, model, shelves, versions, times}: lines of name and words, and
        tables."""
        return {
            "understood": list(self._understood(answer)),
            "decided": list(self._decided(answer)),
            "model": list(model_trace.told(answer.trace.get("model"))),
            "shelves": [
                {"name": _SHELVES[shelf], "hits": [self._hit(hit) for hit in hits]}
                for shelf, hits in _hits(answer).items()
                if hits
            ],
            "versions": [
                {"name": _VERSIONS.get(name, name), "version": version}
                for name, version in (answer.answer.get("versions") or {}).items()
            ],
            "times": [
                {"name": _STEPS.get(name, name), "ms": ms}
                for name, ms in (answer.trace.get("step_ms") or {}).items()
            ],
        }

    @staticmethod
    def _understood(answer: AnswerRecord) -> Iterator[dict[str, str]]:
        trace = answer.trace
        masked = answer.answer.get("masked") or ()
        told: dict[str, Callable[[Any], str]] = {
            "query": lambda v: f"“{v}”",
            "root": lambda v: f"“{v}”",
            "place": str,
            "asked_for_place": lambda v: f"上一句问过地区，这句是回答；问题是“{v}”",
            "topics": "、".join,
            "urgent": lambda v: _DANGERS.get(v, "有危险"),
            "p_danger": lambda v: f"{v:.0%}",
            "harm": lambda _: "问法涉及伤害他人或违法，按规则拒答",
            "instructions": lambda _: "句子里有要求改变系统行为的话，没有照做",
            "sensitive": lambda v: f"{len(v)}处，原词不显示",
            "switched_off": lambda _: "相关内容当时已关停",
        }
        names = {
            "query": "用来检索的话",
            "root": "归到哪个问题下",
            "place": "听到的地方",
            "asked_for_place": "地区反问",
            "topics": "像哪几类事",
            "urgent": "听出的危险",
            "p_danger": "有危险的可能",
            "harm": "有害请求",
            "instructions": "注入指令",
            "sensitive": "敏感词",
            "switched_off": "关停",
        }
        if masked:
            yield {"name": "隐去了", "words": "、".join(masked)}
        for key, words in told.items():
            value = trace.get(key)
            same = key == "root" and value == trace.get("query")
            if value not in (None, "", [], ()) and not same:
                yield {"name": names[key], "words": words(value)}
        yield {"name": "主题", "words": answer.topic or "没有判断主题"}
        yield {"name": "地区", "words": answer.region}
        if answer.answer.get("as_of"):
            yield {"name": "按哪一天的法律", "words": answer.answer["as_of"]}

    def _decided(self, answer: AnswerRecord) -> Iterator[dict[str, str]]:
        trace, floors = answer.trace, self._floors
        version = (answer.answer.get("versions") or {}).get("calibration")
        known = version == floors.version
        for key, name, floor in (
            ("p_legal", "是我们该答的问题", floors.legal),
            ("p_guidance", "现成的问答或服务合适", floors.guidance),
            ("p_law", "找到的法条能回答", floors.law),
        ):
            if trace.get(key) is None:
                continue
            words = f"{trace[key]:.0%}"
            if known:
                verb = "达到" if trace[key] >= floor else "没有达到"
                words += f"，{verb}门槛{floor:.0%}"
            yield {"name": name, "words": words}
        if trace.get("p_legal") is not None and not known:
            yield {"name": "门槛", "words": "当时用的是另一版校准，门槛没有随回答保存。"}
        given = self._titles.get(trace.get("answered_by", ""))
        if given:
            yield {"name": "用了哪一条", "words": f"《{given}》"}
        if trace.get("dropped"):
            words = f"{len(trace['dropped'])}条没有通过核对，没有给出"
            yield {"name": "核对引用", "words": words}
        late = trace.get("deadlines")
        if late:
            passed, little = late.get("passed"), late.get("little_time")
            words = "可能已过期" if passed else "时间紧" if little else "提醒了期限"
            yield {"name": "期限", "words": words}
        yield {"name": "把握", "words": f"{answer.confidence:.0%}"}

    def _hit(self, hit: dict[str, Any]) -> dict[str, Any]:
        row = self._passages.get(hit["passage"])
        return {
            "title": row.title if row else "（内容已不在库中）",
            "label": row.label if row else "",
            "text": row.text[:80] if row else "",
            "document": row.document if row else "",
            "kind": row.kind if row else "",
            "score": hit.get("score"),
            "cosine": hit.get("cosine"),
            "lexical": hit.get("lexical"),
        }


def _hits(answer: AnswerRecord) -> dict[str, list[dict[str, Any]]]:
    found = answer.trace.get("hits") or {}
    return {shelf: found.get(shelf) or [] for shelf in _SHELVES}
