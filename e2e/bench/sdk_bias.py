"""Whether sampling is fair on work that repeats: sums and counts from one event in N, against all events.

One event in each period costs fifty times as much as the others, which is the worst that a counter modulo N can meet:
it sees that event always or never. The SDK's own sampler says which events are kept; the sum is, as users are told,
the mean of the sample times the exact count.
"""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from e2e.bench.sdk_documents import EVENT, EVERY, SAMPLED, write_sampled
from presage.sdk import Telemetry
from presage.sdk.sampler import BlockSampler, derive_seed

EVENTS, SEEDS = 10**6, 200
PERIODS = (50, 100, 1000)
PEAK = 50.0
CHECKED = 20_000
"""Events that go through the SDK's calls, to see that these keep the same events."""

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Bias:
    """What sampling makes of one period.

    Attributes:
        period: Events from one dear event to the next.
        seeds: Runs.
        mean: Mean over all runs of (estimate - truth) / truth.
        error: Standard error of that mean.
        modulo: The same share, the furthest off that a counter modulo N comes at any offset.
    """

    period: int
    seeds: int
    mean: float
    error: float
    modulo: float

    @property
    def deviation(self) -> float:
        """Return how many standard errors the mean is away from 0."""
        return abs(self.mean) / self.error if self.error else math.inf if self.mean else 0.0


def keep(events: int, every: int, seed: int) -> Positions:
    """Return which events the SDK's sampler keeps, by number; it goes from one kept event to the next."""
    sampler = BlockSampler(every, derive_seed(seed, EVENT, SAMPLED))
    kept, at = [], -1
    while (at := at + sampler.left) < events:
        kept.append(at)
        sampler.left = 0
        sampler.draw()
    return np.array(kept, np.int64)


def measure(events: int = EVENTS, seeds: int = SEEDS) -> tuple[list[Bias], Bias]:
    """Return the bias of the sum for each period, and that of kept events times N as a count."""
    runs = [keep(events, EVERY, seed) for seed in range(seeds)]
    counts = np.array([len(kept) * EVERY / events - 1 for kept in runs])
    return [_judge(period, runs, events) for period in PERIODS], _summarise(0, counts, 0.0)


def count_through_calls(seed: int = 1) -> tuple[int, int]:
    """Return how far exact count and kept events of the SDK's own calls are from what they have to be; 0 is right."""
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder, "document.jsonl")
        write_sampled(document)
        telemetry = Telemetry(str(document), seed=seed)
        histogram = telemetry.event(EVENT).histogram(SAMPLED)
        for number in range(CHECKED):
            histogram.record(number, route="/order", outcome="ok", method="POST")
        found = _read(telemetry)
        telemetry.shutdown()
    kept = keep(CHECKED, EVERY, seed)
    return found[f"presage.{EVENT}.{SAMPLED}.measurements"] - CHECKED, found["sum of sample"] - int(kept.sum())


def _read(telemetry: Telemetry) -> dict[str, int]:
    data, found = telemetry.collect(), {}
    for scope in data.resource_metrics[0].scope_metrics if data else ():
        for metric in scope.metrics:
            for point in metric.data.data_points:
                if (point.attributes or {}).get("presage_kept") == "sample":
                    found["sum of sample"] = round(getattr(point, "sum", 0))
                elif metric.name.endswith(".measurements"):
                    found[metric.name] = round(getattr(point, "value", 0))
    return found


def _judge(period: int, runs: list[Positions], events: int) -> Bias:
    truth = 1 + (PEAK - 1) * math.ceil(events / period) / events
    estimates = [1 + (PEAK - 1) * float(np.mean(kept % period == 0)) for kept in runs]
    offsets = (np.arange(start, events, EVERY) for start in range(EVERY))
    modulo = [(1 + (PEAK - 1) * float(np.mean(kept % period == 0))) / truth - 1 for kept in offsets]
    return _summarise(period, np.array(estimates) / truth - 1, max(modulo, key=abs))


def _summarise(period: int, errors: NDArray[np.float64], modulo: float) -> Bias:
    error = float(errors.std(ddof=1) / math.sqrt(len(errors)))
    return Bias(period, len(errors), float(errors.mean()), error, modulo)
