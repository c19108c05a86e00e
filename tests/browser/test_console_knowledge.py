"""Files become answers with their source, and two people edit one item without losing a word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docx import Document
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, ask, choose

WORD = "关于普陀区法治讲座积分兑换的通知"
RULE = "居民参加法治讲座满十次的，可以凭积分兑换一次律师上门咨询。"
PRINTED = "关于普陀区楼道法律信箱开箱时间的通知"
BOX = "楼道法律信箱每周三下午开箱，由社区法律顾问在五个工作日内书面回复。"


@pytest.mark.slow
def test_a_word_file_and_a_pdf_become_answers_with_their_source(site: Site, tmp_path: Path) -> None:
    curator = site.staff("curator", "癸")
    _import(curator, _word(tmp_path / "积分兑换.docx"), RULE, WORD)
    _import(curator, _printed(site, tmp_path / "法律信箱.pdf"), BOX, PRINTED)

    reviewer = site.staff("reviewer", "乙")
    for title in (WORD, PRINTED):
        reviewer.goto("/console/approvals")
        waiting = reviewer.get_by_role("article").filter(has_text=title)
        waiting.get_by_role("button", name="通过并发布").click()
        expect(reviewer.get_by_text("已通过，马上发布的几秒后生效")).to_be_visible()
    site.until_published()

    for question, title, words in (
        ("参加法治讲座积分兑换律师上门咨询要几次", WORD, "满十次"),
        ("楼道法律信箱什么时候开箱，多久回复", PRINTED, "每周三下午"),
    ):
        told = ask(site.citizen(), question)
        expect(told).to_contain_text(words)
        expect(told).to_contain_text(title)
        expect(told).to_contain_text("普司发〔2026〕")


def test_a_scanned_pdf_is_refused_with_what_to_do_about_it(site: Site, tmp_path: Path) -> None:
    scan = Image.new("L", (800, 1100), 255)
    ImageDraw.Draw(scan).line((100, 100, 700, 900), fill=0, width=5)
    scan.save(tmp_path / "扫描件.pdf")
    page = site.staff("curator", "癸")
    page.goto("/console/imports")
    page.get_by_label("把文件拖到这里").set_input_files(tmp_path / "扫描件.pdf")
    page.get_by_role("button", name="读文件").click()
    refused = page.get_by_role("alert")
    expect(refused).to_contain_text("扫描")
    expect(refused).to_contain_text("识别")


def test_who_saves_second_is_told_loses_nothing_merges_and_submits(site: Site) -> None:
    first, second = site.staff("curator", "癸"), site.staff("curator", "子")
    address = "/console/knowledge/faq-rental-repair"  # has no notice of its own
    for page in (first, second):
        page.goto(f"{address}/edit")
    notice = re.compile("^请特别留意")
    first.get_by_label(notice).fill("先保存的人写的提醒。")
    first.get_by_role("button", name="保存草稿").click()
    expect(first.locator("#state")).to_contain_text("已保存")

    second.get_by_label(notice).fill("后保存的人写的提醒。")
    second.get_by_role("button", name="保存草稿").click()
    expect(second.get_by_role("alert").filter(has_text="别人先保存了")).to_contain_text("癸")
    second.get_by_role("link", name="对照合并").click()
    expect(second.get_by_label(notice)).to_have_value("后保存的人写的提醒。")
    beside = second.get_by_role("region", name="现在的版本", exact=True)
    expect(beside).to_contain_text("先保存的人写的提醒。")
    second.get_by_label(notice).fill("先保存的人写的提醒。\n后保存的人写的提醒。")
    second.get_by_role("button", name="合并好了，保存并提交复核").click()
    expect(second.get_by_role("heading", name="等待复核的一稿")).to_be_visible()

    choose(second, "待复核")
    waiting = second.get_by_role("article").filter(has_text="后保存的人写的提醒。")
    expect(waiting).to_contain_text("先保存的人写的提醒。")


def _word(path: Path) -> Path:
    paper = Document()
    paper.add_heading(WORD, 0)
    for line in ("普司发〔2026〕101号", "各街道、镇：", f"一、{RULE}", "二、积分当年有效。"):
        paper.add_paragraph(line)
    for line in ("上海市普陀区司法局", "2026年11月20日"):
        paper.add_paragraph(line)
    paper.save(str(path))
    return path


def _printed(site: Site, path: Path) -> Path:
    """A real PDF, as a browser prints one."""
    lines = ("普司发〔2026〕102号", "各街道、镇：", f"一、{BOX}", "二、信箱只收书面材料。")
    signed = ("上海市普陀区司法局", "2026年11月21日")
    page = site.stranger()
    body = "".join(f"<p>{line}</p>" for line in (*lines, *signed))
    page.set_content(f"<h1 style='text-align: center'>{PRINTED}</h1>{body}")
    page.pdf(path=path)
    page.close()
    return path


def _import(page: Page, file: Path, words: str, title: str) -> None:
    """Read the file, look at what was read, and submit the draft."""
    page.goto("/console/imports")
    page.get_by_label("把文件拖到这里").set_input_files(file)
    page.get_by_role("button", name="读文件").click()
    expect(page.get_by_text(words)).to_be_visible()
    page.get_by_label(re.compile("^名称")).fill(title)
    page.get_by_label(re.compile("^主题")).select_option("公共法律服务")
    page.get_by_role("button", name="生成草稿").click()
    page.get_by_role("link", name=title).first.click()
    page.get_by_role("button", name="提交复核").click()
    expect(page.get_by_text("已提交，等别人复核")).to_be_visible()
