"""Structured logs: one JSON object a line, ours and those of kopf and the standard library alike.

Events are constant dotted names; data are keys. Bodies, secrets and tokens are never logged.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

_QUIET = ("kopf.objects", "kopf._core.reactor", "aiohttp.access", "urllib3")  # a line for every event says nothing


def _copy_reference(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Lift the object that kopf attaches to a record into keys."""
    record = event.get("_record")
    reference = getattr(record, "k8s_ref", None) or {}
    for key in ("kind", "namespace", "name", "uid"):
        if reference.get(key):
            event.setdefault(key, reference[key])
    return event


def configure_logging(level: str, stream: TextIO = sys.stderr) -> None:
    """Route all logging of the process through structlog as JSON.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        stream: Where lines go.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=()),
        _copy_reference,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.captureWarnings(capture=True)  # a library's warning is a line like any other
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared[:3],
            *shared[5:],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
