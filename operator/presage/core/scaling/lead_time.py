"""Lead time: how long before the load a replica must be asked for, learned from the starts of the target's own pods.

A start is the time from a pod's creation to its first Ready. A pod tells only when it was Ready last, so a pod counts
once and only if it was seen to come: one that was there before may have lost and regained readiness, for a restart of
its container or for trouble of its node.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

DEFAULT_STARTUP_S = 60.0
MIN_SAMPLES = 3
MAX_SAMPLES = 50
PERCENTILE = 0.9
LONGEST_S = 3600.0
OUTLIER = 3.0  # of the median: a slow image pull, or, of pods not seen to come, readiness regained


@dataclass(frozen=True, slots=True)
class PodStart:
    """One pod of the target, alive and not leaving.

    Attributes:
        uid: Never given twice.
        startup_s: Seconds from created to Ready, negative where clocks differ; None while it is not Ready.
        again: Whether its start failed or its readiness, now or to come, is not the first, by what it tells of itself.
    """

    uid: str
    startup_s: float | None
    again: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is Ready and its time may be that of a start."""
        return self.startup_s is not None and not self.again and 0 <= self.startup_s <= LONGEST_S


@dataclass(frozen=True, slots=True)
class Starts:
    """Starts of one target's pods.

    Attributes:
        seconds: Of each, the newest last, at most `MAX_SAMPLES`.
        met: Pods alive whose start is known or can no longer be; None before the first look.
        measured: Whether this process saw any of them; else all are remembered from before a restart.
    """

    seconds: tuple[float, ...] = ()
    met: frozenset[str] | None = None
    measured: bool = False


@dataclass(frozen=True, slots=True)
class LeadTime:
    """Start-up time of the target's pods plus one decision period.

    Attributes:
        value_s: Seconds.
        samples: How many starts it was measured from.
        source: `Override`, `Measured`, `Remembered` (from status, before a restart of presage) or `Default`.
    """

    value_s: float
    samples: int
    source: str


def recall_starts(seconds: Iterable[object]) -> Starts:
    """Return the starts that were measured before a restart; what is no time of a start is left out."""
    valid = [float(s) for s in seconds if isinstance(s, int | float) and 0 <= s <= LONGEST_S]
    return Starts(tuple(valid[-MAX_SAMPLES:]))


def watch_starts(known: Starts, pods: Sequence[PodStart]) -> Starts:
    """Return the starts known after a look at the target's pods.

    At the first look the pods alive are measured only if too few starts are remembered, and without those that took
    far longer than the others.

    Args:
        known: From the last look.
        pods: All that are alive, in the order in which they became Ready.
    """
    alive = {pod.uid for pod in pods}
    before = known.met or frozenset()
    came = [pod.startup_s for pod in pods if pod.startup_s is not None and pod.counts and pod.uid not in before]
    met = (before & alive) | {pod.uid for pod in pods if pod.startup_s is not None or pod.again}
    if known.met is not None:
        return Starts((*known.seconds, *came)[-MAX_SAMPLES:], met, known.measured or bool(came))
    if len(known.seconds) >= MIN_SAMPLES:
        return replace(known, met=met)
    there = came[-MAX_SAMPLES:]
    likely = tuple(seconds for seconds in there if seconds <= OUTLIER * median(there))
    return Starts(likely or known.seconds, met, bool(likely))


def decide_lead_time(starts: Starts, override_s: float | None, decision_period_s: float) -> LeadTime:
    """Return the lead time to plan with.

    Args:
        starts: Of the target's pods; fewer than three say nothing.
        override_s: The user's own figure for the start-up; wins when given.
        decision_period_s: Added to the start-up: a need is only seen at the next decision.
    """
    samples = len(starts.seconds)
    if override_s is not None:
        return LeadTime(override_s + decision_period_s, samples, "Override")
    if samples >= MIN_SAMPLES:
        source = "Measured" if starts.measured else "Remembered"
        return LeadTime(_find_percentile(starts.seconds) + decision_period_s, samples, source)
    return LeadTime(DEFAULT_STARTUP_S + decision_period_s, samples, "Default")


def _find_percentile(seconds: Sequence[float]) -> float:
    """Return the nearest-rank percentile; of so few that it is the longest, one outlier is left out."""
    ordered = sorted(seconds)
    if math.ceil(PERCENTILE * len(ordered)) == len(ordered) and ordered[-1] > OUTLIER * median(ordered):
        ordered.pop()
    return ordered[math.ceil(PERCENTILE * len(ordered)) - 1]
