"""A forecast as JSON: described field by field in `FIELDS`. Within one `schemaVersion` fields are only ever added."""

from __future__ import annotations

from typing import Any

from presage.cli.drawing.svg import known_or_none
from presage.cli.forecast.view import View

SCHEMA_VERSION = 1

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("schemaVersion", "integer", "1; fields are only ever added to it"),
    ("name", "string", "namespace and name of the object, name of the file without its ending, or the query"),
    ("source", "string", "MetricSource, file or address"),
    ("unit", "string", "as given by --unit, else empty"),
    ("timeZone", "string", "zone of `points[].at`"),
    ("origin", "string", "end of the last slot known, ISO 8601"),
    ("stepSeconds", "number", "width of a slot"),
    ("trusted", "object or null", "whether it may drive scaling, `reason` and `message`, as ForecastTrusted says"),
    ("now", "object or null", "of a live object: when the load was seen last (`at`), and `load`"),
    ("served", "number or null", "of a live object: the load that the replicas asked for serve"),
    ("points[].at", "string", "start of a slot, ISO 8601; of a live object at most 12"),
    ("points[].LEVEL", "number or null", "load at a quantile: `p50` at 0.5"),
    ("forecast", "object", "what it stands on, as in `status.forecast`"),
    ("warnings[]", "string", "what is odd about the input"),
)
"""Path, type and meaning of each field; `[]` is each element of a list."""


def build_document(view: View) -> dict[str, Any]:
    """Return the forecast for programs."""
    curves = {f"p{100 * level:g}": known_or_none(view.curves[level]) for level in view.levels}
    verdict = view.verdict
    return {
        "schemaVersion": SCHEMA_VERSION,
        "name": view.name,
        "source": view.source,
        "unit": view.unit,
        "timeZone": view.zone or "UTC",
        "origin": view.moment(view.origin).isoformat(),
        "stepSeconds": view.step,
        "trusted": verdict and {"trusted": verdict.trusted, "reason": verdict.reason, "message": verdict.message},
        "now": view.now and {"at": view.moment(view.now[0]).isoformat(), "load": view.now[1]},
        "served": view.served,
        "points": [
            {"at": view.moment(at).isoformat(), **{name: values[i] for name, values in curves.items()}}
            for i, at in enumerate(view.at.tolist())
        ],
        "forecast": dict(view.account),
        "warnings": list(view.warnings),
    }
