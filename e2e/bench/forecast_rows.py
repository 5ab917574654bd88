"""The figures that the forecaster must reach, and those that it should, beside what was measured; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from e2e.bench.forecast_load import LoadFigures
from e2e.bench.forecast_scores import SPANS, Row, Span, column, coverage, cpu_ms
from e2e.bench.judged import Bounds, Judged, at_most

FIVE_MINUTES_S = 300
RIVAL = "spar"
"""The peer whose CPU time ours is measured by."""


@dataclass(frozen=True)
class Costs:
    """What else was measured.

    Attributes:
        batch_cpu_ms: CPU a series in one large call of the batch tier.
        batch_wall_ms: The same on the clock.
        batch_rows: Rows of that very run, for the rival's time.
        ticks_ms: CPU of `advance` a series in a batch of 1,000, by the horizon, "day" and "hour".
        together: Largest relative difference between the batch tier's scores alone and in one call.
        load: The operator's event loop and memory while many series are forecast; None if not measured.
    """

    batch_cpu_ms: float
    batch_wall_ms: float
    batch_rows: Sequence[Row]
    ticks_ms: Mapping[str, float]
    together: float
    load: LoadFigures | None = None


MUST = {
    ("full", "MASE", "short"): 0.48, ("full", "MASE", "day"): 0.75,
    ("full", "WQL", "short"): 0.48, ("full", "WQL", "day"): 0.74,
    ("batch", "MASE", "short"): 0.57, ("batch", "MASE", "day"): 0.83,
}  # fmt: skip
AIM = {
    ("full", "MASE", "short"): 0.45, ("full", "MASE", "day"): 0.70,
    ("full", "WQL", "short"): 0.44, ("full", "WQL", "day"): 0.70,
    ("batch", "MASE", "short"): 0.52, ("batch", "MASE", "day"): 0.78,
}  # fmt: skip
COVERAGE = {"0.9": Bounds(0.87, 0.93), "0.95": Bounds(0.92, 0.97)}
WORST_COVERAGE = Bounds(0.80)


def judge(rows: Sequence[Row], costs: Costs) -> list[Judged]:
    """Return all rows of the table.

    Args:
        rows: Those of both tiers, `full` and `batch`, and of all peers.
        costs: What the scorer's rows do not hold.
    """
    return [
        *judge_quality(rows, "full"),
        *judge_quality(rows, "batch"),
        *judge_costs(rows, costs),
        *(judge_load(costs.load) if costs.load else ()),
        *judge_throughput(rows, costs),
    ]


def judge_quality(rows: Sequence[Row], tier: str) -> list[Judged]:
    """Return what the tier's forecasts are worth. Coverage is judged for the full tier, told for the other."""
    found = [
        Judged(
            f"{tier} tier, rel {measure}, {span}",
            column(rows, tier, span, measure),
            at_most(MUST.get((tier, measure, span))),
            at_most(AIM.get((tier, measure, span))),
        )
        for measure in ("MASE", "WQL")
        for span in SPANS
    ]
    for span in SPANS:
        for level, bounds in COVERAGE.items():
            found += _judge_coverage(rows, tier, span, level, bounds)
    return found


def _judge_coverage(rows: Sequence[Row], tier: str, span: Span, level: str, bounds: Bounds) -> list[Judged]:
    got = coverage(rows, tier, span, level)
    asked, worst = tier == "full", min(got, key=lambda series: got[series])
    mean = Judged(
        f"{tier} tier, coverage at {level}, {span}", float(np.mean(list(got.values()))),
        bounds if asked else None, note="mean over series", form=".3f",
    )  # fmt: skip
    aim = WORST_COVERAGE if asked and level == "0.9" else None
    return [
        mean,
        Judged(f"{tier} tier, coverage at {level}, {span}, lowest", got[worst], aim=aim, note=worst, form=".3f"),
    ]


def judge_costs(rows: Sequence[Row], costs: Costs) -> list[Judged]:
    """Return what forecasts cost, beside the rival's cost in the same run."""
    rival = float(np.median(cpu_ms(costs.batch_rows, RIVAL)))
    ours, theirs = (float(np.quantile(cpu_ms(rows, who, FIVE_MINUTES_S), 0.95)) for who in ("full", RIVAL))
    tick, hour = costs.ticks_ms["day"], costs.ticks_ms["hour"]
    return [
        Judged(
            "batch tier, CPU a 5-min series of 21 days, of spar's p50",
            costs.batch_cpu_ms / rival, Bounds(most=1 / 130), Bounds(most=1 / 265),
            f"{costs.batch_cpu_ms:.2f} ms in a call of 1,000, spar {rival:.1f} ms in the same run", "1/",
        ),
        Judged(
            "full tier, CPU p95 of the 5-min series, of spar's p95",
            ours / theirs, Bounds(most=0.6), Bounds(most=0.2),
            f"{ours:.1f} ms, spar {theirs:.1f} ms in the same run; "
            f"{len(cpu_ms(rows, 'full', FIVE_MINUTES_S))} series", ".3f",
        ),
        Judged(
            "advance, a series in a batch of 1,000", tick, Bounds(most=0.1), Bounds(most=0.02),
            f"CPU, horizon of 288 slots; of 12 slots {hour:.4f} ms; spar's p50 is {rival / tick:.0f} times that",
            unit="ms",
        ),
    ]  # fmt: skip


def judge_load(load: LoadFigures) -> list[Judged]:
    """Return what forecasting does to the operator's event loop and memory; the workers' memory counts, too."""
    mib, what = 2**20, f"{load.series} series forecast, {load.fits} fitted and replayed"
    return [
        Judged(
            "operator's event-loop delay p99", 1e3 * load.loop_p99_s, Bounds(most=40), Bounds(most=20),
            f"{what}; longest {1e3 * load.loop_max_s:.0f} ms", ".1f", "ms",
        ),
        Judged(
            "memory added at peak", load.peak_added_bytes / mib, Bounds(most=300), Bounds(most=150),
            f"{what}; workers' {load.worker_bytes / mib:.0f} MiB of it", ".0f", "MiB",
        ),
        Judged("fits and replays that gave nothing meanwhile", load.fits_failed, Bounds(most=0), form="g", note=what),
    ]  # fmt: skip


def judge_throughput(rows: Sequence[Row], costs: Costs) -> list[Judged]:
    """Return the time of 1,000 series on one thread, of which nothing is asked."""
    full = cpu_ms(rows, "full", FIVE_MINUTES_S)
    return [
        Judged(
            "batch tier, time of 1,000 5-min series", costs.batch_cpu_ms, form=".2f", unit="s",
            note=f"CPU in one call; {costs.batch_wall_ms:.2f} s on the clock",
        ),
        Judged(
            "full tier, time of 1,000 5-min series", float(np.mean(full)), form=".1f", unit="s",
            note="CPU, one by one, by the mean of the 5-min series",
        ),
        Judged(
            "batch tier, one call against one by one", costs.together, form=".1e",
            note="largest relative difference of any forecast's MASE",
        ),
    ]  # fmt: skip
