"""What a backtest found, and the words that table, JSON and pictures have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from presage.cli.loads.load import Load
from presage.core.forecast.rolling import PRESAGE, YESTERDAY, Origin, Plan, Score, Span, ratio
from presage.core.units import format_duration

METHOD_NAMES: Mapping[str, str] = {
    PRESAGE: "presage",
    YESTERDAY: "yesterday's value",
    "lastWeek": "last week's value",
    "lastValue": "last value",
}


@dataclass(frozen=True, slots=True)
class Result:
    """A backtest.

    Attributes:
        load: What was forecast.
        plan: From where and how far.
        origins: What came of each origin.
        summary: Span -> method -> score over all origins.
        effort: presage's tier.
        zone: IANA time zone, None for UTC.
        unit: Of the load, empty if not known.
    """

    load: Load
    plan: Plan
    origins: Sequence[Origin]
    summary: Mapping[Span, Mapping[str, Score]]
    effort: str
    zone: str | None
    unit: str

    def at(self, slot: int) -> float:
        """Return the epoch second at which a slot begins."""
        return float(self.load.start + slot * self.load.step)

    def slot_at(self, moment: float) -> int:
        """Return the slot that begins at an epoch second, or nearest to it."""
        return round((moment - self.load.start) / self.load.step)

    def moment(self, slot: int) -> datetime:
        """Return when a slot begins, in the result's zone."""
        return self.at_zone(self.at(slot))

    def at_zone(self, at: float) -> datetime:
        """Return an epoch second in the result's zone."""
        return datetime.fromtimestamp(at, ZoneInfo(self.zone) if self.zone else UTC)

    def clock(self, slot: int) -> str:
        """Return when a slot begins, for a person."""
        return f"{self.moment(slot):%Y-%m-%d %H:%M}"

    @property
    def longest(self) -> Span:
        """The longest span that was planned."""
        return "day" if "day" in self.plan.spans else "short"

    def name_span(self, span: Span) -> str:
        """Return the span with its length, such as `short, 1 h`."""
        return f"{span}, {format_duration(self.plan.spans[span] * self.load.step)}"

    def relative(self, span: Span, method: str = PRESAGE) -> tuple[float, float]:
        """Return a method's MASE and WQL over those of yesterday's value, over all origins."""
        return compare(self.summary[span], method)

    def worst(self) -> Origin | None:
        """Return the origin with the largest error of presage in the longest span."""
        scored = [origin for origin in self.origins if self.longest in origin.scores]
        return max(scored, key=lambda origin: origin.scores[self.longest][PRESAGE].mase, default=None)


def compare(scores: Mapping[str, Score], method: str) -> tuple[float, float]:
    """Return a method's MASE and WQL over those of yesterday's value."""
    own, base = scores[method], scores[YESTERDAY]
    return ratio(own.mase, base.mase), ratio(own.wql, base.wql)


def describe_scores(result: Result) -> list[str]:
    """Return one line for each span scored: how good presage was, in words."""
    lines = []
    for span, scores in result.summary.items():
        error, _ = result.relative(span)
        above = 1 - scores[PRESAGE].covered[0.95]
        lines.append(
            f"{result.name_span(span)}: error {error:.2f} × yesterday's (MASE {scores[PRESAGE].mase:.2f}); "
            f"{above:.1%} of the load above the 0.95 band"
        )
    return lines


def describe_run(result: Result) -> str:
    """Return what was done, in one line."""
    step = result.load.step
    return (
        f"{len(result.origins)} origins, {format_duration(result.plan.horizon * step)} each, "
        f"slots of {format_duration(step)}, {result.effort} tier, times in {result.zone or 'UTC'}"
    )
