"""A backtest as JSON: a stable document, described field by field in `FIELDS`, from which the reference is made.

Within one `schemaVersion` fields are only ever added. What is not known is null; no number is NaN or infinite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from presage.cli.backtest.result import Result, compare
from presage.cli.loads.document import SERIES_FIELDS, build_series
from presage.core.forecast.rolling import SPANS, Origin, Score
from presage.core.forecast.types import Forecast, SeasonTest

SCHEMA_VERSION = 1

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("schemaVersion", "integer", "1; fields are only ever added to it"),
    *SERIES_FIELDS,
    ("effort", "string", "presage's tier: batch or full"),
    ("timeZone", "string", "zone of all times here"),
    ("horizonSeconds", "integer", "how far each forecast reaches"),
    ("spanSeconds.SPAN", "integer", "length of a span that is scored"),
    ("spans.SPAN", "object or null", "scores over all origins; null where the span was not scored"),
    ("spans.SPAN.METHOD.mase", "number or null", "mean absolute scaled error, mean over origins"),
    ("spans.SPAN.METHOD.relMase", "number or null", "the same over that of `yesterday`; below 1 is better"),
    ("spans.SPAN.METHOD.wql", "number or null", "weighted quantile loss at 0.5, 0.9 and 0.95, pooled over origins"),
    ("spans.SPAN.METHOD.relWql", "number or null", "the same over that of `yesterday`"),
    ("spans.SPAN.METHOD.covLEVEL", "number or null", "share of truths at or below a quantile: `cov90` at 0.9"),
    ("spans.SPAN.METHOD.slots", "integer", "truths scored"),
    ("origins[]", "object", "each moment of which a forecast was made, oldest first"),
    ("origins[].at", "string", "start of the forecast, ISO 8601"),
    ("origins[].spans", "object", "as `spans`, for this origin alone"),
    ("origins[].weights.MODEL", "number", "share of a model in the forecast; they sum to 1"),
    ("origins[].bucketLoss.MODEL[]", "number or null", "mean absolute error in presage's own backtest, by bucket"),
    ("origins[].naiveLoss.NAIVE[]", "number or null", "the same for the naive forecasts `last`, `day`, `week`"),
    ("origins[].seasonsSeconds[]", "integer", "seasons in use"),
    ("origins[].seasonTests[]", "object", "each season that was considered"),
    ("origins[].seasonTests[].seasonSeconds", "integer", "its length"),
    ("origins[].seasonTests[].used", "boolean", "whether it is in use"),
    ("origins[].seasonTests[].reason", "string", "Given, Repeats, NoBetterThanRivals, NotCorrelated, TooLittleHistory"),
    ("origins[].seasonTests[].loss", "number or null", "error of the value one season before"),
    ("origins[].seasonTests[].rival", "number or null", "lowest error of what a true season must beat"),
    ("origins[].seasonTests[].correlation", "number or null", "autocorrelation one season apart"),
    ("origins[].shiftAt", "string or null", "last level shift found, ISO 8601"),
    ("origins[].coverage.LEVEL.share", "number or null", "share of truths at or below, by presage's own count"),
    ("origins[].coverage.LEVEL.count", "integer", "how many truths it counted"),
    ("origins[].historyRung", "string", "how much history there was: Hours, Day, Days or Full"),
    ("origins[].warnings[]", "string", "what is odd about the history"),
    ("worstOrigin", "string or null", "`at` of the origin with presage's largest error in the longest span"),
    ("warnings[]", "string", "what is odd about the input"),
)
"""Path, type and meaning of each field. Parts in capitals stand for names: SPAN is `short` or `day`; METHOD is
`presage`, `yesterday`, `lastWeek` or `lastValue`; LEVEL is a quantile; `[]` is each element of a list."""


def build_document(result: Result) -> dict[str, Any]:
    """Return the backtest for programs."""
    worst = result.worst()
    return {
        "schemaVersion": SCHEMA_VERSION,
        "series": build_series(result.load, result.unit, result.at_zone),
        "effort": result.effort,
        "timeZone": result.zone or "UTC",
        "horizonSeconds": result.plan.horizon * result.load.step,
        "spanSeconds": {span: length * result.load.step for span, length in result.plan.spans.items()},
        "spans": _spans(result.summary),
        "origins": [_origin(result, origin) for origin in result.origins],
        "worstOrigin": result.moment(worst.slot).isoformat() if worst else None,
        "warnings": list(result.load.warnings),
    }


def _spans(scores: Mapping[Any, Mapping[str, Score]]) -> dict[str, Any]:
    return {
        span: {method: _score(scores[span], method) for method in scores[span]} if span in scores else None
        for span in SPANS
    }


def _score(scores: Mapping[str, Score], method: str) -> dict[str, Any]:
    score, (error, loss) = scores[method], compare(scores, method)
    covered = {f"cov{100 * level:g}": _known(share) for level, share in score.covered.items()}
    numbers = {"mase": score.mase, "relMase": error, "wql": score.wql, "relWql": loss}
    return {name: _known(number) for name, number in numbers.items()} | covered | {"slots": score.slots}


def _origin(result: Result, origin: Origin) -> dict[str, Any]:
    forecast = origin.forecast
    shift = forecast.shift_at
    return {
        "at": result.moment(origin.slot).isoformat(),
        "spans": _spans(origin.scores),
        **_account(forecast),
        "shiftAt": None if shift is None else result.moment(result.slot_at(shift)).isoformat(),
    }


def _account(forecast: Forecast) -> dict[str, Any]:
    return {
        "weights": {model: _known(share) for model, share in forecast.weights.items()},
        "bucketLoss": {model: [_known(loss) for loss in losses] for model, losses in forecast.backtest.items()},
        "naiveLoss": {model: [_known(loss) for loss in losses] for model, losses in forecast.naive.items()},
        "seasonsSeconds": list(forecast.seasons),
        "seasonTests": [_season_test(test) for test in forecast.season_tests],
        "coverage": {
            f"{level:g}": {"share": _known(share), "count": int(count)}
            for level, (share, count) in forecast.coverage.items()
        },
        "historyRung": forecast.history_rung,
        "warnings": list(forecast.warnings),
    }


def _season_test(test: SeasonTest) -> dict[str, Any]:
    return {
        "seasonSeconds": int(test.season),
        "used": bool(test.used),
        "reason": test.reason,
        "loss": _known(test.loss),
        "rival": _known(test.rival),
        "correlation": _known(test.correlation),
    }


def _known(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
