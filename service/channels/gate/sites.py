"""Which sites the assistant may be embedded in: `sites.yaml` in the home, beside our own pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from service.errors import NotFound, NotReady

FILE = "sites.yaml"
_ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?")
_DEFAULT_PORTS = {("https", "443"), ("http", "80")}


class Site(BaseModel):
    """A site by its name, and the exact origins that its pages come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    origins: Annotated[tuple[str, ...], Field(max_length=50)] = ()

    @field_validator("origins")
    @classmethod
    def _exact(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            match = _ORIGIN.fullmatch(origin)
            if match is None:
                raise ValueError(
                    f"“{origin}”不是来源：要写成 https://www.example.gov.cn 这样，小写，"
                    "不带路径和结尾的斜杠，不能用 *；中文域名写成 xn-- 开头的形式"
                )
            if (match[1], match[3] or "") in _DEFAULT_PORTS:
                raise ValueError(f"“{origin}”请去掉默认端口，浏览器发来的来源里没有它")
        return origins


OWN_SITE = Site(id="home", name="本站")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sites: Annotated[list[Site], Field(max_length=500)]


class Sites:
    """Our own site, and those that are allowed."""

    def __init__(self, others: Iterable[Site] = ()) -> None:
        self._sites = {site.id: site for site in (OWN_SITE, *others)}
        self._origins = {o for site in self._sites.values() for o in site.origins}

    @classmethod
    def load(cls, home: Path) -> Sites:
        """Those of `sites.yaml`, if there is one. Raises NotReady with what is wrong in it."""
        path = home / FILE
        if not path.exists():
            return cls()
        try:
            read = _File.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})
        except (yaml.YAMLError, UnicodeError) as error:
            raise NotReady("sites_invalid", f"{FILE} 不是有效的 YAML：{error}") from error
        except ValidationError as error:
            raise NotReady("sites_invalid", f"{FILE} 有错：{_said(error)}。") from error
        ids = [site.id for site in read.sites]
        if twice := sorted({i for i in ids if ids.count(i) > 1 or i == OWN_SITE.id}):
            raise NotReady(
                "sites_invalid", f"{FILE} 有错：站点编号重复或被保留：{'、'.join(twice)}。"
            )
        if empty := [site.name for site in read.sites if not site.origins]:
            raise NotReady("sites_invalid", f"{FILE} 有错：站点“{empty[0]}”没有写来源（origins）。")
        return cls(read.sites)

    def required(self, site: str) -> Site:
        """Raises NotFound for one that is not configured."""
        if found := self._sites.get(site):
            return found
        raise NotFound("site_unknown", "没有登记这个站点，请联系本服务的管理人员。")

    def allows(self, origin: str) -> bool:
        """Whether some site has this origin."""
        return origin in self._origins


_WRONG = {
    "missing": "没有填写",
    "extra_forbidden": "没有这一项",
    "string_pattern_mismatch": "只能用小写字母、数字和连字符，2 到 40 个字符",
    "string_type": "应是文字",
    "too_long": "太多了",
}


def _said(error: ValidationError) -> str:
    """The first fault, in words for whoever edits the file."""
    first = error.errors()[0]
    where = [f"第 {part + 1} 个" if isinstance(part, int) else part for part in first["loc"]]
    said = str(first.get("ctx", {}).get("error", "")) or _WRONG.get(first["type"], "格式不对")
    return f"{' → '.join(where) or '整个文件'}：{said}"
