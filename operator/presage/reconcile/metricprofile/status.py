"""Status of a MetricProfile and its per-object series: the decision's arithmetic, rounded so that noise stays out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from presage.core.scaling.decision import ReplicaDecision
from presage.core.scaling.ladder import Judgement
from presage.core.scaling.lead_time import LeadTime
from presage.core.scaling.outlook import Outlook, Peak
from presage.core.scaling.trust import Trust
from presage.reconcile.metricprofile.inputs import ForecastMemory, ProfileInput

MAX_POINTS = 12
SHOWN_LEVEL = 0.9  # status always shows this quantile, whatever level drives scaling
MIN_WEIGHT = 0.05
DIGITS = 3  # significant digits of loads in status

# These ride along with other writes; alone they are refreshed rarely. Live values are in /metrics.
VOLATILE = (
    "forecast",
    "scaling.explain",
    "scaling.bindingReason",
    "scaling.leadTimeSeconds",
    "scaling.reportingShare",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What status is built from; `decision` and `peak` are None where nothing was decided."""

    given: ProfileInput
    lead: LeadTime
    judgement: Judgement
    trust: Trust
    reporting_share: float
    decision: ReplicaDecision | None
    peak: Peak | None


def build_status(facts: Facts) -> dict[str, object]:
    """Return `status` without conditions and observedGeneration; unknown fields are left out."""
    target = facts.given.target
    status: dict[str, object] = {"scaling": _build_scaling(facts)}
    if target is not None:
        status["readyReplicas"] = target.ready
    if facts.given.forecast is not None:
        status["forecast"] = _build_forecast(facts.given.forecast, facts)
    return status


def _build_scaling(facts: Facts) -> dict[str, object]:
    given, decision = facts.given, facts.decision
    scaling: dict[str, object] = {
        "leadTimeSeconds": {
            "value": round(facts.lead.value_s, 1),
            "samples": facts.lead.samples,
            "source": facts.lead.source,
        },
        "perPod": {"value": f"{given.spec.scaling.per_pod:g}", "source": "Given"},
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
    return scaling


def explain(facts: Facts, decision: ReplicaDecision) -> str:
    """Return the decision in one line, every number in it."""
    policy, level = facts.given.spec.scaling, facts.given.spec.forecast.quantile
    if facts.peak is not None:
        forecast = (
            f"p{level * 100:g} load {_round(facts.peak.load):g} at {_clock(facts.peak.at)} "
            f"(+{facts.lead.value_s:.0f} s lead) over {policy.per_pod:g} per pod = {decision.need}"
        )
    else:
        forecast = "no forecast in force"
    observed, planned = facts.given.reading.observed if facts.given.reading else None, decision.observed
    reactive = "unknown"
    if observed is not None and planned is not None:
        reactive = f"{decision.reactive} for {_round(observed):g} now, {_round(planned):g} with its margin"
    noun = "replica" if decision.replicas == 1 else "replicas"
    return (
        f"{decision.replicas} {noun} ({decision.binding}): {forecast}; reactive {reactive}; "
        f"limits {policy.min_replicas}..{policy.max_replicas}"
    )


def _build_forecast(memory: ForecastMemory, facts: Facts) -> dict[str, object]:
    forecast, level = memory.forecast, facts.given.spec.forecast.quantile
    step = facts.given.spec.forecast.step_s
    built: dict[str, object] = {
        "originTime": _time(memory.outlook.start),
        "stepSeconds": step,
        "seasonsSeconds": list(forecast.seasons),
        "next": _build_points(memory),
        "leader": facts.trust.leader,
        "weights": {name: round(w, 2) for name, w in sorted(forecast.weights.items()) if w >= MIN_WEIGHT},
        "historyRung": forecast.history_rung,
        "refitted": _time((memory.fitted_slot + 1) * step),
    }
    share, count = forecast.coverage.get(level, (math.nan, 0))
    if count:
        built["coverage"] = {"asked": level, "got": round(share, 2), "samples": count}
    for name, loss in (("loss", facts.trust.loss), ("naiveLoss", facts.trust.naive_loss)):
        if math.isfinite(loss):
            built[name] = _round(loss)
    return built


def _build_points(memory: ForecastMemory) -> list[dict[str, object]]:
    """Return at most 12 points spread evenly over the horizon."""
    outlook, p90 = memory.outlook, memory.forecast.quantiles[SHOWN_LEVEL]
    count = len(outlook.median)
    stride = max(1, math.ceil(count / MAX_POINTS))
    return [
        {
            "at": _time(outlook.start + i * outlook.step_s),
            "p50": _round(float(outlook.median[i])),
            "p90": _round(float(p90[i])),
        }
        for i in range(stride - 1, count, stride)
    ]


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
    "data_available": "1 while samples are fresh and complete.",
    "forecast_trusted": "1 while the forecast drives scaling.",
    "forecast_loss": "Mean absolute error of the forecast in its backtest.",
    "forecast_naive_loss": "Mean absolute error of the best naive forecast in the same backtest.",
    "forecast_quantile": "Quantile of the load that is asked for.",
    "forecast_coverage": "Share of the load that stayed at or below the quantile asked for.",
}
"""Every per-object series: name without prefix → help."""


def build_gauges(facts: Facts) -> dict[str, float]:
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
        "data_available": float(facts.judgement.rung == "Live"),
        "forecast_trusted": float(facts.trust.trusted),
        "forecast_loss": _finite(facts.trust.loss),
        "forecast_naive_loss": _finite(facts.trust.naive_loss),
        **_coverage(facts),
    }
    return {name: value for name, value in values.items() if value is not None}


def _coverage(facts: Facts) -> dict[str, float | None]:
    """Return the quantile asked for, and the share of the load that stayed at or below it."""
    level, memory = facts.given.spec.forecast.quantile, facts.given.forecast
    share, count = memory.forecast.coverage.get(level, (math.nan, 0)) if memory else (math.nan, 0)
    return {"forecast_quantile": level if count else None, "forecast_coverage": _finite(share) if count else None}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _median_at(outlook: Outlook | None, at: float) -> float | None:
    if outlook is None or not outlook.start <= at < outlook.end:
        return None
    return float(outlook.median[int((at - outlook.start) // outlook.step_s)])


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clock(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%H:%M:%S")
