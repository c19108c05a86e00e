"""Structured logs: static event names, identifiers as keywords, never a citizen's words."""

from __future__ import annotations

import logging
import sys

import structlog

# Without local variables: they hold what citizens wrote.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure(level: str, *, as_json: bool) -> None:
    """Set up structlog on stderr; call once, in the composition root."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    logging.basicConfig(level=logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _TRACEBACKS if as_json else structlog.dev.set_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
        ),
        # Asked for each time: whoever replaces stderr gets the lines.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
