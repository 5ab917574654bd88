"""Settings of the operator process, read once from `PRESAGE_*` environment variables; the chart sets them."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from presage.resources.recordingspec import MAX_PROFILES, Profiles

PREFIX = "PRESAGE_"
_MOST = 5  # problems that are told at once


class SettingsError(ValueError):
    """A setting is missing or out of bounds; the message names the variable and what is wrong."""


def _read_json(given: object) -> object:
    """Return what a text of JSON says; what is no text is as it is."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        raise PydanticCustomError("json", "this is not JSON") from None


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
    profiles: Annotated[
        Profiles, BeforeValidator(_read_json), WithJsonSchema({"type": "array", "items": {"type": "object"}})
    ] = Field(
        default=(),
        max_length=MAX_PROFILES,
        description="Profiles of what functions record, for every MetricProfile: JSON in the form of spec.profiles.",
    )
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
        found = {each["loc"]: each["msg"] for each in error.errors(include_input=False)}
        # A list with a bad entry is reported as too short too; the entry says more.
        told = {at: says for at, says in found.items() if not any(o != at and o[: len(at)] == at for o in found)}
        raise SettingsError("; ".join([f"{_name(at)}: {says}" for at, says in told.items()][:_MOST])) from None


def _name(location: tuple[int | str, ...]) -> str:
    """Return the variable, and the place in it where it holds more than one value."""
    variable, *places = location or ("lease_renew_seconds",)
    inside = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in places)
    return f"{PREFIX}{str(variable).upper()}{inside}"
