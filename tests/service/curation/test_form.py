"""What is wrong with what was typed is said all at once, at its field, in Chinese."""

from __future__ import annotations

from typing import Any

import pytest

from service.curation import BadFields
from service.errors import BadRequest, NotFound
from tests.service.curation.bureau import Bureau, card, faq


def refused(bureau: Bureau, kind: str, body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(BadFields) as told:
        bureau.curation.save(bureau.author, document_id=None, kind=kind, body=body, base=None)
    return told.value.fields


def test_every_wrong_field_is_named(bureau: Bureau) -> None:
    body = faq(question="", asks=["一", ""], topic="天文学", checked_on="昨天", sauce="x")
    fields = refused(bureau, "faq", body)
    assert fields["question"] == "请填写。"
    assert fields["asks"] == "第2行：请填写。"
    assert "选项" in fields["topic"]
    assert "2026-11-30" in fields["checked_on"]
    assert fields["sauce"] == "不认识这一项。"


def test_an_empty_form_names_what_must_be_filled_in(bureau: Bureau) -> None:
    needed = {"question", "answer", "asks", "cites", "topic", "region", "source", "checked_on"}
    assert refused(bureau, "faq", {}).keys() == needed


@pytest.mark.parametrize(
    ("cite", "said"),
    [
        ("劳动法第九百条", "没有第九百条（共3条）"),
        ("合同法第一百零七条", "现在看《中华人民共和国民法典》第五百七十七条"),
        ("火星法第一条", "没有找到名为"),
        ("随便写的", "没有找到条文"),
        ("劳动法第五十条、民法典第五百七十七条", "一行写一条"),
    ],
)
def test_a_citation_that_does_not_stand_is_refused_with_what_replaced_it(
    bureau: Bureau, cite: str, said: str
) -> None:
    fields = refused(bureau, "faq", faq(cites=["劳动法第五十条", cite]))
    assert fields.keys() == {"cites"}
    assert fields["cites"].startswith("第2行：")
    assert said in fields["cites"]


def test_steps_must_be_there(bureau: Bureau) -> None:
    body = card()
    step = bureau.curation.save(
        bureau.author, document_id=None, kind="service", body=body, base=None
    )
    fields = refused(bureau, "faq", faq(steps=[step["document"], "service-nowhere"]))
    assert fields == {"steps": "第2行：没有编号为“service-nowhere”的服务、指南或热线。"}
    bureau.save(steps=[step["document"]])
    bureau.curation.discard(bureau.author, step["id"])
    assert "steps" in refused(bureau, "faq", faq(steps=[step["document"]]))


def test_a_fact_needs_its_certainty_and_its_source(bureau: Bureau) -> None:
    fields = refused(bureau, "service", card(phone={"text": "12333"}))
    assert fields == {"phone.certainty": "请填写。", "phone.source": "请填写。"}
    empty = card(where={"text": "", "certainty": "D", "source": ""}, opening={"days": ""})
    saved = bureau.curation.save(
        bureau.author, document_id=None, kind="service", body=empty, base=None
    )
    assert "where" not in saved["body"]


def test_opening_hours_are_checked(bureau: Bureau) -> None:
    body = card(opening={"days": "workdays", "times": ["9点到11点"]})
    assert "09:00-11:30" in str(refused(bureau, "service", body))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("answer", "长" * 20_000, "最多5000个字，现在有20000个字"),
        ("asks", ["一", "二", "三" * 1000], "第3行：最多500个字"),
        ("asks", [str(i) for i in range(1000)], "最多200条"),
        ("answer", "先协商\x00再仲裁", "控制字符"),
        ("source", "\ud800", "控制字符"),
        ("answer", {"a": 1}, "要写成文字"),
        ("asks", "老板欠薪", "一行写一条"),
        ("asks", ["一", "二"], "至少写3条"),
        ("asks", [1, 2, 3], "要写成文字"),
        ("region", "普陀", "写法不对"),
    ],
)
def test_bad_input_is_said_in_words(bureau: Bureau, field: str, value: Any, said: str) -> None:
    assert said in refused(bureau, "faq", faq(**{field: value}))[field]


def test_what_cannot_be_begun_here_is_said(bureau: Bureau) -> None:
    for kind in ("rules", "statute", "poem"):
        assert refused(bureau, kind, {}).keys() == {"kind"}
    done = bureau.save()
    with pytest.raises(BadFields):
        bureau.curation.save(
            bureau.author,
            document_id=done["document"],
            kind="service",
            body=card(),
            base=done["id"],
        )
    with pytest.raises(NotFound):
        bureau.save(document_id="faq-00000000", answer="改")
    with pytest.raises(BadRequest, match="最多1000个字"):
        bureau.curation.submit(bureau.author, done["id"], note="长" * 20_000)


def test_law_that_has_changed_since_holds_up_the_publication(bureau: Bureau) -> None:
    draft = bureau.save(cites=["劳动法第五十一条"])
    bureau.curation.submit(bureau.author, draft["id"])
    library = bureau.laws.library
    library._articles.pop(("劳动法@1", "第五十一条"))
    [entry] = bureau.curation.queue(bureau.reviewer)
    assert "第五十一条" in entry["problems"]["依据的条文"]
    with pytest.raises(Exception, match="请退回修改"):
        bureau.curation.approve(bureau.reviewer, draft["id"])
