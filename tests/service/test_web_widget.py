"""What other sites load, and that it says the same as our own page."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

import web
from service.channels import assets
from service.channels.gate import CONSENT_VERSION
from tests.service.channels.counter import Counter
from tests.service.databases import sqlite

FIRST, OPENED = 12_000, 36_000  # bytes, compressed


def text_of(name: str) -> str:
    return (web.WIDGET / name).read_text("utf-8")


def loaded_with(name: str) -> set[str]:
    """A module with all that it imports at once."""
    found: set[str] = set()
    named = [name]
    while named:
        if (module := named.pop()) not in found:
            found.add(module)
            named += re.findall(r"from '\./([^']+)'", text_of(module))
    return found


def size_of(*texts: str) -> int:
    return sum(len(gzip.compress(text.encode())) for text in texts)


def test_what_loads_with_the_page_of_another_site_is_small() -> None:
    assert size_of(*map(text_of, loaded_with("widget.js"))) <= FIRST


def test_what_loads_when_it_is_opened_is_bounded() -> None:
    modules = map(text_of, loaded_with("panel.js"))
    assert size_of(*modules, assets.element_sheet()) <= OPENED


def test_the_panel_has_the_parts_of_the_page() -> None:
    def ids(text: str) -> set[str]:
        return set(re.findall(r"\bid(?:=|: )[\"']([\w-]+)[\"']", text))

    tools = set(re.findall(r"button\('(\w+)'", text_of("panel.js")))
    of_panel, of_page = ids(text_of("panel.js")) | tools, ids(text_of("index.html"))
    assert of_page - of_panel == {"lines-title"}  # the column at the side
    assert of_panel - of_page == {"panel-title", "close"}


def test_the_notice_that_is_shown_is_the_one_that_is_kept() -> None:
    assert f"VERSION = '{CONSENT_VERSION}'" in text_of("agreement.js")


def test_no_script_writes_html_or_asks_a_third_party() -> None:
    for path in web.WIDGET.glob("*.js"):
        text = path.read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text)
        assert not re.search(r"\beval\(|new Function", text)
        hosts = set(re.findall(r"https?://[\w.-]+", text))
        assert hosts <= {"http://www.w3.org"}, path.name  # the name of SVG, never asked for


def test_every_text_has_its_two_translations() -> None:
    rows = re.findall(r"^  \[(.+)\],$", text_of("texts.js"), re.MULTILINE)
    assert len(rows) > 150
    for row in rows:
        parts = re.findall(r"'((?:[^'\\]|\\.)*)'", row)
        assert len(parts) == 3
        assert all(parts), row
        assert len({part.count("{}") for part in parts}) == 1, row


@pytest.mark.parametrize(
    ("page", "shadow"),
    [
        (":root { --a: 1rem; }", ":host { --a: calc(1 * var(--rem)); }"),
        (":root.elder { x: y; }", ":host(.elder) { x: y; }"),
        ("p { margin: 0 -1.2rem; }", "p { margin: 0 calc(-1.2 * var(--rem)); }"),
        ("html { x: y; }\nbody { x: y; }", ".panel { x: y; }\n.panel { x: y; }"),
        ("@media (min-width: 40rem) { a { x: y; } }",
         "@container consult (min-width: 640px) { a { x: y; } }"),
        ("@media print { body:has(.a) > b { x: y; } }",
         "@media print { .panel:has(.a) > b { x: y; } }"),
        ("@media (hover: hover) { a { x: y; } }", "@media (hover: hover) { a { x: y; } }"),
        ("/* a note */.html-like { x: y; }", ".html-like { x: y; }"),
    ],
)  # fmt: skip
def test_a_sheet_of_the_page_becomes_one_of_the_element(page: str, shadow: str) -> None:
    assert assets.in_shadow(page) == shadow


def test_the_sheet_of_the_element_knows_nothing_of_its_page() -> None:
    sheet = assets.element_sheet()
    assert not re.search(
        r"[\d.]+rem\b(?![^{]*\{[^}]*orientation)", re.sub(r"@media[^{]*", "", sheet)
    )
    assert ":root" not in sheet


def test_files_are_compressed_and_asked_for_by_their_tag(tmp_path: Path) -> None:
    with sqlite(tmp_path) as engine:
        client = Counter(engine, tmp_path).client
        for path in ("/widget.js", "/widget.css", "/static/panel.js", "/"):
            packed = client.get(path, headers={"Accept-Encoding": "gzip"})
            plain = client.get(path, headers={"Accept-Encoding": "identity"})
            assert packed.headers["content-encoding"] == "gzip"
            assert "content-encoding" not in plain.headers
            assert packed.content == plain.content
            assert {"Accept-Encoding", "Origin"} >= set(
                map(str.strip, packed.headers["vary"].split(","))
            )
            tag = {"If-None-Match": packed.headers["etag"]}
            again = client.get(path, headers=tag)
            assert again.status_code == 304
            assert again.content == b""
