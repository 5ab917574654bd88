"""The `scaling` block of every kind that owns Deployments."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from presage.core.scaling.lead_time import MAX_SAMPLES
from presage.core.scaling.policy import DEFAULTS, ScalingPolicy
from presage.core.units import parse_quantity
from presage.resources.base import Model, Rule
from presage.resources.calendarspec import CalendarStatus
from presage.resources.decisionstatus import DecisionStatus
from presage.resources.fields import QUANTITY_MAX_LENGTH, positive_quantity
from presage.resources.learning import LearnPerPod, PerPodProposal

_MAX_REPLICAS = 10_000
_PERCENTAGE = re.compile("[0-9]{1,2}([.][0-9]{1,4})?%")


def parse_percent(text: str) -> float:
    """Return the share that a percentage such as `0.5%` stands for."""
    return float(text.removesuffix("%")) / 100


def _is_share(text: str) -> bool:
    return _PERCENTAGE.fullmatch(text) is not None and 0.01 <= float(text.removesuffix("%")) <= 50


Percentage = Annotated[
    str,
    Field(min_length=2, max_length=8),
    Rule(
        f"self.matches('^{_PERCENTAGE.pattern}$') && double(self.replace('%', '')) >= 0.01 "
        "&& double(self.replace('%', '')) <= 50.0",
        'unmetLoad must be from "0.01%" to "50%", written as a string',
        _is_share,
    ),
]


class Objective(Model):
    """How well the load is to be served; the cheapest way to do so is chosen by replay of past days."""

    unmet_load: Percentage = Field(
        default="0.5%",
        description="Share of the load that ready pods may fail to serve. Quote it.",
        examples=["0.1%"],
    )


class Fallback(Model):
    """What holds when there is no data for so long that the forecast has run out."""

    replicas: int = Field(
        ge=1,
        le=_MAX_REPLICAS,
        description="Fewest replicas once there was no data for longer than the forecast's horizon. Only upwards.",
        examples=[10],
    )


class ScalingSettings(Model):
    """How many replicas the target gets, and how fast that number may move."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.minReplicas <= self.maxReplicas",
            "minReplicas must be at most maxReplicas",
            lambda spec: spec.min_replicas <= spec.max_replicas,
        ),
        Rule(
            "self.minReplicas >= 1 || self.allowZero",
            "minReplicas 0 needs allowZero: true, since a target at 0 serves nothing until it was woken",
            lambda spec: spec.min_replicas >= 1 or spec.allow_zero,
        ),
        Rule(
            "!has(self.fallback) || self.fallback.replicas <= self.maxReplicas",
            "fallback.replicas must be at most maxReplicas",
            lambda spec: spec.fallback is None or spec.fallback.replicas <= spec.max_replicas,
        ),
    )

    mode: Literal["Auto", "DryRun", "Off"] = Field(
        default="Auto",
        description=(
            "Auto writes the replicas, DryRun only shows in status what it would write, Off decides nothing. "
            'Quote "Off": YAML reads the bare word as a boolean.'
        ),
    )
    via: Literal["Auto", "Scale"] = Field(
        default="Auto",
        description=(
            "How the number reaches the target. Scale writes the target's scale subresource; Auto picks the way that "
            "suits the target's owner. A target that an autoscaler owns is left alone."
        ),
    )
    min_replicas: int = Field(
        default=1,
        ge=0,
        le=_MAX_REPLICAS,
        description="Fewest replicas, at most maxReplicas. Never below it. 0 needs allowZero.",
    )
    allow_zero: bool = Field(
        default=False,
        description=(
            "Allows minReplicas 0. The target goes to 0 only while its load, measured elsewhere than at its own pods, "
            "is 0 and expected to stay so; it is woken by load, by a forecast of load, and by data that stays away."
        ),
    )
    max_replicas: int = Field(ge=1, le=_MAX_REPLICAS, description="Most replicas. Never above it.", examples=[40])
    per_pod: Annotated[str, Field(min_length=1, max_length=QUANTITY_MAX_LENGTH), positive_quantity("perPod")] = Field(
        description="Load that one ready pod serves, in the unit of the load, as a quantity above 0.", examples=["50"]
    )
    per_pod_bytes: (
        Annotated[str, Field(min_length=1, max_length=QUANTITY_MAX_LENGTH), positive_quantity("perPodBytes")] | None
    ) = Field(
        default=None,
        description=(
            "Data volume that one ready pod serves, in bytes per second for counters, as a quantity above 0. Given if "
            "and only if an event type gives load.bytes."
        ),
        examples=["10Mi"],
    )
    learn_per_pod: LearnPerPod | None = Field(
        default=None,
        description="What another perPod is learned from, to be proposed in status and never applied.",
    )
    objective: Objective | None = Field(
        default=None,
        description="What the forecast's quantile and the headroom are chosen for. Left out: at most 0.5% unserved.",
    )
    headroom_percent: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="Spare capacity above the load observed now, in percent. Left out, the objective chooses.",
        examples=[20],
    )
    tolerance_percent: int = Field(
        default=0,
        ge=0,
        le=100,
        description="How far the load must fall short of the current replicas before any is removed, in percent.",
    )
    stabilization_window_seconds: int = Field(
        default=300,
        ge=0,
        le=3600,
        description="How long fewer replicas must be enough before any is removed, in seconds.",
    )
    max_down_percent: int = Field(
        default=20, ge=1, le=100, description="Most replicas removed in one downPeriodSeconds, in percent of them."
    )
    down_period_seconds: int = Field(
        default=60, ge=1, le=1800, description="Period that maxDownPercent is about, in seconds."
    )
    decision_period_seconds: int = Field(default=15, ge=1, le=60, description="Time between two decisions, in seconds.")
    lead_time_seconds: int | None = Field(
        default=None,
        ge=1,
        le=3600,
        description="Time from asking for a pod until it is ready, in seconds. Left out, it is measured.",
        examples=[90],
    )
    max_sample_age_seconds: int = Field(
        default=60,
        ge=1,
        le=3600,
        description="Oldest newest sample with which replicas may still be removed, in seconds.",
    )

    fallback: Fallback | None = Field(
        default=None, description="What holds when there is no data for so long that the forecast has run out."
    )

    def to_core(self) -> ScalingPolicy:
        """Return the same policy in plain numbers."""
        return ScalingPolicy(
            mode=self.mode,
            via=self.via,
            min_replicas=self.min_replicas,
            max_replicas=self.max_replicas,
            per_pod=float(parse_quantity(self.per_pod)),
            headroom=None if self.headroom_percent is None else self.headroom_percent / 100,
            unmet_load=DEFAULTS.unmet_load if self.objective is None else parse_percent(self.objective.unmet_load),
            tolerance=self.tolerance_percent / 100,
            stabilization_s=float(self.stabilization_window_seconds),
            max_down=self.max_down_percent / 100,
            down_period_s=float(self.down_period_seconds),
            decision_period_s=float(self.decision_period_seconds),
            lead_time_s=None if self.lead_time_seconds is None else float(self.lead_time_seconds),
            max_sample_age_s=float(self.max_sample_age_seconds),
            learning=self.learn_per_pod.to_core() if self.learn_per_pod else None,
            fallback_replicas=self.fallback.replicas if self.fallback else None,
        )


class LeadTimeStatus(Model):
    """Time from asking for a pod until it is ready."""

    value: float = Field(ge=0, description="Lead time that decisions use, in seconds.")
    samples: int = Field(ge=0, description="Number of pods that it was measured on.")
    source: str = Field(
        max_length=64, description="Override, Measured, Remembered (measured before a restart) or Default."
    )
    target: str | None = Field(default=None, max_length=253, description="The workload whose pods were measured.")
    starts_seconds: tuple[float, ...] = Field(
        default=(),
        max_length=MAX_SAMPLES,
        description="Time from created to Ready of each pod measured, the newest last; a restart goes on from these.",
    )


class PerPodStatus(Model):
    """Load that one ready pod is taken to serve."""

    value: str = Field(max_length=QUANTITY_MAX_LENGTH, description="Load per pod, as a quantity.")
    source: str = Field(max_length=64, description="Where it comes from.")
    proposed: PerPodProposal | None = Field(
        default=None, description="What was learned, if spec.scaling.learnPerPod asks for it."
    )


class ManualStatus(Model):
    """A number above ours that somebody else set, while it is kept."""

    replicas: int = Field(ge=0, description="Replicas that are kept.")
    need: int | None = Field(
        default=None, ge=0, description="What the load asked for then. Once it asks for another number, none is kept."
    )


class BillStatus(Model):
    """What a rule gave and cost on the days replayed."""

    unmet_share: float = Field(ge=0, description="Share of the load that was not served.")
    replica_hours: float = Field(ge=0, description="Hours of replicas, summed over them.")


class ObjectiveStatus(Model):
    """The rule that is gone by, and what the replay of past days said for it."""

    unmet_load: float = Field(ge=0, le=1, description="Share of the load that may go unserved.")
    rule: str = Field(max_length=128, description="What replicas are made for, in words.")
    curve: str = Field(max_length=64, description="Course of the load that is prepared for, such as p95 or yesterday.")
    headroom: float = Field(ge=0, description="Share of the observed load that is added to it.")
    days: int = Field(ge=1, description="How many days were replayed.")
    reached: bool = Field(description="Whether the rule kept the objective on them.")
    replayed: BillStatus = Field(description="What the rule gave and cost on them.")
    reactive: BillStatus = Field(description="The same of the best rule that sees nothing but the observed load.")


class ScalingStatus(Model):
    """The last decision about replicas. Refreshed with changes, else at most every ten minutes."""

    current_replicas: int | None = Field(default=None, ge=0, description="Replicas that the target asks for now.")
    desired_replicas: int | None = Field(default=None, ge=0, description="Replicas that presage wants.")
    owner: str | None = Field(
        default=None,
        max_length=1024,
        description="What else sets the target's replicas; absent if nothing does.",
    )
    binding_reason: str | None = Field(
        default=None,
        max_length=64,
        description=(
            "What decided: Forecast, Reactive, Calendar, Minimum, Maximum, Stabilization, Hold, Fallback or Manual."
        ),
    )
    lead_time_seconds: LeadTimeStatus | None = Field(default=None, description="Lead time, and where it comes from.")
    binding_metric: str | None = Field(
        default=None,
        max_length=16,
        description="Which metric asks for the most replicas, load or bytes; absent where there is only the load.",
    )
    per_pod: PerPodStatus | None = Field(default=None, description="Load per pod, and where it comes from.")
    per_pod_bytes: PerPodStatus | None = Field(
        default=None, description="Bytes per pod, and where that comes from; absent without load.bytes."
    )
    objective: ObjectiveStatus | None = Field(
        default=None, description="What past days say, and the rule that follows. Absent before any was replayed."
    )
    objective_bytes: ObjectiveStatus | None = Field(
        default=None, description="The same for the data volume; absent without load.bytes."
    )
    reporting_share: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of the target's pods behind the load when it was last complete; absent if none is.",
    )
    reporting_share_bytes: float | None = Field(
        default=None, ge=0, le=1, description="The same for the data volume; absent without load.bytes."
    )
    calendar: CalendarStatus | None = Field(
        default=None, description="What the calendar says now; absent without a calendar."
    )
    zeroed_target: str | None = Field(
        default=None,
        max_length=253,
        description=(
            "The target, if presage itself means it to be at 0 and wakes it. A target found at 0 without this was set "
            "there by somebody else and is left alone."
        ),
    )
    manual: ManualStatus | None = Field(
        default=None, description="A number above ours that somebody else set; absent if none is kept."
    )
    explain: str | None = Field(default=None, max_length=1024, description="The decision in one line.")
    decision: DecisionStatus | None = Field(default=None, description="The arithmetic of the decision.")
