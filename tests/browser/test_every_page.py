"""Every page of the console opens for whoever may see it, and axe finds nothing wrong with it."""

from __future__ import annotations

import pytest

from service.auth import ROLES
from service.console.navigation import MENU
from tests.browser.conftest import PHONE, WIDE, Site, violations


def _role_for(permission: str) -> str:
    return next(role for role, allowed in ROLES.items() if permission in allowed)


PAGES = [
    *(
        pytest.param(entry.href, _role_for(entry.permission), id=entry.href)
        for _, g in MENU
        for entry in g
    ),
    *(
        pytest.param(path, role, id=path)
        for path, role in (
            ("/console/me", "agent"),
            ("/console/report", "supervisor"),
            ("/console/knowledge/new?kind=faq", "curator"),
            ("/console/knowledge/new?kind=service", "curator"),
            ("/console/reviews/agreement", "supervisor"),
        )
    ),
]


@pytest.mark.parametrize(("path", "role"), PAGES)
def test_a_page_opens_without_a_violation_on_desktop_and_phone(
    site: Site, path: str, role: str
) -> None:
    page = site.staff(role)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    for size in (WIDE, PHONE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        site.goto(page, path)
        assert violations(page) == []
        too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not too_wide, f"{path} scrolls sideways at {size[0]}"
    assert errors == []
    page.close()
