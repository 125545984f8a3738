"""Structured logs with request ids: one line a request, never a body, never a secret."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from flask import Flask, g, request
from werkzeug.wrappers import Response

QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: told at debug level only."""

_SECRET_NAME = re.compile(r"authorization|cookie|password|secret|token|api.?key", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"rq_[A-Za-z0-9_-]{8,}|(?i:bearer)\s+\S+|(?<=://)[^/@\s:]+:[^@\s]+(?=@)")
_HIDDEN = "***"

log = structlog.get_logger("reviewqueue.requests")


def set_up(log_format: str, level: int = logging.INFO) -> None:
    """Sends our logs and those of every library to stderr, as JSON lines or as text for people."""
    _through_logging()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(log_format)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)


def register(app: Flask) -> None:
    _through_logging()
    app.before_request(_start)
    app.after_request(_tell)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hides what the name says is a secret, and what looks like one inside any text."""
    for name, value in event.items():
        if _SECRET_NAME.search(name):
            event[name] = _HIDDEN
        elif isinstance(value, str):
            event[name] = _SECRET_VALUE.sub(_HIDDEN, value)
    return event


_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    redact,
]


def _through_logging() -> None:
    # Without this structlog prints to stdout, which belongs to the commands' answers.
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _renderer(log_format: str) -> structlog.typing.Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(
            lambda event, **_: orjson.dumps(event, default=repr).decode()
        )
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def _start() -> None:
    g.started = time.perf_counter()


def _tell(response: Response) -> Response:
    started: float = g.get("started", time.perf_counter())
    caller = g.get("caller")
    tell = log.debug if request.path in QUIET or request.endpoint == "static" else log.info
    tell(
        "request",
        method=request.method,
        path=_path(),
        status=response.status_code,
        ms=round((time.perf_counter() - started) * 1000, 1),
        by=f"{caller.actor.kind}:{caller.actor.id}" if caller else None,
    )
    return response


def _path() -> str:
    """The path without its query, and its pattern where the path itself holds a secret."""
    if request.url_rule is not None and "token" in (request.view_args or {}):
        return request.url_rule.rule
    return request.path
