"""Chat models that say what a test has written down. Those of a character, which read what they are
asked, are in `service.evaluation.characters`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field

from service.evaluation.characters import line

__all__ = ["Scripted", "line"]


class Scripted(BaseChatModel):
    """Says `pieces`, one after another; an exception among them is raised, a number is seconds of
    silence, an event is waited for. `history` keeps what it was asked."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    pieces: Sequence[Any] = ()
    tokens: int = 0
    history: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 — LangChain's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        self.history.append(messages)
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, threading.Event):
                piece.wait(10)
            elif isinstance(piece, float):
                time.sleep(piece)
            else:
                yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        if self.tokens:
            used = {"input_tokens": 0, "output_tokens": self.tokens, "total_tokens": self.tokens}
            last = AIMessageChunk(content="", usage_metadata=used)
            yield ChatGenerationChunk(message=last)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 — LangChain's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_kwargs: Any,
    ) -> ChatResult:
        said = "".join(str(p.message.content) for p in self._stream(messages))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=said))])
