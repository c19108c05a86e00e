"""Facts are the same however they are written, and different when they differ."""

from __future__ import annotations

import pytest

from service.model.facts import facts_of, foreign, supported


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("三十日内", "30日内"),
        ("三十日内", "30天以内"),
        ("两年", "2年"),
        ("六个月", "6个月"),
        ("三万五千元", "3.5万元"),
        ("三万五千元", "35,000元"),
        ("百分之三十", "30%"),
        ("十二万元", "120000元"),
        ("三分之一", "3分之1"),
        ("二十四小时", "24小时"),
        ("二〇二四年一月一日", "2024年1月1日"),
        ("第八十二条", "第82条"),
        ("十六周岁", "16岁"),
        ("不得超过六个月", "最多6个月"),
        ("五人以上", "至少5人"),
        ("021-62162686", "021 62162686"),
    ],
)
def test_two_ways_of_writing_are_one_fact(one: str, other: str) -> None:
    assert facts_of(one)
    assert facts_of(one) == facts_of(other)


@pytest.mark.parametrize(
    ("said", "passage"),
    [
        ("三十日后", "三十日内"),
        ("三十日以上", "三十日以下"),
        ("满一年", "不满一年"),
        ("超过六个月", "不超过六个月"),
        ("三十个月", "三十日"),
        ("3000元", "300元"),
        ("百分之三", "百分之三十"),
        ("12348", "12345"),
        ("第八百十二条", "第八十二条"),
        ("2024年1月2日", "2024年1月1日"),
        ("二倍", "三倍"),
        ("http://a.cn", "a"),
        ("壹拾万元", "一万元"),
        ("一三八零零一三八零零零", "一百三十八"),
    ],
)
def test_another_fact_is_not_supported(said: str, passage: str) -> None:
    known = frozenset(facts_of(passage))
    assert any(not supported(fact, known) for fact in facts_of(said))


@pytest.mark.parametrize("words", ["一般来说一定要十分小心", "万一发生", "老百姓一起协商", "之一"])
def test_numerals_in_words_are_no_facts(words: str) -> None:
    assert facts_of(words) == []


@pytest.mark.parametrize("char", ["①", "٣", "Ⅻ", "я", "\u200b", "<", "{", "😀", "*", "²"])
def test_another_script_is_foreign(char: str) -> None:
    assert foreign(f"工资{char}条") == char


def test_plain_chinese_is_not_foreign() -> None:
    assert foreign("根据《劳动合同法》第八十二条，每月支付“二倍的工资”（2倍）。") is None
