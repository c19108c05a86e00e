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
    model_name: str = Field(
        "",
        description="语言模型的名称，空为不用语言模型（只摘录）；"
        "接口为 OpenAI 兼容格式，需要附加组件 model",
    )
    model_url: str = Field("", description="语言模型接口的地址，如 http://127.0.0.1:8001/v1")
    model_key: SecretStr = Field(SecretStr(""), description="语言模型接口的密钥")
    model_provider: str = Field("openai", description="LangChain init_chat_model 的 model_provider")
    model_display_name: str = Field("", description="公示的模型名称，空为 model_name")
    model_filing: str = Field("", description="公示的模型备案号或上线编号")
    model_temperature: float = Field(0.0, ge=0, le=2, description="语言模型的温度")
    model_connect_seconds: float = Field(1.0, gt=0, le=30, description="语言模型：几秒内要连上")
    model_first_seconds: float = Field(3.0, gt=0, le=60, description="语言模型：几秒内要出第一个字")
    model_total_seconds: float = Field(
        8.0, gt=0, le=120, description="语言模型：一个问题最多多用几秒，过了就给摘录的回答"
    )
    model_at_once: int = Field(
        4, ge=1, le=256, description="语言模型：同时最多几个调用，满了就给摘录的回答"
    )
    model_daily_calls: int = Field(5000, ge=0, description="语言模型：每天最多调用几次，0 为不限")
    model_daily_tokens: int = Field(
        5_000_000, ge=0, description="语言模型：每天最多用多少 token，0 为不限"
    )
    model_conversation_calls: int = Field(
        20, ge=0, description="语言模型：一个会话最多调用几次，0 为不限"
    )
    model_failures: int = Field(5, ge=1, le=100, description="语言模型：连续失败几次就先歇一歇")
    model_rest_seconds: float = Field(30.0, gt=0, le=3600, description="语言模型：歇几秒再试一次")

    trusted_proxies: str = Field(
        "127.0.0.1",
        description="可信的反向代理，地址或网段，逗号分隔；只采信它们写的 X-Forwarded-For",
    )
    session_per_minute: int = Field(
        6,
        ge=1,
        le=600,
        description="网页上一次会话平均每分钟最多问几个问题，一时最多两倍",
    )
    session_per_day: int = Field(
        60,
        ge=1,
        le=10_000,
        description="网页上一次会话每天最多问几个问题",
    )
    address_per_minute: int = Field(
        30,
        ge=1,
        le=100_000,
        description="网页：一个网络地址每分钟问几个以后要做机器验证（自动完成），四倍以后请稍候",
    )
    site_per_second: int = Field(
        10,
        ge=1,
        le=1000,
        description="网页：一个站点平均每秒最多问几个问题，一时最多五倍",
    )
    api_per_minute: int = Field(
        600,
        ge=1,
        le=1_000_000,
        description="程序直接调用提问接口：一个网络地址每分钟最多几个问题",
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
