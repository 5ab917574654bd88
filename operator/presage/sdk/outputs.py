"""Where metrics go, by OpenTelemetry's environment variables; exporters are imported when they are first needed."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from presage.core.recording.marks import FILE_VARIABLE, POD_VARIABLE

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.resources import Resource

    from presage.sdk.collection import Collection
    from presage.sdk.pushing import Exporter

PULL = "pull"
"""Output by which Prometheus asks."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the environment says.

    Attributes:
        disabled: Nothing is recorded at all.
        profile_file: Where the document is; empty: none was injected.
        pod: Name by which escalations pick this instance.
        push: Whether to send by OTLP.
        prometheus: Whether to serve for Prometheus.
        delta: Whether exports carry what was added since the last one.
        host: Where Prometheus is served.
        port: Same.
    """

    disabled: bool
    profile_file: str
    pod: str
    push: bool
    prometheus: bool
    delta: bool
    host: str
    port: int


def parse_environment(environment: Mapping[str, str]) -> Outputs:
    """Return what the environment says; a value that cannot be read counts as not given.

    Without `OTEL_METRICS_EXPORTER`, OTLP is used where an endpoint is named, else nothing is sent.
    """
    endpoint = environment.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    named = environment.get("OTEL_METRICS_EXPORTER", "otlp" if endpoint else "none").lower()
    exporters = {each.strip() for each in named.split(",")}
    port = environment.get("OTEL_EXPORTER_PROMETHEUS_PORT", "")
    preferred = environment.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "").strip().lower()
    return Outputs(
        disabled=environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true",
        profile_file=environment.get(FILE_VARIABLE, ""),
        pod=environment.get(POD_VARIABLE) or environment.get("HOSTNAME") or socket.gethostname(),
        push="otlp" in exporters,
        prometheus="prometheus" in exporters,
        delta=preferred == "delta" and "prometheus" not in exporters,  # Prometheus knows totals only
        host=environment.get("OTEL_EXPORTER_PROMETHEUS_HOST") or "localhost",
        port=int(port) if port.isdecimal() and int(port) < 65536 else 9464,
    )


def load_otlp() -> Exporter:
    """Return OpenTelemetry's OTLP exporter over HTTP; it reads its own variables."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter()


def make_resource(pod: str, forked: bool) -> Resource:
    """Return what identifies the process: OpenTelemetry's attributes, and an instance that no other process has.

    Args:
        pod: Name of the pod or host.
        forked: Whether another process with the same environment has the instance's given name.
    """
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.version import __version__

    # `Resource.create` asks its detectors in threads, which cannot be had any more when a short program ends.
    named = OTELResourceDetector().detect()
    sdk = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": __version__,
    }
    given = named.attributes.get("service.instance.id")
    own = given if given and not forked else f"{given or pod}-{os.getpid()}"
    service = named.attributes.get("service.name") or "unknown_service:python"
    return Resource(sdk).merge(named).merge(Resource({"service.name": service, "service.instance.id": own}))


class PrometheusOutput:
    """Text for Prometheus, made by OpenTelemetry's own exporter."""

    def __init__(self, collection: Collection) -> None:
        """Args: collection: what is served."""
        from opentelemetry.exporter.prometheus import PrometheusMetricReader
        from prometheus_client import CollectorRegistry

        def collect(*_: object, **__: object) -> MetricsData:
            data = collection.collect(PULL)
            collection.commit(PULL, data)
            return data

        self._registry = CollectorRegistry(auto_describe=False)
        self._stop: Callable[[], None] | None = None
        reader = PrometheusMetricReader(scope_info_enabled=False, registry=self._registry)
        reader._set_collect_callback(collect)  # as a provider connects itself; the collection stands in for it

    def render(self) -> bytes:
        """Return the exposition text."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

    def serve(self, host: str, port: int) -> None:
        """Serve `/metrics` in a thread of its own.

        Raises:
            OSError: If the port is taken, as it is in forked workers.
        """
        from prometheus_client import start_http_server

        server, _ = start_http_server(port, host, self._registry)

        def stop() -> None:
            server.shutdown()
            server.server_close()

        self._stop = stop

    def close(self) -> None:
        """Stop serving."""
        if self._stop is not None:
            self._stop()
            self._stop = None
