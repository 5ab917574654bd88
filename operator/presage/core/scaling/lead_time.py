"""Lead time: how long before the load a replica must be asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_STARTUP_S = 60.0
MIN_SAMPLES = 3
MAX_SAMPLES = 50
PERCENTILE = 0.9
LONGEST_S = 3600.0  # a pod Ready later than this after its creation was Ready before, and only came back


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


def decide_lead_time(
    startups_s: Sequence[float], override_s: float | None, remembered: LeadTime | None, decision_period_s: float
) -> LeadTime:
    """Return the lead time to plan with.

    Args:
        startups_s: Seconds from created to Ready of the target's pods, oldest first; the last 50 count.
        override_s: The user's own figure for the start-up; wins when given.
        remembered: What status said before this process started; used until three starts were seen.
        decision_period_s: Added to the start-up: a need is only seen at the next decision.
    """
    recent = sorted([seconds for seconds in startups_s if 0 <= seconds <= LONGEST_S][-MAX_SAMPLES:])
    if override_s is not None:
        return LeadTime(override_s + decision_period_s, len(recent), "Override")
    if len(recent) >= MIN_SAMPLES:
        rank = math.ceil(PERCENTILE * len(recent)) - 1  # nearest-rank percentile
        return LeadTime(recent[rank] + decision_period_s, len(recent), "Measured")
    if remembered is not None and remembered.source in ("Measured", "Remembered"):
        return LeadTime(remembered.value_s, remembered.samples, "Remembered")
    return LeadTime(DEFAULT_STARTUP_S + decision_period_s, len(recent), "Default")
