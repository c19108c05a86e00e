"""`consult wechat …`: accounts, menu, outbox; and `consult wechat-sim`, to try it by hand."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import httpx
import typer

from service import logging as service_logging
from service import migrations
from service.assembly import Rooms
from service.errors import BadRequest
from service.settings import Settings
from service.signing import signing_key
from service.terminal import print_json, screen
from service.wechat.accounts import CONFIG, Account, Accounts
from service.wechat.client import ApiError, Client, NotSent, Unclear
from service.wechat.outbox import Outbox
from service.wechat.tokens import Tokens
from service.wechat.vault import Vault

wechat = typer.Typer(help="微信公众号：检查配置、推送菜单、查看发件箱", no_args_is_help=True)
menu = typer.Typer(help="自定义菜单", no_args_is_help=True)
outbox = typer.Typer(help="发件箱", no_args_is_help=True)
wechat.add_typer(menu, name="menu")
wechat.add_typer(outbox, name="outbox")

Key = Annotated[str | None, typer.Option("--account", help="账号键名；只有一个账号时可不写")]

_CODES = {
    40013: "appid 不对",
    40125: "secret 不对",
    40164: "本机的出口 IP 不在白名单里，请到微信公众平台添加",
    48001: "这个公众号没有这项接口权限（通常是没有认证）",
}


@contextmanager
def _rooms() -> Iterator[Rooms]:
    settings = Settings()
    service_logging.configure(settings.log_level, as_json=settings.log_json)
    rooms = Rooms(settings)
    migrations.upgrade(rooms.engine)
    yield rooms
    rooms.close()


def _chosen(accounts: Accounts, key: str | None) -> tuple[str, Account]:
    """Raises BadRequest."""
    found = accounts.accounts
    if not found:
        raise BadRequest("wechat_none", f"数据目录里没有 {CONFIG}，还没有配置公众号。")
    if key is None and len(found) == 1:
        key = next(iter(found))
    if key not in found:
        raise BadRequest("wechat_unknown", f"请用 --account 指定账号：{'、'.join(found)}。")
    return key, found[key]


def _client(rooms: Rooms, accounts: Accounts, key: str, http: httpx.Client) -> Client:
    tokens = Tokens(rooms.sessions, Vault(signing_key(rooms.settings)))
    return Client(key, accounts.accounts[key], tokens, api=accounts.api, http=http)


def _said(error: ApiError | NotSent | Unclear) -> str:
    if isinstance(error, ApiError):
        return _CODES.get(error.code, f"微信返回错误 {error}")
    return f"没有连上微信：{error}"


@wechat.command()
def check(
    online: Annotated[bool, typer.Option(help="连微信取一次令牌，并探测客服消息权限")] = False,
) -> None:
    """检查 wechat.yaml，说出每个账号的情况；有问题时退出码为 1。"""
    accounts = Accounts.load(Settings().home)
    if not accounts.accounts:
        screen.print(f"数据目录里没有 {CONFIG}：公众号没有启用。")
        return
    failed = False
    for key, account in accounts.accounts.items():
        pushes = "有客服消息权限" if account.customer_service else "没有客服消息权限（回复1查看）"
        screen.print(
            f"{key}：{account.name}，{account.appid}，{account.mode} 模式，{pushes}，"
            f"服务点 {len(account.parlours)} 个；回调地址 /wechat/{key}",
            markup=False,
        )
        if online:
            failed |= not _checked_online(accounts, key)
    if failed:
        raise typer.Exit(1)
    screen.print("配置没有问题。")


def _checked_online(accounts: Accounts, key: str) -> bool:
    with _rooms() as rooms, httpx.Client(trust_env=False) as http:
        client = _client(rooms, accounts, key, http)
        try:
            client.token()
            allowed = client.probe()
        except (ApiError, NotSent, Unclear) as error:
            screen.print(f"  {_said(error)}", markup=False)
            return False
    wanted = "allowed" if accounts.accounts[key].customer_service else "denied"
    screen.print(f"  令牌已取到；客服消息：{allowed}", markup=False)
    if allowed != wanted:
        screen.print("  与配置的 customer_service 不一致，请改正。")
    return allowed == wanted


@menu.command("show")
def show_menu(account: Key = None) -> None:
    """输出将要推送的菜单（JSON）。"""
    print_json(_chosen(Accounts.load(Settings().home), account)[1].menu_json())


@menu.command("push")
def push_menu(account: Key = None) -> None:
    """把配置里的菜单推送到公众号；市民几分钟后看到。"""
    accounts = Accounts.load(Settings().home)
    key, chosen = _chosen(accounts, account)
    with _rooms() as rooms, httpx.Client(trust_env=False) as http:
        try:
            _client(rooms, accounts, key, http).push_menu()
        except (ApiError, NotSent, Unclear) as error:
            screen.print(_said(error), markup=False)
            raise typer.Exit(1) from error
    screen.print(f"已推送“{chosen.name}”的菜单。", markup=False)


@outbox.command("status")
def outbox_status() -> None:
    """每个账号各状态的消息数，输出 JSON：queued 排队、held 等市民来信、unknown 不知是否送到等。"""
    with _rooms() as rooms:
        vault = Vault(signing_key(rooms.settings))
        print_json(Outbox(rooms.sessions, vault, worker="").counts())


_EXAMPLE = """\
# 由 consult wechat-sim 写的示例，只用来在本机试用。
api: http://127.0.0.1:{port}
accounts:
  demo:
    name: 普陀公共法律服务（试用）
    appid: wxsimulated0001
    original_id: gh_simulated
    secret: {secret}
    token: {token}
    aes_key: {aes}
    mode: safe
    base_url: http://127.0.0.1:{service}
    reconcile: true
    parlours:
      changfeng: {{name: 长风新村街道公共法律服务工作站}}
"""


def simulate(
    account: Key = None,
    port: Annotated[int, typer.Option(help="模拟平台的端口，与 wechat.yaml 的 api 一致")] = 8900,
    permission: Annotated[bool, typer.Option(help="模拟有没有客服消息权限")] = True,
) -> None:
    """模拟微信平台，在终端里和正在运行的服务聊天；没有 wechat.yaml 时先写一个示例。"""
    from service.wechat.prompt import Prompt
    from service.wechat.simulator import Platform

    settings = Settings()
    path = settings.home / CONFIG
    if not path.exists():
        letters = string.ascii_letters + string.digits
        drawn = {
            name: "".join(secrets.choice(letters) for _ in range(length))
            for name, length in (("secret", 32), ("token", 16), ("aes", 42))
        }
        drawn["aes"] += "A"  # the last letter carries two bits of no meaning
        settings.home.mkdir(parents=True, exist_ok=True)
        path.write_text(_EXAMPLE.format(port=port, service=settings.port, **drawn), "utf-8")
        path.chmod(0o600)
        screen.print(f"已写好 {path}。请（重新）启动 consult serve，然后再运行本命令。")
        return
    key, chosen = _chosen(Accounts.load(settings.home), account)
    url = f"http://{settings.host}:{settings.port}/wechat/{key}"
    platform = Platform(chosen, url, permission=permission)
    screen.print(f"向 {url} 发送回调；模拟平台在 http://127.0.0.1:{port}", markup=False)
    asyncio.run(Prompt(platform, chosen, lambda text: screen.print(text, markup=False)).run(port))
