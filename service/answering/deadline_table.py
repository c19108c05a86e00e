"""The table of deadlines (`rules-deadlines`): what its rows must hold, and how a row is said."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

TABLE = "rules-deadlines"
ASK = "具体从哪天起算要看证据，请尽快问人。"
UNHELD = "请先问清再动手，不要自己估计日子。"


def _pattern(words: object) -> re.Pattern[str]:
    if not isinstance(words, str) or not words:
        raise PydanticCustomError("pattern", "要写成一条正则表达式")
    try:
        return re.compile(words)
    except re.error as error:
        raise PydanticCustomError("pattern", "正则表达式写错了") from error


Pattern = Annotated[re.Pattern[str], BeforeValidator(_pattern)]
Words = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Row(_Strict):
    """One deadline. `certainty` D: its figure stands in a regulation that is not held, so that no
    figure is given."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z-]+$")]
    title: Words
    period: Words
    starts: Words
    stops: Words
    missed: Words
    hurry: Words
    citations: Annotated[list[Words], Field(min_length=1)]
    articles: list[Words]
    asks_about_time: bool
    words: list[Pattern]
    not_words: list[Pattern]
    general: bool = False
    certainty: Literal["A", "D"] = "A"

    def names(self, period: str) -> bool:
        """Whether the row's period is this one (十日 is not in 三十日)."""
        return re.search(rf"(?<![一二三四五六七八九十]){period}", self.period) is not None

    def notice(self, *, little_time: bool, passed: bool) -> str:
        """The row as people read it."""
        said = [f"{self.title}：{self.period}", self.starts, self.stops]
        said += [f"只剩几天的话：{self.hurry}"] if little_time else []
        said += [f"如果已经过了：{self.missed}"] if passed else []
        said.append(ASK if self.certainty == "A" else UNHELD)
        basis = "依据" if self.certainty == "A" else "相关条文"
        words = "。".join(s.rstrip("。") for s in said)
        return f"{words}。（{basis}：{'、'.join(self.citations)}）"


class Table(_Strict):
    """The table `rules-deadlines`."""

    typos: dict[str, str]
    asks_about_time: list[Pattern]
    harmless: list[Pattern]
    little_time: list[Pattern]
    nearly: dict[str, Pattern]
    passed: list[Pattern]
    long_ago: list[Pattern]
    rows: list[Row]

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Table:
        """Raises ValueError in Chinese, naming row and field."""
        try:
            table = cls.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            at = list(first["loc"])
            if at[:1] == ["rows"] and len(at) > 1 and isinstance(at[1], int):
                row = raw["rows"][at[1]]
                at[:2] = [row.get("id", f"第{at[1] + 1}行") if isinstance(row, dict) else at[1]]
            where = ".".join(map(str, at))
            raise ValueError(f"期限规则表 {TABLE}：{where}：{first['msg']}") from error
        ids = [row.id for row in table.rows]
        twice = next((i for i in ids if ids.count(i) > 1), None)
        if twice:
            raise ValueError(f"期限规则表 {TABLE}：{twice} 写了两行")
        return table
