"""The pictures of `docs/console.md`, taken anew: seeds a fresh home and looks at every page.

`python -m tests.browser.pictures http://127.0.0.1:8000` with the server's `CONSULT_HOME`.
"""

from __future__ import annotations

import io
import shutil
import sys
from contextlib import closing
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ViewportSize, sync_playwright

from service.assembly import Rooms
from service.settings import Settings
from tests.browser.seed import PASSWORD, STAFF, Seed

PLACE = Path(__file__).parents[2] / "docs" / "images"
WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
COLOURS = 96
# The name of the picture, who looks, and where: an address, or what the seed calls a thing.
PAGES = (
    ("login", "", "/console/login"),
    ("me", "agent", "/console/me"),
    ("desk", "agent", "/console/desk"),
    ("desk-ticket", "agent", "desk_ticket"),
    ("urgent", "supervisor", "/console/urgent"),
    ("ratings", "supervisor", "/console/ratings"),
    ("rating", "supervisor", "rating"),
    ("knowledge", "curator", "/console/knowledge"),
    ("item", "curator", "item"),
    ("edit", "curator", "edit"),
    ("approvals", "reviewer", "/console/approvals"),
    ("statutes", "curator", "/console/statutes?text=经济补偿"),
    ("article", "curator", "article"),
    ("imports", "curator", "/console/imports"),
    ("import", "curator", "import"),
    ("stale", "curator", "/console/stale"),
    ("follow-ups", "curator", "/console/follow-ups"),
    ("try", "curator", "/console/try?question=楼上漏水把我家天花板泡了，不肯赔"),
    ("sets", "curator", "/console/sets"),
    ("run", "curator", "run"),
    ("compare", "curator", "/console/sets/compare"),
    ("conversations", "supervisor", "/console/conversations"),
    ("purpose", "supervisor", "purpose"),
    ("conversation", "supervisor", "conversation"),
    ("reviews", "supervisor", "/console/reviews"),
    ("follow-up-list", "supervisor", "/console/reviews/open"),
    ("review", "supervisor", "review"),
    ("agreement", "supervisor", "/console/reviews/agreement"),
    ("gaps", "curator", "/console/gaps"),
    ("gap", "curator", "gap"),
    ("dashboard", "supervisor", "dashboard"),
    ("report", "supervisor", "/console/report"),
    ("switches", "supervisor", "/console/switches"),
    ("notices", "supervisor", "/console/notices"),
    ("retention", "administrator", "/console/retention"),
    ("people", "administrator", "/console/people"),
    ("person", "administrator", "person"),
    ("audit", "auditor", "/console/audit"),
)
# What is worth seeing is further down.
SHOWN = {"desk-ticket": "#reply"}
ON_A_PHONE = ("desk", "urgent", "approvals", "conversation")


def main(url: str) -> None:
    with closing(Rooms(Settings())) as rooms, closing(Seed(url, rooms)) as seed:
        things = seed.all()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        staff = {"": browser.new_context(base_url=url)} | {
            role: _signed_in(browser, url, role) for role in STAFF
        }
        for name, role, at in PAGES:
            _take(staff[role], things.get(at, at), name, phone=False)
            if name in ON_A_PHONE:
                _take(staff[role], things.get(at, at), name, phone=True)
        browser.close()


def _signed_in(browser: Browser, url: str, role: str) -> BrowserContext:
    context = browser.new_context(base_url=url, locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    page.goto("/console/login")
    page.get_by_label("登录名").fill(STAFF[role][1])
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(lambda at: "/login" not in at)
    page.close()
    return context


def _take(context: BrowserContext, path: str, name: str, *, phone: bool) -> None:
    page = context.new_page()
    page.set_viewport_size(PHONE if phone else WIDE)
    page.goto(path)
    if part := SHOWN.get(name):
        page.locator(part).scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)  # what comes by itself: the preview, the state of the line
    seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    file = PLACE / f"console-{name}{'-phone' if phone else ''}.png"
    seen.save(file, optimize=True)
    sys.stdout.write(f"{file.name} {file.stat().st_size // 1024} KB\n")
    page.close()


if __name__ == "__main__":
    main(sys.argv[1])
