"""Capacity: the load that one pod serves, learned from what its pods did in the past. It is proposed, never applied.

From CPU, which grows with the load along a line: the load at which the line meets the CPU a pod may use, at most
`REACH` × the highest load seen. From latency, which grows with the load in no known shape: the load up to which it
mostly stayed within its limit, never above the highest load seen.

Both go by ranks and medians, so that a noisy neighbour, a batch job or a restart in less than a third of the slots
moves little, and both scale with the unit of the load. How far the answer may be off is told by leaving out one part
of the time after the other: a load per pod that changed with a release shows as such.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Origin = Literal["Cpu", "Latency"]
Finding = Literal[
    "Learned",
    "OutOfReach",
    "LimitNotReached",
    "FewSamples",
    "LittleSpread",
    "NoTrend",
    "IdleAboveTarget",
    "AlwaysOver",
    "Uncertain",
    "NoCores",
    "NotUsable",
    "PodsNotMatched",
    "HistoryUnavailable",
]
"""How a capacity was found, or why it is not known; `docs/capacity.md` says what to do about each."""

MIN_SAMPLES = 60  # slots
SLOTS_A_BIN, MAX_BINS = 5, 32
LEAST_SPREAD = 0.125  # of the highest load: how far below it the lowest must lie
REACH = 1.5  # × the highest load seen: beyond it a line is a guess
PARTS = 8  # of the time, left out one by one
MAX_ERROR = 0.2  # two standard errors, as a share of the answer
WITHIN_SHARE = 2 / 3  # of the slots of about one load that must stay within the latency limit
STEADY_SHARE = 0.1  # by which the number of pods may change within a slot
DIGITS = 2


@dataclass(frozen=True, slots=True)
class Capacity:
    """What was learned.

    Attributes:
        value: Load per pod; None = not known, or what the pods did does not tell.
        source: What it was learned from.
        samples: Slots that it was learned from.
        finding: How it was found, or why it is not known.
        message: The same for a person.
        at_least: Whether `value` is a lower bound only.
        error: Two standard errors as a share of `value`; NaN = not known.
    """

    value: float | None
    source: Origin
    samples: int
    finding: Finding
    message: str
    at_least: bool = False
    error: float = math.nan

    def differs(self, given: float, share: float) -> bool:
        """Return whether `given` lies more than `share` away; a lower bound only contradicts what lies below it."""
        if self.value is None:
            return False
        low = -math.inf if self.at_least else given * (1 - share)
        return not low <= self.value <= given * (1 + share)


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a line through the bins meets the CPU a pod may use, its slope, and the CPU of an idle pod."""

    crossing: float
    slope: float
    idle: float


def divide_among_pods(total: FloatArray, pods: FloatArray) -> FloatArray:
    """Return what falls to each pod, NaN where their number is not known or changed much.

    Args:
        total: (n,) mean over each slot.
        pods: (n,) number of pods at each slot's end.
    """
    before = np.concatenate([[np.nan], pods[:-1]])
    mean = (before + pods) / 2
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        steady = (mean >= 1) & (np.abs(pods - before) <= STEADY_SHARE * mean)
        return np.where(steady, total / mean, np.nan)


def learn_from_cpu(load: FloatArray, cpu: FloatArray, allowed: float) -> Capacity:
    """Return the load per pod at which a pod uses `allowed` cores.

    The line goes through bins of equally many slots by load, each at its median load and CPU, with the median of the
    slopes between bins, weighted by their distance.

    Args:
        load: (n,) load per pod of slots that follow each other; NaN = not known.
        cpu: (n,) cores used per pod.
        allowed: Cores a pod may use, above 0.

    Source: Theil–Sen with weights, L. Jaeckel, Estimating regression coefficients by minimizing the dispersion of the
    residuals, Annals of Mathematical Statistics 43 (1972); delete-a-group jackknife, P. Kott (2001).
    """
    load, cpu, parts = _sort_known(load, cpu)
    if few := _find_few("Cpu", load):
        return few
    binned, count = _bin(load, cpu), len(load)
    low, high = float(binned[0][0]), float(binned[0][-1])
    if high - low < LEAST_SPREAD * high or high <= 0:
        said = f"The load per pod was always {_say(low)} to {_say(high)}: too narrow to see how CPU follows it."
        return Capacity(None, "Cpu", count, "LittleSpread", said)
    line = _fit_line(*binned, allowed)
    others = [_fit_line(*_bin(load[kept], cpu[kept]), allowed) for kept in parts]
    if line.slope <= 0 or any(other.slope <= 0 for other in others):
        said = "CPU does not grow with the load: is it the same pods' CPU, and does the load cost CPU at all?"
        return Capacity(None, "Cpu", count, "NoTrend", said)
    if line.crossing <= 0:
        said = f"A pod without load already uses {_say(line.idle)} of the {_say(allowed)} cores it may use."
        return Capacity(None, "Cpu", count, "IdleAboveTarget", said)
    error = _judge_error(line.crossing, [other.crossing for other in others])
    if not error <= MAX_ERROR:
        return _doubt("Cpu", count, line.crossing, error)
    if line.crossing > REACH * high:
        said = (
            f"At {_say(high)} per pod, the most that was seen, CPU is far from the {_say(allowed)} cores allowed. "
            f"Not more than {REACH:g} × that is proposed."
        )
        return _round(Capacity(REACH * high, "Cpu", count, "OutOfReach", said, at_least=True), REACH * high)
    said = f"A pod uses {_say(line.idle)} cores without load and reaches the {_say(allowed)} allowed at this load."
    return _round(Capacity(line.crossing, "Cpu", count, "Learned", said, error=error), REACH * high)


def learn_from_latency(load: FloatArray, latency: FloatArray, highest: float) -> Capacity:
    """Return the load per pod up to which latency mostly stays within `highest`.

    Of bins of equally many slots by load, each at its median load and the latency that two of three of its slots stay
    below, as few as possible are over the limit below the answer and within it above.

    Args:
        load: (n,) load per pod of slots that follow each other; NaN = not known.
        latency: (n,) mean latency, seconds; NaN = not known.
        highest: Limit of the mean latency, seconds, above 0.
    """
    load, latency, parts = _sort_known(load, latency)
    if few := _find_few("Latency", load):
        return few
    count, binned = len(load), _bin(load, latency, WITHIN_SHARE)
    below = _part(binned[1] > highest)
    if below == 0:
        return Capacity(None, "Latency", count, "AlwaysOver", f"Latency is above {_say(highest)} s at every load seen.")
    most = float(binned[0][-1])
    if below == len(binned[0]):
        said = f"Latency stayed within {_say(highest)} s at every load seen: more than the highest is not proposed."
        return _round(Capacity(most, "Latency", count, "LimitNotReached", said, at_least=True), most)
    value = _find_crossing(*binned, highest)
    others = [_find_crossing(*_bin(load[k], latency[k], WITHIN_SHARE), highest) for k in parts]
    error = _judge_error(value, others)
    if not error <= MAX_ERROR:
        return _doubt("Latency", count, value, error)
    said = f"Up to this load, and mostly not above it, latency stays within {_say(highest)} s."
    return _round(Capacity(value, "Latency", count, "Learned", said, error=error), most)


def format_load(value: float, rounding: str = ROUND_HALF_EVEN) -> str:
    """Return a load per pod with two digits, as a quantity that can be put into a spec."""
    return format(Context(prec=DIGITS, rounding=rounding).create_decimal_from_float(value).normalize(), "f")


def _sort_known(load: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray, list[NDArray[np.bool_]]]:
    """Return the slots known, by load, and which of them stay when one part of the time after the other is left out."""
    known = np.isfinite(load) & np.isfinite(other) & (load >= 0) & (other >= 0)
    load, other = load[known], other[known]
    order = np.lexsort((other, load))
    part = order * PARTS // max(1, len(order))
    return load[order], other[order], [part != each for each in range(PARTS)]


def _find_few(source: Origin, load: FloatArray) -> Capacity | None:
    if len(load) >= MIN_SAMPLES:
        return None
    said = f"{len(load)} slots are known in which the number of pods hardly changed, {MIN_SAMPLES} are needed."
    return Capacity(None, source, len(load), "FewSamples", said)


def _bin(load: FloatArray, other: FloatArray, quantile: float = 0.5) -> tuple[FloatArray, FloatArray]:
    """Return median load and a quantile of `other`, of bins of equally many slots; a few of the lowest are left out."""
    bins = min(MAX_BINS, len(load) // SLOTS_A_BIN)
    of_load, of_other = (each[len(load) % bins :].reshape(bins, -1) for each in (load, other))
    return np.median(of_load, axis=1), np.quantile(of_other, quantile, axis=1)


def _fit_line(load: FloatArray, cpu: FloatArray, allowed: float) -> _Line:
    first, second = np.triu_indices(len(load), 1)
    run, rise = load[second] - load[first], cpu[second] - cpu[first]
    apart = run > 0
    if not apart.any():
        return _Line(math.nan, 0.0, math.nan)
    slope = _weighted_median(rise[apart] / run[apart], run[apart])
    idle = float(np.median(cpu - slope * load))
    return _Line((allowed - idle) / slope if slope > 0 else math.inf, slope, max(0.0, idle))


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2)])


def _part(over: NDArray[np.bool_]) -> int:
    """Return how many of the first bins are best called within the limit, and all others over it."""
    wrong_below = np.concatenate([[0], np.cumsum(over)])
    wrong_above = np.concatenate([np.cumsum(~over[::-1])[::-1], [0]])
    return int(np.argmin(wrong_below + wrong_above))


def _find_crossing(load: FloatArray, latency: FloatArray, highest: float) -> float:
    """Return the load at which latency crosses its limit, 0 below all and the highest load above all."""
    below = _part(latency > highest)
    if below in (0, len(load)):
        return float(load[-1]) if below else 0.0
    within, over = latency[below - 1], latency[below]
    if not within <= highest < over:
        return float(load[below - 1])
    return float(load[below - 1] + (load[below] - load[below - 1]) * (highest - within) / (over - within))


def _judge_error(value: float, others: list[float]) -> float:
    """Return two standard errors of `value`, as a share of it, from the answers with one part left out each."""
    spread = math.fsum((other - value) ** 2 for other in others)
    return 2 * math.sqrt((PARTS - 1) / PARTS * spread) / value if value > 0 else math.nan


def _doubt(source: Origin, count: int, value: float, error: float) -> Capacity:
    said = "What the pods did at different times does not agree: see whether a release or a neighbour changed them."
    if math.isfinite(error) and value > 0:
        said = f"About {_say(value)}, but off by {min(error, 10):.0%} perhaps. {said}"
    return Capacity(None, source, count, "Uncertain", said)


def _round(found: Capacity, most: float) -> Capacity:
    """Return the answer with two digits, not above `most`, and without a value where no quantity holds it."""
    if found.value is None or not 1e-9 <= found.value <= 1e18:
        said = "What was found is beyond all measure: see the unit of the load."
        return Capacity(None, found.source, found.samples, "Uncertain", said)
    rounded = float(format_load(found.value))
    return replace(found, value=rounded if rounded <= most else float(format_load(found.value, ROUND_FLOOR)))


def _say(value: float) -> str:
    return f"{value:.{DIGITS}g}"
