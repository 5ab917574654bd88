"""What a forecast stands on, line by line, from `status.forecast`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from presage.cli.numbers import number
from presage.core.units import format_duration

_MOST_MODELS = 5


def describe_forecast(forecast: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield label and text of each thing that is known."""
    step = f"slots of {format_duration(forecast['stepSeconds'])}, " if "stepSeconds" in forecast else ""
    yield "made", f"{step}up to {_moment(forecast, 'originTime')}, fitted {_moment(forecast, 'refitted')} UTC"
    if weights := forecast.get("weights"):
        shown = list(weights.items())[:_MOST_MODELS]
        more = f", {len(weights) - len(shown)} more" if len(weights) > len(shown) else ""
        yield "models", ", ".join(f"{model} {part:.0%}" for model, part in shown) + more
    yield "history", f"{forecast.get('historyRung', '?')}; {forecast.get('tier', '?')} tier"
    if "loss" in forecast and "naiveLoss" in forecast:
        yield "error", f"{number(forecast['loss'])} mean absolute; best naive {number(forecast['naiveLoss'])}"
    for each in forecast.get("lossByHorizon") or ():
        if "loss" in each:
            naive = ", ".join(f"{name} {number(loss)}" for name, loss in (each.get("naive") or {}).items())
            ahead = format_duration(each["horizonSeconds"])
            yield "", f"up to {ahead} ahead {number(each['loss'])}" + (f"; naive {naive}" if naive else "")
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
    if key not in forecast:
        return "?"
    return f"{datetime.fromisoformat(forecast[key]).astimezone(UTC):%Y-%m-%d %H:%M:%S}"
