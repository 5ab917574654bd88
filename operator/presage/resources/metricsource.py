"""MetricSource: where series come from, declared once by a cluster's administrator.

Only administrators give addresses and credentials; a profile names a source and can reach nothing else. Secrets are
read in the operator's own namespace.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from presage.core.source import SecretKey, SourceLimits, SourceSpec
from presage.resources.base import (
    Model,
    PrinterColumn,
    Resource,
    ResourceMeta,
    Rule,
    Status,
    defaulted,
)
from presage.resources.fields import LabelName, LocalReference, ObjectName, SecretKeyName
from presage.resources.retention import SourceRetention, SourceUrl, TierStatus

_EVERY = "*"


class SecretKeyReference(Model):
    """Names one key of a Secret in the operator's namespace."""

    name: ObjectName = Field(description="Name of the Secret in the operator's namespace.", examples=["prometheus"])
    key: SecretKeyName = Field(description="Key in the Secret's data.", examples=["token"])

    def to_core(self) -> SecretKey:
        """Return the same reference in plain data."""
        return SecretKey(self.name, self.key)


class SourceAuth(Model):
    """How presage proves who it is."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.bearerTokenSecretRef) != has(self.basicAuthSecretRef)",
            "auth must have exactly one of bearerTokenSecretRef and basicAuthSecretRef",
            lambda auth: (auth.bearer_token_secret_ref is None) != (auth.basic_auth_secret_ref is None),
        ),
    )

    bearer_token_secret_ref: SecretKeyReference | None = Field(
        default=None, description="Bearer token, from a Secret in the operator's namespace."
    )
    basic_auth_secret_ref: LocalReference | None = Field(
        default=None,
        description="Secret in the operator's namespace with the keys username and password.",
    )


class SourceTls(Model):
    """How the server's certificate is checked."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(self.insecureSkipVerify && has(self.caSecretRef))",
            "tls cannot have both caSecretRef and insecureSkipVerify: an unchecked certificate needs no authority",
            lambda tls: not (tls.insecure_skip_verify and tls.ca_secret_ref is not None),
        ),
    )

    ca_secret_ref: SecretKeyReference | None = Field(
        default=None,
        description="Certificate authorities (PEM), from a Secret in the operator's namespace. Left out, the system's.",
    )
    insecure_skip_verify: bool = Field(
        default=False,
        description="Accept any certificate. For tests only: whoever is in between reads and alters answers.",
    )


NamespaceName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$")]


class SourceNamespaces(Model):
    """Which namespaces may use the source."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "size(self.names) == 1 || self.names.all(n, n != '*')",
            'names must not mix "*" (every namespace) with names of namespaces',
            lambda allowed: len(allowed.names) == 1 or _EVERY not in allowed.names,
        ),
    )

    names: tuple[NamespaceName, ...] = Field(
        default=(_EVERY,),
        min_length=1,
        max_length=256,
        description='Names of the namespaces whose profiles may use this source; "*" alone means every namespace.',
        examples=[["shop", "payments"]],
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )

    @field_validator("names", mode="after")
    @classmethod
    def _no_name_twice(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise PydanticCustomError("duplicate", "names must not contain a namespace twice")
        return names


class TenantLabel(Model):
    """A label forced on every query, so that a profile sees its own tenant's series only."""

    name: LabelName = Field(description="Name of the label.", examples=["namespace"])
    value: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None, description="Value of the label. Left out, the namespace of the profile that asks."
    )


class SourceLimitsSettings(Model):
    """What one request, and all of them together, may cost."""

    timeout_seconds: int = Field(default=10, ge=1, le=60, description="Longest time of one request, in seconds.")
    max_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="Largest decoded answer, in bytes."
    )
    max_series: int = Field(default=10_000, ge=1, le=100_000, description="Most series in one answer.")
    max_concurrency: int = Field(default=4, ge=1, le=32, description="Most requests at the same time.")

    def to_core(self) -> SourceLimits:
        """Return the same limits in plain numbers."""
        return SourceLimits(float(self.timeout_seconds), self.max_bytes, self.max_series, self.max_concurrency)


class MetricSourceSpec(Model):
    """What the administrator declares."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.tls) || self.url.startsWith('https://')",
            "tls needs a url that begins with https://",
            lambda spec: spec.tls is None or spec.url.startswith("https://"),
        ),
    )

    url: SourceUrl = Field(
        description="Base address of Prometheus or of anything with the same HTTP API. Redirects are not followed.",
        examples=["http://prometheus.monitoring.svc:9090"],
    )
    auth: SourceAuth | None = Field(default=None, description="Credentials. Left out, none are sent.")
    tls: SourceTls | None = Field(
        default=None, description="Checks of the server's certificate. Left out, the system's authorities are trusted."
    )
    namespaces: SourceNamespaces = defaulted(SourceNamespaces, "Which namespaces may use this source.")
    tenant_label: TenantLabel | None = Field(
        default=None, description="Label that is forced on every query. Left out, none is."
    )
    limits: SourceLimitsSettings = defaulted(SourceLimitsSettings, "What requests to this source may cost.")
    retention: SourceRetention | None = Field(
        default=None, description="Servers that keep series for different times. Left out, retention is not looked at."
    )
    check_period_seconds: int = Field(
        default=30, ge=1, le=3600, description="Time between two checks that the source answers, in seconds."
    )

    def to_core(self) -> SourceSpec:
        """Return the same wish in plain data."""
        names = frozenset(self.namespaces.names)
        auth = self.auth or SourceAuth.model_construct()
        tls = self.tls or SourceTls()
        return SourceSpec(
            url=self.url.rstrip("/"),
            bearer_token=auth.bearer_token_secret_ref.to_core() if auth.bearer_token_secret_ref else None,
            basic_auth=auth.basic_auth_secret_ref.name if auth.basic_auth_secret_ref else None,
            ca=tls.ca_secret_ref.to_core() if tls.ca_secret_ref else None,
            verify=not tls.insecure_skip_verify,
            namespaces=None if _EVERY in names else names,
            tenant_label=self.tenant_label.name if self.tenant_label else None,
            tenant_value=self.tenant_label.value if self.tenant_label else None,
            limits=self.limits.to_core(),
            check_period_s=float(self.check_period_seconds),
            retention=self.retention.to_core() if self.retention else None,
        )


class MetricSourceStatus(Status):
    """What presage found when it last checked."""

    version: str | None = Field(default=None, max_length=128, description="Version that the server states.")
    retention: tuple[TierStatus, ...] = Field(
        default=(),
        max_length=8,
        description="What canaries show of each retention tier.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["tier"]},
    )


class MetricSource(Resource):
    """A server of Prometheus series that profiles may use by name."""

    meta: ClassVar[ResourceMeta] = ResourceMeta(
        kind="MetricSource",
        plural="metricsources",
        scope="Cluster",
        description="A server of Prometheus series that profiles use by name; the cluster's administrator declares it.",
        short_names=("msrc",),
        columns=(
            PrinterColumn("URL", "string", ".spec.url", "Base address."),
            PrinterColumn("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', "Whether it answers."),
            PrinterColumn("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', "Why."),
            PrinterColumn("Age", "date", ".metadata.creationTimestamp", "Time since creation."),
            PrinterColumn(
                "Retention",
                "string",
                '.status.conditions[?(@.type=="RetentionEnforced")].reason',
                "What is known of its retention tiers.",
                priority=1,
            ),
        ),
    )

    spec: MetricSourceSpec = Field(description="What the administrator declares.")
    status: MetricSourceStatus = defaulted(MetricSourceStatus, "What presage found; written by presage only.")
