"""The forecast of a live object, from its status. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from presage.cli.forecast.view import Verdict, View


def view_profile(profile: Mapping[str, Any], unit: str) -> View | None:
    """Return the forecast that stands in a MetricProfile's status; None if there is none.

    Args:
        profile: The object as the API server returns it.
        unit: Of the load, empty if not known.
    """
    status, spec, meta = profile.get("status") or {}, profile["spec"], profile["metadata"]
    account = status.get("forecast") or {}
    points = account.get("next") or ()
    if not points or "originTime" not in account:
        return None
    scaling = status.get("scaling") or {}
    return View(
        name=f"{meta['namespace']}/{meta['name']}",
        source=f"MetricSource {spec['sourceRef']['name']}",
        unit=unit,
        zone=(spec.get("forecast") or {}).get("timeZone"),
        origin=_epoch(account["originTime"]),
        step=float(account.get("stepSeconds", 300)),
        at=np.array([_epoch(point["at"]) for point in points]),
        curves={level: np.array([point[key] for point in points]) for level, key in ((0.5, "p50"), (0.9, "p90"))},
        account=account,
        verdict=_find_verdict(status),
        now=_find_load(scaling.get("decision") or {}),
        served=_find_served(scaling),
    )


def _find_verdict(status: Mapping[str, Any]) -> Verdict | None:
    for each in status.get("conditions") or ():
        if each["type"] == "ForecastTrusted":
            return Verdict(each["status"] == "True", each["reason"], each["message"])
    return None


def _find_load(decision: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return when the load was seen last, and what it was."""
    metrics = decision.get("metrics") or ()
    reactive = metrics[0].get("reactive") if metrics else None
    return (_epoch(decision["time"]), float(reactive["load"])) if reactive else None


def _find_served(scaling: Mapping[str, Any]) -> float | None:
    decision = scaling.get("decision") or {}
    metrics = decision.get("metrics") or ()
    return float(metrics[0]["perPod"] * decision["currentReplicas"]) if metrics else None


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
