"""The configuration, what is said of its mistakes, and the commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.wechat.accounts import Accounts, BadAccounts
from service.wechat_commands import wechat
from tests.service.wechat.stage import Stage, account


def said_of(**changes: Any) -> str:
    with pytest.raises(BadAccounts) as refused:
        Accounts.read({"accounts": {"putuo": account(**changes)}})
    return refused.value.message


def test_no_file_is_no_account(tmp_path: Path) -> None:
    assert Accounts.load(tmp_path).accounts == {}


def test_a_secret_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUTUO_SECRET", "geheim2")
    read = Accounts.read({"accounts": {"putuo": account(secret="env:PUTUO_SECRET")}})
    assert read.accounts["putuo"].secret.get_secret_value() == "geheim2"
    assert "geheim2" not in repr(read)
    monkeypatch.delenv("PUTUO_SECRET")
    assert "环境变量 PUTUO_SECRET 没有设置" in said_of(secret="env:PUTUO_SECRET")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"appid": "x"}, "accounts.putuo.appid 格式不对"),
        ({"token": "a"}, "Token 是3到32个字母或数字"),
        ({"aes_key": "kurz"}, "EncodingAESKey 是43个字母或数字"),
        ({"aes_key": None}, "要填 aes_key"),
        ({"mode": "geheim"}, "accounts.putuo.mode 不是可选的值"),
        ({"tokenn": "abc"}, "tokenn 没有这一项，可能写错了名称"),
        ({"base_url": "http://sf.example"}, "base_url 格式不对"),
        ({"region": "31"}, "region 格式不对"),
        ({"menu": [{"name": "甲", "ask": "乙", "do": "help"}]}, "五选一"),
        ({"menu": [{"name": "甲", "page": "/legal-aid"}]}, "要填 base_url"),
        (
            {"menu": [{"name": "名称太长的菜单", "entries": [{"name": "甲", "ask": "乙"}]}]},
            "5个汉字",
        ),
        ({"menu": [{"name": "甲", "ask": "长" * 50}]}, "最多40个汉字"),
        ({"menu": [{"name": "甲", "ask": "乙"}] * 4}, "menu 太多了"),
    ],
)
def test_each_mistake_is_named_with_its_place(changes: dict[str, Any], words: str) -> None:
    assert words in said_of(**changes)


def test_a_secret_is_never_repeated_in_a_message() -> None:
    assert "kurz" not in said_of(aes_key="kurz")


@pytest.mark.parametrize("text", ["[1", "- a", "accounts: 5", "\x00", "accounts: {A B: {}}"])
def test_a_file_that_is_none_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "wechat.yaml").write_text(text, "utf-8")
    with pytest.raises(BadAccounts, match=r"wechat\.yaml"):
        Accounts.load(tmp_path)


def test_the_service_menu_is_one_that_the_platform_takes() -> None:
    menu = Accounts.read({"accounts": {"putuo": account()}}).accounts["putuo"].menu_json()
    assert 1 <= len(menu["button"]) <= 3
    for top in menu["button"]:
        assert len(top["name"].encode()) <= 16
        assert 1 <= len(top["sub_button"]) <= 5
        for entry in top["sub_button"]:
            assert len(entry["key"].encode()) <= 128
            assert len(entry["name"].encode()) <= 40


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_menu_is_pushed_and_the_account_checked(
    on_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = on_stage(
        base_url="https://sf.example.gov.cn", menu=[{"name": "预检", "page": "/legal-aid"}]
    )
    settings = service.rooms.settings
    monkeypatch.setenv("CONSULT_HOME", str(settings.home))
    monkeypatch.setenv("CONSULT_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("CONSULT_SECRET", settings.secret.get_secret_value())
    runner = CliRunner()
    shown = json.loads(runner.invoke(wechat, ["menu", "show"]).stdout)
    assert runner.invoke(wechat, ["menu", "push"]).exit_code == 0
    assert service.platform.menu == shown
    assert shown["button"][0]["url"] == "https://sf.example.gov.cn/legal-aid"
    checked = runner.invoke(wechat, ["check", "--online"])
    assert (checked.exit_code, "令牌已取到" in checked.output) == (0, True)
    service.platform.permission = False
    assert runner.invoke(wechat, ["check", "--online"]).exit_code == 1
    service.say("o_1", "甲")
    status = runner.invoke(wechat, ["outbox", "status"])
    assert json.loads(status.stdout.splitlines()[-1]) == {}
