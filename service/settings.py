"""Settings from `CONSULT_…` environment variables or a `.env` file, read once and frozen."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every knob of the service. README's table of settings is compared with these by a test."""

    model_config = SettingsConfigDict(
        env_prefix="CONSULT_", env_file=".env", extra="ignore", frozen=True
    )

    home: Path = Field(
        default_factory=lambda: Path.home() / ".consult",
        description="数据目录：数据库、索引、密钥",
    )
    host: str = Field("127.0.0.1", description="监听地址")
    port: int = Field(8000, ge=0, le=65535, description="监听端口")
    database_url: str = Field(
        "", description="数据库地址，空为数据目录下的 SQLite；生产用 postgresql+psycopg://…"
    )
    chroma_url: str = Field("", description="Chroma 服务地址，空为内嵌；多个进程共用一个索引时填写")
    region: str = Field("310107", pattern=r"^\d{6}$", description="服务地区的行政区划代码")
    region_name: str = Field("上海市普陀区", description="服务地区的名称")
    max_question_chars: int = Field(2000, ge=100, le=20_000, description="一个问题最多多少字")
    handover_due_minutes: int = Field(
        60,
        ge=1,
        le=10_080,
        description="转人工后多少分钟内应有人接手（紧急的立即），过了就标为超时；待区司法局确认",
    )
    log_level: str = Field("INFO", description="日志级别")
    log_json: bool = Field(False, description="日志用 JSON（生产）而不是彩色文本")
    encoder: str = Field("", description="另一个 ONNX 编码器的目录，空为自带的")
    secret: SecretStr = Field(
        SecretStr(""),
        description="签名密钥，至少 32 个字符；空为数据目录下的 secret.key，首次需要时生成。"
        "几台机器共用一个数据库时填同一个",
    )
    rating_days: int = Field(30, ge=1, le=366, description="服务之后多少天内可以评价")
    rating_contact_days: int = Field(
        1,
        ge=1,
        le=60,
        description="差评几个工作日内联系市民；上海“1、5、15”只查到“1 个工作日内”，"
        "待区司法局确认口径",
    )
    rating_mend_days: int = Field(
        5, ge=1, le=60, description="差评几个工作日内整改答复；待区司法局确认口径"
    )
    rating_recheck_days: int = Field(
        15, ge=1, le=120, description="差评几个工作日内回访办结；待区司法局确认口径"
    )

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.home / 'consult.db'}"

    @property
    def index_home(self) -> Path:
        return self.home / "index"

    @property
    def words_file(self) -> Path:
        """The site's own sensitive words, over those that ship; need not exist."""
        return self.home / "sensitive.csv"
