"""Where metrics go, and what arrives there."""

from __future__ import annotations

import socket
import urllib.request

import pytest

from presage.sdk.outputs import make_resource, parse_environment
from tests.unit.sdk.conftest import Make

OTLP = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
CASES = {
    "nothing said": ({}, (False, False, False)),
    "an endpoint": (OTLP, (True, False, False)),
    "an endpoint for metrics alone": ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c"}, (True, False, False)),
    "an endpoint, but not for metrics": ({**OTLP, "OTEL_METRICS_EXPORTER": "none"}, (False, False, False)),
    "prometheus": ({"OTEL_METRICS_EXPORTER": "prometheus"}, (False, True, False)),
    "both": ({"OTEL_METRICS_EXPORTER": "otlp, Prometheus"}, (True, True, False)),
    "deltas": ({**OTLP, "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "Delta"}, (True, False, True)),
    "deltas, but Prometheus": (
        {"OTEL_METRICS_EXPORTER": "otlp,prometheus", "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"},
        (True, True, False),
    ),
}


@pytest.mark.parametrize(("environment", "want"), CASES.values(), ids=CASES)
def test_the_environment_says_where(environment: dict[str, str], want: tuple[bool, bool, bool]) -> None:
    found = parse_environment(environment)
    assert (found.push, found.prometheus, found.delta) == want


def test_what_cannot_be_read_counts_as_not_given() -> None:
    found = parse_environment({"OTEL_EXPORTER_PROMETHEUS_PORT": "99999", "OTEL_SDK_DISABLED": "perhaps"})
    assert (found.port, found.disabled) == (9464, False)
    assert parse_environment({"PRESAGE_POD_NAME": "pod-1", "HOSTNAME": "host"}).pod == "pod-1"


def test_no_two_processes_are_the_same_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.delenv("OTEL_RESOURCE_ATTRIBUTES", raising=False)
    first = make_resource("pod-1", False).attributes
    assert first["service.name"] == "shop"
    assert str(first["service.instance.id"]).startswith("pod-1-")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=mine")
    assert make_resource("pod-1", False).attributes["service.instance.id"] == "mine"
    assert str(make_resource("pod-1", True).attributes["service.instance.id"]).startswith("mine-")


def test_prometheus_is_served(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "prometheus")
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", str(port))
    telemetry = make()
    with telemetry.event("order").measure(route="/order"):
        pass
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    labels = 'outcome="ok",presage_every="1",presage_retention="15d",route="/order"'
    assert f"presage_order_events_total{{{labels}}} 1.0\n" in text
    assert "presage_profile_generation 0.0\n" in text
    assert 'presage_order_latency_seconds_count{outcome="ok",presage_every="100",presage_kept="new"' in text
    assert telemetry.render_prometheus().decode().count("presage_order_events_total{") == 1


def test_a_port_in_use_is_told_and_harms_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "prometheus")
        monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", str(taken.getsockname()[1]))
        telemetry = make()
        with telemetry.event("order").measure(route="/order"):
            pass
        assert 'presage_sdk_failures_total{type="OSError"} 1.0' in telemetry.render_prometheus().decode()
