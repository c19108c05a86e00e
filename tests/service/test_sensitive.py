"""Abuse is masked and answered, solicitation refused, legal vocabulary never blocked; a site's own
table is read while we serve."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from knowledge.library import Library
from knowledge.models import Kind
from service.answering import wordlist
from service.answering.draft import Draft, Outcome, Targets
from service.answering.pipeline import Pipeline
from service.answering.sensitive import (
    Sensitive,
    Solicitation,
    Table,
    Words,
    masked,
    without_insults,
)
from service.answering.wordlist import Row
from service.cli import cli
from service.errors import BadWords
from tests.conftest import TODAY

TABLE = Table(wordlist.shipped())
HEAD = "word,category,action,note\n"


def actions(text: str) -> set[str]:
    return {hit.action for hit in TABLE.find(text)}


def nobody(_ids: tuple[str, ...]) -> tuple[()]:
    return ()


TARGETS: Targets = nobody


@pytest.mark.parametrize(
    ("text", "shown", "searched"),
    [
        ("操你妈公司不给我发工资", "＊＊＊公司不给我发工资", "公司不给我发工资"),
        ("操.你.妈，退钱", "＊＊＊，退钱", "退钱"),
        ("操，你，妈", "＊＊＊", ""),
        ("你這個傻 逼 律師", "你這個＊＊ 律師", "你這個 律師"),
        ("ＳＢ公司欠薪", "＊＊公司欠薪", "公司欠薪"),
        ("操\u200b你😡妈 赔钱", "＊＊＊ 赔钱", "赔钱"),
    ],
)
def test_an_insult_is_masked_however_it_is_written(text: str, shown: str, searched: str) -> None:
    found = TABLE.find(text)
    assert masked(text, found) == shown
    assert without_insults(text, found) == searched


@pytest.mark.parametrize(
    "text",
    [
        "离婚后他妈的房子归谁",
        "我太太他妈妈不肯搬",
        "this book is on a usb stick",
        "固体废物污染怎么索赔",
        "买的杂种犬有病能退吗",
        "脑残疾人证怎么办理",
        "强奸罪判几年",
        "卖淫嫖娼怎么处罚",
        "赌博欠的钱要还吗",
        "聚众赌博会坐牢吗",
        "网络赌博欠债怎么办",
        "邪教罪怎么认定",
        "练法轮功会判刑吗",
        "颠覆国家政权罪最高判多少年",
        "自杀的人有没有抚恤金",
        "税务局代开发票怎么办理",
        "卖枪判几年",
        "我在网上裸聊被敲诈了",
        "加微信裸聊，他要把视频发通讯录",
        "收到短信说代开发票加微信，是真的吗",
        "儿子出售银行卡被抓了",
        "我要卖，枪支管理法怎么规定",
    ],
)
def test_questions_of_law_are_neither_masked_nor_refused(text: str) -> None:
    assert actions(text) <= {"note"}


@pytest.mark.parametrize(
    "text",
    [
        "卖枪",
        "卖 枪，货到付款",
        "代开发票，加薇信 xx88",
        "裸聊加微信",
        "上门小姐 24小时在线",
        "百家乐开户送彩金",
        "賣槍 加v",
        "开房记录代查",
    ],
)
def test_solicitation_is_refused(text: str) -> None:
    assert "refuse" in actions(text)


def test_legal_vocabulary_is_never_blocked_by_itself() -> None:
    for key in wordlist.legal_vocabulary():
        assert actions(key) <= {"note"}, key


def test_the_longest_word_wins_and_an_allowed_phrase_covers_what_is_in_it() -> None:
    rows = [
        Row("草泥", "辱骂", "mask"),
        Row("草泥马", "辱骂", "note"),
        Row("网络赌博", "赌博广告", "mask"),
        Row("网络赌博欠债", "长词放行", "allow"),
    ]
    table = Table({row.key: row for row in rows})
    assert [(h.row.word, h.action) for h in table.find("草泥马是羊驼")] == [("草泥马", "note")]
    assert [h.action for h in table.find("草泥墙")] == ["mask"]
    assert table.find("网络赌博欠债怎么办") == ()
    assert [h.action for h in table.find("网络赌博平台")] == ["mask"]


def test_nothing_of_ours_would_be_stopped_on_its_way_out(library: Library) -> None:
    words = Words()
    articles = [
        p.text for p in library.passages.values() if library.document_of(p).kind is Kind.STATUTE
    ]
    texts = articles[:: len(articles) // 2000]
    texts += [
        text
        for revision in library.revisions.values()
        if library.documents[revision.document_id].kind is not Kind.STATUTE
        for text in strings(revision.body)
    ]
    assert len(texts) > 4000
    assert [hit.row.word for text in texts for hit in words.check_outbound(text)] == []


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        shown = (part for name, part in value.items() if name != "asks")  # people ask in them
        yield from (text for part in shown for text in strings(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in strings(part))


def test_what_a_model_writes_is_checked_on_its_way_out() -> None:
    hits = Words().check_outbound("您可以加v：xx88 代开发票")
    assert [(hit.row.category, hit.action) for hit in hits] == [("违禁品交易", "refuse")]


def test_readers_see_stars_and_the_record_does_not_bring_the_word_back() -> None:
    draft = Draft(raw="", on=TODAY, region="310107", question="傻逼公司欠薪", query="傻逼公司欠薪")
    Sensitive(Words())(draft)
    assert draft.question == "＊＊公司欠薪"
    assert draft.query == "傻逼公司欠薪"
    [record] = draft.trace["sensitive"]
    assert record == {"category": "辱骂", "action": "mask", "row": Row("傻逼", "", "").id}
    Solicitation(Words(), TARGETS)(draft)
    assert draft.query == "公司欠薪"
    assert draft.outcome is None


def test_nothing_but_an_insult_is_no_question() -> None:
    draft = Draft(raw="", on=TODAY, region="310107", query="傻逼")
    Solicitation(Words(), TARGETS)(draft)
    assert draft.outcome is Outcome.UNANSWERABLE_OFF_TOPIC


def test_abuse_is_answered_and_solicitation_is_not(pipeline: Pipeline) -> None:
    asked = "公司三个月不给我发工资怎么办"
    abusive = pipeline.answer(f"操你妈{asked}", on=TODAY)
    assert abusive.outcome is pipeline.answer(asked, on=TODAY).outcome
    assert abusive.outcome.answered
    assert "操" not in str(abusive.to_json())
    assert pipeline.answer("卖枪，货到付款", on=TODAY).outcome is Outcome.REFUSED_HARM


def test_danger_in_abusive_words_is_still_danger(pipeline: Pipeline) -> None:
    answer = pipeline.answer("操你妈我不想活了，卖枪加微信", on=TODAY)
    assert answer.outcome is Outcome.HANDOVER_URGENT
    assert "操" not in answer.draft.question


def test_a_changed_file_is_read_and_a_broken_one_is_not(tmp_path: Path) -> None:
    own = tmp_path / "sensitive.csv"
    words = Words(own)
    assert words.check_outbound("本站暗号甲") == ()
    write(own, HEAD + "暗号甲,其他,mask,\n傻逼,辱骂,allow,\n", at=1)
    assert [h.row.word for h in words.check_outbound("本站暗号甲")] == ["暗号甲"]
    assert words.check_outbound("傻逼") == ()
    write(own, HEAD + "暗号乙,其他,抹掉,\n", at=2)
    assert [h.row.word for h in words.check_outbound("本站暗号甲")] == ["暗号甲"]
    assert words.problem is not None
    assert "第 2 行" in words.problem
    write(own, HEAD + "暗号乙,其他,mask,\n", at=3)
    assert words.check_outbound("本站暗号甲") == ()
    assert words.problem is None
    own.unlink()
    assert words.check_outbound("本站暗号乙") == ()


def write(path: Path, content: str, *, at: int) -> None:
    path.write_text(content, "utf-8")
    os.utime(path, (at, at))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("强奸,其他,mask,\n", "第 2 行：“强奸”是法律用语"),
        ("报警,其他,refuse,\n", "是法律用语或求助的话"),
        ("劳动仲裁,其他,refuse,\n", "是法律用语"),
        ("妈,辱骂,mask,\n", "只有一个字"),
        ("，。,辱骂,mask,\n", "没有词"),
        ("词甲,,mask,\n", "没有写类别"),
        ("词甲,其他,删除,\n", "只能是"),
        ("词甲,其他,mask,\n词 甲,其他,refuse,\n", "第 3 行：“词 甲”和第 2 行是同一个词"),
        ('词甲,其他,mask,"没有成对\n', "第 2 行"),
        ("长" * 41 + ",其他,mask,\n", "词太长"),
    ],
)
def test_each_wrong_line_is_named(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text(HEAD + content, "utf-8")
    with pytest.raises(BadWords, match=r"own\.csv") as refused:
        wordlist.read(file)
    assert problem in refused.value.message


def test_a_file_from_a_spreadsheet_is_read(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "gb18030"):
        file = tmp_path / "own.csv"
        file.write_bytes((HEAD + "暗号甲,其他,mask,说明\n").encode(encoding))
        assert [row.word for row in wordlist.read(file).values()] == ["暗号甲"]
    file.write_bytes(b"\xff\xff\xff")
    with pytest.raises(BadWords, match="编码"):
        wordlist.read(file)


def test_ten_thousand_words_and_a_long_text_take_two_milliseconds() -> None:
    dice = np.random.default_rng(1)

    def written(length: int) -> str:
        return "".join(map(chr, 0x4E00 + dice.integers(3000, size=length)))

    rows: dict[str, Row] = {}
    while len(rows) < 10_000:
        row = Row(written(int(dice.integers(2, 7))), "其他", "mask")
        rows[row.key] = row
    table = Table(rows)
    text = written(2000)
    table.find(text)
    took = []
    for _ in range(30):
        began = time.perf_counter()
        table.find(text)
        took.append(time.perf_counter() - began)
    assert statistics.median(took) <= 0.002


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def consult(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command on a home of its own: arguments → exit code and what it says."""
    monkeypatch.setenv("CONSULT_HOME", str(tmp_path / "home"))
    runner = CliRunner()

    def run(*arguments: str) -> tuple[int, str]:
        done = runner.invoke(cli, ["words", *arguments])
        message = done.exception.message if isinstance(done.exception, BadWords) else ""
        return done.exit_code, done.output + message

    return run


def test_words_are_imported_once(consult: Command, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text(HEAD + "暗号甲,其他,mask,\n傻逼,辱骂,note,轻一点\n", "utf-8")
    assert "新增 1 个词，修改 1 个词" in consult("import", str(file))[1]
    own = tmp_path / "home" / "sensitive.csv"
    first = own.read_bytes()
    assert "没有变化" in consult("import", str(file))[1]
    assert own.read_bytes() == first
    assert "暗号甲" in consult("list", "--category", "其他")[1]
    assert '"shown": "＊＊＊"' in consult("test", "暗号甲")[1]


def test_a_plain_list_is_imported_with_its_category(consult: Command, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("暗号甲\n\n暗号乙\n", "utf-8")
    code, output = consult("import", str(file))
    assert code == 1
    assert "--category" in output
    code, output = consult("import", str(file), "--category", "其他", "--action", "note")
    assert "新增 2 个词" in output


def test_a_broken_file_is_not_imported(consult: Command, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text(HEAD + "好词,其他,mask,\n诈骗罪,其他,refuse,\n", "utf-8")
    for command in ("check", "import"):
        code, output = consult(command, str(file))
        assert code == 1
        assert "第 3 行：“诈骗罪”是法律用语" in output
    assert not (tmp_path / "home" / "sensitive.csv").exists()


def test_what_is_exported_can_be_imported(consult: Command, tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    assert consult("export", str(file))[0] == 0
    assert "没有问题" in consult("check", str(file))[1]
    assert "没有变化" in consult("import", str(file))[1]
