"""Laws are read in article by article, as what they are: a law, a rule, an amendment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from knowledge.index import is_searched
from knowledge.models import Kind
from service.curation import BadFields
from service.curation.imports import Imports
from service.curation.papers import Paper, suggested_level
from tests.service.curation.bureau import TODAY, Bureau
from tests.service.curation.test_imports import PAPER, approved, imports_of, library_of


@pytest.fixture
def imports(bureau: Bureau, tmp_path: Path) -> Imports:
    return imports_of(bureau, tmp_path)


def test_a_law_is_read_article_by_article_and_its_earlier_version_ends(
    bureau: Bureau, imports: Imports
) -> None:
    def regulation(words: str) -> bytes:
        articles = "".join(f"第{n}条 {words}，应当遵守。\n\n" for n in "一二三四五六")
        return f"# 上海市公共法律服务条例\n\n## 第一章 总则\n\n{articles}".encode()

    days = (date(2020, 1, 1), date(2027, 1, 1))
    drafts = []
    for number, day in enumerate(days):
        seen, _ = imports.receive(bureau.author, "条例.md", regulation("甲乙"[number] * 20))
        preview = imports.preview(seen["id"])
        assert (preview["form"], preview["fields"]["level"]) == ("statute", "地方性法规")
        paper = Paper(
            title="上海市公共法律服务条例",
            source="市人大常委会公报",
            region="310000",
            level="地方性法规",
            published_on=date(2019 + number, 6, 1),
            effective_from=day,
        )
        drafts += imports.save(bureau.author, seen["id"], form="statute", paper=paper)["drafts"]
        approved(bureau, drafts[-1])
    library = library_of(bureau)
    law = drafts[0]["document"]
    assert library.documents[law].kind is Kind.STATUTE
    assert library.documents[law].level == "地方性法规"
    for day, draft in ((TODAY, drafts[0]), (date(2027, 1, 1), drafts[1])):
        [held] = [r for r in library.versions(law) if r.id in library.revisions_in_force(day)]
        assert held.id == draft["revision"]
        article = library.article(held.id, "第一条")
        assert article is not None
        assert article.passage.path == "第一章 总则"
    first = library.revisions[drafts[0]["revision"]]
    assert first.effective_until == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("上海市公证条例", "地方性法规"),
        ("上海市公证条例（2026年修正）", "地方性法规"),
        ("法律援助条例", "行政法规"),
        ("中华人民共和国道路交通安全法实施条例", "行政法规"),
        ("上海市行政规范性文件管理规定", "地方政府规章"),
        ("律师事务所管理办法", "部门规章"),
        ("中华人民共和国城市居民委员会组织法", "法律"),
        ("中华人民共和国刑法修正案（十二）", "修正案"),
        ("全国人民代表大会常务委员会关于修改《中华人民共和国公证法》的决定", "修改决定"),
        ("最高人民法院关于审理劳动争议案件适用法律问题的解释（一）", "司法解释"),
        ("便民措施", ""),
    ],
)
def test_what_kind_of_law_a_title_names_is_suggested(title: str, level: str) -> None:
    assert suggested_level(title) == level


def test_a_law_needs_its_level_and_an_amendment_is_never_an_answer(
    bureau: Bureau, imports: Imports
) -> None:
    articles = "".join(f"第{n}条 将原来的条文修改为新的条文。\n\n" for n in "一二三四五六")
    text = f"# 上海市公证条例修正案\n\n{articles}"
    seen, _ = imports.receive(bureau.author, "修正案.md", text.encode())
    level = imports.preview(seen["id"])["fields"]["level"]
    paper = replace(PAPER, title="上海市公证条例修正案")
    for wrong in ("", "圣旨"):
        with pytest.raises(BadFields) as refused:
            imports.save(
                bureau.author, seen["id"], form="statute", paper=replace(paper, level=wrong)
            )
        assert list(refused.value.fields) == ["level"]
    saved = imports.save(
        bureau.author, seen["id"], form="statute", paper=replace(paper, level=level)
    )
    approved(bureau, saved["drafts"][0])
    library = library_of(bureau)
    assert library.passages
    assert not any(is_searched(library.source(p)) for p in library.passages)
