"""What scaling gave and cost over the last day and week, beside what the reactive part alone would have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from presage.core.scaling.objective import Choice, ReplayedDay
from presage.core.scaling.rule import Rule


@dataclass(frozen=True, slots=True)
class Bill:
    """One way of scaling over a span of time.

    Attributes:
        unmet_share: Load that ready replicas could not serve, as a share of all of it, 0 to 1.
        replica_hours: Hours of replicas asked for, summed over them.
    """

    unmet_share: float
    replica_hours: float


@dataclass(frozen=True, slots=True)
class Account:
    """Both ways over the same span, by replay of the load that was stored.

    Attributes:
        hours: How much of the span was accounted; the rest had no data, or lies before `Accounts.since`.
        own: With presage's decisions.
        reactive: With the reactive part alone.
    """

    hours: float
    own: Bill
    reactive: Bill

    @property
    def saved(self) -> float:
        """Replica-hours that presage needed less than the reactive part alone; negative if it needed more."""
        return self.reactive.replica_hours - self.own.replica_hours


@dataclass(frozen=True, slots=True)
class Accounts:
    """The last day and the last week.

    Attributes:
        since: Epoch second from which on there are accounts.
        day: The last 24 hours; None = nothing accounted yet.
        week: The last 7 days; None = nothing accounted yet.
    """

    since: float
    day: Account | None
    week: Account | None


def account_for(rules: Sequence[Rule], choice: Choice | None, days: Sequence[ReplayedDay]) -> Accounts | None:
    """Return the accounts of the days replayed: of the rule in force, beside the best reactive one; None before any.

    Args:
        rules: Those that were replayed, in the order of each day's arrays.
        choice: The one in force.
        days: Oldest first.
    """
    if choice is None or not days or not {choice.rule, choice.reactive_rule} <= set(rules):
        return None
    own, reactive = rules.index(choice.rule), rules.index(choice.reactive_rule)

    def account(days: Sequence[ReplayedDay]) -> Account:
        return Account(sum(day.hours for day in days), _bill(days, own), _bill(days, reactive))

    return Accounts(days[0].start, account(days[-1:]), account(days))


def _bill(days: Sequence[ReplayedDay], rule: int) -> Bill:
    load = sum(day.load for day in days)
    unmet = sum(float(day.unmet[rule]) for day in days)
    return Bill(unmet / load if load > 0 else 0.0, sum(float(day.replica_hours[rule]) for day in days))
