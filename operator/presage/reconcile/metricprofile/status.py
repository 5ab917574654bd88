"""Status of a MetricProfile and its per-object series: the decision's arithmetic, rounded so that noise stays out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from presage.core.calendar.agenda import Agenda
from presage.core.profile import MeasureName
from presage.core.query import CounterLoad
from presage.core.scaling.accounts import Accounts
from presage.core.scaling.decision import ReplicaDecision
from presage.core.scaling.ladder import Judgement
from presage.core.scaling.lead_time import LeadTime, Starts
from presage.core.scaling.manual import Kept
from presage.core.scaling.measures import find_binding
from presage.core.scaling.outlook import Outlook
from presage.core.scaling.trust import Trust
from presage.reconcile.kind import GaugeValue
from presage.reconcile.metricprofile.account_status import (
    ACCOUNT_GAUGES,
    ACCOUNT_LABELS,
    build_account_gauges,
    build_accounts,
)
from presage.reconcile.metricprofile.calendar_status import build_calendar
from presage.reconcile.metricprofile.decision_status import MetricFacts, Moment, build_decision
from presage.reconcile.metricprofile.forecast_status import (
    FORECAST_GAUGES,
    FORECAST_LABELS,
    build_forecast,
    build_forecast_gauges,
)
from presage.reconcile.metricprofile.inputs import CapacityMemory, ProfileInput
from presage.reconcile.metricprofile.learning import build_proposal
from presage.reconcile.metricprofile.naming import name_field, name_forecast_series
from presage.reconcile.metricprofile.objective_status import build_objective
from presage.reconcile.metricprofile.recording.reporting import (
    RECORDING_GAUGES,
    RECORDING_LABELS,
    RECORDING_VOLATILE,
)
from presage.reconcile.metricprofile.rounding import round_load, round_to_pods, show, to_clock
from presage.reconcile.metricprofile.steering import build_kept
from presage.reconcile.metricprofile.viewing import MeasureView

# These ride along with other writes; alone they are refreshed rarely. Live values are in /metrics.
VOLATILE = (
    "accounts",
    "forecast",
    "forecastBytes",
    *RECORDING_VOLATILE,
    "scaling.calendar.minimum",
    "scaling.decision",
    "scaling.explain",
    "scaling.bindingReason",
    "scaling.bindingMetric",
    "scaling.leadTimeSeconds",
    "scaling.objective",
    "scaling.objectiveBytes",
    "scaling.perPod.proposed",
    "scaling.reportingShare",
    "scaling.reportingShareBytes",
)
_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Facts:
    """What status is built from.

    Attributes:
        given: The input.
        lead: The lead time.
        starts: That it was measured on.
        judgement: Of the data of all measures.
        trust: In the forecasts of all measures.
        views: What was made of each measure, the main one first.
        decision: What all of them come to; None where nothing was decided.
        accounts: What scaling gave and cost; None before any.
        zeroed: presage means the target to be at 0.
        kept: A number above ours that is kept.
        agenda: What the calendar says now.
        held_by: What else than load and limits held the number, as the end of a sentence; empty if nothing did.
    """

    given: ProfileInput
    lead: LeadTime
    starts: Starts
    judgement: Judgement
    trust: Trust
    views: Mapping[MeasureName, MeasureView]
    decision: ReplicaDecision | None = None
    accounts: Accounts | None = None
    zeroed: bool = False
    kept: Kept | None = None
    held_by: str = ""
    capacity: CapacityMemory = field(default_factory=CapacityMemory)
    agenda: Agenda = field(default_factory=Agenda)

    @property
    def binding(self) -> MeasureName | None:
        """The measure whose decision counts; None where nothing was decided."""
        decisions = {name: view.decision for name, view in self.views.items() if view.decision is not None}
        return find_binding(decisions) if decisions else None


def build_status(facts: Facts) -> dict[str, object]:
    """Return `status` without conditions and observedGeneration; unknown fields are left out."""
    target = facts.given.target
    status: dict[str, object] = {"scaling": _build_scaling(facts)}
    if target is not None:
        status["readyReplicas"] = target.ready
    for name, view in facts.views.items():
        if view.given.forecast is not None:
            built = build_forecast(view.given.forecast, facts.given.spec.forecast, view.trust)
            status[name_field("forecast", name)] = built
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
    }
    for name, view in facts.views.items():
        proposal = build_proposal(facts.capacity) if name == "load" else {}
        per_pod = {"value": show(view.given.measure.per_pod), "source": "Given", **proposal}
        scaling[name_field("perPod", name)] = per_pod
        if view.given.gate.choice is not None:
            objective = build_objective(view.given.gate.choice, given.spec.scaling)
            scaling[name_field("objective", name)] = objective
        if share := view.memory.reporting_share:
            # rounded down it would miss no pod
            scaling[name_field("reportingShare", name)] = math.ceil(share * 1e6) / 1e6
    if given.target is not None:
        scaling["currentReplicas"] = given.target.replicas
    if given.owners:
        scaling["owner"] = ", ".join(given.owners)
    if calendar := build_calendar(facts.agenda):
        scaling["calendar"] = calendar
    if decision is not None:
        scaling["desiredReplicas"] = decision.replicas
        scaling["bindingReason"] = decision.binding
        if len(facts.views) > 1:
            scaling["bindingMetric"] = facts.binding
        scaling["explain"] = explain(facts, decision)
    if decision is not None and given.target is not None:
        ask, policy = given.spec.forecast, given.spec.scaling
        moment = Moment(given.now, given.target.replicas, facts.lead, ask.step_s, policy)
        scaling["decision"] = build_decision(moment, _list_metrics(facts, decision), facts.held_by)
    if facts.zeroed:
        scaling["zeroedTarget"] = given.spec.target
    if facts.kept is not None:
        scaling["manual"] = build_kept(facts.kept)
    return scaling


def _list_metrics(facts: Facts, decision: ReplicaDecision) -> list[MetricFacts]:
    """Return the decision on each metric; what became of it at last is shown at the one that binds."""
    listed = []
    for name, view in facts.views.items():
        own = view.decision
        if own is not None:
            shown = replace(decision, wanted=own.wanted) if name == facts.binding else own
            listed.append(_facts_of(name, view, shown))
    return listed


def _facts_of(name: MeasureName, view: MeasureView, shown: ReplicaDecision) -> MetricFacts:
    measure, curve = view.given.measure, view.trust.rule.curve.name
    return MetricFacts(name, measure.event_types, measure.per_pod, curve, view.given.reading, shown, view.peak)


def say_why(facts: Facts, decision: ReplicaDecision) -> str:
    """Return the binding reason, and the metric that binds where there are several."""
    return decision.binding if len(facts.views) == 1 else f"{decision.binding}, {facts.binding}"


def explain(facts: Facts, decision: ReplicaDecision) -> str:
    """Return the decision in one line, every number in it; of several measures the one that binds comes first.

    What goes without saying is left out: that the forecast decided, and what it needs where that is the answer.
    """
    policy, plain = facts.given.spec.scaling, decision.binding == "Forecast" and len(facts.views) == 1
    ordered = sorted(facts.views.items(), key=lambda each: each[0] != facts.binding)
    named = [f"{name}: " if len(ordered) > 1 else "" for name, _ in ordered]
    parts = [head + _explain_measure(facts, view, plain=plain) for head, (_, view) in zip(named, ordered, strict=True)]
    called = facts.agenda.floor
    calendar = f"; calendar {called.replicas} ({called.name})" if called.replicas else ""
    noun = "replica" if decision.replicas == 1 else "replicas"
    why = "" if plain else f" ({say_why(facts, decision)})"
    return (
        f"{decision.replicas} {noun}{why}: {'; '.join(parts)}; "
        f"limits {policy.min_replicas}..{policy.max_replicas}{calendar}{facts.held_by}"
    )


def _explain_measure(facts: Facts, view: MeasureView, *, plain: bool) -> str:
    decision, per_pod = view.decision, view.given.measure.per_pod
    unit = "/s" if all(isinstance(each.load, CounterLoad) for each in view.given.measure.event_types) else ""
    forecast = "no forecast in force"
    if decision is not None and view.peak is not None:
        clock = to_clock(view.peak.at, seconds=facts.given.spec.forecast.step_s < _MINUTE_S)
        forecast = (
            f"{view.trust.rule.curve.name} load "
            f"{show(round_to_pods(view.peak.load, per_pod, decision.need))}{unit} at {clock} "
            f"(+{facts.lead.value_s:.0f} s lead) over {show(per_pod)}{unit} per pod"
        )
        forecast += "" if plain else f" = {decision.need}"
    observed, planned = view.observed, decision.observed if decision else None
    reactive = "unknown"
    if decision is not None and observed is not None and planned is not None:
        margin = f" + {show(round_load(100 * (planned / observed - 1)))} %" if observed > 0 else ""
        reactive = f"{decision.reactive} for {show(round_load(observed))}{unit}{margin}"
    return f"{forecast}; reactive {reactive}"


_MEASURED: Mapping[MeasureName, Mapping[str, str]] = {
    "load": {
        "observed_load": "Load now.",
        "forecast_load_upper": "Highest load within the lead time at the asked quantile: replicas are prepared for it.",
        "forecast_load_median": "Median forecast of the load, lead time ahead.",
    },
    "bytes": {
        "observed_bytes": "Data volume now, in bytes per second for counters.",
        "forecast_bytes_upper": "Highest data volume within the lead time at the asked quantile.",
        "forecast_bytes_median": "Median forecast of the data volume, lead time ahead.",
    },
}
"""Series of each measure, in the order in which they are filled in: a series has one unit, so bytes have their own."""

GAUGES: Mapping[str, str] = {
    "min_replicas": "Lower limit of replicas.",
    "max_replicas": "Upper limit of replicas.",
    "ready_replicas": "Ready pods of the target.",
    "current_replicas": "Replicas the target is set to.",
    "desired_replicas": "Replicas that presage decided on.",
    "binding_reason": "1 for what decided the number of replicas, such as Forecast.",
    "wanted_replicas": "Replicas that each metric asks for now, within the limits and before any wait to remove some.",
    "lead_time_seconds": "Time from a decision to a pod that serves.",
    "per_pod_proposed": "Load per pod as learned from CPU or latency; it is proposed and never applied.",
    "data_available": "1 while the samples of all metrics are fresh and complete.",
    "forecast_trusted": "1 while the forecasts of all metrics drive scaling.",
    **{series: text for of in _MEASURED.values() for series, text in of.items()},
    **FORECAST_GAUGES,
    **{
        name_forecast_series(series, "bytes"): f"{text} Of the data volume." for series, text in FORECAST_GAUGES.items()
    },
    **ACCOUNT_GAUGES,
    **RECORDING_GAUGES,
}
"""Every per-object series: name without prefix → help."""

GAUGE_LABELS: Mapping[str, str] = {
    "binding_reason": "reason",
    "wanted_replicas": "metric",
    **FORECAST_LABELS,
    **ACCOUNT_LABELS,
    **RECORDING_LABELS,
    **{name_forecast_series(series, "bytes"): label for series, label in FORECAST_LABELS.items()},
}
"""Those with a label of their own; each has few values."""


def build_gauges(facts: Facts) -> dict[str, GaugeValue]:
    """Return the per-object series, by the name of the metric without its prefix; unknown values are left out."""
    policy, target = facts.given.spec.scaling, facts.given.target
    values: dict[str, GaugeValue | None] = {
        "min_replicas": policy.min_replicas,
        "max_replicas": policy.max_replicas,
        "ready_replicas": target.ready if target else None,
        "current_replicas": target.replicas if target else None,
        "desired_replicas": facts.decision.replicas if facts.decision else None,
        "binding_reason": {facts.decision.binding: 1.0} if facts.decision else None,
        "wanted_replicas": {name: v.decision.wanted for name, v in facts.views.items() if v.decision},
        "lead_time_seconds": facts.lead.value_s,
        "per_pod_proposed": facts.capacity.found.value if facts.capacity.found else None,
        "data_available": float(facts.judgement.rung == "Live"),
        "forecast_trusted": float(facts.trust.trusted),
    }
    for view in facts.views.values():
        values |= _build_measured(facts, view)
    if facts.accounts is not None:
        values |= build_account_gauges(facts.accounts)
    return {name: value for name, value in values.items() if value is not None}


def _build_measured(facts: Facts, view: MeasureView) -> dict[str, GaugeValue | None]:
    name, memory = view.given.measure.name, view.given.forecast
    median = _median_at(memory.outlook if memory else None, facts.given.now + facts.lead.value_s)
    figures = (view.observed, view.peak.load if view.peak else None, median)
    built: dict[str, GaugeValue | None] = dict(zip(_MEASURED[name], figures, strict=True))
    if memory is not None:
        forecast = build_forecast_gauges(memory, facts.given.spec.forecast, view.trust)
        built |= {name_forecast_series(series, name): value for series, value in forecast.items()}
    return built


def _median_at(outlook: Outlook | None, at: float) -> float | None:
    if outlook is None or not outlook.covers(at):
        return None
    return float(outlook.median[int((at - outlook.start) // outlook.step_s)])
