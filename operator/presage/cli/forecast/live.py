"""The forecast of a live object, from its status. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from presage.cli.forecast.view import Verdict, View
from presage.core.profile import MeasureName
from presage.core.units import read_time
from presage.reconcile.metricprofile.naming import name_field


def view_profile(profile: Mapping[str, Any], unit: str, metric: MeasureName = "load") -> View | None:
    """Return the forecast that stands in a MetricProfile's status; None if there is none.

    Args:
        profile: The object as the API server returns it.
        unit: Of the load, empty if not known.
        metric: Which of the object's metrics.
    """
    status, spec, meta = profile.get("status") or {}, profile["spec"], profile["metadata"]
    account = status.get(name_field("forecast", metric)) or {}
    points = account.get("next") or ()
    if not points or "originTime" not in account:
        return None
    decision = (status.get("scaling") or {}).get("decision") or {}
    decided = next((each for each in decision.get("metrics") or () if each["name"] == metric), None)
    reactive = decided.get("reactive") if decided else None
    return View(
        name=f"{meta['namespace']}/{meta['name']}" + ("" if metric == "load" else f", {metric}"),
        source=f"MetricSource {spec['sourceRef']['name']}",
        unit=unit,
        zone=(spec.get("forecast") or {}).get("timeZone"),
        origin=read_time(account["originTime"]),
        step=float(account.get("stepSeconds", 300)),
        at=np.array([read_time(point["at"]) for point in points]),
        curves={level: np.array([point[key] for point in points]) for level, key in ((0.5, "p50"), (0.9, "p90"))},
        account=account,
        verdict=_find_verdict(status),
        now=(read_time(decision["time"]), float(reactive["load"])) if reactive else None,
        served=float(decided["perPod"] * decision["currentReplicas"]) if decided else None,
    )


def _find_verdict(status: Mapping[str, Any]) -> Verdict | None:
    for each in status.get("conditions") or ():
        if each["type"] == "ForecastTrusted":
            return Verdict(each["status"] == "True", each["reason"], each["message"])
    return None
