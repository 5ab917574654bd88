"""Status of a MetricProfile and its per-object series: the decision's arithmetic, rounded so that noise stays out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from presage.core.scaling.accounts import Accounts
from presage.core.scaling.decision import ReplicaDecision
from presage.core.scaling.ladder import Judgement
from presage.core.scaling.lead_time import LeadTime, Starts
from presage.core.scaling.manual import Kept
from presage.core.scaling.outlook import Outlook, Peak
from presage.core.scaling.trust import Trust
from presage.reconcile.kind import GaugeValue
from presage.reconcile.metricprofile.account_status import ACCOUNT_GAUGES, build_account_gauges, build_accounts
from presage.reconcile.metricprofile.decision_status import MetricFacts, Moment, build_decision
from presage.reconcile.metricprofile.forecast_status import FORECAST_GAUGES, build_forecast, build_forecast_gauges
from presage.reconcile.metricprofile.inputs import CapacityMemory, ProfileInput
from presage.reconcile.metricprofile.learning import build_proposal
from presage.reconcile.metricprofile.rounding import round_load, to_clock
from presage.reconcile.metricprofile.steering import build_kept

# These ride along with other writes; alone they are refreshed rarely. Live values are in /metrics.
VOLATILE = (
    "accounts",
    "forecast",
    "scaling.decision",
    "scaling.explain",
    "scaling.bindingReason",
    "scaling.leadTimeSeconds",
    "scaling.perPod.proposed",
    "scaling.reportingShare",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What status is built from; `decision` and `peak` are None where nothing was decided, `accounts` before any.

    Attributes:
        zeroed: presage means the target to be at 0.
        kept: A number above ours that is kept.
        held_by: What else than load and limits held the number, as the end of a sentence; empty if nothing did.
    """

    given: ProfileInput
    lead: LeadTime
    starts: Starts
    judgement: Judgement
    trust: Trust
    reporting_share: float
    decision: ReplicaDecision | None
    peak: Peak | None
    accounts: Accounts | None = None
    zeroed: bool = False
    kept: Kept | None = None
    held_by: str = ""
    capacity: CapacityMemory = field(default_factory=CapacityMemory)


def build_status(facts: Facts) -> dict[str, object]:
    """Return `status` without conditions and observedGeneration; unknown fields are left out."""
    target = facts.given.target
    status: dict[str, object] = {"scaling": _build_scaling(facts)}
    if target is not None:
        status["readyReplicas"] = target.ready
    if facts.given.forecast is not None:
        status["forecast"] = build_forecast(facts.given.forecast, facts.given.spec.forecast, facts.trust)
    if facts.accounts is not None:
        status["accounts"] = build_accounts(facts.accounts)
    return status


def _build_scaling(facts: Facts) -> dict[str, object]:
    given, decision = facts.given, facts.decision
    scaling: dict[str, object] = {
        "leadTimeSeconds": {
            "value": round(facts.lead.value_s, 1),
            "samples": facts.lead.samples,
            "source": facts.lead.source,
            "target": given.spec.target,
            "startsSeconds": list(facts.starts.seconds),
        },
        "perPod": {"value": f"{given.spec.scaling.per_pod:g}", "source": "Given", **build_proposal(facts.capacity)},
    }
    if given.target is not None:
        scaling["currentReplicas"] = given.target.replicas
    if facts.reporting_share:
        scaling["reportingShare"] = math.ceil(facts.reporting_share * 1e6) / 1e6  # rounded down it would miss no pod
    if given.owners:
        scaling["owner"] = ", ".join(given.owners)
    if decision is not None:
        scaling["desiredReplicas"] = decision.replicas
        scaling["bindingReason"] = decision.binding
        scaling["explain"] = explain(facts, decision)
    if decision is not None and given.target is not None:
        ask, policy = given.spec.forecast, given.spec.scaling
        moment = Moment(given.now, given.target.replicas, facts.lead, ask.step_s, ask.quantile, policy)
        load = MetricFacts("load", given.spec.event_types, policy.per_pod, given.reading, decision, facts.peak)
        scaling["decision"] = build_decision(moment, [load], facts.held_by)
    if facts.zeroed:
        scaling["zeroedTarget"] = given.spec.target
    if facts.kept is not None:
        scaling["manual"] = build_kept(facts.kept)
    return scaling


def explain(facts: Facts, decision: ReplicaDecision) -> str:
    """Return the decision in one line, every number in it."""
    policy, level = facts.given.spec.scaling, facts.given.spec.forecast.quantile
    if facts.peak is not None:
        forecast = (
            f"p{level * 100:g} load {round_load(facts.peak.load):g} at {to_clock(facts.peak.at)} "
            f"(+{facts.lead.value_s:.0f} s lead) over {policy.per_pod:g} per pod = {decision.need}"
        )
    else:
        forecast = "no forecast in force"
    observed, planned = facts.given.reading.observed if facts.given.reading else None, decision.observed
    reactive = "unknown"
    if observed is not None and planned is not None:
        reactive = f"{decision.reactive} for {round_load(observed):g} now, {round_load(planned):g} with its margin"
    noun = "replica" if decision.replicas == 1 else "replicas"
    return (
        f"{decision.replicas} {noun} ({decision.binding}): {forecast}; reactive {reactive}; "
        f"limits {policy.min_replicas}..{policy.max_replicas}{facts.held_by}"
    )


GAUGES: Mapping[str, str] = {
    "min_replicas": "Lower limit of replicas.",
    "max_replicas": "Upper limit of replicas.",
    "ready_replicas": "Ready pods of the target.",
    "current_replicas": "Replicas the target is set to.",
    "desired_replicas": "Replicas that presage decided on.",
    "observed_load": "Load now.",
    "forecast_load_upper": "Load that replicas are prepared for: the highest at the asked quantile, lead time ahead.",
    "forecast_load_median": "Median forecast of the load, lead time ahead.",
    "lead_time_seconds": "Time from a decision to a pod that serves.",
    "per_pod_proposed": "Load per pod as learned from CPU or latency; it is proposed and never applied.",
    "data_available": "1 while samples are fresh and complete.",
    "forecast_trusted": "1 while the forecast drives scaling.",
    **FORECAST_GAUGES,
    **ACCOUNT_GAUGES,
}
"""Every per-object series: name without prefix → help."""


def build_gauges(facts: Facts) -> dict[str, GaugeValue]:
    """Return the per-object series, by the name of the metric without its prefix; unknown values are left out."""
    outlook = facts.given.forecast.outlook if facts.given.forecast else None
    policy = facts.given.spec.scaling
    values: dict[str, float | None] = {
        "min_replicas": policy.min_replicas,
        "max_replicas": policy.max_replicas,
        "ready_replicas": facts.given.target.ready if facts.given.target else None,
        "current_replicas": facts.given.target.replicas if facts.given.target else None,
        "desired_replicas": facts.decision.replicas if facts.decision else None,
        "observed_load": facts.given.reading.observed if facts.given.reading else None,
        "forecast_load_upper": facts.peak.load if facts.peak else None,
        "forecast_load_median": _median_at(outlook, facts.given.now + facts.lead.value_s),
        "lead_time_seconds": facts.lead.value_s,
        "per_pod_proposed": facts.capacity.found.value if facts.capacity.found else None,
        "data_available": float(facts.judgement.rung == "Live"),
        "forecast_trusted": float(facts.trust.trusted),
    }
    known: dict[str, GaugeValue] = {name: value for name, value in values.items() if value is not None}
    if facts.accounts is not None:
        known |= build_account_gauges(facts.accounts)
    memory = facts.given.forecast
    return known if memory is None else known | build_forecast_gauges(memory, facts.given.spec.forecast, facts.trust)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _median_at(outlook: Outlook | None, at: float) -> float | None:
    if outlook is None or not outlook.start <= at < outlook.end:
        return None
    return float(outlook.median[int((at - outlook.start) // outlook.step_s)])
