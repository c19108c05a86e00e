"""Who may do what: tokens, roles, regions, and that nothing is allowed which is not said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner

from service.app import install_errors
from service.auth import ROLE_NAMES, ROLES, Member, Permission, StaffRegister
from service.cli import cli
from service.errors import BadRequest, NotFound
from service.models import Staff
from service.permits import require
from tests.service import databases


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[sessionmaker[Session]]:
    with databases.sqlite(tmp_path) as engine:
        yield databases.sessions_of(engine)


@pytest.fixture
def staff(sessions: sessionmaker[Session]) -> StaffRegister:
    return StaffRegister(sessions)


@pytest.fixture
def client(staff: StaffRegister) -> Iterator[TestClient]:
    app = FastAPI()
    app.state.staff = staff
    install_errors(app)

    @app.get("/desk")
    def desk(member: Annotated[Member, Depends(require("handover:claim"))]) -> dict[str, str]:
        return {"name": member.name}

    with TestClient(app) as opened:
        yield opened


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_opens_what_its_role_allows(client: TestClient, staff: StaffRegister) -> None:
    _, token = staff.add("小王", ["agent"])
    response = client.get("/desk", headers=bearer(token))
    assert response.status_code == 200
    assert response.json() == {"name": "小王"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic d3Jvbmc6d3Jvbmc="},
        {"Authorization": "Bearer " + "x" * 20_000},
        {"Authorization": b"Bearer \xff\xfe\xe4\xbd\xa0"},
    ],
)
def test_without_a_token_that_is_known_nobody_gets_in(
    client: TestClient, headers: dict[str, str]
) -> None:
    response = client.get("/desk", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "请先登录" in response.json()["error"]["message"]


def test_part_of_a_token_or_its_hash_is_no_token(client: TestClient, staff: StaffRegister) -> None:
    _, token = staff.add("小王", ["agent"])
    digest = hashlib.sha256(token.encode()).hexdigest()
    for wrong in (token[:-1], token + "x", token.upper(), digest):
        assert client.get("/desk", headers=bearer(wrong)).status_code == 401


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"agent", "supervisor"}))
def test_another_role_is_told_that_it_may_not(
    client: TestClient, staff: StaffRegister, role: str
) -> None:
    _, token = staff.add("小李", [role])
    response = client.get("/desk", headers=bearer(token))
    assert response.status_code == 403
    assert "没有做这件事的权限" in response.json()["error"]["message"]


def test_a_disabled_account_is_out_at_once_and_for_good(
    client: TestClient, staff: StaffRegister
) -> None:
    member, token = staff.add("小王", ["agent"])
    _, other = staff.add("小李", ["agent"])
    first = staff.disable(member.id).disabled_at
    assert client.get("/desk", headers=bearer(token)).status_code == 401
    assert client.get("/desk", headers=bearer(other)).status_code == 200
    assert staff.disable(member.id).disabled_at == first


def test_disabling_somebody_unknown_is_an_error(staff: StaffRegister) -> None:
    with pytest.raises(NotFound):
        staff.disable("s_nobody")


def test_a_role_that_is_no_longer_known_allows_nothing(
    client: TestClient, staff: StaffRegister, sessions: sessionmaker[Session]
) -> None:
    _, token = staff.add("小王", ["agent"])
    with sessions.begin() as session:
        session.execute(update(Staff).values(roles=["superuser"]))
    assert client.get("/desk", headers=bearer(token)).status_code == 403


def test_only_a_hash_of_the_token_is_kept(
    staff: StaffRegister, sessions: sessionmaker[Session]
) -> None:
    tokens = {staff.add("小王", ["agent"])[1] for _ in range(3)}
    assert len(tokens) == 3
    with sessions() as session:
        hashes = set(session.scalars(select(Staff.token_hash)))
    assert hashes == {hashlib.sha256(token.encode()).hexdigest() for token in tokens}
    assert all(len(token.removeprefix("consult_")) >= 43 for token in tokens)  # 256 bits


@pytest.mark.parametrize(
    ("name", "roles", "region", "said"),
    [
        ("", ["agent"], "", "姓名"),
        ("  ", ["agent"], "", "姓名"),
        ("长" * 81, ["agent"], "", "姓名"),
        ("王\x00", ["agent"], "", "姓名"),
        ("小王", [], "", "角色"),
        ("小王", ["root"], "", "角色"),
        ("小王", ["agent", "Agent"], "", "角色"),
        ("小王", ["agent"], "普陀", "地区"),
        ("小王", ["agent"], "3101070", "地区"),
        ("小王", ["agent"], "310107\n", "地区"),
        ("小王", ["agent"], "３１０１０７", "地区"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(
    staff: StaffRegister, name: str, roles: list[str], region: str, said: str
) -> None:
    with pytest.raises(BadRequest, match=said):
        staff.add(name, roles, region=region)
    assert staff.all() == []


def test_a_region_limits_what_somebody_sees(staff: StaffRegister) -> None:
    putuo, _ = staff.add("小王", ["agent"], region="310107")
    anywhere, _ = staff.add("小李", ["agent"])
    assert putuo.sees("310107")
    assert not putuo.sees("310101")
    assert anywhere.sees("310101")


def test_roles_are_named_and_only_known_permissions_can_be_required() -> None:
    assert ROLES.keys() == ROLE_NAMES.keys()
    assert frozenset().union(*ROLES.values()) == frozenset(Permission)
    with pytest.raises(ValueError, match="handover:everything"):
        require("handover:everything")


def test_nobody_who_writes_may_also_approve_by_role() -> None:
    both = {Permission.KNOWLEDGE_EDIT, Permission.KNOWLEDGE_PUBLISH}
    assert [role for role, allowed in ROLES.items() if both <= allowed] == []


def test_accounts_are_kept_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSULT_HOME", str(tmp_path / "home"))
    run = CliRunner()

    def json_of(*arguments: str) -> object:
        result = run.invoke(cli, ["staff", *arguments])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout.splitlines()[-1])

    added = json_of("add", "小王", "--role", "agent", "--role", "supervisor", "--region", "310107")
    assert isinstance(added, dict)
    assert added["token"].startswith("consult_")
    assert added["roles"] == ["agent", "supervisor"]
    shown = run.invoke(cli, ["staff", "list"])
    assert "小王" in shown.stdout
    assert added["token"] not in shown.stdout
    assert json_of("list", "--json") == [
        {k: v for k, v in added.items() if k != "token"},
    ]
    disabled = json_of("disable", added["id"])
    assert isinstance(disabled, dict)
    assert disabled["disabled"] is True
    assert disabled["released"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "小王"], "--role"),
        (["add", "小王", "--role", "root"], "角色只能是"),
        (["disable", "s_nobody"], "没有编号"),
    ],
)
def test_mistakes_on_the_command_line_are_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv("CONSULT_HOME", str(tmp_path / "home"))
    result = CliRunner().invoke(cli, ["staff", *arguments])
    assert result.exit_code != 0
    assert said in (result.output + str(result.exception))
