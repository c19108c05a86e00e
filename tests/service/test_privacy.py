"""Personal data is taken out, sums of money and case numbers are not."""

import pytest

from service.privacy import mask

ID = "11010519491231002X"  # the example of GB 11643-1999
CARD = "6222021234567890128"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("我电话13800138000怎么办", "手机号"),
        ("电话：138 0013 8000", "手机号"),
        ("+86 13800138000", "手机号"),
        (f"身份证{ID}丢了", "身份证号"),
        (f"身份证号是{ID.lower()}", "身份证号"),
        ("我的邮箱zhang.san@example.com收不到", "邮箱"),
        ("对方车牌沪A12345撞了我", "车牌号"),
        ("对方车牌沪AD12345撞了我", "车牌号"),
        ("座机021-52656672没人接", "座机号"),
        ("加我微信abc_12345详谈", "微信/QQ号"),
    ],
)
def test_personal_data_is_masked_next_to_chinese(text: str, kind: str) -> None:
    masked = mask(text)
    assert masked.kinds == (kind,)
    assert f"[{kind}]" in masked.text
    assert not any(
        len(run) > 7 for run in "".join(c if c.isdigit() else " " for c in masked.text).split()
    )


def test_a_bank_card_is_known_by_its_checksum() -> None:
    digits = "622202123456789012"
    for last in "0123456789":
        masked = mask(f"卡号{digits}{last}被冻结")
        if masked.kinds:
            assert masked.kinds == ("银行卡号",)
            break
    else:
        pytest.fail("one last digit satisfies the checksum")
    assert mask(f"卡号{digits}{(int(last) + 1) % 10}被冻结").kinds == ()


@pytest.mark.parametrize(
    "text",
    [
        "欠我 100000 元",
        "欠我13800138000元",
        "借款本金1234567890123456元",
        "（2026）沪0107民初12345号",
        "民法典第1079条",
        "110105194912310021是错的身份证号",
        "从20260101到20261231",
        "12348打不通",
        "京A级景区",
    ],
)
def test_what_is_no_personal_data_stays(text: str) -> None:
    assert mask(text).text == text


def test_several_kinds_are_reported_in_order() -> None:
    masked = mask(f"我叫张三，{ID}，13800138000，还有13900139000")
    assert masked.kinds == ("身份证号", "手机号")
    assert "138" not in masked.text
    assert ID not in masked.text
