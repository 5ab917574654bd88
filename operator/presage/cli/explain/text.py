"""The account of a decision for a person: the answer first, then the arithmetic, each number on its line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from presage.cli.explain.arithmetic import describe_metric
from presage.cli.explain.document import parse_time
from presage.cli.explain.numbers import clock, number, share
from presage.core.units import format_duration

_LABEL = 12  # width of what stands before each line
_STALE_S = 60.0
_MODES = {"DryRun": "DryRun, so nothing is written", "Off": "Off, so nothing is decided"}
_HEALTHY = {"Paused": "False"}  # conditions that are well with another status than True
_ASKED_FOR = ("DryRun", "Off")  # and what is no trouble, since the spec asks for it


def render(document: Mapping[str, Any]) -> str:
    """Return the whole account."""
    lines = [document["explain"] or "no decision yet", *_head(document)]
    if decision := document["decision"]:
        for metric in decision["metrics"]:
            lines += describe_metric(document, metric)
        if len(decision["metrics"]) > 1:
            lines += ["", *_compare(decision["metrics"])]
    lines += ["", "forecast", *_indent(_forecast(document["forecast"]))]
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


def _compare(metrics: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield which of several metrics counts."""
    largest = max(metrics, key=lambda each: (each["replicas"], each["wanted"]))
    each = ", ".join(f"{metric['name']} {metric['replicas']}" for metric in metrics)
    yield f"replicas      {each}: the largest counts, {largest['name']}"


def _forecast(forecast: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield what the forecast stands on, as far as it is known."""
    if forecast is None:
        yield "none", "there is none yet"
        return
    step = f"slots of {format_duration(forecast['stepSeconds'])}, " if "stepSeconds" in forecast else ""
    yield "made", f"{step}up to {_moment(forecast, 'originTime')}, fitted {_moment(forecast, 'refitted')} UTC"
    if weights := forecast.get("weights"):
        shares = ", ".join(f"{model} {part:.0%}" for model, part in weights.items())
        yield "models", f"{shares}; history {forecast.get('historyRung')}, {forecast.get('tier')} tier"
    if "loss" in forecast and "naiveLoss" in forecast:
        yield "error", f"{number(forecast['loss'])} mean absolute; best naive {number(forecast['naiveLoss'])}"
    if coverage := forecast.get("coverage"):
        yield "coverage", f"{coverage['got']:.1%} of {coverage['asked']:.1%}, {coverage['samples']} outcomes"
    if tests := forecast.get("seasonTests"):
        said = (
            f"{format_duration(test['seasonSeconds'])} {'used' if test['used'] else 'not used'} ({test['reason']})"
            for test in tests
        )
        yield "seasons", ", ".join(said)
    if "levelShiftTime" in forecast:
        yield "new level", f"since {forecast['levelShiftTime']}"
    for warning in forecast.get("warnings") or ():
        yield "warning", warning


def _moment(forecast: Mapping[str, Any], key: str) -> str:
    return clock(forecast[key]) if key in forecast else "?"


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
    when = f", to be evaluated at {decided} ({parse_time(decided):.0f})" if decided else ""
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
