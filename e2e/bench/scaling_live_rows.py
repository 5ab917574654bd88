"""What a day on a real cluster must show beside the HPA rule on the same requests; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from e2e.bench.judged import Bounds, Judged
from e2e.bench.scaling_scores import Outcome, Replay, curve_hours
from e2e.demo.accounting import HOURS_OF_A_DAY, Account
from e2e.demo.report import Summary

REPEATING, NOISE = "repeating", "noise"
UTILIZATIONS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Targets of the HPA rule that make its curve of unmet load against replica-hours."""
MOST_UNMET, MOST_POINTS = 0.1, 10.0
HEAD = ("trace", "is", "scaler", "unmet", "time short", "replica-hours", "over-provisioned", "changes")


@dataclass(frozen=True)
class LiveDay:
    """One day that was played.

    Attributes:
        kind: `repeating` or `noise`.
        summary: What presage and its rival achieved.
        curve: Target of the HPA rule -> what it would have achieved on the same requests.
        repeats: Writes of the scale that asked for what was asked for already.
    """

    kind: str
    summary: Summary
    curve: Mapping[float, Account]
    repeats: int

    @property
    def trace(self) -> str:
        """Return the name of the trace."""
        return self.summary.record.trace

    def over_provisioned(self, own: Account) -> float:
        """Return the share of replica-hours above those that the load itself fills."""
        record = self.summary.record
        filled = float(record.counts.load.mean()) / record.capacity * HOURS_OF_A_DAY
        return own.replica_hours / filled - 1

    @property
    def curve_ratio(self) -> float:
        """Return presage's replica-hours over those of the HPA rule that leaves the same unmet load.

        Where no target leaves as little, the lowest one stands for the curve's end.
        """
        own = self.summary.presage
        rules = {f"hpa {u:.0%}": _outcome(each) for u, each in self.curve.items()}
        hours = curve_hours(Replay(self.trace, self.kind, 0, rules, {}, {}), own.unmet_share)
        return own.replica_hours / (hours or max(each.replica_hours for each in self.curve.values()))


def _outcome(own: Account) -> Outcome:
    return Outcome(own.unmet_share, own.short_share, own.replica_hours, own.changes)


def judge_days(days: Sequence[LiveDay]) -> list[Judged]:
    """Return the rows of the table."""
    found: list[Judged] = []
    for day in days:
        found += _judge_repeating(day) if day.kind == REPEATING else _judge_noise(day)
        note = "writes of the scale that asked for what was asked for already"
        found.append(
            Judged(f"{day.trace}: writes that change nothing", day.repeats, Bounds(most=0), note=note, form="g")
        )
    return found


def _judge_repeating(day: LiveDay) -> list[Judged]:
    own, rival = day.summary.presage, day.summary.rival
    ratio = own.unmet_share / rival.unmet_share if rival.unmet_share else math.nan
    points = round(100 * (day.over_provisioned(own) - day.over_provisioned(rival)), 6)
    note = f"{own.unmet_share:.3%} against {rival.unmet_share:.3%}"
    return [
        Judged(
            f"{day.trace}: unmet load over that of the HPA rule at 80 %", ratio, Bounds(most=MOST_UNMET), note=note,
            form=".3f",
        ),
        Judged(
            f"{day.trace}: over-provisioning above that of the HPA rule at 80 %", points, Bounds(most=MOST_POINTS),
            note=f"{day.over_provisioned(own):.0%} against {day.over_provisioned(rival):.0%} of what the load fills",
            form="+.1f", unit="points",
        ),
    ]  # fmt: skip


def _judge_noise(day: LiveDay) -> list[Judged]:
    return [
        Judged(
            f"{day.trace}: replica-hours over those of the HPA rule with the same unmet load", day.curve_ratio,
            Bounds(most=1), note=f"{day.summary.presage.unmet_share:.3%} unmet; target between 30 and 90 %", form=".3f",
        )
    ]  # fmt: skip


def day_cells(days: Sequence[LiveDay]) -> list[tuple[str, ...]]:
    """Return the accounts of presage and of the HPA rule at each target, head first."""
    found: list[tuple[str, ...]] = [HEAD]
    for day in days:
        scalers = {"presage": day.summary.presage}
        scalers |= {f"HPA rule at {u:.0%}": each for u, each in sorted(day.curve.items())}
        found += [
            (
                day.trace, day.kind, name, f"{own.unmet_share:.3%}", f"{own.short_share:.1%}",
                f"{own.replica_hours:.1f}", f"{day.over_provisioned(own):.0%}", str(own.changes),
            )
            for name, own in scalers.items()
        ]  # fmt: skip
    return found
