"""The instructions, from `service/answering/prompts/*.md`: versioned, with day and region filled
in, and everything that others have written fenced as data."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

_HEAD = re.compile(
    r"---\nname: (?P<name>\w+)\nversion: (?P<version>[\w.-]+)\n---\n(?P<text>.+)", re.S
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Instructions for one task."""

    name: str
    version: str
    text: str

    def messages(self, values: Mapping[str, str], data: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Instructions, and the data as JSON between lines that nobody can have written before: a
        new random mark each time, and no line of the data can begin outside a JSON string."""
        fence = f"〔{secrets.token_hex(8)}〕"
        system = Template(self.text).substitute(values, fence=fence)
        blocks = [
            f"{name}\n{fence}\n{json.dumps(value, ensure_ascii=False, indent=0)}\n{fence}"
            for name, value in data.items()
        ]
        return [("system", system), ("human", "\n\n".join(blocks))]


@cache
def load(name: str) -> Prompt:
    """The instructions of a task: compose, rewrite, choose, judge."""
    raw = (files("service.answering") / "prompts" / f"{name}.md").read_text("utf-8")
    head = _HEAD.fullmatch(raw)
    if head is None or head["name"] != name:
        raise ValueError(f"prompts/{name}.md: no head with name and version")
    return Prompt(name, head["version"], head["text"].strip())
