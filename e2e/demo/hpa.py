"""The rival: what a HorizontalPodAutoscaler would have done with the same load, by its published algorithm (pure).

An external metric with ``averageValue`` at a share of a pod's capacity: nothing within the tolerance, else the ceiling
of load over target; the highest answer of the stabilization window counts when going down; going up is limited to the
larger of doubling and four pods a period; going down is not limited. Pods leave youngest first, those not yet ready
before all others. The rival sees the load as a rate over a window that ends some time ago, as a scraped counter shows
it.

Source: Kubernetes documentation, "Horizontal Pod Autoscaling", algorithm details, and autoscaling/v2 default behavior.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import ceil

import numpy as np

from e2e.demo.accounting import Fleet, FloatArray, PodLife


@dataclass(frozen=True, slots=True)
class HpaRule:
    """Settings of the rival; times in seconds of the compressed day.

    ``metric_delay_seconds`` is the mean age of the newest sample when it is read.
    """

    capacity: float
    min_replicas: int
    max_replicas: int
    startup_seconds: float
    utilization: float = 0.7
    tolerance: float = 0.1
    period_seconds: float = 1.0
    stabilization_seconds: float = 10.0
    window_seconds: float = 4.0
    metric_delay_seconds: float = 0.5

    def wanted(self, observed: float, current: int) -> int:
        """Return the replicas for an observed load in requests a second, within the limits of the rule."""
        target = self.capacity * self.utilization
        ratio = observed / (target * current)
        wanted = current if abs(ratio - 1.0) <= self.tolerance else ceil(observed / target - 1e-9)
        return min(max(wanted, self.min_replicas), self.max_replicas)


def replay(rule: HpaRule, load: FloatArray, start: float, initial_replicas: int) -> Fleet:
    """Return the fleet that the rule would have had on a load.

    Args:
        rule: the rival's settings.
        load: requests in each second, (n,).
        start: Unix seconds of the first second; ``initial_replicas`` pods are ready then.
        initial_replicas: the warm start.
    """
    arrived = np.concatenate([[0.0], np.cumsum(load)])
    seconds = np.arange(len(arrived), dtype=float)
    current = initial_replicas
    ready_at = [0.0] * current
    lives: list[PodLife] = []
    steps = [(start, current)]
    recent: deque[tuple[float, int]] = deque()
    for now in np.arange(0.0, len(load), rule.period_seconds):
        end = now - rule.metric_delay_seconds
        begin = end - rule.window_seconds
        if begin < 0:
            continue
        observed = float(np.diff(np.interp([begin, end], seconds, arrived))[0]) / rule.window_seconds
        wanted = rule.wanted(observed, current)
        recent.append((now, wanted))
        while recent[0][0] <= now - rule.stabilization_seconds:
            recent.popleft()
        chosen = wanted if wanted > current else min(current, max(count for _, count in recent))
        chosen = min(chosen, max(2 * current, current + 4))
        if chosen == current:
            continue
        ready_at += [now + rule.startup_seconds] * (chosen - current)
        for _ in range(current - chosen):
            born = ready_at.pop()
            if born < now:
                lives.append(PodLife(start + born, start + float(now)))
        current = chosen
        steps.append((start + float(now), current))
    lives += [PodLife(start + born) for born in ready_at]
    return Fleet(tuple(steps), tuple(lives))
