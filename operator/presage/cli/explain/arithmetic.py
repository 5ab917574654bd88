"""The arithmetic of one metric, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from presage.cli.numbers import clock, divide, number
from presage.core.units import format_duration, read_time

_LABEL = 12
_TITLES = {"load": "load", "bytes": "data volume"}
_LEAD = {
    "Override": "leadTimeSeconds in the spec",
    "Measured": "p90 of {} starts",
    "Remembered": "p90 of {} starts, measured before presage restarted",
    "Default": "default: fewer than 3 starts were seen",
}
_MARGINS = {
    "Given": "headroomPercent in the spec",
    "Chosen": "chosen by replay of past days, for the objective",
    "Default": "default, as long as no past day was replayed",
}


def describe_metric(document: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[str]:
    """Yield the arithmetic of one metric."""
    unit = _find_unit(document, metric)
    parts = (
        (f"{_TITLES.get(metric['name'], metric['name'])} now", _events(document, metric, unit)),
        ("from the forecast", _forecast(document, metric, unit)),
        ("from the load now", _reactive(document, metric, unit)),
        ("replicas", _result(document, metric)),
    )
    for title, rows in parts:
        yield ""
        yield title
        for label, text in rows:
            yield f"  {label:<{_LABEL}}{text}"


def _find_unit(document: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    """Return the unit of a metric, as far as it follows from what it is measured by."""
    rates = [each["perSecond"] for each in document["queries"] if each["metric"] == metric["name"]]
    return (" B" if metric["name"] == "bytes" else "") + ("/s" if rates and all(rates) else "")


def _events(document: Mapping[str, Any], metric: Mapping[str, Any], unit: str) -> Iterator[tuple[str, str]]:
    """Yield what the source said of each event type, and the sum."""
    decided = read_time(document["decidedAt"])
    events: Sequence[Mapping[str, Any]] = metric.get("events") or ()
    if not events:
        yield "unknown", "the source was not asked, or did not answer: see DataAvailable"
    for event in events:
        if "load" in event:
            said = f"{number(event['load'])}{unit}"
            if event["weight"] != 1:
                said += f" × {number(event['weight'])} = {number(event['load'] * event['weight'])}{unit}"
        else:
            said = f"no load: {event.get('flaw') or 'no samples'}"
        age = ""
        if "newestSampleTime" in event:
            age = f"; newest sample {max(0, decided - read_time(event['newestSampleTime'])):.0f} s old"
        yield event["eventType"], f"{said}{age}, {event.get('targets', 0)} target names"
    if len(events) > 1 and "reactive" in metric:
        yield "sum", f"{number(metric['reactive']['load'])}{unit}"


def _forecast(document: Mapping[str, Any], metric: Mapping[str, Any], unit: str) -> Iterator[tuple[str, str]]:
    """Yield how far was looked ahead, the peak, and what it needs."""
    lead, peak = document["leadTime"], metric.get("forecast")
    if lead:
        start_up = _LEAD.get(lead["source"], lead["source"]).format(lead["samples"])
        period = number(lead["value"] - lead["startUpSeconds"])
        yield (
            "lead time",
            f"{number(lead['value'])} s = start-up {number(lead['startUpSeconds'])} s ({start_up}) "
            f"+ decision period {period} s",
        )
    if not peak:
        why = next((each for each in document["conditions"] if each["type"] == "ForecastTrusted"), None)
        yield "none", "no forecast drives scaling" + (f" ({why['reason']})" if why else "")
        return
    slot = (document["forecast"] or {}).get("stepSeconds")
    ahead = "lead time and one slot" + (f" of {format_duration(slot)}" if slot else "")
    yield "looked at", f"{clock(document['decidedAt'])} to {clock(peak['until'])}: {ahead}"
    when = f" in the slot from {clock(peak['at'])}" if "at" in peak else ""
    yield "peak", f"{number(peak['load'])}{unit}{when}, {metric['curve']}"
    yield "need", _need(peak["load"], metric["perPod"], peak.get("replicas"))


def _need(load: float, per_pod: float, pods: int | None) -> str:
    if pods is None:
        return f"{number(load)} / {number(per_pod)}: beyond all numbers"
    shown, quotient = divide(load, per_pod, pods)
    return f"{shown} / {number(per_pod, 10)} = {quotient} → {pods}"


def _reactive(document: Mapping[str, Any], metric: Mapping[str, Any], unit: str) -> Iterator[tuple[str, str]]:
    """Yield the margin, where it comes from, and what load and margin need."""
    reactive = metric.get("reactive")
    if not reactive:
        yield "none", "the load now is not known"
        return
    margin = reactive["margin"]
    replayed = document["objectiveBytes" if metric["name"] == "bytes" else "objective"]
    source = "Default" if margin["source"] == "Chosen" and not replayed else margin["source"]
    why = _MARGINS.get(source, source)
    yield "margin", f"{number(margin['load'])}{unit} = {number(margin['percent'])} %: {why}"
    yield (
        "planned",
        f"{number(reactive['load'], 6)} + {number(margin['load'], 6)} = {number(reactive['planned'], 6)}{unit}",
    )
    yield "need", _need(reactive["planned"], metric["perPod"], reactive.get("replicas"))


def _result(document: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wanted, what is kept above that and why, and the result."""
    scaling, current = document["scaling"], document["decision"]["currentReplicas"]
    needs = [
        part["replicas"] for part in (metric.get("forecast"), metric.get("reactive")) if part and "replicas" in part
    ]
    limits = f"limits {scaling.get('minReplicas', 1)}..{scaling['maxReplicas']}"
    if minimum := (document["calendar"] or {}).get("minimum"):
        limits += f" and the calendar's minimum of {minimum}"
    if needs:
        of = f"the larger of {needs[0]} and {needs[1]}" if len(needs) > 1 else str(needs[0])
        yield "wanted", f"{metric['wanted']}: {of}, within {limits}"
    else:
        yield "wanted", f"{metric['wanted']}: nothing is known, so what there is, within {limits}"
    if brake := metric.get("brake"):
        yield "kept", _brake(document, metric, brake)
    yield "result", f"{metric['replicas']} ({metric['bindingReason']}); the target asked for {current}"


def _brake(document: Mapping[str, Any], metric: Mapping[str, Any], brake: Mapping[str, Any]) -> str:
    """Say why there are more replicas than the load asks for."""
    scaling = document["scaling"]
    window = f"{scaling.get('stabilizationWindowSeconds', 300)} s"
    held = brake["heldBy"]
    if held == "Data":
        why = [c for c in document["conditions"] if c["type"] in ("DataAvailable", "ForecastTrusted")]
        said = ", ".join(f"{c['type']} {c['status']} {c['reason']}" for c in why)
        return f"no replica may go on this data ({said})"
    if held == "Window":
        since = f", and do so since {clock(brake['since'])}" if "since" in brake else ""
        return f"no replica goes before decisions followed each other for {window}{since}"
    if held == "Tolerance":
        tolerance = scaling.get("tolerancePercent", 10)
        return f"the load is not yet {tolerance} % below what the replicas there are serve (tolerancePercent)"
    if held == "Later" and "later" in brake:
        later = brake["later"]
        need = _need(later["load"], metric["perPod"], later.get("replicas"))
        return f"the forecast up to {clock(later['until'])} (lead time and {window}) has {need}"
    if held == "Manual" and document["manual"]:
        return f"{document['manual']['replicas']} were set by somebody else, and stay until the need changes"
    if held == "Earlier":
        return f"{brake['earlier']} were wanted within the last {window}"
    speed = f"{scaling.get('maxDownPercent', 20)} % per {scaling.get('downPeriodSeconds', 60)} s"
    return f"at most {speed} may go: {brake['removed']} went, {brake['step']} more could"
