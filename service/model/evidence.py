"""What a model may write from: the passages an answer rests on, each under a token (A1 an article,
S1 what was reviewed) that code, and only code, turns back into the source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from knowledge import text
from knowledge.statutes import short_title
from service.answering.draft import Draft, NextStep, Outcome
from service.model.facts import Fact, facts_of

# Words that carry no matter: what they join is what two texts share or do not.
_JOINTS = re.compile(
    r"[的了和或及与在是有为对以并其该等也就都而且还但如若则被把从向到由将会能可要不您你我他她它们请"
    r"这那个中后前时]"
)
_MOST_ARTICLES = 6
FROM = {
    Outcome.ANSWERED_LAW: "",
    Outcome.ANSWERED_FAQ: "审核过的常见问题解答",
    Outcome.ANSWERED_SERVICE: "审核过的办事信息",
}


@dataclass(frozen=True)
class Evidence:
    """A passage under its token. `law` is the full title and `label` the article, where it is one;
    `part` is what of it matters for the question (code points), as the answer marks it."""

    token: str
    name: str
    text: str
    law: str = ""
    label: str = ""
    part: tuple[int, int] | None = None

    @cached_property
    def plain(self) -> str:
        """As it is compared: normalised, with its name."""
        return text.normalise(f"{self.name}。{self.text}")

    @cached_property
    def facts(self) -> frozenset[Fact]:
        return frozenset(facts_of(self.plain))

    @cached_property
    def pairs(self) -> frozenset[str]:
        return frozenset(pairs_of(self.plain))


def pairs_of(words: str) -> list[str]:
    """The character pairs of a normalised text that carry its matter."""
    runs = re.findall(r"[\u4e00-\u9fff]+", _JOINTS.sub(" ", words))
    return [run[i : i + 2] for run in runs for i in range(len(run) - 1)]


def evidence_of(draft: Draft) -> list[Evidence]:
    """The passages of an answer: its articles, the reviewed text, and the cards shown with it."""
    found = [
        Evidence(
            token=f"A{number}",
            name=f"《{short_title(c.source.document.title)}》{c.source.passage.label}",
            text=c.source.passage.text,
            law=c.source.document.title,
            label=c.source.passage.label,
            part=c.highlight,
        )
        for number, c in enumerate(draft.citations[:_MOST_ARTICLES], start=1)
    ]
    reviewed = []
    name = FROM.get(draft.outcome) if draft.outcome else ""
    if name:
        reviewed.append((name, draft.summary))
    reviewed += [(f"办事信息“{step.title}”", _card(step)) for step in draft.steps]
    return found + [
        Evidence(f"S{number}", name, said) for number, (name, said) in enumerate(reviewed, start=1)
    ]


def _card(step: NextStep) -> str:
    """A card without what is only so at the moment (whether a window is open)."""
    rows = {
        "地点": step.where,
        "电话": step.phone,
        "时间": step.hours,
        "费用": step.fee,
        "期限": step.deadline,
    }
    return "\n".join([step.how, *(f"{name}：{value}。" for name, value in rows.items() if value)])
