"""The choice among rules: the cheapest that keeps the load not served within the objective, on the object's own past.

A rule's price is its replica-hours while it keeps the objective, with a little in hand. Up to twice the objective, load
not served makes a rule dearer in proportion; from there each doubling counts as a seventh more hours only. So the
objective is pursued where it is within reach, and a load that no rule can serve within it is served as well as is worth
it, not at any price, and never worse than by an autoscaler as it is usually set up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presage.core.scaling.rule import Rule

FloatArray = NDArray[np.float64]
AIM = 0.95  # share of the objective that is aimed at: the days to come are not those replayed
EDGE = 0.01  # share by which a rule at the edge of the objective counts as dearer: of equal ones the safer is taken
REACH = 2.0  # times the objective up to which it counts as within reach
NEAR, FAR = 1.0, 0.2  # powers of the unmet load beyond the objective, within reach and out of it
TIE = 0.01  # share by which what is no forecast counts as dearer: of equal ones that which sees a new level first
USUAL = 0.3  # headroom of an autoscaler as it is usually set up: nothing may leave more unmet, beyond the objective
KEPT_DAYS = 7


@dataclass(frozen=True, slots=True)
class ReplayedDay:
    """What each rule would have given and cost on one past day.

    Attributes:
        start: Epoch second at which the day began.
        hours: Hours of it of which the load is known.
        load: Sum of the load over its ticks.
        unmet: (rules,) sum of the load not served.
        replica_hours: (rules,) hours of replicas asked for.
    """

    start: float
    hours: float
    load: float
    unmet: FloatArray
    replica_hours: FloatArray


@dataclass(frozen=True, slots=True)
class Record:
    """One rule over several days: unmet share of the load, replica-hours, hours of known load."""

    unmet_share: float
    replica_hours: float
    hours: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The rule in force and why.

    Attributes:
        rule: The one chosen.
        record: What it did on the days replayed.
        reactive_rule: The best rule without any foresight.
        reactive: What that one did.
        days: How many days were replayed.
        reached: Whether it keeps the objective on them.
    """

    rule: Rule
    record: Record
    reactive_rule: Rule
    reactive: Record
    days: int
    reached: bool


def choose(rules: Sequence[Rule], days: Sequence[ReplayedDay], unmet_load: float) -> Choice | None:
    """Return the cheapest rule on the days replayed; None if they hold no load at all.

    Args:
        rules: Those that were replayed, in the order of each day's arrays.
        days: Newest days, at most `KEPT_DAYS` count.
        unmet_load: Objective: share of the load that may go unserved, above 0.
    """
    days = days[-KEPT_DAYS:]
    load = sum(day.load for day in days)
    if load <= 0:
        return None
    share = np.sum([day.unmet for day in days], axis=0) / load
    hours = np.sum([day.replica_hours for day in days], axis=0)
    usual = min(
        (number for number, rule in enumerate(rules) if rule.curve.source == "Observed"),
        key=lambda number: abs(rules[number].headroom - USUAL),
    )
    fair = share <= max(share[usual], AIM * unmet_load)
    tie = np.array([0.0 if rule.curve.source == "Forecast" else TIE for rule in rules])
    priced = np.where(fair, price(share, hours, unmet_load) * (1 + tie), np.inf)
    known = sum(day.hours for day in days)

    def best(allowed: Sequence[bool]) -> int:
        return int(np.argmin(np.where(allowed, priced, np.inf)))

    def record(number: int) -> Record:
        return Record(float(share[number]), float(hours[number]), known)

    chosen = best([True] * len(rules))
    reactive = best([rule.curve.source == "Observed" for rule in rules])
    reached = bool(share[chosen] <= unmet_load)
    return Choice(rules[chosen], record(chosen), rules[reactive], record(reactive), len(days), reached)


def price(unmet_share: FloatArray, replica_hours: FloatArray, unmet_load: float) -> FloatArray:
    """Return what rules count as, in replica-hours; see the module's head."""
    used = unmet_share / (AIM * unmet_load)
    within = 1 + EDGE * np.minimum(used, 1)
    near = np.clip(used, 1, REACH) ** NEAR
    far = np.maximum(used / REACH, 1) ** FAR
    return np.asarray(replica_hours * within * near * far)
