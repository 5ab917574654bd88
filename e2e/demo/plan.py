"""The figures a run is played with, all derived from the length of the compressed day (pure).

The fleet's figures belong to the function (capacity, start-up), the scaler's to both presage and its rival. Times are
seconds of the compressed day; a day of 24 h in 480 s makes 5 s out of 15 min.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from e2e.demo.accounting import FloatArray
from e2e.demo.hpa import HpaRule
from e2e.demo.recording import LoadLevel
from e2e.demo.traces import CompressedLoad
from presage.core.recording.types import DEBUG, MINIMAL, STANDARD

SHORTEST_DAY, LONGEST_DAY = 240, 720
WARM_START_MARGIN = 1.43
STARTUP_SHARE = 900 / 86_400
POD_OVERHEAD_SECONDS = 0.9
"""What a pod takes from created to Ready beside the function's own start-up: sandbox, process, half a probe."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run is played with.

    ``window_seconds`` is the rate window of the load; it, ``stabilization_seconds`` and ``decision_seconds`` hold for
    presage and the rival alike.
    """

    day_seconds: int = 480
    capacity: float = 40.0
    peak_pods: int = 10
    warmup_seconds: int = 60
    min_replicas: int = 1
    max_replicas: int = 20
    unmet_load: str = "0.5%"
    decision_seconds: int = 1
    stabilization_seconds: int = 10
    window_seconds: int = 4
    scrape_seconds: float = 1.0
    rival_utilization: float = 0.7
    standard_share: float = 0.25
    debug_share: float = 0.6
    """Shares of the peak above which more is recorded, and the most."""

    @property
    def peak_rate(self) -> float:
        """Requests a second that the played day peaks at."""
        return self.capacity * self.peak_pods

    @property
    def levels(self) -> tuple[LoadLevel, ...]:
        """What is recorded, by load."""
        standard, debug = (round(share * self.peak_rate) for share in (self.standard_share, self.debug_share))
        return (LoadLevel(MINIMAL, 0), LoadLevel(STANDARD, standard), LoadLevel(DEBUG, debug))

    @property
    def startup_seconds(self) -> float:
        """What the function waits before it is ready, so that a pod takes about 15 min of the day in all."""
        return max(0.0, round(self.day_seconds * STARTUP_SHARE - POD_OVERHEAD_SECONDS, 2))

    @property
    def step_seconds(self) -> int:
        """Slot of the forecast: about six minutes of the day, at least two seconds."""
        return max(2, round(self.day_seconds / 240))

    @property
    def horizon_seconds(self) -> int:
        """How far the forecast goes: an eighth of the day covers lead time and stabilization."""
        return ceil(self.day_seconds / 8)

    def rival(self, startup_seconds: float) -> HpaRule:
        """Return the rival's rule for a measured start-up; a scraped sample is half a scrape old on average."""
        return HpaRule(
            capacity=self.capacity,
            min_replicas=self.min_replicas,
            max_replicas=self.max_replicas,
            startup_seconds=startup_seconds,
            utilization=self.rival_utilization,
            period_seconds=self.decision_seconds,
            stabilization_seconds=self.stabilization_seconds,
            window_seconds=self.window_seconds,
            metric_delay_seconds=self.scrape_seconds / 2,
        )


def live_rates(plan: Plan, load: CompressedLoad) -> FloatArray:
    """Return the rates to be sent: the history's tail as warm-up, then the played day, on the load's own step."""
    return np.concatenate([load.tail_of_history(plan.warmup_seconds), load.played])


def warm_start(plan: Plan, load: CompressedLoad) -> int:
    """Return the replicas to begin with: enough for the first ten seconds with the rival's margin."""
    first = live_rates(plan, load)[: max(1, round(10 / load.step_seconds))]
    return min(max(ceil(float(first.max()) * WARM_START_MARGIN / plan.capacity), plan.min_replicas), plan.max_replicas)


def history_counter(load: CompressedLoad, warmup_seconds: int, end: int) -> tuple[list[int], FloatArray]:
    """Return the counter that would have been scraped before the live part, once a second.

    Args:
        load: the compressed days; the last ``warmup_seconds`` of the history are left out, they are played live.
        warmup_seconds: length of that tail.
        end: Unix second at which the live part begins.

    Returns:
        Unix seconds and counter values, both ending one second before ``end``.
    """
    rates = load.rates[:-1].ravel()
    grown = np.concatenate([[0.0], np.cumsum(rates) * load.step_seconds])
    length = len(rates) * load.step_seconds
    seconds = int(length - warmup_seconds)
    offsets = np.arange(seconds, dtype=float) + (length - warmup_seconds - seconds)
    values = np.interp(offsets, np.arange(len(grown)) * load.step_seconds, grown)
    return list(range(end - seconds, end)), values
