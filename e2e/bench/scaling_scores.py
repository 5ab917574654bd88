"""Replays of one load by many rules, and what they come to; pure.

A *replay* is one trace at one start-up time. Its *cost* is in replica-hours over those that the clairvoyant bound needs
for the same objective; a rule *holds* an objective while its unmet share stays within 1.5 times of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SLACK = 1.5
OURS = "presage"
HPA_70, HPA_80 = "hpa 70 %", "hpa 80 %"
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Outcome:
    """What a rule achieved on one replay.

    Attributes:
        unmet: Share of the load not served.
        short: Share of the ticks with such load.
        hours: Replica-hours.
        changes: How often the number of replicas changed.
    """

    unmet: float
    short: float
    hours: float
    changes: int

    def holds(self, objective: float) -> bool:
        """Return whether the unmet share stays within the objective and its slack."""
        return self.unmet <= SLACK * objective


@dataclass(frozen=True)
class Replay:
    """One trace at one start-up time.

    Attributes:
        trace: Its name.
        group: How it behaves, by the manifest.
        startup_s: Seconds until a pod serves.
        rules: The scorer's own rules, by name.
        bound: Objective -> replica-hours of the clairvoyant bound; None where it does not reach it.
        ours: Objective -> what presage achieved.
    """

    trace: str
    group: str
    startup_s: int
    rules: Mapping[str, Outcome]
    bound: Mapping[float, float | None]
    ours: Mapping[float, Outcome]

    def outcome(self, rule: str, objective: float) -> Outcome:
        """Return what a rule achieved; only presage knows the objective."""
        return self.ours[objective] if rule == OURS else self.rules[rule]

    def cost(self, outcome: Outcome, objective: float) -> float:
        """Return replica-hours over the bound's; NaN where there is no bound."""
        return outcome.hours / (self.bound[objective] or math.nan)


@dataclass(frozen=True)
class Standing:
    """How a rule stands over all traces: on how many it holds, of how many, and the geometric mean of its cost."""

    holds: int
    of: int
    cost: float

    def __str__(self) -> str:
        return f"{self.holds}/{self.of}, {self.cost:.2f}"


def read_replays(document: Sequence[Sequence[Any]], groups: Mapping[str, str]) -> list[Replay]:
    """Return the rows of the scorer's JSON.

    Args:
        document: As the scorer wrote it.
        groups: Trace -> group.
    """
    return [
        Replay(
            name,
            groups[name],
            startup_s,
            {rule: Outcome(*found) for rule, found in rules.items()},
            {float(objective): hours for objective, hours in bound.items()},
            {float(objective): Outcome(*found) for objective, found in ours.items()},
        )
        for name, startup_s, rules, bound, ours in document
    ]


def at(replays: Iterable[Replay], startup_s: int) -> list[Replay]:
    """Return the replays with this start-up time."""
    return [each for each in replays if each.startup_s == startup_s]


def stand(replays: Sequence[Replay], rule: str, objective: float) -> Standing:
    """Return how a rule stands over all these replays."""
    return _stand([(each, each.outcome(rule, objective)) for each in replays], objective, len(replays))


def stand_in_hindsight(replays: Sequence[Replay], objective: float) -> Standing:
    """Return how it would stand to know on each trace the cheapest of the scorer's rules that holds.

    Its cost counts the traces on which one of them does.
    """
    best = ((each, cheapest(each, objective)) for each in replays)
    found = [(each, each.rules[rule]) for each, rule in best if rule is not None]
    return _stand(found, objective, len(replays))


def cheapest(replay: Replay, objective: float) -> str | None:
    """Return the cheapest of the scorer's rules that holds; None if none does."""
    holding = [rule for rule, found in replay.rules.items() if found.holds(objective)]
    return min(holding, key=lambda rule: replay.rules[rule].hours, default=None)


def curve_hours(replay: Replay, unmet: float) -> float | None:
    """Return the replica-hours that the HPA needs for this unmet share: its target is chosen freely between those run.

    Straight between neighbours; None where even the lowest target leaves more unmet.
    """
    hpa = sorted((each.hours, each.unmet) for rule, each in replay.rules.items() if rule.startswith("hpa "))
    hours = np.array([h for h, _ in hpa])
    least = np.minimum.accumulate([u for _, u in hpa])
    if least[-1] > unmet:
        return None
    first = int(np.argmax(least <= unmet))
    if first == 0:
        return float(hours[0])
    share = (least[first - 1] - unmet) / max(least[first - 1] - least[first], _ROUNDING)
    return float(hours[first - 1] + share * (hours[first] - hours[first - 1]))


def _stand(found: Sequence[tuple[Replay, Outcome]], objective: float, of: int) -> Standing:
    costs = [math.log(replay.cost(outcome, objective)) for replay, outcome in found if replay.bound[objective]]
    mean = math.exp(sum(costs) / len(costs)) if costs else math.nan
    return Standing(sum(outcome.holds(objective) for _, outcome in found), of, mean)
