"""Function and generator as two real processes on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from presage.dataplane.demo.schedule import RateSchedule, render_schedule
from presage.dataplane.demo.tally import TallyDocument


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(module: str, *args: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", f"presage.dataplane.demo.{module}", *args]
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not within time"
        time.sleep(0.02)


def replay(tmp_path: Path, target_port: int, rates: tuple[float, ...]) -> TallyDocument:
    schedule = tmp_path / "schedule.json"
    schedule.write_text(render_schedule(RateSchedule(time.time() + 1.0, 0.5, rates)))
    port = free_port()
    target = ["--host=127.0.0.1", f"--target-port={target_port}", f"--port={port}"]
    with running("loadgen", f"--schedule={schedule}", *target) as process:
        eventually(lambda: get(port, "/healthz")[0] == 200)
        eventually(lambda: bool(json.loads(get(port, "/counts")[1])["done"]))
        document: TallyDocument = json.loads(get(port, "/counts")[1])
        metrics = get(port, "/metrics")[1]
        assert f"loadgen_sent_total {sum(document['sent'])}" in metrics
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    fates = (document["ok"], document["rejected"], document["late"], document["failed"])
    assert sum(map(sum, fates)) == sum(document["sent"])
    return document


def test_all_is_served_within_capacity_and_counted_on_arrival(tmp_path: Path) -> None:
    port = free_port()
    with running("function", f"--port={port}", "--capacity=200"):
        eventually(lambda: get(port, "/readyz")[0] == 200)
        counts = replay(tmp_path, port, (60.0, 60.0, 20.0, 20.0))
        assert sum(counts["sent"]) == sum(counts["ok"]) == 80
        assert 'http_requests_total{route="/order"} 80' in get(port, "/metrics")[1]


def test_load_above_capacity_is_refused_but_still_counted(tmp_path: Path) -> None:
    port = free_port()
    with running("function", f"--port={port}", "--capacity=20", "--queue-seconds=0.4"):
        eventually(lambda: get(port, "/readyz")[0] == 200)
        counts = replay(tmp_path, port, (100.0,) * 4)
        assert sum(counts["sent"]) == 200
        assert sum(counts["late"]) == sum(counts["failed"]) == 0
        assert sum(counts["ok"]) == pytest.approx(20 * 2 + 8, abs=3)
        assert 'http_requests_total{route="/order"} 200' in get(port, "/metrics")[1]


def test_no_listener_is_failed_load(tmp_path: Path) -> None:
    counts = replay(tmp_path, free_port(), (10.0, 10.0))
    assert sum(counts["failed"]) == sum(counts["sent"]) == 10


def test_a_pod_starts_unready_and_drains_on_sigterm() -> None:
    port = free_port()
    with running("function", f"--port={port}", "--startup-seconds=3", "--drain-seconds=1") as process:
        eventually(lambda: get(port, "/metrics")[0] == 200)
        assert get(port, "/readyz")[0] == 503
        eventually(lambda: get(port, "/readyz")[0] == 200)
        process.send_signal(signal.SIGTERM)
        eventually(lambda: get(port, "/readyz")[0] == 503)
        assert get(port, "/order")[0] == 200
        assert process.wait(timeout=5) == 0


def test_a_schedule_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "schedule.json"
    path.write_text("{}")
    with running("loadgen", f"--schedule={path}", "--host=127.0.0.1", "--target-port=1") as process:
        assert process.wait(timeout=5) == 2
