"""How text is read before it is searched."""

from knowledge import text


def test_fullwidth_traditional_and_invisible_characters_read_like_plain_ones() -> None:
    assert text.normalise("　網購１００元\u200b的東西，能退貨嗎？") == "网购100元的东西，能退货吗？"


def test_tag_characters_that_smuggle_instructions_are_dropped() -> None:
    assert text.normalise("离婚\U000e0041\U000e0042") == "离婚"


def test_terms_hold_characters_bigrams_and_marked_words() -> None:
    terms = text.terms("劳动合同")
    assert {"劳", "劳动", "/劳动合同"} <= set(terms)


def test_lay_words_bring_the_words_of_statutes() -> None:
    assert any("劳动报酬" in t for t in text.legal_terms("老板欠薪三个月"))
    assert list(text.legal_terms("今天天气怎么样")) == []
