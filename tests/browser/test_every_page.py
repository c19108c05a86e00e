"""Every page of the console opens for whoever may see it, and axe finds nothing wrong with it.

All pages are full: two weeks of work are on them (`seed`). Each is opened once: as wide as a desk,
then the same page as narrow as a telephone, where axe reads it.
"""

from __future__ import annotations

import pytest

from service.auth import ROLES
from service.console.navigation import MENU
from tests.browser.conftest import PHONE, WIDE, Site, violations


def _role_for(permission: str) -> str:
    return next(role for role, allowed in ROLES.items() if permission in allowed)


BARE = [
    *((entry.href, _role_for(entry.permission)) for _, group in MENU for entry in group),
    ("/console/me", "agent"),
    ("/console/report", "supervisor"),
    ("/console/knowledge/new?kind=faq", "curator"),
    ("/console/knowledge/new?kind=service", "curator"),
    ("/console/sets/compare", "curator"),
    ("/console/try?question=楼上漏水把我家天花板泡了，不肯赔", "curator"),
    ("/console/reviews/open", "supervisor"),
    ("/console/reviews/agreement", "supervisor"),
    ("/console/statutes?text=经济补偿", "curator"),
]
# Of single things, by what the seed calls them.
THINGS = [
    ("dashboard", "supervisor"),
    ("item", "curator"),
    ("edit", "curator"),
    ("import", "curator"),
    ("law", "curator"),
    ("article", "curator"),
    ("set", "curator"),
    ("run", "curator"),
    ("gap", "curator"),
    ("desk_ticket", "supervisor"),
    ("rating", "supervisor"),
    ("conversation", "supervisor"),
    ("purpose", "supervisor"),
    ("review", "supervisor"),
    ("person", "administrator"),
    ("invitation", ""),
]


@pytest.mark.slow
@pytest.mark.parametrize(("path", "role"), BARE, ids=[path for path, _ in BARE])
def test_a_page_opens_without_a_violation_on_desktop_and_phone(
    site: Site, filled: dict[str, str], path: str, role: str
) -> None:
    _look_at(site, path, role)


@pytest.mark.slow
@pytest.mark.parametrize(("thing", "role"), THINGS, ids=[thing for thing, _ in THINGS])
def test_the_page_of_one_thing_opens_without_a_violation(
    site: Site, filled: dict[str, str], thing: str, role: str
) -> None:
    _look_at(site, filled[thing], role)


def test_the_door_opens_without_a_violation_for_who_is_not_signed_in(site: Site) -> None:
    _look_at(site, "/console/login", "")


def _look_at(site: Site, path: str, role: str) -> None:
    page = site.staff(role, size=WIDE) if role else site.stranger()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    try:
        site.goto(page, path)
        for width, height in (WIDE, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not too_wide, f"{path} scrolls sideways at {width}"
        assert violations(page) == []
        assert errors == []
    finally:
        page.close()
