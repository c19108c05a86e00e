"""sites.yaml: exact origins, and errors that whoever edits the file understands."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.channels.gate import Sites
from service.errors import NotFound, NotReady
from tests.service.channels.counter import BUREAU, SITES


def load(folder: Path, text: str) -> Sites:
    (folder / "sites.yaml").write_text(text, "utf-8")
    return Sites.load(folder)


def test_without_a_file_there_is_our_own_site(tmp_path: Path) -> None:
    sites = Sites.load(tmp_path)
    assert sites.required("home").origins == ()
    with pytest.raises(NotFound):
        sites.required("bureau")


def test_sites_are_known_by_their_exact_origins(tmp_path: Path) -> None:
    sites = load(tmp_path, SITES)
    assert sites.required("bureau").name == "区司法局网站"
    assert sites.allows(BUREAU)
    assert not sites.allows(BUREAU + ":444")


ONE = "sites:\n  - id: bureau\n    name: 局\n    origins: [{}]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE.format("https://*.gov.cn"), "不能用 *"),
        (ONE.format('"*"'), "不是来源"),
        (ONE.format("https://a.gov.cn/"), "斜杠"),
        (ONE.format("https://a.gov.cn/path"), "路径"),
        (ONE.format("https://A.gov.cn"), "小写"),
        (ONE.format("a.gov.cn"), "不是来源"),
        (ONE.format("https://a.gov.cn:443"), "默认端口"),
        (ONE.format("https://上海.cn"), "xn--"),
        (ONE.format(""), "没有写来源"),
        ("sites:\n  - id: Bad Id\n    name: 局\n    origins: []\n", "小写字母"),
        ("sites:\n  - id: home\n    name: 局\n    origins: [https://a.cn]\n", "保留"),
        (SITES + "  - {id: town, name: 又, origins: [https://b.cn]}\n", "重复"),
        ("sites:\n  - id: bureau\n    name: 局\n    origin: [https://a.cn]\n", "没有这一项"),
        ("sites:\n  - id: bureau\n    origins: [https://a.cn]\n", "没有填写"),
        ("sites: 3\n", "sites"),
        ("- a\n", "格式不对"),
        ("sites: [", "YAML"),
        ("", "没有填写"),
    ],
)
def test_what_is_wrong_is_said_in_chinese(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(NotReady) as refused:
        load(tmp_path, text)
    assert said in refused.value.message
    assert refused.value.message.startswith("sites.yaml")
