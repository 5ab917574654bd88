"""Every line is one JSON object with a constant event, whoever wrote it."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from presage.observability.logging import configure_logging

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Logging into memory at level info; everything global is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_our_event_keeps_its_name_and_keys(lines: Lines) -> None:
    structlog.contextvars.bind_contextvars(reconcile_id="r1")
    structlog.get_logger("presage.test").info("forecast.fitted", namespace="shop", duration_s=0.5)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "forecast.fitted",
        "namespace": "shop",
        "duration_s": 0.5,
        "reconcile_id": "r1",
        "level": "info",
        "logger": "presage.test",
    }


def test_kopfs_record_gets_a_constant_event_and_the_objects_keys(lines: Lines) -> None:
    reference = {
        "apiVersion": "presage.dev/v1alpha1",
        "kind": "MetricProfile",
        "name": "p",
        "uid": "u",
        "namespace": "n",
    }
    logging.getLogger("kopf.objects").warning("Patching failed: %s", "why", extra={"k8s_ref": reference})
    (line,) = lines()
    assert (line["event"], line["message"]) == ("library.message", "Patching failed: why")
    assert (line["kind"], line["namespace"], line["name"], line["uid"]) == ("MetricProfile", "n", "p", "u")


@pytest.mark.parametrize("name", ["kopf.objects", "aiohttp.access", "urllib3.connectionpool", "kubernetes.client.rest"])
def test_chatter_of_libraries_is_dropped(lines: Lines, name: str) -> None:
    logging.getLogger(name).info("Handler 'observe' succeeded.")
    assert lines() == []


@pytest.mark.parametrize(
    ("level", "want"), [("info", ["info", "warning"]), ("warning", ["warning"]), ("error", [])], ids=str
)
def test_levels(lines: Lines, level: str, want: list[str]) -> None:
    stream = io.StringIO()
    configure_logging(level, stream)
    log = structlog.get_logger("presage.levels")
    log.debug("a.b")
    log.info("a.b")
    logging.getLogger("some.library").warning("text")
    assert [json.loads(line)["level"] for line in stream.getvalue().splitlines()] == want


def test_a_traceback_stays_on_one_line(lines: Lines) -> None:
    try:
        raise ValueError("no\nnewlines")
    except ValueError:
        structlog.get_logger("presage.test").exception("operator.died")
    (line,) = lines()
    assert "ValueError: no\nnewlines" in line["exception"]


@pytest.mark.parametrize("key", ["token", "password", "Authorization", "client_secret", "bearer_token"])
def test_a_secret_is_not_written(lines: Lines, key: str) -> None:
    structlog.get_logger("presage.test").info("some.event", **{key: "hunter2"})
    assert lines()[0][key] == "[redacted]"


def test_a_count_of_tokens_is_no_secret(lines: Lines) -> None:
    structlog.get_logger("presage.test").info("some.event", tokens=3)
    assert lines()[0]["tokens"] == 3


def test_long_texts_are_cut(lines: Lines) -> None:
    structlog.get_logger("presage.test").info("some.event", error="x" * 100_000)
    assert len(lines()[0]["error"]) == 2_048


def test_warnings_are_lines(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    (line,) = lines()
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")


def test_an_object_that_is_no_json_does_not_break_the_line(lines: Lines) -> None:
    structlog.get_logger("presage.test").info("some.event", error=ValueError("odd"))
    assert "odd" in lines()[0]["error"]
