"""`consult staff …`: who works here, added and disabled from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from service import logging as service_logging
from service import migrations
from service.accounts import Accounts
from service.assembly import Rooms
from service.auth import ROLE_NAMES, Member, StaffRegister
from service.handover import Handovers, minutes_later
from service.settings import Settings
from service.terminal import print_json, screen

staff = typer.Typer(help="工作人员账号", no_args_is_help=True)

_ROLES = "、".join(f"{role}（{name}）" for role, name in ROLE_NAMES.items())


@contextmanager
def _rooms() -> Iterator[Rooms]:
    """The database alone: accounts need neither index nor encoder."""
    settings = Settings()
    service_logging.configure(settings.log_level, as_json=settings.log_json)
    rooms = Rooms(settings)
    migrations.upgrade(rooms.engine)
    yield rooms
    rooms.close()


def _json(member: Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "name": member.name,
        "roles": sorted(member.roles),
        "region": member.region,
        "disabled": member.disabled_at is not None,
    }


@staff.command("add", help=f"新增账号，输出 JSON；令牌或邀请链接只在这里显示一次。角色有{_ROLES}。")
def add(
    name: Annotated[str, typer.Argument(help="姓名或工号")],
    role: Annotated[list[str], typer.Option(help="角色，可重复")],
    region: Annotated[str, typer.Option(help="只负责这个地区（六位代码），不写为所有地区")] = "",
    login: Annotated[
        str, typer.Option(help="登录名；写了就发邀请链接给本人设置密码，不发令牌")
    ] = "",
) -> None:
    with _rooms() as rooms:
        accounts = Accounts(rooms.sessions, None)
        if login:
            invited = accounts.invite(name, login, role, region)
            screen.print("邀请链接只显示这一次，72小时内有效，请接在本系统的网址后面，交给本人。")
            link = f"/console/invitation/{invited.token}"
            print_json({**_json(invited.member), "login": invited.login, "invitation": link})
            return
        member, token = accounts.add_token_holder(name, role, region)
    screen.print("令牌只显示这一次，请马上交给本人保管；丢了就停用这个账号，再新增一个。")
    print_json({**_json(member), "token": token})


@staff.command("list")
def list_all(
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """列出所有账号，停用的也在内。"""
    with _rooms() as rooms:
        members = StaffRegister(rooms.sessions).all()
    if as_json:
        print_json([_json(member) for member in members])
        return
    table = Table("编号", "姓名", "角色", "地区", "状态")
    for member in members:
        roles = "、".join(ROLE_NAMES.get(role, role) for role in sorted(member.roles))
        state = "已停用" if member.disabled_at else "在用"
        table.add_row(member.id, member.name, roles, member.region or "所有地区", state)
    Console(highlight=False).print(table)


@staff.command("disable")
def disable(staff_id: Annotated[str, typer.Argument(help="编号，见 consult staff list")]) -> None:
    """停用账号：令牌立即失效，手上的工单退回排队。"""
    with _rooms() as rooms:
        disabled = Accounts(rooms.sessions, None).disable(staff_id)
        due = minutes_later(rooms.settings.handover_due_minutes)
        handovers = Handovers(rooms.sessions, due=due, region=rooms.settings.region)
        released = handovers.release_all_of(staff_id)
    shown = {key: disabled[key] for key in ("id", "name", "roles", "region")}
    print_json({**shown, "disabled": True, "released": released})
