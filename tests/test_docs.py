"""What README says is true."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main

from service.cli import cli
from service.console.navigation import MENU
from service.settings import Settings
from tests.browser.pictures import PAGES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_table_of_settings_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `CONSULT_(\w+)` \| (.+?) \| (.+?) \|$", README, re.MULTILINE)
    documented = {name.lower(): (default.strip("`"), text) for name, default, text in rows}
    assert documented.keys() == Settings.model_fields.keys()
    for name, field in Settings.model_fields.items():
        default, text = documented[name]
        assert text.replace("`", "") == field.description
        if name != "home":
            assert default == (str(field.default) or "空")


def test_every_command_in_readme_exists_and_the_other_way_round() -> None:
    group = typer.main.get_command(cli)
    commands = set(group.commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"`consult ([\w-]+)", README))
    assert named == commands


def test_every_file_on_the_map_exists() -> None:
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_the_guide_shows_every_page_of_the_menu() -> None:
    guide = (ROOT / "docs/console.md").read_text("utf-8")
    shown = set(re.findall(r"images/(console-[a-z-]+)\.png", guide))
    assert [name for name in shown if not (ROOT / f"docs/images/{name}.png").exists()] == []
    pictured = {at.split("?")[0] for name, _, at in PAGES if f"console-{name}" in shown}
    pages = {entry.href for _, entries in MENU for entry in entries} - {"/console/dashboard"}
    assert pages <= pictured  # the dashboard is shown over a span of days


def test_the_documents_name_no_path_of_one_machine() -> None:
    pattern = re.compile(
        r"(?:^|[\s`'\"(=])/(?:home|root|tmp|opt|mnt|srv|Users)/|--(?:extra-)?index-url"
    )
    assert pattern.search("see /home/someone/notes")
    checked = [ROOT / "README.md", ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    for path in [*checked, *ROOT.glob("docs/**/*.md"), *ROOT.glob(".ci/*")]:
        assert not pattern.search(path.read_text("utf-8")), path
