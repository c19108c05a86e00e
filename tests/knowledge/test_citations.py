"""Citations in every form people write: nothing wrongly accepted, nothing silently missed."""

from datetime import date

import pytest

from knowledge.citations import LawBook, Verdict
from tests.conftest import TODAY

V = Verdict

CASES: list[tuple[str, list[tuple[str, Verdict]]]] = [
    ("民法典第一千零七十九条", [("第一千零七十九条", V.VERIFIED)]),
    ("民法典第1079条", [("第一千零七十九条", V.VERIFIED)]),
    ("民法典1079条", [("第一千零七十九条", V.VERIFIED)]),
    ("《中华人民共和国民法典》第 1079 条", [("第一千零七十九条", V.VERIFIED)]),
    ("中华人民共和国民法典（2020年）第1条", [("第一条", V.VERIFIED)]),
    ("刑法293条之一", [("第二百九十三条之一", V.VERIFIED)]),
    ("《刑法》第二百九十三条之一第（二）项", [("第二百九十三条之一", V.VERIFIED)]),
    ("《劳动合同法》第四十七条第一款", [("第四十七条", V.VERIFIED)]),
    (
        "根据民诉法第122条和第123条",
        [("第一百二十二条", V.VERIFIED), ("第一百二十三条", V.VERIFIED)],
    ),
    ("我想问一下新公司法第十五条是什么", [("第十五条", V.VERIFIED)]),
    ("在刑法和民法典第3条里", [("第三条", V.VERIFIED)]),
    ("违反治安管理处罚法第43条怎么处罚", [("第四十三条", V.VERIFIED)]),
    ("劳动合同法第38条，该法第46条", [("第三十八条", V.VERIFIED), ("第四十六条", V.VERIFIED)]),
    (
        "刑法第232条至第235条",
        [(f"第二百三十{n}条", V.VERIFIED) for n in "二三四五"],
    ),
    (
        "《民法典》第1254条、第9999条",
        [("第一千二百五十四条", V.VERIFIED), ("第九千九百九十九条", V.NO_SUCH_ARTICLE)],
    ),
    ("刑法修正案（十二）第一条", [("第一条", V.VERIFIED)]),
    ("公司法（2023修订）第15条", [("第十五条", V.VERIFIED)]),
    ("刑法264", [("第二百六十四条", V.VERIFIED)]),
    ("刑法133之1是什么", [("第一百三十三条之一", V.VERIFIED)]),
    ("劳动合同法38和46条", [("第三十八条", V.VERIFIED), ("第四十六条", V.VERIFIED)]),
    ("民法典1062到1064条", [(f"第一千零六十{n}条", V.VERIFIED) for n in "二三四"]),
    ("第1042条民法典", [("第一千零四十二条", V.VERIFIED)]),
    ("民法典的第一千一百二十七条给我看看", [("第一千一百二十七条", V.VERIFIED)]),
    ("《民法典》的第1127条", [("第一千一百二十七条", V.VERIFIED)]),
    ("诉讼费用交纳办法第13条", [("第十三条", V.NOT_HELD)]),
    ("业主权益保护法第二十条说可以不交物业费", [("第二十条", V.NO_SUCH_LAW)]),
    ("上海市物业管理法第三条", [("第三条", V.NOT_HELD)]),
    ("刑法2020年修正", []),
    ("公司法3个月", []),
    ("民法典第9999条", [("第九千九百九十九条", V.NO_SUCH_ARTICLE)]),
    ("民法典第99999条", [("第99999条", V.NO_SUCH_ARTICLE)]),
    ("刑法第二百九十三条之九", [("第二百九十三条之九", V.NO_SUCH_ARTICLE)]),
    ("劳动合同法第四十七条第九款", [("第四十七条", V.NO_SUCH_ARTICLE)]),
    ("民法典第一千零七十九条第十项", [("第一千零七十九条", V.NO_SUCH_ARTICLE)]),
    ("《劳动合同法实施条例》第九条", [("第九条", V.NOT_HELD)]),
    ("劳动合同法实施条例第九条", [("第九条", V.NOT_HELD)]),
    ("《公司法实施细则》第三条", [("第三条", V.NOT_HELD)]),
    ("工伤保险条例第十四条", [("第十四条", V.NOT_HELD)]),
    ("民法典婚姻家庭编解释一第三十二条", [("第三十二条", V.NOT_HELD)]),
    (
        "最高人民法院关于适用《中华人民共和国民法典》婚姻家庭编的解释（一）第三十二条",
        [("第三十二条", V.NOT_HELD)],
    ),
    ("香港公司法第3条", [("第三条", V.NOT_HELD)]),
    ("利率法第三条", [("第三条", V.NO_SUCH_LAW)]),
    ("《中华人民共和国利率法》第3条", [("第三条", V.NO_SUCH_LAW)]),
    ("婚姻法第三十二条", [("第三十二条", V.NOT_IN_FORCE)]),
    ("合同法第52条", [("第五十二条", V.NOT_IN_FORCE)]),
    ("医疗保障法第五条", [("第五条", V.NOT_IN_FORCE)]),
    ("噪声污染防治法第六十五条", [("第六十五条", V.NOT_IN_FORCE)]),
    ("农村土地承包法第三条", [("第三条", V.NOT_IN_FORCE)]),
    ("生态环境法典第一千一百二十条", [("第一千一百二十条", V.NOT_HELD)]),
    ("今天天气怎么样", []),
    ("我有三条狗，第一条叫小黄", []),
    ("没有办法第一条路走不通", []),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[c[0] for c in CASES])
def test_every_citation_gets_its_verdict(
    laws: LawBook, text: str, expected: list[tuple[str, Verdict]]
) -> None:
    found = [(c.mention.label, c.verdict) for c in laws.check_text(text, TODAY)]
    assert found == expected


def test_an_inserted_article_is_not_its_neighbour(laws: LawBook) -> None:
    inserted = laws.cite("刑法第二百九十三条之一", TODAY).passage.text
    assert "催收" in inserted
    assert inserted != laws.cite("刑法第二百九十三条", TODAY).passage.text


def test_a_repealed_article_leads_to_the_one_that_took_its_place(laws: LawBook) -> None:
    [checked] = laws.check_text("婚姻法第三十二条", TODAY)
    assert [s.name for s in checked.replaced_by] == ["《中华人民共和国民法典》第一千零七十九条"]
    assert "民法典" in checked.note


def test_the_trademark_law_of_today_is_not_next_years(laws: LawBook) -> None:
    now = laws.cite("商标法第四十八条", TODAY)
    later = laws.cite("商标法第四十八条", date(2027, 1, 1))
    assert now.revision.published_on == date(2019, 4, 23)
    assert later.revision.published_on == date(2026, 6, 26)
    assert now.passage.text != later.passage.text


def test_a_law_can_be_cited_for_the_days_on_which_it_was_law(laws: LawBook) -> None:
    [checked] = laws.check_text("噪声污染防治法第六十五条", date(2026, 8, 14))
    assert checked.verdict is Verdict.VERIFIED


def test_the_criminal_law_is_held_with_its_twelfth_amendment(laws: LawBook) -> None:
    before = laws.cite("刑法第三百九十条", date(2024, 2, 29))
    after = laws.cite("刑法第三百九十条", TODAY)
    assert "监察、行政执法、司法工作人员行贿" in after.passage.text
    assert "监察、行政执法、司法工作人员行贿" not in before.passage.text


def test_an_amendment_is_not_the_one_before_it(laws: LawBook) -> None:
    [checked] = laws.check_text("刑法修正案（十二）第一条", TODAY)
    assert checked.law == "中华人民共和国刑法修正案（十二）"


def test_a_law_repealed_later_was_law_before_even_if_its_text_is_not_held(laws: LawBook) -> None:
    [checked] = laws.check_text("婚姻法第三十二条", date(2020, 6, 1))
    assert checked.verdict is Verdict.NOT_HELD
    assert "仍然有效" in checked.note


def test_cite_says_why_it_cannot(laws: LawBook) -> None:
    with pytest.raises(LookupError, match="没有第九千九百九十九条"):
        laws.cite("民法典第9999条", TODAY)
