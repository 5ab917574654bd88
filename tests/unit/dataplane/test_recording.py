"""What the function records of its orders, as a real process that reads a real file."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from presage.core.recording.catalogue import BUILT_IN
from presage.core.recording.document import render_document
from presage.core.recording.marks import FILE_VARIABLE, GENERATION_METRIC, PROFILE_SINCE_METRIC
from presage.core.recording.types import DEBUG, MINIMAL, EventRecording, Recording
from tests.unit.dataplane.test_replay import eventually, free_port, get, running

ORDERS = 5


def write(path: Path, profile: str, generation: int) -> None:
    recording = Recording("shop", "order", {"order": EventRecording(BUILT_IN[profile])}, BUILT_IN[MINIMAL])
    new = path.with_suffix(".new")
    new.write_text(render_document(recording, generation))
    new.replace(path)


def value(text: str, name: str, **labels: str) -> float:
    """The sum of the samples of a metric that have these labels."""
    found = [line for line in text.splitlines() if re.match(rf"{name}(\{{| )", line)]
    wanted = [f'{label}="{of}"' for label, of in labels.items()]
    return sum(float(line.rpartition(" ")[2]) for line in found if all(each in line for each in wanted))


def test_orders_are_recorded_by_the_profile_in_force_and_by_the_next_one_without_restart(tmp_path: Path) -> None:
    document, port = tmp_path / "recording.jsonl", free_port()
    write(document, DEBUG, 3)
    with running("function", f"--port={port}", "--region=north", **{FILE_VARIABLE: str(document)}) as process:
        eventually(lambda: get(port, "/readyz")[0] == 200)
        for _ in range(ORDERS):
            assert get(port, "/order")[0] == 200
        text = get(port, "/telemetry")[1]
        assert value(text, GENERATION_METRIC, metric_profile="order") == 3
        assert value(text, "presage_order_requests_total", outcome="ok", region="north", method="GET") == ORDERS
        for metric in ("latency_seconds", "queue_time_seconds", "payload_bytes"):
            assert value(text, f"presage_order_{metric}_count", region="north") == ORDERS
        for dependency in ("worker", "rendering", "sending"):
            assert value(text, "presage_order_dependency_latency_seconds_count", dependency=dependency) == ORDERS
        service_seconds = value(text, "presage_order_dependency_latency_seconds_sum", dependency="worker") / ORDERS
        assert 0.02 < service_seconds < 0.2  # 1/40 s and what the machine adds
        assert value(text, "presage_sdk_seconds_total", part="export") > 0
        since = value(text, PROFILE_SINCE_METRIC)

        write(document, MINIMAL, 4)
        eventually(lambda: value(get(port, "/telemetry")[1], GENERATION_METRIC) == 4)
        assert get(port, "/order")[0] == 200  # while what ended was said once more
        text = get(port, "/telemetry")[1]
        assert value(text, PROFILE_SINCE_METRIC) > since
        assert "queue_time" not in text
        assert "north" not in text
        assert value(text, "presage_order_events_total") == 1
        assert f'http_requests_total{{route="/order"}} {ORDERS + 1}' in get(port, "/metrics")[1]
        assert process.poll() is None


def test_a_refused_order_is_an_error() -> None:
    port = free_port()
    with (
        running("function", f"--port={port}", "--capacity=1", "--queue-seconds=1"),
        ThreadPoolExecutor(3) as callers,
    ):
        eventually(lambda: get(port, "/readyz")[0] == 200)
        statuses = sorted(status for status, _ in callers.map(lambda _: get(port, "/order"), range(3)))
        assert statuses == [200, 503, 503]
        text = get(port, "/telemetry")[1]
        assert value(text, "presage_order_errors_total") == 2
        assert value(text, "presage_order_requests_total", outcome="ok") == 1
