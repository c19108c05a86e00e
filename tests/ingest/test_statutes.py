"""The package's texts, mended: dates, headings, amendments; and statutes from Markdown."""

from datetime import date
from pathlib import Path

import pytest

from ingest import content, markdown, statutes
from ingest.pipeline import Incoming, Report
from knowledge.lifecycle import in_force
from knowledge.models import DateBasis, Status
from tests.conftest import TODAY


@pytest.fixture(scope="module")
def report() -> Report:
    return Report(statutes.ORIGIN)


@pytest.fixture(scope="module")
def incoming(report: Report) -> dict[tuple[str, date], Incoming]:
    gone = ((r.law, r.repealed_on) for r in content.read_repealed())
    read = statutes.incoming_from_package(
        statutes.data_file(), statutes.Corrections.load(gone), report
    )
    return {(i.document.id, i.revision.published_on or date.min): i for i in read}


def current(incoming: dict[tuple[str, date], Incoming], law: str) -> list[Incoming]:
    return [i for i in incoming.values() if i.document.id == law and in_force(i.revision, TODAY)]


@pytest.mark.parametrize(
    ("law", "articles"),
    [
        ("民法典", 1260),
        ("法律援助法", 71),
        ("公证法", 47),
        ("人民调解法", 35),
        ("行政复议法", 90),
        ("刑法", 505),
    ],
)
def test_each_article_is_one_passage(
    incoming: dict[tuple[str, date], Incoming], law: str, articles: int
) -> None:
    [found] = current(incoming, law)
    assert len(found.passages) == articles
    assert len({p.label for p in found.passages}) == articles


@pytest.mark.parametrize("law", ["商标法", "农业法", "医疗保障法", "耕地保护和质量提升法"])
def test_law_of_next_year_is_not_law_today(
    incoming: dict[tuple[str, date], Incoming], law: str
) -> None:
    newest = max((k for k in incoming if k[0] == law), key=lambda k: k[1])
    assert incoming[newest].revision.effective_from == date(2027, 1, 1)
    assert all(i.revision.published_on != newest[1] for i in current(incoming, law))


def test_one_version_of_each_law_is_in_force_at_most(
    incoming: dict[tuple[str, date], Incoming],
) -> None:
    laws = {k[0] for k in incoming}
    assert [law for law in laws if len(current(incoming, law)) > 1] == []


def test_a_first_commencement_date_is_not_taken_for_an_amendments(
    incoming: dict[tuple[str, date], Incoming],
) -> None:
    cyber = incoming["网络安全法", date(2025, 10, 28)].revision
    assert (cyber.effective_from, cyber.date_basis) == (date(2026, 1, 1), DateBasis.CORRECTION)
    wrong = [
        i
        for i in incoming.values()
        if i.revision.effective_from
        and i.revision.published_on
        and i.revision.effective_from < i.revision.published_on
        and i.document.id != "香港特别行政区基本法"
    ]
    assert wrong == []


def test_an_unknown_commencement_keeps_the_old_text_in_force(
    incoming: dict[tuple[str, date], Incoming],
) -> None:
    [accountants] = current(incoming, "注册会计师法")
    assert accountants.revision.published_on == date(2014, 8, 31)


def test_headings_leave_the_articles_and_become_paths(
    incoming: dict[tuple[str, date], Incoming],
) -> None:
    code = {p.label: p for p in incoming["民法典", date(2020, 5, 28)].passages}
    assert code["第五百九十四条"].text.endswith("。")
    assert code["第一千零七十九条"].path == "第五编 婚姻家庭 > 第四章 离婚"
    assert code["第五百九十五条"].path == "第三编 合同 > 第二分编 典型合同 > 第九章 买卖合同"
    assert code["第一千二百六十条"].path == "附则"
    assert code["第一条"].path == "第一编 总则 > 第一章 基本规定"


def test_the_report_names_what_was_mended_and_what_is_missing(
    incoming: dict[tuple[str, date], Incoming], report: Report
) -> None:
    dates = [c for c in report.corrections if "施行日" in c]
    assert len(dates) >= 94
    assert "《中华人民共和国生态环境法典》缺第一千一百二十条" in report.problems
    assert any("农村土地承包法" in p for p in report.problems)


STATUTE = """---
title: 普陀区测试办法
published_on: 2025-01-01
effective_from: 2025-03-01
issuer: 普陀区人民政府
level: 规范性文件
region: "310107"
document_number: 普府规〔2025〕1号
source: 测试
---
# 普陀区测试办法
## 第一章 总则
第一条 为了测试，制定本办法。
本条第二款。
### 第一节 细目
第二条　测试分为：
（一）甲；
（二）乙。
## 第二章 附则
**第三条** 本办法自2025年3月1日起施行。
"""


def test_markdown_keeps_articles_whole_with_their_path(tmp_path: Path) -> None:
    file = tmp_path / "办法.md"
    file.write_text(STATUTE, "utf-8")
    report = Report("folder")
    item = markdown.read_markdown(file, "folder", report)
    assert item is not None
    assert [(p.label, p.path) for p in item.passages] == [
        ("第一条", "第一章 总则"),
        ("第二条", "第一章 总则 > 第一节 细目"),
        ("第三条", "第二章 附则"),
    ]
    assert item.passages[0].text == "为了测试，制定本办法。\n本条第二款。"
    assert item.revision.status is Status.DRAFT
    assert item.document.region == "310107"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("# 没有日期\n第一条 甲。", "没有公布日期"),
        (
            "---\npublished_on: 2025-01-01\neffective_from: 2025-01-01\n---\n没有条文",
            "没有找到条文",
        ),
    ],
)
def test_a_statute_without_date_or_articles_stays_out_and_is_reported(
    tmp_path: Path, raw: str, problem: str
) -> None:
    file = tmp_path / "x.md"
    file.write_text(raw, "utf-8")
    report = Report("folder")
    assert markdown.read_markdown(file, "folder", report) is None
    assert problem in report.problems[0]
