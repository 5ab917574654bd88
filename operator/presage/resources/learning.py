"""The `learnPerPod` block: what the load that one pod serves may be learned from."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from presage.core.query import METRIC_NAME, CounterLoad
from presage.core.scaling.learning import CpuLearning, LatencyLearning, Learning
from presage.core.units import parse_quantity
from presage.resources.base import Model, Rule
from presage.resources.fields import QUANTITY_MAX_LENGTH, MetricName, positive_quantity
from presage.resources.series import CounterSeries, GaugeSeries

_HISTOGRAM_MAX_LENGTH = 256 - len("_count")

HistogramName = Annotated[
    str, Field(min_length=1, max_length=_HISTOGRAM_MAX_LENGTH, pattern=f"^{METRIC_NAME.pattern}$")
]
"""Name of a histogram or summary, to which `_sum` and `_count` are added."""


class CpuLearningSettings(CounterSeries):
    """CPU seconds used by the target's pods."""

    metric: MetricName = Field(
        description="Name of a counter of CPU seconds, one series or more for each pod.",
        examples=["container_cpu_usage_seconds_total"],
    )
    target_percent: int = Field(
        default=70, ge=1, le=100, description="How much of its CPU a pod may use, in percent, at the load proposed."
    )
    cores_per_pod: (
        Annotated[str, Field(min_length=1, max_length=QUANTITY_MAX_LENGTH), positive_quantity("coresPerPod")] | None
    ) = Field(
        default=None,
        description=(
            "CPU that one pod has, as a quantity of cores above 0. Left out, what the Deployment's containers request, "
            "or else are limited to; a matcher such as container=app takes that container alone."
        ),
        examples=["500m"],
    )

    def to_learning(self) -> CpuLearning:
        """Return the same wish in plain data."""
        cores = None if self.cores_per_pod is None else float(parse_quantity(self.cores_per_pod))
        return CpuLearning(used=self.to_core(), target=self.target_percent / 100, cores=cores)


class LatencyLearningSettings(CounterSeries):
    """Latency of the requests that the target's pods serve."""

    metric: HistogramName = Field(
        description="Name of a histogram or summary of seconds, without _sum and _count.",
        examples=["http_request_duration_seconds"],
    )
    highest_seconds: Annotated[
        str, Field(min_length=1, max_length=QUANTITY_MAX_LENGTH), positive_quantity("highestSeconds")
    ] = Field(
        description="Highest mean latency at the load proposed, in seconds, as a quantity above 0.", examples=["0.25"]
    )

    def to_learning(self) -> LatencyLearning:
        """Return the same wish in plain data."""
        series = self.to_core()
        total, count = (
            CounterLoad(f"{series.metric}{suffix}", series.matchers, series.window_s) for suffix in ("_sum", "_count")
        )
        return LatencyLearning(total=total, count=count, highest_s=float(parse_quantity(self.highest_seconds)))


class LearnPerPod(Model):
    """What the load that one pod serves is learned from. It is proposed in status and never applied."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.cpu) != has(self.latency)",
            "learnPerPod must have exactly one of cpu and latency",
            lambda learn: (learn.cpu is None) != (learn.latency is None),
        ),
    )

    cpu: CpuLearningSettings | None = Field(
        default=None, description="The load at which pods use as much of their CPU as they may."
    )
    latency: LatencyLearningSettings | None = Field(
        default=None, description="The load at which requests take as long as they may."
    )
    ready_pods: GaugeSeries | None = Field(
        default=None,
        description=(
            "A gauge of the target's ready pods, such as kube_deployment_status_replicas_ready. Left out, the scraped "
            "instances behind cpu or latency are counted, which must then be the target's pods."
        ),
    )

    def to_core(self) -> Learning:
        """Return the same wish in plain data."""
        settings = self.cpu or self.latency
        if settings is None:
            raise AssertionError("the rule of this model lets exactly one through")
        return Learning(settings.to_learning(), self.ready_pods.to_core() if self.ready_pods else None)


class PerPodProposal(Model):
    """The load that one pod may serve, as learned. It is never applied."""

    value: str | None = Field(
        default=None,
        max_length=QUANTITY_MAX_LENGTH,
        description="Load per pod, as a quantity; absent while it is not known.",
    )
    at_least: bool = Field(
        default=False, description="Whether a pod can serve more than value, but how much more was not seen."
    )
    source: str = Field(max_length=64, description="What it was learned from: Cpu or Latency.")
    samples: int = Field(ge=0, description="Number of slots of history that it was learned from.")
    error_percent: int | None = Field(
        default=None, ge=0, description="How far off value may well be, in percent: two standard errors."
    )
    reason: str = Field(max_length=64, description="How value was found, or why there is none, in one word.")
    message: str = Field(max_length=1024, description="The same for a person.")
    announced_time: str | None = Field(
        default=None,
        description="When an event last told that value is far from perPod (RFC 3339).",
        json_schema_extra={"format": "date-time"},
    )
