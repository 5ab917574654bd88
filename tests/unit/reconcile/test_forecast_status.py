"""`status.forecast` and the forecast's series: complete, rounded, bounded, and nothing that is unknown."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml

from presage.core.forecast.api import Forecast, SeasonTest
from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.foresight import ForecastMemory
from presage.core.scaling.outlook import Outlook
from presage.core.scaling.policy import DEFAULTS
from presage.core.scaling.trust import Evidence, Trust, judge_forecast
from presage.reconcile.metricprofile.forecast_status import build_forecast, build_forecast_gauges, carry_reasons
from presage.reconcile.metricprofile.gather import recall
from presage.reconcile.metricprofile.inputs import ShiftMemory
from presage.reconcile.metricprofile.level_shift import judge_shift
from presage.resources.forecastspec import ForecastStatus
from presage.resources.metricprofile import MetricProfile
from tests.unit.reconcile.fakes import NOW, make_world
from tests.unit.reconcile.looking import daily, look

ASK = ForecastSpec(300, 1_814_400, 10_800, (), 0.95, None)
NAN = math.nan
HOUR, DAY, WEEK = 3600, 86_400, 604_800
SHIFT = 1_699_990_000.0


def made(**change: Any) -> ForecastMemory:
    """Return a forecast over three hours as a fit gives it, with these fields changed."""
    base = np.linspace(100.123456, 200.123456, 36)
    given: dict[str, Any] = {
        "point": base,
        "quantiles": {0.5: base, 0.9: base * 1.2, 0.95: base * 1.3},
        "weights": {"last": 0.04, "day": 0.36, "day_median_fast": 0.6},
        "backtest": {
            "day_median_fast": (10.1234, 20.0, 30.0, NAN, NAN),
            "day": (15.0, 25.0, 35.0, NAN, NAN),
            "last": (12.0, 40.0, 90.0, NAN, NAN),
        },
        "naive": {"last": (12.0, 40.0, 90.0, NAN, NAN), "day": (15.0, 25.0, 35.0, NAN, NAN), "week": (NAN,) * 5},
        "coverage": {0.5: (0.4987654, 480), 0.9: (0.91, 480), 0.95: (0.0, 0)},
        "seasons": (DAY,),
        "season_tests": (
            SeasonTest(HOUR, False, "NoBetterThanRivals", 12.3456, 11.2, 0.41234),
            SeasonTest(DAY, True, "Repeats", 15.0, 40.0, 0.93),
            SeasonTest(WEEK, False, "TooLittleHistory", NAN, NAN, NAN),
        ),
        "shift_at": None,
        "history_rung": "Days",
        "warnings": (),
        "state": None,
    }
    forecast = Forecast(**{**given, **change})
    outlook = Outlook(NOW, 300.0, forecast.point, {"p95": forecast.quantiles[0.95]})
    slot = int(NOW // 300) - 1
    return ForecastMemory(forecast, outlook, slot, "full", slot, True)


def trust_in(memory: ForecastMemory) -> Trust:
    return judge_forecast(Evidence(memory.forecast), DEFAULTS, ASK)


def shown(memory: ForecastMemory, ask: ForecastSpec = ASK) -> dict[str, Any]:
    return build_forecast(memory, ask, trust_in(memory))


def test_everything_a_forecast_says_of_itself_is_there() -> None:
    assert {k: v for k, v in shown(made(shift_at=SHIFT, warnings=("3 days are missing.",))).items() if k != "next"} == {
        "originTime": "2023-11-14T22:13:20Z",
        "stepSeconds": 300,
        "historyRung": "Days",
        "tier": "full",
        "refitted": "2023-11-14T22:10:00Z",
        "seasonsSeconds": [DAY],
        "seasonTests": [
            {
                "seasonSeconds": HOUR,
                "used": False,
                "reason": "NoBetterThanRivals",
                "loss": 12.3,
                "rivalLoss": 11.2,
                "autocorrelation": 0.41,
            },
            {
                "seasonSeconds": DAY,
                "used": True,
                "reason": "Repeats",
                "loss": 15.0,
                "rivalLoss": 40.0,
                "autocorrelation": 0.93,
            },
            {"seasonSeconds": WEEK, "used": False, "reason": "TooLittleHistory"},
        ],
        "leader": "day_median_fast",
        "weights": {"day_median_fast": 0.6, "day": 0.36},
        "loss": 20.0,
        "naiveLoss": 25.0,
        "lossByHorizon": [
            {"horizonSeconds": 900, "loss": 10.1, "naive": {"last": 12.0, "day": 15.0}},
            {"horizonSeconds": 3600, "loss": 20.0, "naive": {"last": 40.0, "day": 25.0}},
            {"horizonSeconds": 10_800, "loss": 30.0, "naive": {"last": 90.0, "day": 35.0}},
        ],
        "coverageByLevel": [
            {"asked": 0.5, "got": 0.499, "samples": 480},
            {"asked": 0.9, "got": 0.91, "samples": 480},
        ],
        "levelShiftTime": "2023-11-14T19:26:40Z",
        "warnings": ["3 days are missing."],
    }


def test_points_ahead_are_few_and_end_with_the_horizon() -> None:
    points = shown(made())["next"]
    assert len(points) == 12
    assert points[0] == {"at": "2023-11-14T22:23:20Z", "p50": 106.0, "p90": 127.0}
    assert points[-1]["p50"] == 200.0


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        pytest.param({"coverage": {0.95: (0.0, 0)}}, {"coverage", "coverageByLevel"}, id="no outcome counted"),
        pytest.param({"season_tests": (), "seasons": ()}, {"seasonTests", "seasonsSeconds"}, id="no season"),
        pytest.param(
            {"backtest": {"day": (NAN,) * 5}, "naive": {"day": (NAN,) * 5}},
            {"loss", "naiveLoss", "lossByHorizon"},
            id="nothing could be tried",
        ),
        pytest.param({}, {"levelShiftTime", "warnings"}, id="no shift, no warning"),
    ],
)
def test_what_is_unknown_is_left_out(change: Mapping[str, Any], missing: set[str]) -> None:
    status = shown(made(**change))
    assert not missing & status.keys()
    text = json.dumps(status, allow_nan=False)
    assert "null" not in text
    assert "[]" not in text
    assert "{}" not in text


@pytest.mark.parametrize(
    ("ask", "losses", "want"),
    [
        pytest.param(replace(ASK, horizon_s=2400), (1.0, 2.0, NAN, NAN, NAN), [900, 2400], id="a horizon inside one"),
        pytest.param(replace(ASK, horizon_s=600), (1.0, NAN, NAN, NAN, NAN), [600], id="a horizon of two slots"),
        pytest.param(
            replace(ASK, horizon_s=2 * DAY), (1.0,) * 5, [900, 3600, 10_800, 28_800, 2 * DAY], id="the last one is open"
        ),
        pytest.param(
            replace(ASK, step_s=1, horizon_s=10, seasons_s=(10,)), (1.0, NAN, NAN, NAN, 2.0), [3, 10], id="a short day"
        ),
    ],
)
def test_buckets_end_where_the_horizon_does(ask: ForecastSpec, losses: tuple[float, ...], want: list[int]) -> None:
    memory = made(weights={"day": 1.0}, backtest={"day": losses}, naive={"day": losses})
    assert [bucket["horizonSeconds"] for bucket in shown(memory, ask)["lossByHorizon"]] == want
    gauges = build_forecast_gauges(memory, ask, trust_in(memory))
    assert list(gauges["forecast_loss"]) == list(gauges["forecast_naive_loss"]) == [str(end) for end in want]  # type: ignore[arg-type]


def test_series_of_a_forecast() -> None:
    memory = made(shift_at=SHIFT)
    gauges = build_forecast_gauges(memory, ASK, trust_in(memory))
    assert gauges == {
        "forecast_quantile": 0.95,
        "forecast_coverage": {"0.5": 0.4987654, "0.9": 0.91},
        "forecast_coverage_asked": {"0.5": 0.5, "0.9": 0.9},
        "forecast_loss": {"900": 10.1234, "3600": 20.0, "10800": 30.0},
        "forecast_naive_loss": {"900": 12.0, "3600": 25.0, "10800": 35.0},
        "forecast_weight": {"day_median_fast": 0.6, "day": 0.36},
        "forecast_season_in_use": {"3600": 0.0, "86400": 1.0, "604800": 0.0},
        "forecast_history_rung": {"Days": 1.0},
        "forecast_tier": {"full": 1.0},
        "forecast_refit_timestamp_seconds": 1_699_999_800.0,
        "forecast_level_shift_timestamp_seconds": SHIFT,
    }


def test_the_largest_forecast_leaves_room_in_a_status_of_8_kib() -> None:
    names = [f"a_model_with_a_rather_long_name_{i:02}" for i in range(20)]
    losses = (1234.567,) * 5
    memory = made(
        weights=dict.fromkeys(names, 0.05),
        backtest=dict.fromkeys(names, losses),
        naive=dict.fromkeys(("last", "day", "week"), losses),
        coverage=dict.fromkeys((0.5, 0.9, 0.95), (0.912345, 500)),
        season_tests=tuple(SeasonTest(s, False, "NoBetterThanRivals", 1234.5, 1234.5, -0.123) for s in range(4)),
        warnings=("w" * 500,) * 9,
        shift_at=SHIFT,
    )
    status = shown(memory, replace(ASK, horizon_s=DAY))
    assert len(json.dumps(status)) < 4800
    assert len(yaml.safe_dump(status)) < 5600
    ForecastStatus.model_validate({**status, "seasonTests": []})  # within the bounds of the CRD


async def test_reasons_of_a_fit_outlive_the_ticks_after_it() -> None:
    world = make_world(forecast={"seasonsSeconds": []})
    world.loads.values = daily(500)
    first = await look(world)
    world.clock.time += 300
    world.loads.values = np.roll(world.loads.values, -1)
    second = await look(world, first.memory)
    tests = [decision.status["forecast"]["seasonTests"] for decision in (first, second)]  # type: ignore[index]
    before, after = (decision.memory.measures["load"].forecast for decision in (first, second))
    assert before is not None
    assert after is not None
    assert after.last_slot == before.last_slot + 1
    assert tests[0] == tests[1]
    assert {test["seasonSeconds"]: test["reason"] for test in tests[1]}[DAY] == "Repeats"


def test_what_a_fit_found_is_kept_only_as_long_as_it_is_in_force() -> None:
    fit = made(shift_at=SHIFT, warnings=("w",))
    moved = replace(fit, forecast=replace(fit.forecast, season_tests=(), shift_at=None, warnings=()))
    kept = carry_reasons(fit, moved)
    assert kept is not None
    assert kept.forecast == fit.forecast
    refitted = made(shift_at=None)
    assert carry_reasons(fit, refitted) is refitted


@pytest.mark.parametrize(
    ("before", "at", "told"),
    [
        pytest.param(ShiftMemory(), SHIFT, False, id="the first forecast tells of the past"),
        pytest.param(ShiftMemory(known=True), SHIFT, True, id="the first shift seen"),
        pytest.param(ShiftMemory(known=True), None, False, id="none"),
        pytest.param(ShiftMemory(known=True, at=SHIFT), SHIFT, False, id="known"),
        pytest.param(ShiftMemory(known=True, at=SHIFT - 3600), SHIFT, False, id="the same, dated a little later"),
        pytest.param(ShiftMemory(known=True, at=SHIFT + 9000), SHIFT, False, id="an earlier one"),
        pytest.param(ShiftMemory(known=True, at=SHIFT - 3900), SHIFT, True, id="another one"),
    ],
)
def test_a_level_shift_is_told_once(before: ShiftMemory, at: float | None, told: bool) -> None:
    after, notes = judge_shift(before, made(shift_at=at), ASK, "shop", NOW)
    assert [note.reason for note in notes] == ["LevelShifted"] * told
    assert judge_shift(after, made(shift_at=at), ASK, "shop", NOW + 3600)[1] == ()


def test_level_shifts_are_told_at_most_once_in_ten_minutes() -> None:
    memory, told = ShiftMemory(known=True), []
    for tick in range(0, 3600, 15):
        memory, notes = judge_shift(memory, made(shift_at=SHIFT + 300 * tick), ASK, "shop", NOW + tick)
        told += [tick] * len(notes)
    assert told == [0, 600, 1200, 1800, 2400, 3000]


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param({}, ShiftMemory(), id="no status"),
        pytest.param({"observedGeneration": 3, "forecast": {"leader": "day"}}, ShiftMemory(True), id="no shift yet"),
        pytest.param(
            {"observedGeneration": 3, "forecast": {"levelShiftTime": "2023-11-14T19:26:40Z"}},
            ShiftMemory(True, SHIFT),
            id="one",
        ),
        pytest.param({"observedGeneration": 2, "forecast": {"leader": "day"}}, ShiftMemory(), id="of another spec"),
        pytest.param({"observedGeneration": 3, "forecast": {"levelShiftTime": "soon"}}, ShiftMemory(True), id="odd"),
    ],
)
def test_a_restart_does_not_tell_again(status: Mapping[str, Any], want: ShiftMemory) -> None:
    spec = MetricProfile.parse(make_world().objects.bodies[("MetricProfile", "team", "shop")]).spec.to_core()
    assert recall(None, spec, None, {"status": status}, 3).measures["load"].shift == want
