"""Processes that end, are ended, and fork: what was counted arrives once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest

from tests.unit.sdk.collector import Collector, collecting

BEGIN = """
import os, signal, sys, threading, time
from presage.sdk import Telemetry
telemetry = Telemetry()
order = telemetry.event("order")
def serve(number):
    for _ in range(number):
        with order.measure(route="/order"):
            pass
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


def start(code: str, collector: Collector, **environment: str) -> subprocess.Popen[str]:
    known = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "PRESAGE_"))}
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + textwrap.dedent(code)],
        env={**known, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors


def say_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"


def test_a_program_that_ends_has_sent_everything(collector: Collector) -> None:
    assert end(start("serve(120)", collector)) == (0, "")
    assert collector.total("presage.order.events") == 120
    assert collector.total("presage.order.latency") in (1, 2)  # the samples of two blocks, the second one begun
    assert len(collector.requests) == 1


def test_the_error_of_a_program_is_its_own(collector: Collector) -> None:
    code, errors = end(start("with order.measure(route='/order'):\n    raise KeyError('mine')", collector))
    assert code == 1
    assert "KeyError: 'mine'" in errors
    assert collector.total("presage.order.errors") == 1


def test_sigterm_sends_and_ends_as_it_does_without_us(collector: Collector) -> None:
    process = start("serve(50); print('ready', flush=True); time.sleep(30)", collector)
    say_ready(process)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert end(process) == (-signal.SIGTERM, "")
    assert time.monotonic() - started < 5
    assert collector.total("presage.order.events") == 50


def test_sigterm_in_the_midst_of_recording_does_not_hang(collector: Collector) -> None:
    code = "print('ready', flush=True)\nwhile True: serve(100)"
    for _ in range(3):
        process = start(code, collector)
        say_ready(process)
        time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert end(process) == (-signal.SIGTERM, "")
    assert len(collector.newest("presage.order.events")) == 3


def test_a_handler_of_the_programs_own_stays(collector: Collector) -> None:
    process = start(
        """
        def stop(*_):
            print("stopped", flush=True)
            sys.exit(7)
        signal.signal(signal.SIGTERM, stop)
        other = Telemetry()
        assert signal.getsignal(signal.SIGTERM) is stop
        serve(10)
        print("ready", flush=True)
        time.sleep(30)
        """,
        collector,
    )
    say_ready(process)
    process.send_signal(signal.SIGTERM)
    assert end(process) == (7, "")
    assert collector.total("presage.order.events") == 10


def test_forked_workers_count_for_themselves(collector: Collector) -> None:
    """Threads of the parent record all the while, so that locks are held when it forks."""
    process = start(
        """
        serve(100)
        busy = [threading.Thread(target=lambda: [serve(50) for _ in range(40)]) for _ in range(2)]
        for each in busy: each.start()
        children = []
        for number in range(1, 6):
            child = os.fork()
            if child == 0:
                serve(1000 * number)
                assert telemetry.flush(30)
                os._exit(0)
            children.append(child)
        for each in busy: each.join()
        for child in children: assert os.waitpid(child, 0)[1] == 0
        """,
        collector,
    )
    assert end(process) == (0, "")
    found = sorted(sum(sets.values()) for sets in collector.newest("presage.order.events").values())
    assert found == [1000, 2000, 3000, 4000, 4100, 5000]


def test_a_named_instance_is_kept_and_its_forks_differ(collector: Collector) -> None:
    code = "serve(1)\nif os.fork() == 0:\n    serve(2)\n    assert telemetry.flush(30)\n    os._exit(0)\nos.wait()"
    named = "service.instance.id=shop-1,service.name=shop"
    assert end(start(code, collector, OTEL_RESOURCE_ATTRIBUTES=named)) == (0, "")
    found = {name: sum(sets.values()) for name, sets in collector.newest("presage.order.events").items()}
    assert found.pop("shop-1") == 1
    ((name, count),) = found.items()
    assert name.startswith("shop-1-")
    assert count == 2


def test_a_child_made_by_multiprocessing_sends_too(collector: Collector) -> None:
    code = """
    import multiprocessing
    def work(): serve(30)
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start(); child.join()
    serve(5)
    """
    assert end(start(code, collector)) == (0, "")
    assert sorted(sum(s.values()) for s in collector.newest("presage.order.events").values()) == [5, 30]


@pytest.mark.parametrize(
    "environment",
    [
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_METRICS_EXPORTER": "none"},
        {"OTEL_METRICS_EXPORTER": "what is this"},
        {"PRESAGE_PROFILE_FILE": "\x01" * 300},
        {"PRESAGE_PROFILE_FILE": "/dev/zero"},
        {"OTEL_EXPORTER_PROMETHEUS_PORT": "text", "OTEL_RESOURCE_ATTRIBUTES": "=,,="},
    ],
    ids=str,
)
def test_no_environment_breaks_a_function(collector: Collector, environment: dict[str, str]) -> None:
    code, errors = end(start("serve(10)", collector, **environment))
    assert (code, "Traceback" in errors) == (0, False)


def test_without_a_network_it_ends_in_time(collector: Collector) -> None:
    started = time.monotonic()
    code, errors = end(start("serve(10)", collector, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9"))
    assert code == 0
    assert "Traceback" not in errors
    assert time.monotonic() - started < 30


def test_without_opentelemetry_a_function_runs() -> None:
    code = "import sys\nsys.modules['opentelemetry'] = None\n" + BEGIN + "serve(10)\nprint(telemetry.collect())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, "None\n")
    assert "something was not recorded" in done.stderr
