"""Series of a metrics source, as users name them: a metric and conditions on its labels, never a query."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from presage.core.query import CounterLoad, GaugeLoad, Matcher
from presage.resources.base import Model, Rule
from presage.resources.fields import LabelName, MetricName

_MAX_REGEX = 256


class LabelMatcher(Model):
    """One condition on a label of the series."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!(self.op in ['=~', '!~']) || size(self.value) <= {_MAX_REGEX}",
            f"value must be at most {_MAX_REGEX} characters when op is =~ or !~",
            lambda matcher: matcher.op in ("=", "!=") or len(matcher.value) <= _MAX_REGEX,
        ),
    )

    label: LabelName = Field(description="Name of the label.", examples=["route"])
    op: Literal["=", "!=", "=~", "!~"] = Field(
        default="=",
        description="How the label is compared: equal, not equal, or (not) matching a whole RE2 expression. Quote it.",
    )
    value: str = Field(
        max_length=1024, description="Value or expression that the label is compared with.", examples=["/order"]
    )

    def to_core(self) -> Matcher:
        """Return the same matcher in plain data."""
        return Matcher(label=self.label, op=self.op, value=self.value)


def _matchers() -> tuple[LabelMatcher, ...]:
    declared: tuple[LabelMatcher, ...] = Field(
        default=(),
        max_length=16,
        description="Conditions that a series must meet, all of them. Left empty, every series of the metric counts.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["label", "op", "value"],
        },
    )
    return declared


class Series(Model):
    """The series of one metric that meet all conditions."""

    metric: MetricName = Field(description="Name of the metric.", examples=["http_requests_total"])
    matchers: tuple[LabelMatcher, ...] = _matchers()

    @field_validator("matchers", mode="after")
    @classmethod
    def _no_matcher_twice(cls, matchers: tuple[LabelMatcher, ...]) -> tuple[LabelMatcher, ...]:
        if len(set(matchers)) < len(matchers):
            raise PydanticCustomError("duplicate", "matchers must not contain the same label, op and value twice")
        return matchers


class CounterSeries(Series):
    """Load counted by a metric that only grows; its rate per second is the load."""

    window_seconds: int = Field(
        default=60,
        ge=1,
        le=3600,
        description="Window over which the rate is taken, in seconds; at least four scrape intervals.",
    )

    def to_core(self) -> CounterLoad:
        """Return the same series in plain data."""
        matchers = tuple(matcher.to_core() for matcher in self.matchers)
        return CounterLoad(metric=self.metric, matchers=matchers, window_s=float(self.window_seconds))


class GaugeSeries(Series):
    """Load shown by a metric that goes up and down; the sum of its series is the load."""

    metric: MetricName = Field(description="Name of the metric.", examples=["requests_in_flight"])

    def to_core(self) -> GaugeLoad:
        """Return the same series in plain data."""
        return GaugeLoad(metric=self.metric, matchers=tuple(matcher.to_core() for matcher in self.matchers))
