"""Switches in an emergency, and what supervisors and administrators take home."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from service.models.control import Switch
from tests.browser.conftest import Site, ask

ITEM = "公司拖欠工资怎么办"
QUESTION = "公司拖欠三个月工资怎么办"


@pytest.fixture
def _all_on_afterwards(site: Site) -> Iterator[None]:
    """Whatever comes of the test, the next one finds nothing switched off."""
    yield
    with site.rooms.sessions.begin() as session:
        session.execute(delete(Switch))


@pytest.mark.slow
@pytest.mark.usefixtures("_all_on_afterwards")
def test_what_is_switched_off_is_not_used_but_danger_is_heard(site: Site) -> None:
    page = site.staff("supervisor", "丙")
    citizen = site.citizen()
    expect(ask(citizen, QUESTION)).to_contain_text("申请支付令")

    page.goto("/console/switches?q=拖欠工资")
    _set(page, ITEM, "关停", "等劳动科核对新的支付规定")
    assert "12348" in _told(citizen, QUESTION, lambda text: "申请支付令" not in text)

    _set(page, "网页", "关停", "演练")
    assert "12348" in _told(citizen, "离婚冷静期是多久", lambda text: "暂停回答" in text)
    danger = ask(citizen, "老公打我，我现在躲在卫生间")
    expect(danger).to_contain_text("请先保证人身安全")
    expect(danger).to_contain_text("110")

    _set(page, "网页", "恢复", "演练结束")
    _set(page, ITEM, "恢复", "已核对，没有变化")
    expect(page.get_by_text("没有关停任何一项。")).to_be_visible()
    _told(citizen, QUESTION, lambda text: "申请支付令" in text)


def test_figures_questions_and_the_knowledge_can_be_taken_home(site: Site) -> None:
    ask(site.citizen(), "我叫王小明，电话 13812345678，离婚冷静期是多久")
    page = site.staff("supervisor", "丙")
    page.goto("/console/dashboard")
    figures = _download(page, "link", "统计表（CSV）")
    assert "提问" in figures.read_text("utf-8-sig")
    asked = _download(page, "button", "问题清单（Excel）")
    sheet = load_workbook(io.BytesIO(asked.read_bytes())).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    words = " ".join(str(cell) for row in rows for cell in row)
    assert "离婚冷静期是多久" in words
    assert "13812345678" not in words
    listed = _download(page, "button", "问题清单（CSV）")
    assert len(list(csv.reader(io.StringIO(listed.read_text("utf-8-sig"))))) == len(rows)

    office = site.staff("administrator", "壬")
    office.goto("/console/knowledge")
    with zipfile.ZipFile(_download(office, "link", "导出整个知识库（ZIP）")) as archive:
        assert archive.testzip() is None
        everything = "".join(
            archive.read(name).decode() for name in archive.namelist() if name.endswith(".yaml")
        )
        assert ITEM in everything


def _told(citizen: Page, question: str, right: Callable[[str], bool]) -> str:
    """What a citizen is told, who asks again until it is right: in two seconds, says the page."""
    patience = time.monotonic() + 2 + 8  # a busy machine answers slowly
    while not right(told := ask(citizen, question).inner_text()):
        assert time.monotonic() < patience, told
    return told


def _set(page: Page, name: str, to: str, why: str) -> None:
    line = page.get_by_role("listitem").filter(has=page.get_by_text(name, exact=True)).first
    line.locator("summary").click()
    line.get_by_label("原因").fill(why)
    line.get_by_role("button", name=to).click()
    expect(page.get_by_text("两秒内生效").last).to_be_visible()
    expect(line).to_contain_text(why)


def _download(page: Page, role: str, name: str) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button" if role == "button" else "link", name=name).click()
    return Path(download.value.path())
