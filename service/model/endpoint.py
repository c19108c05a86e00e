"""The endpoint that a site has configured, as LangChain's chat model. LangChain is not imported
while none is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from sqlalchemy.orm import Session, sessionmaker

from knowledge.citations import LawBook
from service.errors import NotReady
from service.model.breaker import Breaker
from service.model.budget import Budget
from service.model.calling import Caller, ChatModel, Limits
from service.model.writing import About, Writer
from service.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


def connect(settings: Settings, name: str = "") -> BaseChatModel:
    """The chat model of the settings, or another one (`name`) of the same endpoint. Raises NotReady
    in Chinese when its client is not installed or the settings do not fit it."""
    import httpx
    from langchain.chat_models import init_chat_model

    key = settings.model_key.get_secret_value()
    try:
        return init_chat_model(
            name or settings.model_name,
            model_provider=settings.model_provider,
            base_url=settings.model_url or None,
            # Local servers ask for none, their clients do.
            api_key=key or "none",
            temperature=settings.model_temperature,
            timeout=httpx.Timeout(
                settings.model_total_seconds, connect=settings.model_connect_seconds
            ),
            max_retries=0,  # a rate limit is answered by resting, see `breaker`
            stream_usage=True,
        )
    except ImportError as missing:
        raise NotReady(
            "model_client_missing",
            "配置了语言模型（CONSULT_MODEL_NAME），但没有安装它的客户端。"
            "请安装附加组件 model，或者清空 CONSULT_MODEL_NAME 不用语言模型。",
        ) from missing
    except (TypeError, ValueError) as wrong:
        raise NotReady(
            "model_settings_wrong",
            f"语言模型的设置不对：{wrong}。请检查 CONSULT_MODEL_ 开头的设置。",
        ) from wrong


def open_writer(
    settings: Settings,
    sessions: sessionmaker[Session],
    laws: Callable[[], LawBook],
    model: ChatModel | None = None,
) -> Writer | None:
    """What writes answers more fluently, or None where no model is configured. `model` is used in
    place of the configured endpoint. Raises NotReady."""
    if not settings.model_name and model is None:
        return None
    limits = Limits(
        first=settings.model_first_seconds,
        total=settings.model_total_seconds,
        at_once=settings.model_at_once,
    )
    budget = Budget(
        sessions,
        calls=settings.model_daily_calls,
        tokens=settings.model_daily_tokens,
        of_conversation=settings.model_conversation_calls,
    )
    breaker = Breaker(settings.model_failures, settings.model_rest_seconds)
    used = model or cast(ChatModel, connect(settings))
    about = About(
        name=settings.model_display_name or settings.model_name,
        filing=settings.model_filing,
        region_name=settings.region_name,
    )
    return Writer(Caller(used, limits, budget, breaker), laws, about)
