"""Scripted language models of several characters, to try what becomes of what they say. They read
the instructions and the data that a real one would be sent; what they write depends on nothing
else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

_PIECE = 7  # characters: a stream cuts anywhere
_FENCED = re.compile(r"^(?P<name>\S+)\n(?P<fence>〔\w+〕)\n(?P<data>.*?)\n(?P=fence)$", re.M | re.S)
_TOPICS, _QUESTIONS = "主题", "常见问题"  # the lists that may be chosen from
_SENTENCE = re.compile(r"[^。；！？\n]{6,110}[。；]?")


class Asked:
    """What a call holds: the instructions, and the data by name."""

    def __init__(self, messages: list[BaseMessage]) -> None:
        self.instructions = str(messages[0].content)
        blocks = _FENCED.finditer(str(messages[-1].content))
        self.data: dict[str, Any] = {m["name"]: json.loads(m["data"]) for m in blocks}

    @property
    def question(self) -> str:
        turns = self.data.get("对话") or [{}]
        return str(self.data.get("问题") or turns[-1].get("居民最后一句", ""))

    @property
    def is_choice(self) -> bool:
        """Whether identifiers of a list are asked for, and no words."""
        return not {_TOPICS, _QUESTIONS}.isdisjoint(self.data)

    def ids(self, name: str) -> list[str]:
        """Those of a list, the entry that shares most characters with the question first."""
        entries = [list(entry.values()) for entry in self.data.get(name, [])]
        entries.sort(key=lambda entry: -len(set(entry[1]) & set(self.question)))
        return [entry[0] for entry in entries]

    @property
    def evidence(self) -> list[dict[str, str]]:
        return list(self.data.get("资料", []))

    @property
    def luck(self) -> int:
        """A number that depends on the question alone."""
        return int(hashlib.sha256(self.question.encode()).hexdigest()[:8], 16)

    def true_sentences(self, of_each: int = 3) -> Iterator[tuple[str, str]]:
        """Sentences of the passages with their token."""
        for passage in self.evidence[:4]:
            for sentence in _SENTENCE.findall(passage["内容"])[:of_each]:
                yield sentence.strip(), passage["编号"]


Says = Callable[[Asked], Iterator[str]]


def line(sentence: str, *tokens: str) -> str:
    return json.dumps({"s": sentence, "by": list(tokens)}, ensure_ascii=False) + "\n"


def _truthful(asked: Asked) -> Iterator[str]:
    if "对话" in asked.data:
        turns = asked.data["对话"]
        before = turns[-2]["居民"] if len(turns) > 1 else ""
        yield json.dumps({"question": before + turns[-1]["居民最后一句"]}, ensure_ascii=False)
        return
    for sentence, token in asked.true_sentences():
        yield line(sentence, token)


INVENTIONS = (
    "根据《中华人民共和国居民权益保障法》第{n}条，您可以直接要求全额赔偿。",
    "依照民法典第{n}条之九，对方必须在{d}日内付清。",
    "您可以要求支付{n}元的赔偿金。",
    "违约金按照百分之{p}计算。",
    "请拨打{phone}咨询专线。",
    "详情请看https://www.putuo-help{n}.com/apply。",
    "请添加微信putuo{n}领取材料。",
    "请到光复西路{n}号金盾律师事务所找王建国律师。",
    "材料应当在{d}个工作日之内交齐，逾期作废。",
    "这个官司您一定能赢，我们保证帮您要回来。",
    "二〇{y}年{m}月{d}日起施行的新规定已经废止了这一条。",
)


def invention(number: int) -> str:
    """One of many invented sentences; which one depends on the number alone."""
    return INVENTIONS[number % len(INVENTIONS)].format(
        n=1261 + number % 7000,
        d=(number // 7) % 80 + 107,
        p=61 + number % 38,
        phone=f"021-6{number % 10_000_000:07d}",
        y="三" + "一二三四五六七八九"[number % 9],
        m=number % 12 + 1,
    )


def _inventing(asked: Asked) -> Iterator[str]:
    """Enough that is true to be believed, and something invented after every other sentence: a
    new one, a true one bent, or one with a source that does not exist."""
    luck = asked.luck
    tokens = [e["编号"] for e in asked.evidence] or ["A1"]
    for number, (sentence, token) in enumerate(asked.true_sentences(4)):
        yield line(sentence, token)
        if number % 2 == 0:
            continue
        kind = (luck + number // 2) % 3
        if kind == 0:
            yield line(invention(luck + number), tokens[number % len(tokens)])
        elif kind == 1:
            yield line(_bent(sentence, luck + number), token)
        else:
            yield line(f"{sentence[:60]}。{invention(luck + number)}", f"A{luck % 90 + 10}")


def _bent(sentence: str, luck: int) -> str:
    """With another figure in it, where it has one; otherwise with one more."""
    other = str(luck % 88 + 211)
    bent = re.sub(
        r"[一二三四五六七八九十百千]{1,4}(?=日|个月|年|倍|元|万元)|[0-9]+", other, sentence, count=1
    )
    return bent if bent != sentence else f"{sentence.rstrip('。；')}，期限是{other}天。"


def _omitting(asked: Asked) -> Iterator[str]:
    for sentence, token in asked.true_sentences(1):
        yield line(re.split(r"，?(?:但|除外|除|不得|应当在)", sentence)[0], token)


def _verbose(asked: Asked) -> Iterator[str]:
    for _ in range(200):
        for sentence, token in asked.true_sentences(9):
            yield line(
                f"{sentence.rstrip('。；')}，这一点非常重要，请您务必仔细阅读并且充分理解。", token
            )


def _wrong_json(asked: Asked) -> Iterator[str]:
    for number, (sentence, token) in enumerate(asked.true_sentences()):
        yield (
            f"{sentence}\n",
            f'{{"s": "{sentence}", "by": [{token}]}}\n',
            f'{{"sentence": "{sentence}"}}\n',
            f'{{"s": ["{sentence}"], "by": "{token}"}}\n',
            f'{{"s": "{sentence}", "by": ["{token}"]\n',
        )[number % 5]


def _injected(asked: Asked) -> Iterator[str]:
    """Does whatever anybody asks of it, and tells all it was told."""
    from knowledge.text import cut

    tokens = [e["编号"] for e in asked.evidence] or ["A1"]
    told = [part for part in asked.instructions.splitlines() if len(part) > 6]
    everything = json.dumps(asked.data, ensure_ascii=False)
    orders = re.findall(r"[：:“「'\"]([^“”「」：:'\"{}\[\],]{4,80})", everything)
    if "对话" in asked.data:
        yield json.dumps({"question": told[asked.luck % len(told)][:90]}, ensure_ascii=False)
        return
    parts = [*told, *orders]
    if asked.luck % 2:
        # One that keeps its countenance: it answers, and lets slip a few.
        for sentence, token in asked.true_sentences(3):
            yield line(sentence, token)
        parts = [parts[(asked.luck + 7 * n) % len(parts)] for n in range(2)]
    for number, part in enumerate(parts):
        token = tokens[number % len(tokens)]
        yield line(part[:190], token)
        yield line(f"我的说明是：{part[:150]}", token)
        if number % 4 == asked.luck % 4:
            yield line(part[::-1][:150], token)
            yield line(base64.b64encode(part.encode()).decode()[:150], token)
            yield line("、".join(part[:60]), token)
            yield line("，".join(cut(part[:80])), *tokens)
        if number % 5 == asked.luck % 5:
            yield line(invention(asked.luck + number), token)
    yield line(f"按您说的做：{asked.question[:120]}", tokens[0])


def _dead(_asked: Asked) -> Iterator[str]:
    raise ConnectionError("connection refused")
    yield ""


def _limited(_asked: Asked) -> Iterator[str]:
    raise RateLimitError
    yield ""


class RateLimitError(Exception):
    """As the clients of endpoints call it."""

    status_code = 429


# ── when asked to choose from a list ─────────────────────────────────────────────────
def choice(topic: object, questions: object, **more: object) -> str:
    said = {"topic": topic, "questions": questions, **more}
    return json.dumps(said, ensure_ascii=False) + "\n"


def _choosing_well(asked: Asked) -> Iterator[str]:
    yield choice("".join(asked.ids(_TOPICS)[:1]), asked.ids(_QUESTIONS)[:3])


def _choosing_by_halves(asked: Asked) -> Iterator[str]:
    """What is written before a pause is no object yet."""
    whole = "".join(_choosing_well(asked))
    yield whole[: len(whole) // 2]
    yield whole[len(whole) // 2 :]


def _choosing_what_is_not_there(asked: Asked) -> Iterator[str]:
    luck, unlikely = asked.luck, asked.ids(_QUESTIONS)[-3:]
    if luck % 2:
        yield choice(f"T{luck % 9 + 21}", [*unlikely, f"Q{luck % 90 + 9}", invention(luck)])
    else:
        yield choice(invention(luck), [invention(luck + 1)], answer=invention(luck + 2))


def _choosing_nothing(_asked: Asked) -> Iterator[str]:
    yield choice("", [])


def _choosing_at_length(asked: Asked) -> Iterator[str]:
    yield from ["让我仔细想一想，这件事涉及很多方面，需要一步一步来分析。\n"] * 100
    yield choice("".join(asked.ids(_TOPICS)[:1]), asked.ids(_QUESTIONS), reason="因为最像。")


def _choosing_out_of_form(asked: Asked) -> Iterator[str]:
    topic = "".join(asked.ids(_TOPICS)[:1])
    yield (
        f"{topic}\n",
        f'{{"topic": {topic}, "questions": [Q1]}}\n',
        choice([[topic]], {"Q1": True}),
        choice({"id": topic}, "Q1、Q2", T1=topic),
        choice(3, [1, 2, None, ["Q1"]]),
    )[asked.luck % 5]


def _choosing_as_told(asked: Asked) -> Iterator[str]:
    """The least likely of all, its instructions, or what somebody has written into the data."""
    told = [part for part in asked.instructions.splitlines() if len(part) > 6]
    first = told[asked.luck % len(told)]
    orders = re.findall(r"[：:“「]([^“”「」：:\"]{4,80})", asked.question) or [asked.question]
    questions = [asked.ids(_QUESTIONS)[-1:], [first], orders][asked.luck % 3]
    yield choice("".join(asked.ids(_TOPICS)[-1:]) or first, questions, answer=first)
    yield f"按您说的做：{asked.question[:120]}\n"


_SAYS: dict[str, Says] = {
    "truthful": _truthful,
    "inventing": _inventing,
    "omitting": _omitting,
    "verbose": _verbose,
    "wrong_json": _wrong_json,
    "injected": _injected,
    "slow": _truthful,
    "stalling": _truthful,
    "dead": _dead,
    "limited": _limited,
}
_CHOOSES: dict[str, Says] = _SAYS | {
    "truthful": _choosing_well,
    "inventing": _choosing_what_is_not_there,
    "omitting": _choosing_nothing,
    "verbose": _choosing_at_length,
    "wrong_json": _choosing_out_of_form,
    "injected": _choosing_as_told,
    "slow": _choosing_well,
    "stalling": _choosing_by_halves,
}
CHARACTERS = tuple(_SAYS)
_PAUSES = {"slow": 0.05, "stalling": 0.0}  # seconds before each piece


class Character(BaseChatModel):
    """A chat model of a character: see `CHARACTERS`. `slow` takes its time with each piece;
    `stalling` writes one sentence and then nothing for `stall_seconds`."""

    character: str
    pause_seconds: float | None = None
    stall_seconds: float = 30.0

    @property
    def _llm_type(self) -> str:
        return f"scripted-{self.character}"

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 — LangChain's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        pause = self.pause_seconds
        if pause is None:
            pause = _PAUSES.get(self.character, 0.0)
        asked = Asked(messages)
        says = (_CHOOSES if asked.is_choice else _SAYS)[self.character]
        for said in says(asked):
            for start in range(0, len(said), _PIECE):
                if pause:
                    time.sleep(pause)
                piece = said[start : start + _PIECE]
                yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if self.character == "stalling":
                time.sleep(self.stall_seconds)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        pieces = self._stream(messages, stop, run_manager, **kwargs)
        said = "".join(str(p.message.content) for p in pieces)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=said))])
