"""Structured logs: one JSON object a line, ours and those of kopf and the standard library alike.

Our events are constant dotted names and data are keys. Records of libraries have free text: it becomes the key
`message`, under the constant event `library.message`. Bodies, secrets and tokens are never logged; as a last line of
defence, values under keys that name a secret are replaced, and long texts are cut.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

_QUIET = (  # a line for every event, request or scrape says nothing
    "aiohttp.access",
    "asyncio",
    "kopf.objects",
    "kubernetes",
    "urllib3",
)
_MUTE = "kopf"  # each retry and each end with a traceback; what stands in the way is told once, by runtime.troubles
_SECRET = re.compile(r"(?i)(^|_)(token|password|passwd|secret|authorization|credentials?)$")
_LONGEST = 2_048
_LONGEST_TRACEBACK = 16_384


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Route all logging of the process through structlog as JSON; may be called again with other settings.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        stream: Where lines go; standard error if None.
    """
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, _copy_reference, _name_foreign],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _bound_values,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.captureWarnings(capture=True)  # a library's warning is a line like any other
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger(_MUTE).setLevel(logging.DEBUG if root.level <= logging.DEBUG else logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _copy_reference(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Lift the object that kopf attaches to a record into keys."""
    reference = getattr(event.get("_record"), "k8s_ref", None)
    for key in ("kind", "namespace", "name", "uid"):
        if isinstance(reference, dict) and reference.get(key):
            event.setdefault(key, reference[key])
    return event


def _name_foreign(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["message"] = event["event"]
    event["event"] = "library.message"
    return event


def _bound_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if _SECRET.search(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            longest = _LONGEST_TRACEBACK if key == "exception" else _LONGEST
            event[key] = value if len(value) <= longest else value[: longest - 1] + "…"
    return event
