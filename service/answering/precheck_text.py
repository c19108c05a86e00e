"""The result of the legal-aid pre-check as plain text: to print, and short for a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from service.answering.draft import NextStep
from service.answering.precheck import HEADINGS, Reason, Result

_IN_CONVERSATION = ("urgent", "reasons", "missing", "where", "papers")


def summary_text(
    result: Result, cards: Mapping[str, NextStep] | None = None, *, version: str = "", day: str = ""
) -> str:
    """Everything, to be printed and taken to the counter. `cards` add telephone numbers and
    addresses, which no sentence of the table holds; each is printed once."""
    to_print = dict(cards or {})
    lines = ["法律援助预检结果", f"结论：{result.label}", result.lead]
    for name, reasons in result.parts():
        # Nobody in danger should have to read how far a number is verified.
        lines += _part(HEADINGS[name], reasons, {} if name == "urgent" else to_print)
    if result.answers:
        lines += ["", "【您的回答】"]
        lines += [f"{question} {'；'.join(chosen)}" for question, chosen in result.answers]
    lines += ["", result.disclaimer]
    origin = [f"规则版本：{version}" if version else "", f"预检日期：{day}" if day else ""]
    return "\n".join(lines + [o for o in origin if o])


def chat_text(result: Result) -> str:
    """What fits a conversation: verdict, urgent matters, reasons, where to go and what to bring."""
    lines = [result.label, result.lead]
    for name, reasons in result.parts():
        if name in _IN_CONVERSATION:
            lines += _part(HEADINGS[name], reasons, {})
    return "\n".join([*lines, "", result.disclaimer])


def _part(heading: str, reasons: Iterable[Reason], cards: dict[str, NextStep]) -> Iterator[str]:
    """The lines of one part; a card that is printed is taken out of `cards`."""
    for i, reason in enumerate(reasons, start=1):
        if i == 1:
            yield f"\n【{heading}】"
        basis = "；".join(filter(None, ["、".join(reason.cites), reason.source]))
        yield f"{i}. {reason.text}" + (f"（{basis}）" if basis else "")
        card = cards.pop(reason.card or "", None)
        if card:
            yield _contact(card)


def _contact(card: NextStep) -> str:
    facts = {"地址": card.where, "电话": card.phone, "时间": card.hours}
    known = [f"{name}：{value}" for name, value in facts.items() if value]
    return f"   {card.title}" + (f"。{'；'.join(known)}" if known else "")
