"""A backtest as a table for a person."""

from __future__ import annotations

import math
from collections.abc import Iterator

from presage.cli.backtest.result import METHOD_NAMES, Result, compare, describe_run
from presage.cli.drawing.columns import align
from presage.core.forecast.rolling import PRESAGE, SCORED_LEVELS, Origin
from presage.core.forecast.types import Forecast, SeasonTest
from presage.core.units import format_duration

_LEGEND = """\
MASE: mean error over that of the value one day before, within the history. WQL: error of the quantiles, as a share of
the load. × yesterday: the same over that of yesterday's value; below 1 is better. cov: share of the load at or below
that quantile; 0.95 is to be 95 %."""
_REASONS = {
    "Given": "given",
    "Repeats": "it repeats",
    "NoBetterThanRivals": "no better than its rivals",
    "NotCorrelated": "not correlated",
    "TooLittleHistory": "too little history",
}
_MODELS_SHOWN = 5


def render(result: Result) -> str:
    """Return the backtest as lines of text."""
    grid, slots = result.load.grid, len(result.load.grid.values)
    missing = sum(map(math.isnan, grid.values.tolist())) / slots
    head = [
        f"{result.load.name}: {result.clock(0)} to {result.clock(slots)}, {slots} slots, {missing:.1%} missing",
        describe_run(result),
        "",
    ]
    parts = [*head, *_scores(result), "", _LEGEND, "", *_origins(result), "", *_account(result)]
    return "\n".join(parts)


def _scores(result: Result) -> Iterator[str]:
    levels = [level for level in _levels(result) if level != SCORED_LEVELS[0]]
    rows = [["span", "method", "MASE", "× yesterday", "WQL", "× yesterday", *(f"cov{100 * q:g}" for q in levels)]]
    for span, scores in result.summary.items():
        for place, (method, score) in enumerate(scores.items()):
            error, loss = result.relative(span, method)
            numbers = [_number(score.mase), _number(error), _number(score.wql), _number(loss)]
            covered = [f"{score.covered[level]:.1%}" for level in levels]
            rows.append(["" if place else result.name_span(span), METHOD_NAMES[method], *numbers, *covered])
        rows.append([])
    yield from align(rows[:-1], 2)


def _levels(result: Result) -> list[float]:
    return sorted({level for scores in result.summary.values() for level in scores[PRESAGE].covered})


def _origins(result: Result) -> Iterator[str]:
    span, worst = result.longest, result.worst()
    rows = [[f"origin ({span})", "MASE", "× yesterday", "WQL", "cov95", "leader", ""]]
    for origin in result.origins:
        start = result.clock(origin.slot)
        if span not in origin.scores:
            rows.append([start, "-", "-", "-", "-", _leader(origin), "no truth is known"])
            continue
        score, (error, _) = origin.scores[span][PRESAGE], compare(origin.scores[span], PRESAGE)
        mark = "← worst" if origin is worst and len(result.origins) > 1 else ""
        numbers = [_number(score.mase), _number(error), _number(score.wql), f"{score.covered[0.95]:.1%}"]
        rows.append([start, *numbers, _leader(origin), mark])
    yield from align(rows, 1, left_from=5)


def _leader(origin: Origin) -> str:
    weights = origin.forecast.weights
    return max(weights, key=lambda model: weights[model]) if weights else "-"


def _account(result: Result) -> Iterator[str]:
    """Yield what presage says of itself at the last origin."""
    last = result.origins[-1]
    forecast = last.forecast
    shares = sorted(forecast.weights.items(), key=lambda item: -item[1])
    yield f"at the last origin, {result.clock(last.slot)}:"
    named = [f"{model} {share:.0%}" for model, share in shares[:_MODELS_SHOWN] if share >= 0.005]
    rest = sum(share for _, share in shares[_MODELS_SHOWN:])
    yield "  weights   " + ", ".join([*named, f"others {rest:.0%}"] if rest >= 0.005 else named)
    tests = [_describe_season(test) for test in forecast.season_tests]
    yield "  seasons   " + ("; ".join(tests) if tests else _name_seasons(forecast))
    shift = forecast.shift_at
    shifted = "none found" if shift is None else f"of the level, at {result.clock(result.slot_at(shift))}"
    yield f"  shift     {shifted}"
    yield f"  history   {forecast.history_rung}"


def _describe_season(test: SeasonTest) -> str:
    use = "used" if test.used else "not used"
    return f"{format_duration(test.season)} {use}: {_REASONS[test.reason]}"


def _name_seasons(forecast: Forecast) -> str:
    return ", ".join(format_duration(season) for season in forecast.seasons) or "none"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
