"""Our own content: services, guides, FAQ and hotlines in YAML, checked as it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ingest.pipeline import Incoming, Report
from knowledge.library import Repealed
from knowledge.models import Document, Kind, Passage, Revision, Status, body_digest

ORIGIN = "content"

Topic = Literal[
    "婚姻家庭",
    "继承遗嘱",
    "劳动人事",
    "借贷债务",
    "合同纠纷",
    "房屋纠纷",
    "物业管理",
    "相邻与侵权",
    "交通事故",
    "医疗食药",
    "消费维权",
    "征收旧改",
    "刑事",
    "行政",
    "诈骗与网络",
    "小微企业",
    "诉讼与执行",
    "法律援助",
    "公共法律服务",
    "投诉与信访",
]
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Region = Annotated[str, StringConstraints(pattern=r"^\d{6}$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(Strict):
    """One fact a citizen acts on, with how sure we are: A and B are checked, C and D are not."""

    text: Words
    certainty: Literal["A", "B", "C", "D"]
    source: Words


_DAYS = ("workdays", "daily", "always")
_SPAN = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)")


class Opening(Strict):
    """Opening hours to reckon with, beside the words in `hours`, whose certainty is theirs too.
    `days`: workdays (with legal holidays and 调休), daily (holidays too), always (an emergency
    number, without `times`)."""

    days: str
    times: list[str] = []

    @field_validator("days")
    @classmethod
    def _known_days(cls, days: str) -> str:
        if days not in _DAYS:
            raise PydanticCustomError("opening", "days 只能写 workdays、daily 或 always")
        return days

    @field_validator("times")
    @classmethod
    def _in_order(cls, times: list[str]) -> list[str]:
        for span in times:
            if not _SPAN.fullmatch(span):
                raise PydanticCustomError("opening", "时间段要写成 09:00-11:30 这样，24小时制")
        edges = [edge for span in times for edge in span.split("-")]
        if any(a >= b for a, b in pairwise(edges)):
            raise PydanticCustomError("opening", "时间段要从早到晚，不能重叠、相接或者倒着写")
        return times

    @model_validator(mode="after")
    def _times_if_needed(self) -> Opening:
        if bool(self.times) == (self.days == "always"):
            raise PydanticCustomError("opening", "workdays、daily 要写 times，always 不写")
        return self


class Base(Strict):
    """What every piece of content has."""

    id: Annotated[
        str, StringConstraints(pattern=r"^(faq|service|guide|hotline|outside)-[a-z0-9-]+$")
    ]
    region: Region
    source: Words
    checked_on: date
    asks: Annotated[list[Words], Field(min_length=3)]


class Item(Base):
    """A piece of content on one of the twenty topics."""

    topic: Topic
    cites: list[Words] = []
    notices: list[Words] = []


class Faq(Item):
    """A reviewed answer to one question, with the articles that carry it."""

    kind: Literal["faq"]
    question: Words
    answer: Words
    cites: Annotated[list[Words], Field(min_length=1)]
    steps: list[Words] = []
    facts: str = ""

    @property
    def title(self) -> str:
        return self.question


class Card(Item):
    """A service, guide or hotline: what it is, how to get it, what is not known about it."""

    kind: Literal["service", "guide", "hotline"]
    title: Words
    issuer: str = ""
    summary: Words
    who: str = ""
    how: list[Words] = []
    materials: list[Words] = []
    where: Fact | None = None
    phone: Fact | None = None
    hours: Fact | None = None
    opening: Opening | None = None
    fee: Fact | None = None
    deadline: Fact | None = None
    online: Fact | None = None
    unknown: list[Words] = []
    ask_at: Annotated[str, BeforeValidator(str)] = ""  # YAML reads 12348 as a number
    related: list[Words] = []

    @model_validator(mode="after")
    def _opening_has_a_source(self) -> Card:
        if self.opening and not self.hours:
            raise PydanticCustomError(
                "opening", "写了 opening，就要在 hours 里写明文字、把握和出处"
            )
        return self


class Outside(Base):
    """What people ask although it is no legal matter, and what to say then."""

    kind: Literal["outside"]
    topic: Literal["非法律事项"]
    title: Words
    reply: Words
    hotlines: list[Words] = []


class Rules(Strict):
    """A reviewed table that the service decides by. What its rows hold is checked by the part of
    the service that reads it (`service.answering.precheck`, `service.answering.deadlines`)."""

    kind: Literal["rules"]
    id: Annotated[str, StringConstraints(pattern=r"^rules-[a-z0-9-]+$")]
    title: Words
    topic: Topic
    region: Region
    source: Words
    checked_on: date
    cites: list[Words] = []
    table: dict[str, Any]


AnyItem = Faq | Card | Outside | Rules
_ITEMS: TypeAdapter[list[AnyItem]] = TypeAdapter(
    list[Annotated[AnyItem, Field(discriminator="kind")]]
)


def load_yaml(text: str) -> Any:
    """Plain data from YAML, by libyaml: seven times faster, which every start feels."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def content_folder() -> Path:
    """The content that ships with the product."""
    return Path(str(files("knowledge"))) / "content"


def read_items(path: Path) -> list[AnyItem]:
    """The items of one YAML file. Raises ValueError in Chinese, naming file, item and field."""
    try:
        raw = load_yaml(path.read_text("utf-8"))
        return _ITEMS.validate_python(raw)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}：不是有效的 YAML：{error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        index = first["loc"][0] if first["loc"] else "?"
        name = raw[index].get("id", index) if isinstance(index, int) else index
        where = ".".join(map(str, first["loc"][1:]))
        raise ValueError(f"{path.name}：{name} 的 {where}：{first['msg']}") from error


def read_repealed(folder: Path | None = None) -> list[Repealed]:
    """Laws that are law no longer, and what replaced them."""
    path = (folder or content_folder()) / "repealed.yaml"
    return [
        Repealed(
            law=raw["law"],
            aliases=tuple(raw.get("aliases", ())),
            repealed_on=raw.get("repealed_on"),
            replaced_by=raw.get("replaced_by"),
            basis=raw.get("basis") or "",
            note=raw.get("note") or "",
            articles={k: tuple(v) for k, v in (raw.get("articles") or {}).items()},
        )
        for raw in load_yaml(path.read_text("utf-8"))
    ]


def incoming_from_folder(folder: Path, report: Report, origin: str = ORIGIN) -> Iterator[Incoming]:
    """Every item under `folder` as a published revision; a broken file is a problem, not a stop."""
    for path in sorted(folder.rglob("*.yaml")):
        if path.name == "repealed.yaml":
            continue
        try:
            items = read_items(path)
        except ValueError as error:
            report.problems.append(str(error))
            continue
        for item in items:
            yield to_incoming(item, origin)


def to_incoming(item: AnyItem, origin: str) -> Incoming:
    """One item as document, revision, and a passage for each way of asking."""
    body: dict[str, Any] = item.model_dump(mode="json", exclude_defaults=True)
    body |= {"kind": item.kind, "title": item.title}
    document = Document(
        id=item.id,
        kind=Kind(item.kind),
        title=item.title,
        origin=origin,
        region=item.region,
        issuer=getattr(item, "issuer", ""),
        topic=item.topic,
    )
    revision_id = f"{item.id}@{body_digest(body)[:8]}"
    revision = Revision(
        id=revision_id,
        document_id=item.id,
        status=Status.PUBLISHED,
        source=item.source,
        checked_on=item.checked_on,
        published_on=item.checked_on,
        approver="content-review",
        body=body,
    )
    asks = {} if isinstance(item, Rules) else dict.fromkeys([item.title, *item.asks])
    passages = tuple(
        Passage(id=f"{revision_id}/{i}", revision_id=revision_id, ordinal=i, label="问法", text=ask)
        for i, ask in enumerate(asks)
    )
    return Incoming(document, revision, passages)
