"""How status and series name what there is of each measure; those of the load carry no name of their own."""

from __future__ import annotations

from presage.core.profile import MeasureName


def name_field(field: str, measure: MeasureName) -> str:
    """Return the name of a status field for one measure, such as `perPod` and `perPodBytes`."""
    return field if measure == "load" else f"{field}{measure.capitalize()}"


def name_forecast_series(series: str, measure: MeasureName) -> str:
    """Return the name of a forecast's series for one measure, such as `forecast_loss` and `forecast_bytes_loss`."""
    return series if measure == "load" else series.replace("forecast_", f"forecast_{measure}_", 1)
