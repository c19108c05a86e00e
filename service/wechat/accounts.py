"""The accounts of this installation, from `wechat.yaml` in its home, checked before anything runs.

A secret is written as it is, or as `env:NAME`: then it is the value of that environment variable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from service.errors import ServiceError
from service.wechat.codec import Codec, Mode, key_bytes

CONFIG = "wechat.yaml"
PLATFORM = "https://api.weixin.qq.com"
_LONGEST_KEY = 128  # bytes of a menu key
_TOP_BYTES, _SUB_BYTES = 16, 40  # of a menu name


class BadAccounts(ServiceError):
    """`wechat.yaml` cannot be used; the message names each place and what is wrong there."""

    status = 503


def _secret(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        if not os.environ.get(name):
            raise ValueError(f"环境变量 {name} 没有设置")
        return os.environ[name]
    return value


def _digits(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Secret = Annotated[SecretStr, BeforeValidator(_secret)]
Region = Annotated[str, BeforeValidator(_digits), Field(pattern=r"^\d{6}$")]
Url = Annotated[str, Field(pattern=r"^(https://[^\s/]+|http://(127\.0\.0\.1|localhost)(:\d+)?)$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parlour(_Strict):
    """A place whose QR code carries a scene of its own."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    region: Region | None = None


class Entry(_Strict):
    """A button: with `ask` it asks that question, with `do` it does that, with `page` or `url` it
    opens a page; with `entries` it opens a list of such buttons."""

    name: Annotated[str, Field(min_length=1)]
    ask: Annotated[str, Field(min_length=1)] | None = None
    do: Literal["help", "person"] | None = None
    page: Annotated[str, Field(pattern=r"^/\S*$")] | None = None
    url: Annotated[str, Field(pattern=r"^https://\S+$", max_length=1024)] | None = None
    entries: Annotated[tuple[Entry, ...], Field(max_length=5)] = ()

    @model_validator(mode="after")
    def _one_thing(self) -> Entry:
        given = [x for x in (self.ask, self.do, self.page, self.url, self.entries) if x]
        if len(given) != 1:
            raise ValueError("ask、do、page、url、entries 五选一")
        if any(entry.entries for entry in self.entries):
            raise ValueError("菜单只有两级")
        if self.ask and len(self.key.encode()) > _LONGEST_KEY:
            raise ValueError("ask 太长，最多40个汉字")
        if self.entries and len(self.name.encode()) > _TOP_BYTES:
            raise ValueError("一级菜单的名称最多5个汉字")
        if len(self.name.encode()) > _SUB_BYTES:
            raise ValueError("二级菜单的名称太长")
        return self

    @property
    def key(self) -> str:
        """What the platform sends when it is clicked."""
        return f"ask:{self.ask}" if self.ask else f"do:{self.do}"

    def to_json(self, base_url: str | None) -> dict[str, Any]:
        """As the platform's menu API wants it."""
        if self.entries:
            below = [entry.to_json(base_url) for entry in self.entries]
            return {"name": self.name, "sub_button": below}
        if self.page or self.url:
            return {"type": "view", "name": self.name, "url": self.url or f"{base_url}{self.page}"}
        return {"type": "click", "name": self.name, "key": self.key}


def _ask(name: str, question: str) -> Entry:
    return Entry(name=name, ask=question)


SERVICE_MENU = (
    Entry(
        name="法律咨询",
        entries=(
            Entry(name="怎么提问", do="help"),
            _ask("拖欠工资", "公司拖欠工资怎么办"),
            _ask("离婚抚养", "想离婚对方不同意怎么办"),
            _ask("租房纠纷", "租房到期房东不退押金怎么办"),
            _ask("借钱不还", "朋友借钱不还，只有微信记录怎么办"),
        ),
    ),
    Entry(
        name="公共服务",
        entries=(
            _ask("法律援助", "怎么申请法律援助"),
            _ask("公证", "办公证要带什么材料"),
            _ask("人民调解", "怎么申请人民调解"),
            _ask("司法鉴定", "司法鉴定找谁做"),
            _ask("行政复议", "怎么申请行政复议"),
        ),
    ),
    Entry(
        name="找人帮忙",
        entries=(
            _ask("法援预检", "法律援助预检"),
            _ask("服务窗口", "普陀区公共法律服务中心在哪里"),
            Entry(name="转人工", do="person"),
        ),
    ),
)
"""The menu of an account that configures none."""


class Account(_Strict):
    """One Official Account.

    `customer_service`: it may send customer-service messages (a verified 服务号). `reconcile`: what
    may have arrived is looked up in the platform's chat record (only where that was seen to hold
    what we send). `base_url`: where citizens reach our pages. `region`: of its citizens, if it is
    not the installation's. `parlours`: by the scene of their QR codes.
    """

    name: Annotated[str, Field(min_length=1, max_length=40)]
    appid: Annotated[str, Field(pattern=r"^wx[0-9a-zA-Z]{4,30}$")]
    original_id: Annotated[str, Field(pattern=r"^gh_\w+$")] | None = None
    secret: Secret
    token: Secret
    previous_token: Secret | None = None
    aes_key: Secret | None = None
    previous_aes_key: Secret | None = None
    mode: Mode = "safe"
    customer_service: bool = True
    reconcile: bool = False
    typing: bool = False
    region: Region | None = None
    base_url: Url | None = None
    parlours: dict[Annotated[str, Field(pattern=r"^[\w-]{1,64}$")], Parlour] = Field(
        default_factory=dict
    )
    menu: Annotated[tuple[Entry, ...], Field(min_length=1, max_length=3)] = SERVICE_MENU

    @field_validator("token", "previous_token")
    @classmethod
    def _usable_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not (
            3 <= len(value.get_secret_value()) <= 32 and value.get_secret_value().isalnum()
        ):
            raise ValueError("Token 是3到32个字母或数字")
        return value

    @field_validator("aes_key", "previous_aes_key")
    @classmethod
    def _usable_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                key_bytes(value.get_secret_value())
            except ValueError:
                raise ValueError("EncodingAESKey 是43个字母或数字") from None
        return value

    @model_validator(mode="after")
    def _fits(self) -> Account:
        if self.mode != "plain" and self.aes_key is None:
            raise ValueError("兼容模式和安全模式要填 aes_key")
        pages = [e for top in self.menu for e in (top, *top.entries) if e.page]
        if pages and self.base_url is None:
            raise ValueError(f"菜单“{pages[0].name}”用了 page，要填 base_url")
        return self

    def codec(self) -> Codec:
        tokens = [t.get_secret_value() for t in (self.token, self.previous_token) if t]
        keys = [k.get_secret_value() for k in (self.aes_key, self.previous_aes_key) if k]
        return Codec(self.appid, tokens, [key_bytes(key) for key in keys], self.mode)

    def menu_json(self) -> dict[str, Any]:
        return {"button": [entry.to_json(self.base_url) for entry in self.menu]}


class Accounts(_Strict):
    """All of them, by the key that stands in the address of their callback. `answering` and
    `sending`: how many questions are answered, and messages sent, at once in each process."""

    api: Url = PLATFORM
    answering: Annotated[int, Field(ge=1, le=2000)] = 8
    sending: Annotated[int, Field(ge=1, le=64)] = 4
    accounts: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")], Account] = Field(
        default_factory=dict
    )

    @classmethod
    def load(cls, home: Path) -> Accounts:
        """Those of a home; none where there is no file. Raises BadAccounts."""
        path = home / CONFIG
        if not path.exists():
            return cls()
        try:
            loaded = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, UnicodeError, yaml.YAMLError) as error:
            at = getattr(error, "problem_mark", None)
            where = f"第 {at.line + 1} 行附近" if at else "文件"
            raise BadAccounts("wechat_config", f"{CONFIG}：{where}不是有效的 YAML。") from error
        return cls.read(loaded)

    @classmethod
    def read(cls, loaded: Any) -> Accounts:
        """Raises BadAccounts."""
        if not isinstance(loaded, Mapping):
            raise BadAccounts("wechat_config", f"{CONFIG}：最外层应当有 accounts。")
        try:
            return cls.model_validate(loaded)
        except ValidationError as error:
            lines = "；".join(_line(e) for e in error.errors(include_input=False))
            raise BadAccounts("wechat_config", f"{CONFIG}：{lines}。") from None


_SAID = {
    "missing": "没有填写",
    "extra_forbidden": "没有这一项，可能写错了名称",
    "string_pattern_mismatch": "格式不对",
    "string_type": "要写成文字，加上引号",
    "string_too_short": "不能为空",
    "string_too_long": "太长了",
    "bool_type": "只能是 true 或 false",
    "bool_parsing": "只能是 true 或 false",
    "literal_error": "不是可选的值",
    "too_long": "太多了",
    "too_short": "不能为空",
    "dict_type": "应当是一组“名称: 值”",
    "model_type": "应当是一组“名称: 值”",
}


def _line(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"] if part != "[key]") or "accounts"
    if error["type"] == "value_error":
        return f"{where} {error['ctx']['error']}"
    expected = error.get("ctx", {}).get("expected")
    said = _SAID.get(error["type"], "值不对")
    return f"{where} {said}" + (f"（{expected}）" if expected else "")
