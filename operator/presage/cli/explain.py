"""`presage explain mprof/NAME`: the object's own account of its last decision, for a person."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from presage.adapters.kubeconfig_reader import ReaderError, read_object
from presage.resources.metricprofile import MetricProfile

_NAMES = {MetricProfile.meta.singular, MetricProfile.meta.plural, *MetricProfile.meta.short_names}


def explain(what: str, namespace: str | None, context: str | None) -> int:
    """Print the decision, the forecast and every condition; return the exit code."""
    kind, _, name = what.partition("/")
    if kind.lower() not in _NAMES or not name:
        print(f"presage explain: {what!r} is not mprof/NAME", file=sys.stderr)
        return 2
    try:
        found = read_object(MetricProfile.meta.resource, name, namespace, context)
    except ReaderError as error:
        print(f"presage explain: {error}", file=sys.stderr)
        return error.exit_code
    print(render(found))
    return 0


def render(profile: Mapping[str, Any]) -> str:
    """Return the account of one MetricProfile as lines of text."""
    meta, status = profile["metadata"], profile.get("status") or {}
    scaling, forecast = status.get("scaling") or {}, status.get("forecast") or {}
    lines = [f"MetricProfile {meta['namespace']}/{meta['name']} → Deployment {profile['spec']['target']['name']}"]
    if not status.get("conditions"):
        return "\n".join([*lines, "  no status yet: is the operator running?"])
    lines.append(f"  decision   {scaling.get('explain', 'none')}")
    lead = scaling.get("leadTimeSeconds")
    if lead:
        lines.append(f"  lead time  {lead['value']:g} s, {lead['source']} from {lead['samples']} starts")
    if forecast:
        shares = ", ".join(f"{model} {share:.0%}" for model, share in (forecast.get("weights") or {}).items())
        lines.append(f"  forecast   from {forecast.get('originTime')}, history {forecast.get('historyRung')}: {shares}")
        if "loss" in forecast and "naiveLoss" in forecast:
            lines.append(f"  error      {forecast['loss']:g} mean absolute; best naive {forecast['naiveLoss']:g}")
        lines += _render_forecast(forecast)
    for condition in status["conditions"]:
        lines.append(f"  {condition['type']:<16}{condition['status']:<8}{condition['reason']}: {condition['message']}")
    return "\n".join(lines)


def _render_forecast(forecast: Mapping[str, Any]) -> list[str]:
    """Return what the forecast stands on, as far as it is known."""
    coverage, tests = forecast.get("coverage"), forecast.get("seasonTests") or ()
    lines = []
    if coverage:
        lines.append(f"  coverage   {coverage['got']:.1%} of {coverage['asked']:.1%}, {coverage['samples']} outcomes")
    if tests:
        said = (f"{t['seasonSeconds']} s {'used' if t['used'] else 'not used'} ({t['reason']})" for t in tests)
        lines.append(f"  seasons    {', '.join(said)}")
    if "levelShiftTime" in forecast:
        lines.append(f"  new level  since {forecast['levelShiftTime']}")
    return lines
