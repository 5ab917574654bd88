"""What a replay found, and the words that table, JSON and pictures have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from presage.cli.loads.load import Load
from presage.cli.simulate.arguments import HPA, PRESAGE
from presage.core.samples import FloatArray
from presage.core.scaling.rivals import SYNC_S, Target
from presage.core.scaling.world import Outcome
from presage.core.units import format_duration

_ALIKE = 0.005  # shares of replica-hours that differ by less are the same to a person
_LITTLE = 5e-6  # the least share that is written as a number


@dataclass(frozen=True, slots=True)
class Simulation:
    """A load that was replayed.

    Attributes:
        load: All that was read; what lies before the window is history.
        start: Epoch second at which the window starts.
        series: (n,) load in ticks of `SYNC_S` within the window; NaN = not known.
        target: What is scaled.
        objective: Share of the load that presage may leave unmet.
        utilization: Share of a pod's capacity that the HPA aims at.
        step: Width of the forecasts' slots, seconds.
        outcomes: Rule -> what came of it; presage first.
        missing: Rule -> why it could not be played.
        zone: IANA time zone, None for UTC.
        unit: Of the load, empty if not known.
    """

    load: Load
    start: float
    series: FloatArray
    target: Target
    objective: float
    utilization: float
    step: int
    outcomes: Mapping[str, Outcome]
    missing: Mapping[str, str]
    zone: str | None
    unit: str

    @property
    def end(self) -> float:
        """Epoch second at which the window ends."""
        return self.start + len(self.series) * SYNC_S

    def moment(self, at: float) -> datetime:
        """Return an epoch second in the result's zone."""
        return datetime.fromtimestamp(at, ZoneInfo(self.zone) if self.zone else UTC)

    def clock(self, at: float) -> str:
        """Return an epoch second for a person."""
        return f"{self.moment(at):%Y-%m-%d %H:%M}"

    def name(self, rule: str) -> str:
        """Return what a person calls a rule."""
        return {
            PRESAGE: "presage",
            HPA: f"HPA at {100 * self.utilization:g} %",
            "cron": "schedule by the hour",
            "yesterday": "HPA over yesterday's need",
            "clairvoyant": "clairvoyant",
        }[rule]


def percent(share: float) -> str:
    """Return a share with as many digits as matter: 12.3 %, 0.42 %, 0.003 %."""
    if share < _LITTLE:
        return "< 0.001 %" if share > 0 else "0 %"
    digits = min(3, max(1, 1 - math.floor(math.log10(100 * share))))
    return f"{100 * share:.{digits}f} %"


def describe_run(result: Simulation) -> str:
    """Return what was played, in one line."""
    target, load = result.target, result.load
    history = format_duration(result.start - load.start)
    return (
        f"one pod serves {target.capacity:g}{f' {result.unit}' if result.unit else ''} and starts in "
        f"{format_duration(target.startup_s)}, {target.min_replicas} to {target.max_replicas} replicas; "
        f"objective {percent(result.objective)}; {history} of history; times in {result.zone or 'UTC'}"
    )


def describe_saving(result: Simulation) -> str:
    """Return in words what presage would have saved against the HPA, or cost; empty without the HPA."""
    if HPA not in result.outcomes:
        return ""
    own, other = result.outcomes[PRESAGE], result.outcomes[HPA]
    saved, left = other.replica_hours - own.replica_hours, own.unmet_share - other.unmet_share
    differ = percent(own.unmet_share) != percent(other.unmet_share)
    mixed = differ and not _alike(own, other) and saved * left > 0  # better in one of them, worse in the other
    link = ", but" if mixed else " and"
    what = f"Against the {result.name(HPA)}, presage would have {_hours(own, other)}{link} {_unmet(own, other)}."
    if own.unmet_share > result.objective:
        return f"{what} It missed the objective of {percent(result.objective)}."
    return f"{what} That is within the objective of {percent(result.objective)}." if left > 0 and differ else what


def _alike(own: Outcome, other: Outcome) -> bool:
    """Whether both need as many replica-hours as far as a person cares."""
    return abs(other.replica_hours - own.replica_hours) < _ALIKE * max(other.replica_hours, 1e-9)


def _hours(own: Outcome, other: Outcome) -> str:
    if _alike(own, other):
        return f"cost as much ({own.replica_hours:,.0f} replica-hours)"
    saved = other.replica_hours - own.replica_hours
    verb, more = ("saved", "") if saved > 0 else ("cost", " more")
    share = 100 * abs(saved) / other.replica_hours
    return f"{verb} {abs(saved):,.0f} replica-hours{more} ({share:.1f} % of {other.replica_hours:,.0f})"


def _unmet(own: Outcome, other: Outcome) -> str:
    left, theirs = percent(own.unmet_share), percent(other.unmet_share)
    if left == theirs:
        return f"left as much of the load unmet ({left})"
    return f"left {left} of the load unmet instead of {theirs}"
