"""What is known of an object's last decision, as JSON: described field by field in `FIELDS`. Pure.

Within one `schemaVersion` fields are only ever added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from presage.core.profile import ProfileSpec
from presage.core.query import CounterLoad, Matcher, Selection, build_history_query, build_tick_query
from presage.core.units import read_time
from presage.resources.base import InvalidSpecError
from presage.resources.metricprofile import MetricProfile
from presage.resources.metricsource import MetricSource

SCHEMA_VERSION = 1

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("schemaVersion", "integer", "1; fields are only ever added to it"),
    ("object", "object", "namespace, name, target, source and mode"),
    ("explain", "string or null", "the decision in one line, as in `status.scaling.explain`"),
    ("replicas.desired", "integer or null", "what presage wants"),
    ("replicas.current", "integer or null", "what the target asks for"),
    ("replicas.ready", "integer or null", "pods that are ready"),
    ("decidedAt", "string or null", "when the decision was made, ISO 8601"),
    ("ageSeconds", "number or null", "how long ago that is, by the clock of this machine"),
    ("decision", "object or null", "the arithmetic, as in `status.scaling.decision`; null: nothing was decided"),
    ("bindingMetric", "string or null", "which metric counts, `load` or `bytes`; null: there is only one"),
    ("leadTime", "object or null", "as in `status.scaling.leadTimeSeconds`, and `startUpSeconds`: without the period"),
    ("objective", "object or null", "as in `status.scaling.objective`: what was replayed, and the rule that follows"),
    ("objectiveBytes", "object or null", "as in `status.scaling.objectiveBytes`"),
    ("perPod", "object or null", "as in `status.scaling.perPod`, with what was learned"),
    ("calendar", "object or null", "as in `status.scaling.calendar`: windows in force and the next one"),
    ("manual", "object or null", "as in `status.scaling.manual`: a number set by hand that is kept"),
    ("scaling", "object", "`spec.scaling`: limits, margins and speeds"),
    ("forecast", "object or null", "as in `status.forecast`"),
    ("forecastBytes", "object or null", "as in `status.forecastBytes`"),
    ("accounts", "object or null", "as in `status.accounts`"),
    ("conditions[]", "object", "type, status, reason, message and lastTransitionTime"),
    ("queries[].metric", "string", "which metric it is about"),
    ("queries[].eventType", "string", "of which event type"),
    ("queries[].perSecond", "boolean", "whether it gives a rate"),
    ("queries[].tick", "string", "PromQL of the load now, its newest sample and its targets"),
    ("queries[].history", "string", "PromQL of the load over each slot; its value at a slot's end is that of the slot"),
    ("queriesNote", "string or null", "why the queries may lack the label that the source forces on them"),
)
"""Path, type and meaning of each field; `[]` is each element of a list."""


def build_document(profile: Mapping[str, Any], source: Mapping[str, Any] | str, now: float) -> dict[str, Any]:
    """Return everything about the last decision.

    Args:
        profile: The MetricProfile as the API server returns it.
        source: Its MetricSource, or why that cannot be read.
        now: Epoch seconds.
    """
    meta, spec, status = profile["metadata"], profile["spec"], profile.get("status") or {}
    scaling = status.get("scaling") or {}
    decision = scaling.get("decision")
    queries, note = _build_queries(profile, source)
    return {
        "schemaVersion": SCHEMA_VERSION,
        "object": {
            "namespace": meta["namespace"],
            "name": meta["name"],
            "target": spec["target"]["name"],
            "source": spec["sourceRef"]["name"],
            "mode": spec["scaling"].get("mode", "Auto"),
        },
        "explain": scaling.get("explain"),
        "replicas": {
            "desired": scaling.get("desiredReplicas"),
            "current": scaling.get("currentReplicas"),
            "ready": status.get("readyReplicas"),
        },
        "decidedAt": decision["time"] if decision else None,
        "ageSeconds": round(now - read_time(decision["time"])) if decision else None,
        "decision": decision,
        "bindingMetric": scaling.get("bindingMetric"),
        "leadTime": _build_lead(scaling.get("leadTimeSeconds"), spec["scaling"]),
        "objective": scaling.get("objective"),
        "objectiveBytes": scaling.get("objectiveBytes"),
        "perPod": scaling.get("perPod"),
        "calendar": scaling.get("calendar"),
        "manual": scaling.get("manual"),
        "scaling": spec["scaling"],
        "forecast": status.get("forecast"),
        "forecastBytes": status.get("forecastBytes"),
        "accounts": status.get("accounts"),
        "conditions": [
            {key: each.get(key) for key in ("type", "status", "reason", "message", "lastTransitionTime")}
            for each in status.get("conditions") or ()
        ],
        "queries": queries,
        "queriesNote": note,
    }


def _build_lead(lead: Mapping[str, Any] | None, scaling: Mapping[str, Any]) -> dict[str, Any] | None:
    if lead is None:
        return None
    period = float(scaling.get("decisionPeriodSeconds", 15))
    return {**lead, "startUpSeconds": round(max(0.0, lead["value"] - period), 1)}


def _build_queries(
    profile: Mapping[str, Any], source: Mapping[str, Any] | str
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the PromQL of each load with the label that its source forces on it, and what stands in the way."""
    note = source if isinstance(source, str) else None
    try:
        spec = MetricProfile.parse(profile).spec.to_core()
    except InvalidSpecError as error:
        return [], f"the spec is invalid: {error}"
    tenant = None
    if not isinstance(source, str):
        try:
            tenant = MetricSource.parse(source).spec.to_core().tenant(profile["metadata"]["namespace"])
        except InvalidSpecError as error:
            note = f"MetricSource {spec.source} is invalid: {error}"
    forced = Matcher(tenant[0], "=", tenant[1]) if tenant else None
    if note is not None:
        note = f"{note}: a label that it forces on every query is missing here"
    return list(_list_queries(spec, forced)), note


def _list_queries(spec: ProfileSpec, tenant: Matcher | None) -> Iterator[dict[str, Any]]:
    for metric, event in ((measure.name, event) for measure in spec.measures for event in measure.event_types):
        selection = Selection(event.load, tenant)
        yield {
            "metric": metric,
            "eventType": event.name,
            "perSecond": isinstance(event.load, CounterLoad),
            "tick": build_tick_query(selection, spec.scaling.max_sample_age_s),
            "history": build_history_query(selection, spec.forecast.step_s),
        }
