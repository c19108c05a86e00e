"""Runs of an evaluation are kept, so that each is compared with the one before it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from knowledge.models import digest

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One evaluation: which set (name, fingerprint), when, by which versions, with what result."""

    name: str
    cases: str
    ran_at: str
    versions: dict[str, str]
    figures: Figures


def fingerprint(*files: Path) -> str:
    """Which cases a run was about: runs over other cases are not comparable."""
    return digest("\n".join(digest(file.read_bytes().hex()) for file in files))[:12]


class Runs:
    """The kept runs of one home, a JSONL file a name, oldest first."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "evaluations"

    def last(self, name: str, cases: str) -> Run | None:
        """The newest run over the same cases."""
        path = self._folder / f"{name}.jsonl"
        if not path.exists():
            return None
        lines = reversed(path.read_text("utf-8").splitlines())
        runs = (Run(**json.loads(line)) for line in lines if line.strip())
        return next((run for run in runs if run.cases == cases), None)

    def keep(self, name: str, cases: str, versions: dict[str, str], figures: Figures) -> Run:
        """Append a run."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        run = Run(name, cases, now, versions, figures)
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(run), ensure_ascii=False) + "\n")
        return run


def changes(before: Figures, after: Figures) -> list[str]:
    """What differs, a line each: figures that moved, and cases that turned right or wrong."""
    lines = []
    old, new = flat(before), flat(after)
    for name in new:
        if name in old and old[name] != new[name]:
            lines.append(f"{name}  {_show(old[name])} → {_show(new[name])}")
    was, now = set(before.get("wrong", ())), set(after.get("wrong", ()))
    if now - was:
        lines.append("变错：" + "、".join(sorted(now - was)))
    if was - now:
        lines.append("变对：" + "、".join(sorted(was - now)))
    return lines


def flat(figures: Figures, prefix: str = "") -> dict[str, float]:
    """The numbers among the figures by dotted name: by_behaviour.legal.right."""
    out: dict[str, float] = {}
    for key, value in figures.items():
        if isinstance(value, dict):
            out |= flat(value, f"{prefix}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            out[prefix + key] = value
    return out


def _show(value: float) -> str:
    return f"{value:.3f}".lstrip("0") if 0 < value < 1 else f"{value:g}"
