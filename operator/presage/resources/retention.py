"""Retention as users write it: the servers of a MetricSource, one for each tier, and what status says of them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from presage.core.recording.retention.canary import Failure, State
from presage.core.recording.retention.documents import Scraping
from presage.core.recording.retention.tiers import (
    LONG_TIER_NAME,
    TIER_NAME,
    Backend,
    Retention,
    Tier,
    find_granularity,
    parse_tier,
)
from presage.resources.base import Model, Rule, full_match

SOURCE_URL = (
    r"https?://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?"
)

SourceUrl = Annotated[
    str,
    Field(min_length=8, max_length=2048),
    full_match(
        SOURCE_URL,
        "url must be http:// or https://, a host, then at most a port and a path; no user name, query or fragment",
    ),
]
"""Base address of a server with the HTTP API of Prometheus."""

TierName = Annotated[str, Field(min_length=2, max_length=6, pattern=f"^{TIER_NAME.pattern}$")]
"""Name of a tier, which is how long it keeps series."""


class TierServer(Model):
    """The server that keeps one tier."""

    name: TierName = Field(
        description="How long it keeps series: a whole number and s, m, h, d or w. Also the label's value.",
        examples=["15d"],
    )
    url: SourceUrl = Field(
        description="Base address of the server; it is asked with the credentials of this source.",
        examples=["http://prometheus-15d.monitoring.svc:9090"],
    )
    granularity_seconds: int | None = Field(
        default=None,
        ge=1,
        le=31_622_400,
        description=(
            "Time past the tier by which a sample is gone at the latest, in seconds. Left out, what the back end's own "
            "settings lead to."
        ),
    )


class SourceRetention(Model):
    """Where series are kept for how long."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.backend == 'Other' || size(self.tiers) > 0",
            "tiers must be given, unless backend is Other",
            lambda given: given.backend == "Other" or bool(given.tiers),
        ),
        Rule(
            "self.tiers.all(t, self.tiers.exists_one(u, u.url == t.url))",
            "tiers must have a server each: no url may be given twice",
            lambda given: len({tier.url for tier in given.tiers}) == len(given.tiers),
        ),
        Rule(
            f"self.backend != 'VictoriaMetrics' || self.tiers.all(t, t.name.matches('^{LONG_TIER_NAME.pattern}$'))",
            "tiers of VictoriaMetrics must be days or weeks: a day is the least that it keeps",
            lambda given: (
                given.backend != "VictoriaMetrics" or all(LONG_TIER_NAME.fullmatch(tier.name) for tier in given.tiers)
            ),
        ),
        Rule(
            "!has(self.defaultTier) || self.tiers.exists(t, t.name == self.defaultTier)",
            "defaultTier must be one of tiers",
            lambda given: given.default_tier is None or given.default_tier in {tier.name for tier in given.tiers},
        ),
    )

    backend: Backend = Field(
        description=(
            "What keeps the series: Prometheus, PrometheusOperator or VictoriaMetrics (single nodes behind a vmagent). "
            "Other is all that keeps everything equally long, such as Thanos, Mimir and Cortex."
        )
    )
    tiers: tuple[TierServer, ...] = Field(
        default=(),
        max_length=8,
        description="The servers, one for each tier; not looked at where backend is Other.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    default_tier: TierName | None = Field(
        default=None,
        description="Tier that also takes series without the label presage_retention. Left out, none does.",
    )

    @field_validator("tiers", mode="after")
    @classmethod
    def _no_name_twice(cls, tiers: tuple[TierServer, ...]) -> tuple[TierServer, ...]:
        if len({each.name for each in tiers}) < len(tiers):
            raise PydanticCustomError("duplicate", "tiers must not contain a name twice")
        return tiers

    def to_core(self) -> Retention:
        """Return the same in plain data, with the granularity that the back end leads to where none is given."""
        if self.backend == "Other":
            return Retention("Other")
        tiers = tuple(
            Tier(
                each.name,
                each.url.rstrip("/"),
                float(each.granularity_seconds or find_granularity(self.backend, parse_tier(each.name))),
            )
            for each in self.tiers
        )
        return Retention(self.backend, tiers, self.default_tier or "")


class ProfileRetention(Model):
    """That the tiers of this profile's metrics be enforced, and how its pods are scraped for that."""

    port: Annotated[str, Field(min_length=1, max_length=15, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")] = Field(
        default="metrics", description="Name of the container port on which the pods serve their metrics."
    )
    path: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^/[A-Za-z0-9._~/-]*$")] = Field(
        default="/metrics", description="Path on which they do."
    )
    interval_seconds: int = Field(default=30, ge=1, le=3600, description="Time between two scrapes, in seconds.")

    def to_core(self) -> Scraping:
        """Return the same in plain data."""
        return Scraping(self.port, self.path, self.interval_seconds)


class TierStatus(Model):
    """What presage knows of one tier."""

    tier: str = Field(max_length=8, description="Name of the tier.")
    url: str = Field(max_length=2048, description="The server that this is about.")
    state: State = Field(description="Whether a canary proved that the tier holds.")
    fault: Failure | None = Field(default=None, description="What a canary showed instead.")
    message: str | None = Field(default=None, max_length=1024, description="Why, for a person.")
    granularity_seconds: float = Field(
        ge=0, description="Time past the tier by which a sample is gone at the latest, in seconds."
    )
    canary_at: str | None = Field(
        default=None,
        description="Time of the sample that is the canary now (RFC 3339).",
        json_schema_extra={"format": "date-time"},
    )
    canary_seen: bool | None = Field(default=None, description="Whether it was found on the server.")
    due_at: str | None = Field(
        default=None, description="Time by which it must be gone (RFC 3339).", json_schema_extra={"format": "date-time"}
    )
    proven_at: str | None = Field(
        default=None,
        description="When a canary was last gone in time (RFC 3339).",
        json_schema_extra={"format": "date-time"},
    )
