"""A metric source in plain data: where series come from, for whom, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass

from presage.core.recording.retention.tiers import Retention


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One key of a Secret in the operator's own namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What one source may cost.

    Attributes:
        timeout_s: longest time of one request, in seconds.
        max_bytes: largest decoded answer, in bytes.
        max_series: most series in one answer.
        max_concurrency: most requests at the same time.
    """

    timeout_s: float
    max_bytes: int
    max_series: int
    max_concurrency: int


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """The validated wish of one MetricSource.

    Attributes:
        url: base address of the Prometheus HTTP API, without a trailing slash.
        bearer_token: where the bearer token is kept; excludes `basic_auth`.
        basic_auth: name of the Secret with the keys `username` and `password`.
        ca: where the certificate authority is kept; None means the system's authorities.
        verify: whether the server's certificate is checked.
        namespaces: namespaces whose profiles may use the source; None means every namespace.
        tenant_label: label forced on every query; None means none.
        tenant_value: its value; None means the namespace of the profile that asks.
        limits: cost limits.
        check_period_s: time between two checks of the source, in seconds.
        retention: servers that keep series for different times; None means that this is not looked at.
    """

    url: str
    bearer_token: SecretKey | None
    basic_auth: str | None
    ca: SecretKey | None
    verify: bool
    namespaces: frozenset[str] | None
    tenant_label: str | None
    tenant_value: str | None
    limits: SourceLimits
    check_period_s: float
    retention: Retention | None = None

    def admits(self, namespace: str) -> bool:
        """Return whether profiles of the namespace may use this source."""
        return self.namespaces is None or namespace in self.namespaces

    def tenant(self, namespace: str) -> tuple[str, str] | None:
        """Return the label and value forced on queries of the namespace, or None if nothing is forced."""
        if self.tenant_label is None:
            return None
        return self.tenant_label, self.tenant_value or namespace
