"""What a curator can be told: which fields are wrong, and that somebody else was faster."""

from __future__ import annotations

from typing import Any

from service.errors import BadRequest, Conflict


class BadFields(BadRequest):
    """Everything that is wrong with what was sent: `fields` maps a field (`asks`, `where.text`) to
    a sentence in Chinese."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("fields", f"有{len(fields)}处需要修改，改好再保存。")
        self.fields = fields
        self.details = {"fields": fields}


class EditedMeanwhile(Conflict):
    """Somebody else saved since the editor was opened. Nothing is lost: `details` have `who` and
    `at`, `newest` (their revision), `kept` (the draft aside with the words of who came second), and
    `changes` from the one to the other."""

    def __init__(self, *, who: str, at: str | None, newest: str) -> None:
        super().__init__(
            "edited_meanwhile",
            f"您编辑的时候，{who}已经保存了新的版本。您写的没有丢，另存为一稿，请比对后再提交。",
        )
        self.details: dict[str, Any] = {"who": who, "at": at, "newest": newest}

    def keep(self, kept: str, changes: list[dict[str, Any]]) -> None:
        """Say where the words are."""
        self.details |= {"kept": kept, "changes": changes}
