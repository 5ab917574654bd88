"""What the load that one pod serves may be learned from, in plain data. It is only ever proposed."""

from __future__ import annotations

from dataclasses import dataclass

from presage.core.query import CounterLoad, GaugeLoad, InstanceCount


@dataclass(frozen=True, slots=True)
class CpuLearning:
    """CPU seconds of the target's pods, and how much of their CPU they may use.

    Attributes:
        used: Counts CPU seconds.
        target: Share of a pod's CPU that it may use.
        cores: CPU that one pod has; None = what the Deployment's containers ask for.
    """

    used: CounterLoad
    target: float
    cores: float | None

    @property
    def container(self) -> str | None:
        """The one container that is measured, if a matcher names it."""
        return next((m.value for m in self.used.matchers if m.label == "container" and m.op == "="), None)


@dataclass(frozen=True, slots=True)
class LatencyLearning:
    """Latency of the target's pods, and how high it may be.

    Attributes:
        total: Sums up the seconds that requests took.
        count: Counts those requests.
        highest_s: Highest mean latency, seconds.
    """

    total: CounterLoad
    count: CounterLoad
    highest_s: float


@dataclass(frozen=True, slots=True)
class Learning:
    """How capacity is learned.

    Attributes:
        by: What is watched while the load changes.
        ready_pods: Tells the number of ready pods; None = the scraped instances behind `by` are counted.
    """

    by: CpuLearning | LatencyLearning
    ready_pods: GaugeLoad | None = None

    @property
    def counted(self) -> CounterLoad:
        """The counter whose instances are the target's pods."""
        return self.by.used if isinstance(self.by, CpuLearning) else self.by.count

    @property
    def pods(self) -> GaugeLoad | InstanceCount:
        """The series that tells how many pods there were."""
        return self.ready_pods or InstanceCount(self.counted.metric, self.counted.matchers)
