"""The gate: the rule in force is the one that would have done best on the object's own past, judged anew each day.

A replay is costly and runs elsewhere, so it is asked for and taken over when it is done. Only days that are new are
replayed; where limits, speeds, capacity or start-up time have changed, all of them are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.accounts import Accounts, account_for
from presage.core.scaling.foresight import Asked
from presage.core.scaling.objective import KEPT_DAYS, Choice, ReplayedDay, choose
from presage.core.scaling.policy import ScalingPolicy
from presage.core.scaling.replay import LEAST_DAYS, Past, replay_day
from presage.core.scaling.rule import Rule, list_rules
from presage.core.scaling.world import count_ticks

LONGEST_TICK_S = 60.0  # of a replay; finer than that says little more of minutes-long starts


@dataclass(frozen=True, slots=True)
class Setting:
    """What the sums of a replayed day depend on; of the policy, what the choice alone uses is left out.

    Attributes:
        policy: Limits and speeds.
        ask: How to forecast.
        lead_ticks: Lead time in ticks of the replay.
        tick_s: Seconds a tick.
    """

    policy: ScalingPolicy
    ask: ForecastSpec
    lead_ticks: int
    tick_s: float

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules to choose from."""
        return list_rules(self.ask.quantile, self.policy.headroom)

    @property
    def lead_s(self) -> float:
        """Lead time in whole ticks, seconds."""
        return self.lead_ticks * self.tick_s

    @property
    def day_s(self) -> float:
        """Seconds of a day; see `Series.seasons`."""
        return geometry_of(self.ask.step_s, self.ask.seasons_s or None).day * float(self.ask.step_s)

    def same_but_for_lead(self, other: Setting | None) -> bool:
        """Whether nothing differs that a user sets."""
        return other is not None and replace(self, lead_ticks=other.lead_ticks) == other


def make_setting(policy: ScalingPolicy, ask: ForecastSpec, lead_s: float) -> Setting:
    """Return the setting of a replay.

    Args:
        policy: Limits, speeds and objective.
        ask: How to forecast.
        lead_s: Seconds from asking for a replica until it is ready, the decision period included.
    """
    tick_s = max(policy.decision_period_s, min(LONGEST_TICK_S, float(ask.step_s)))
    unchosen = replace(policy, mode="", via="", unmet_load=0.0, max_sample_age_s=0.0, lead_time_s=None)
    return Setting(unchosen, ask, count_ticks(lead_s, tick_s), tick_s)


@dataclass(frozen=True, slots=True)
class ReplayJob:
    """Days to replay; plain data, so that another process can do it.

    Attributes:
        past: The load.
        starts: Epoch second at which each day begins.
        setting: What to replay with.
    """

    past: Past
    starts: tuple[float, ...]
    setting: Setting

    def run(self) -> tuple[ReplayedDay, ...]:
        """Replay the days, one after the other."""
        given = self.setting
        return tuple(replay_day(self.past, start, given.policy, given.lead_s, given.rules) for start in self.starts)


AskedReplay = Asked[tuple[ReplayedDay, ...]]
"""A replay that was asked for."""


@dataclass(frozen=True, slots=True)
class GateMemory:
    """What was replayed, and what follows from it.

    Attributes:
        setting: That `days` were replayed with; None before the first.
        days: Newest days, oldest first.
        until: Epoch second up to which days were asked for.
        choice: The rule to go by; None before there is one.
        accounts: What the rule in force gave and cost on `days`; None before any.
        asked: A replay under way, and its setting.
        unmet_load: Objective that `choice` was made for; None where it was not made here.
    """

    setting: Setting | None = None
    days: tuple[ReplayedDay, ...] = ()
    until: float | None = None
    choice: Choice | None = None
    accounts: Accounts | None = None
    asked: tuple[AskedReplay, Setting] | None = None
    unmet_load: float | None = None


def take_replay(gate: GateMemory, unmet_load: float) -> GateMemory:
    """Return what is known once a replay is done; one that failed leaves what was, and is asked for again.

    Args:
        gate: From the last look.
        unmet_load: The objective of now.
    """
    if gate.setting is not None and gate.unmet_load != unmet_load:
        gate = _choose(gate, gate.setting, gate.days, unmet_load)
    if gate.asked is None or not gate.asked[0].done():
        return gate
    replay, setting = gate.asked
    found = replay.result()
    if found is None:
        return replace(gate, asked=None, until=None)
    kept = gate.days if setting == gate.setting else ()
    return _choose(replace(gate, asked=None), setting, (*kept, *found)[-KEPT_DAYS:], unmet_load)


def _choose(gate: GateMemory, setting: Setting, days: tuple[ReplayedDay, ...], unmet_load: float) -> GateMemory:
    """Return the memory with these days, and the choice and the accounts that follow from them."""
    rules = setting.rules
    choice = choose(rules, days, unmet_load) or gate.choice
    accounts = account_for(rules, choice, days)
    return replace(gate, setting=setting, days=days, choice=choice, accounts=accounts, unmet_load=unmet_load)


def due_span(gate: GateMemory, setting: Setting, end: float, oldest: float) -> tuple[float, float] | None:
    """Return the span of time to replay, epoch seconds, or None if nothing is due.

    Args:
        gate: After `take_replay`.
        setting: Of now.
        end: End of the newest slot known.
        oldest: Start of the oldest slot known.
    """
    day = setting.day_s
    asked = gate.asked[1] if gate.asked else gate.setting
    changed = gate.until is None or not setting.same_but_for_lead(asked)
    if gate.until is not None and not changed and (gate.asked is not None or end - gate.until < day):
        return None
    if changed or setting != gate.setting or gate.until is None:
        first, last = end - KEPT_DAYS * day, end
    else:
        first, last = gate.until, gate.until + (end - gate.until) // day * day
        first = max(first, last - KEPT_DAYS * day)
    whole = int((last - max(first, oldest + LEAST_DAYS * day)) // day)
    return (last - whole * day, last) if whole > 0 else None


def plan_job(past: Past, span: tuple[float, float], setting: Setting) -> ReplayJob:
    """Return the job for a span from `due_span`."""
    days = round((span[1] - span[0]) / setting.day_s)
    return ReplayJob(past, tuple(span[0] + number * setting.day_s for number in range(days)), setting)
