"""presage's forecast one lead time ahead, as its own metrics showed it at each moment."""

from __future__ import annotations

from e2e.demo import manifests
from e2e.demo.prometheus import PrometheusServer
from e2e.demo.record import ForecastSample

_OBJECT = f'kind="MetricProfile",namespace="{manifests.NAMESPACE}",name="{manifests.FUNCTION}"'
_NAMES = ("forecast_load_median", "forecast_load_upper", "lead_time_seconds")


def _query(name: str) -> str:
    return f"max(presage_{name}{{{_OBJECT}}})"


def read_latest(prometheus: PrometheusServer) -> tuple[float, float, float] | None:
    """Return (median, upper quantile, lead time in seconds) as of now; None before the first forecast."""
    found = [value for name in _NAMES if (value := prometheus.value(_query(name))) is not None]
    return (found[0], found[1], found[2]) if len(found) == len(_NAMES) else None


def read_samples(prometheus: PrometheusServer, start: float, end: float) -> tuple[ForecastSample, ...]:
    """Return the forecasts for the moments from ``start`` to ``end``, each made one lead time before."""
    series = []
    for name in _NAMES:
        result = prometheus.query_range(_query(name), start - 60, end, 1)
        series.append({float(when): float(value) for when, value in result[0]["values"]} if result else {})
    medians, uppers, leads = series
    samples = [
        ForecastSample(when + leads[when], medians[when], uppers[when])
        for when in sorted(medians)
        if when in uppers and when in leads
    ]
    return tuple(sample for sample in samples if start <= sample.at <= end)
