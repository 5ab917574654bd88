"""Settings of the operator process, read once from `PRESAGE_*` environment variables; the chart sets them."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

PREFIX = "PRESAGE_"


class SettingsError(ValueError):
    """A setting is missing or out of bounds; the message names the variable and what is wrong."""


class Settings(BaseModel):
    """All settings; names in upper case behind `PRESAGE_` are the variables."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    namespace: str = Field(default="presage-system", min_length=1, description="The operator's own namespace.")
    pod_name: str = Field(default_factory=socket.gethostname, description="Identity of this process in the Lease.")
    lease_name: str = Field(
        default="presage-operator", min_length=1, description="Name of the Lease that decides which operator acts."
    )
    http_port: int = Field(default=8080, ge=0, le=65535, description="Port of probes and metrics; 0 picks a free one.")
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="Least severe level that is logged."
    )
    workers: int = Field(
        default=4,
        ge=1,
        le=64,
        description="Objects worked on at the same time; those that wait for a metrics source do not count.",
    )
    fit_workers: int = Field(
        default=1,
        ge=0,
        le=16,
        description="Processes that fit the full forecast in the background; with 0 the batch forecast stays in force.",
    )
    fit_deadline_seconds: float = Field(
        default=20, ge=1, le=600, description="Longest time of one such fit; its process is ended then and replaced."
    )
    lease_duration_seconds: float = Field(
        default=10, ge=2, le=300, description="Time after which a silent operator is replaced."
    )
    lease_renew_seconds: float = Field(default=2, ge=0.5, le=60, description="Time between two renewals of the Lease.")
    resync_seconds: float = Field(
        default=600, ge=10, le=86400, description="Every object is looked at again at least this often."
    )
    status_refresh_seconds: float = Field(default=600, ge=5, le=86400, description="Rarest refresh of volatile status.")
    allow_loopback: bool = Field(default=False, description="Whether a MetricSource may live on loopback.")
    object_metrics: bool = Field(default=True, description="Whether per-object series are exported.")
    strict_certificates: bool = Field(default=True, description="Whether Python's strict X.509 rules hold.")
    injection_check_seconds: float = Field(
        default=600,
        ge=0,
        le=86400,
        description="Time between two dry runs that prove injection; 0 = none, no injection.",
    )
    injection_webhook: str = Field(
        default="Never",
        pattern="^(Auto|Always|Never)$",
        description="When presage's own webhook injects: where the admission policy is not in force, always or never.",
    )
    injection_webhook_port: int = Field(
        default=8443, ge=0, le=65535, description="Port of the webhook; 0 picks a free one."
    )
    injection_webhook_service: str = Field(
        default="presage-webhook", min_length=1, max_length=63, description="Service in front of it, in `namespace`."
    )
    injection_webhook_url: str = Field(
        default="",
        pattern=r"^(https://[^\s?#]+)?$",
        description="Where the API server reaches it, instead of by the Service; for operators outside the cluster.",
    )
    injection_certificate: str = Field(
        default="SelfManaged", pattern="^(SelfManaged|CertManager)$", description="Who makes the webhook's certificate."
    )
    injection_certificate_hours: float = Field(
        default=8760, gt=0, le=87600, description="How long a certificate that presage makes is valid."
    )
    injection_export_interval_seconds: int = Field(
        default=60, ge=1, le=3600, description="Export interval for functions without presage's SDK."
    )
    injection_otlp_endpoint: str = Field(
        default="",
        pattern=r"^(https?://[^\s'\"\\]+)?$",
        description="Where functions without presage's SDK send metrics by OTLP; empty leaves it to them.",
    )

    @model_validator(mode="after")
    def _renew_in_time(self) -> Self:
        if self.lease_renew_seconds * 2 > self.lease_duration_seconds:
            raise ValueError("the Lease must be renewed at least twice in its duration")
        return self


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings in `environment`; an empty variable counts as absent.

    Raises:
        SettingsError: If one is out of bounds.
    """
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = "; ".join(f"{_variable(e['loc'])}: {e['msg']}" for e in error.errors())
        raise SettingsError(problems) from None


def _variable(location: tuple[int | str, ...]) -> str:
    return PREFIX + (str(location[0]).upper() if location else "LEASE_RENEW_SECONDS")
