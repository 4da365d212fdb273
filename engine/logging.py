"""How the product logs: structlog and the standard library through one handler, redacted.

One line an event, on standard error: for people, or JSON in production. What is bound to the
context (run_id, step, request) is in every line. Values under a key that names a secret are masked,
as everywhere (docs/architecture.md 4).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping, Sequence
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

from engine.runs.redaction import Redactor

_OWN = ("event", "level", "logger", "timestamp", "exc_info", "exception", "stack_info")
"""What a line is made of; never masked by its key."""

_CHATTY = ("httpx", "httpcore", "alembic.runtime.plugins")
_TELLS_PAYLOADS = "temporalio"
"""At DEBUG the SDK writes out every payload that an activity answers."""


def configure(
    level: str = "INFO",
    *,
    as_json: bool = False,
    patterns: Sequence[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Set up both loggers. Raises ValueError for a redaction pattern that cannot be compiled."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_the_sdks_own_record,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _Mask(Redactor(patterns)),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(as_json))
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_TELLS_PAYLOADS).setLevel(max(root.level, logging.INFO))


def flush() -> None:
    """Before `os._exit`, which flushes nothing."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()


def _rendering(as_json: bool) -> list[Processor]:
    if as_json:
        return [
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ]
    colours = sys.stderr.isatty()
    return [
        ProcessorFormatter.remove_processors_meta,
        # Where rich is installed the default would print every frame's variables, payloads too.
        structlog.dev.ConsoleRenderer(
            colors=colours, exception_formatter=structlog.dev.plain_traceback
        ),
    ]


def _without_the_sdks_own_record(
    _logger: Any, _name: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """What `temporalio.core` forwards is in the message already."""
    line.pop("temporal_log", None)
    return line


class _Mask:
    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(
        self, _logger: Any, _name: str, line: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        own = {key: line[key] for key in line if key in _OWN or key.startswith("_")}
        rest = {key: value for key, value in line.items() if key not in own}
        return {**own, **self._redactor.redact(rest).value}
