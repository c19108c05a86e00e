"""Where the rules are unsure the model may choose: it names identifiers of a closed list that code
has made, code turns them back, and nothing else that it writes is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.answering.draft import NO_HINTS, Hints
from service.answering.unsure import Open
from service.model.lines import objects


@dataclass(frozen=True, slots=True)
class Choice:
    """What the model chose, and what it wrote beside that. `hints` are none where more was dropped
    than chosen: one that mostly makes things up is not to be trusted with the rest."""

    topic: str | None
    questions: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def hints(self) -> Hints:
        chosen = len(self.questions) + (self.topic is not None)
        if len(self.dropped) > chosen:
            return NO_HINTS
        return Hints(topic=self.topic, questions=self.questions)


def as_data(choices: Open) -> dict[str, list[dict[str, str]]]:
    """The lists under their identifiers, as they are sent; a list of nothing is left out."""
    lists = {
        "主题": [{"编号": key, "名称": name} for key, name in _topics(choices).items()],
        "常见问题": [{"编号": key, "问题": title} for key, title in _questions(choices).items()],
    }
    return {name: entries for name, entries in lists.items() if entries}


def read(pieces: Iterable[str], choices: Open) -> Choice:
    """The first object of what the model writes, its identifiers turned back; what is none of what
    was offered is dropped."""
    said: dict[str, Any] = {}
    dropped: list[str] = []
    for item in objects(pieces):
        if isinstance(item, dict):
            said = item
            break
        dropped.append(item)
    topics = _known(said.pop("topic", None), _topics(choices), dropped)
    questions = _known(said.pop("questions", None), _questions(choices), dropped)
    dropped += [f"{key}: {value}" for key, value in said.items()]
    dropped += topics[1:]
    topic = topics[0] if topics else None
    return Choice(topic, tuple(dict.fromkeys(questions)), tuple(dropped))


def _topics(choices: Open) -> dict[str, str]:
    return {f"T{number}": name for number, name in enumerate(choices.topics, start=1)}


def _questions(choices: Open) -> dict[str, str]:
    return {f"Q{number}": title for number, title in enumerate(choices.questions, start=1)}


def _known(said: object, offered: Mapping[str, str], dropped: list[str]) -> list[str]:
    found = []
    for name in _each(said):
        if isinstance(name, str) and name in offered:
            found.append(offered[name])
        else:
            dropped.append(str(name))
    return found


def _each(said: object) -> Iterator[object]:
    """What was named, whether alone or in a list; nothing where nothing was."""
    for name in said if isinstance(said, list) else [said]:
        if name not in (None, "", []):
            yield name
