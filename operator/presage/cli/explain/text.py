"""The account of a decision for a person: the answer first, then the arithmetic, each number on its line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from presage.cli.explain.arithmetic import describe_metric
from presage.cli.forecast.account import describe_forecast
from presage.cli.numbers import clock, number, share
from presage.core.units import format_duration, read_time

_LABEL = 12  # width of what stands before each line
_STALE_S = 60.0
_MODES = {"DryRun": "DryRun, so nothing is written", "Off": "Off, so nothing is decided"}
_HEALTHY = {"Paused": "False"}  # conditions that are well with another status than True
_ASKED_FOR = ("DryRun", "Off", "Inactive")  # and what is no trouble, since the spec asks for it


def render(document: Mapping[str, Any]) -> str:
    """Return the whole account."""
    lines = [document["explain"] or "no decision yet", *_head(document)]
    if decision := document["decision"]:
        for metric in decision["metrics"]:
            lines += describe_metric(document, metric)
        lines += [*_indent(_besides(document))]
    lines += ["", "forecast", *_indent(_forecast(document["forecast"]))]
    if document["forecastBytes"]:
        lines += ["", "forecast of bytes", *_indent(_forecast(document["forecastBytes"]))]
    if document["accounts"]:
        lines += ["", *_accounts(document)]
    lines += ["", "conditions", *_indent(_conditions(document["conditions"]))]
    lines += ["", *_queries(document)]
    return "\n".join(lines)


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the object is, how things stand, and what is wrong."""
    about, replicas = document["object"], document["replicas"]
    counts = ", ".join(
        f"{replicas[key]} {what}"
        for key, what in (("desired", "wanted"), ("current", "asked for"), ("ready", "ready"))
        if replicas[key] is not None
    )
    yield (
        f"MetricProfile {about['namespace']}/{about['name']} → Deployment {about['target']}: "
        f"{counts or 'nothing known'}; mode {_MODES.get(about['mode'], about['mode'])}"
    )
    if document["decidedAt"]:
        age, moment = document["ageSeconds"], f"{document['decidedAt'][:10]} {clock(document['decidedAt'])} UTC"
        late = "; status is refreshed with changes, else rarely: /metrics has the values of now"
        yield f"decided {moment}, {format_duration(max(0, age))} ago{late if age > _STALE_S else ''}"
    elif not document["conditions"]:
        yield "no status: is the operator running? (presage check)"
    for each in document["conditions"]:
        if each["type"] == "Ready" or each["reason"] in _ASKED_FOR:
            continue
        if each["status"] != _HEALTHY.get(each["type"], "True"):
            yield f"! {each['type']} {each['status']}, {each['reason']}: {each['message']}"


def _besides(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what else bears on the number: other metrics, a floor, the calendar, what a pod may serve."""
    decision = document["decision"]
    metrics: Sequence[Mapping[str, Any]] = decision["metrics"]
    if len(metrics) > 1:
        counts = ", ".join(f"{metric['name']} {metric['replicas']}" for metric in metrics)
        yield "binding", f"{counts}: the largest counts, {document['bindingMetric']}"
    for label, objective in (("objective", document["objective"]), ("… of bytes", document["objectiveBytes"])):
        if objective:
            yield label, _describe_objective(objective)
    if "note" in decision:
        yield "besides", decision["note"]
    calendar = document["calendar"] or {}
    for each in calendar.get("inForce") or ():
        yield "calendar", f"{each['effect']} by {each['name']}, {each['from']} to {each['to']}"
    if calendar.get("next"):
        coming = calendar["next"]
        yield "calendar", f"next: {coming['effect']} by {coming['name']}, from {coming['from']}"
    proposed = (document["perPod"] or {}).get("proposed")
    if proposed:
        yield "proposed", _describe_proposal(proposed)


def _describe_proposal(proposed: Mapping[str, Any]) -> str:
    """Return the load per pod that was learned, which nothing goes by."""
    value = proposed.get("value", "nothing yet")
    bound = "at least " if proposed["atLeast"] and "value" in proposed else ""
    error = f" ± {proposed['errorPercent']} %" if "errorPercent" in proposed else ""
    origin = f"from {proposed['source']} over {proposed['samples']} slots ({proposed['reason']})"
    return f"{bound}{value}{error} per pod, not applied, {origin}: {proposed['message']}"


def _describe_objective(objective: Mapping[str, Any]) -> str:
    own, reactive = objective["replayed"], objective["reactive"]
    kept = "kept" if objective["reached"] else "not reached by any rule"
    return (
        f"at most {share(objective['unmetLoad'])} of the load unmet: {kept}. Replay of {objective['days']} d gives "
        f"{objective['rule']}: {share(own['unmetShare'])} unmet, {number(own['replicaHours'])} replica-hours; "
        f"reactive alone {share(reactive['unmetShare'])}, {number(reactive['replicaHours'])}"
    )


def _forecast(forecast: Mapping[str, Any] | None) -> Iterable[tuple[str, str]]:
    return [("none", "there is none yet")] if forecast is None else describe_forecast(forecast)


def _accounts(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the accounts of day and week."""
    accounts, mode = document["accounts"], document["object"]["mode"]
    would = ": what would have been" if mode == "DryRun" else ""
    yield f"accounts, since {accounts['since']}{would}"
    rows = ((f"last {span}", accounts[span]) for span in ("day", "week") if accounts.get(span))
    yield from _indent((label, _describe_account(account)) for label, account in rows)


def _describe_account(account: Mapping[str, Any]) -> str:
    reactive, saved = account["reactive"], account["saved"]
    verb = "saved" if saved >= 0 else "spent more"
    return (
        f"{share(account['unmetShare'])} of the load unmet, {number(account['replicaHours'])} replica-hours; "
        f"reactive alone {share(reactive['unmetShare'])}, {number(reactive['replicaHours'])}: "
        f"{number(abs(saved))} {verb} ({number(account['hours'])} h accounted)"
    )


def _conditions(conditions: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for each in conditions:
        message = f": {each['message']}" if each["message"] else ""
        yield each["type"], f"{each['status']:<8}{each['reason']}{message}"


def _queries(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the PromQL behind each number."""
    decided = document["decidedAt"]
    when = f", to be evaluated at {decided} ({read_time(decided):.0f})" if decided else ""
    yield f"queries to {document['object']['source']}{when}"
    if document["queriesNote"]:
        yield f"  ! {document['queriesNote']}"
    for each in document["queries"]:
        name = each["eventType"] if each["metric"] == "load" else f"{each['eventType']} ({each['metric']})"
        yield f"  {name}, now:"
        yield f"    {each['tick']}"
        yield f"  {name}, each slot:"
        yield f"    {each['history']}"


def _indent(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield rows as aligned lines."""
    found = list(rows)
    width = max([_LABEL, *(len(label) + 2 for label, _ in found)])
    for label, text in found:
        yield f"  {label:<{width}}{text}".rstrip()
